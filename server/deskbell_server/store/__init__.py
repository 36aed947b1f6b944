"""Room 3 of the walk: what is committed here happened, the rest did not. The only package that knows SQL."""
