"""The condition document of an audience (reference `cdp.md` 3.2, 3.3): reading, judging and writing it."""
