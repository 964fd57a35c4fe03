"""Reading what a stream delivered: text, format, rows, types (reference `cdp.md` 2.2 stage 3, 2.4)."""
