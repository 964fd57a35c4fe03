"""Screens of the back office that need more than a list of columns."""
