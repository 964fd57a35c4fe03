"""Changing the keys under which user ids are stored, without knowing the ids."""
