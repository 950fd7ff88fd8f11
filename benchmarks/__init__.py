"""Timings, taken by hand on a quiet machine: run as ``python -m benchmarks.NAME`` from the repository's root."""
