"""Imports of notifications."""
