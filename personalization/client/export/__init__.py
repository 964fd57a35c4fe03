"""Full export: files that an engine downloads, and the one notification that announces them."""
