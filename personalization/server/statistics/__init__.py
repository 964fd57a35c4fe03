"""What recommendations were asked for, shown and followed, and what they sold. docs/statistics.md."""
