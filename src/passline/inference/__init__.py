"""What may be said of an estimate: whether it exists, how sure it is, and where the curve crosses a level."""
