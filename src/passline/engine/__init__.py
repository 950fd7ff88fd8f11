"""Rows only through sums: blocks of rows, the likelihood of a row, and the objective over all of them."""
