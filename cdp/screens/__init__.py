"""Screens of the customer data platform in the back office."""
