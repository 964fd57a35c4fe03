"""The content REST as an OpenAPI 3.1 document: what an engine may ask for, and what it gets."""
