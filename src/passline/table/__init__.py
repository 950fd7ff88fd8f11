"""Tables in: files, queries and frames become named columns, and a formula becomes terms over them."""
