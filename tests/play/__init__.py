"""Tests of the live page, which share one browser."""
