"""The command line: one file a command, which parses, calls and prints; nothing is computed here."""

from passline.cli.app import app, main, run

__all__ = ["app", "main", "run"]
