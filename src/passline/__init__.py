"""passline: from yes/no data to a probability one can trust, and the line where it flips."""
