"""One algorithm a file: each takes an objective and returns a Solution with its certificate."""
