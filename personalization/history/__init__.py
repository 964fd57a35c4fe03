"""History of a shop or magazine that was recorded elsewhere, brought in as a customer's own data."""
