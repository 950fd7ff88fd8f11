"""The report of a fit: one page of words, tables and charts; content.py is what goes in, page.py what comes out."""
