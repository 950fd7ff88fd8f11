"""The live lesson as one page: its sources in page/, and how they become a single file."""
