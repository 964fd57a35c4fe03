"""Learning: events in Parquet files go in, arrays come out. Nothing here knows Django.

The same SQL text runs on DuckDB and Spark (reference `recommender-anchors.md` 5); every step gives fresh
column names, because an alias that hides a column has silently changed results on another engine.
"""
