"""Room 4 of the walk: after the commit, hints to whoever is connected. Whatever is lost here, a sync repairs."""
