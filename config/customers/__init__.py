"""Who has an account at the engine: the customers of the sites file and of the database."""
