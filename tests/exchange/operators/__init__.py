"""Graphs of one operator, and small graphs of several, for `operators_check.py`."""
