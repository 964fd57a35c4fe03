"""How good recommendations are, on events that were held back. Nothing here knows Django."""
