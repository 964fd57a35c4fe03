"""Model builds."""
