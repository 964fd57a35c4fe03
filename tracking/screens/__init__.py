"""Screens of the back office: the event debugger and the snippet for a site."""
