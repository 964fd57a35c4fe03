"""The HTTP face of the engine. Views find, check, call one function and answer."""
