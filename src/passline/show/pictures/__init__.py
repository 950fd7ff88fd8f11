"""Pictures by matplotlib, one subject a file: each function draws on the axes that it is given."""
