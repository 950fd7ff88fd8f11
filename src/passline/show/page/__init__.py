"""What all pages share: how modules become one script, how parts become one file, and how elements are made."""
