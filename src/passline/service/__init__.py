"""`passline serve`: models over HTTP; each file one thing: reading rows, the protocol V2, guarding, watching, pages."""
