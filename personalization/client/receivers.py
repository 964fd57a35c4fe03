"""Content notifications."""
