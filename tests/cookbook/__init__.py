"""An app as a project has one: page types, templates of either engine, nothing of ours changed."""
