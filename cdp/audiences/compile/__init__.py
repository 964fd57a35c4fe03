"""From a tree of conditions to one SQL statement over profiles (reference `cdp.md` 3.3, 3.4).

Every leaf becomes a column of a row per profile, true or false, and the tree an expression over these
columns: so each leaf is evaluated once however often it is named, and one pass counts every node. The same
statement serves SQLite and PostgreSQL; what they spell differently is in `dialects`.
"""
