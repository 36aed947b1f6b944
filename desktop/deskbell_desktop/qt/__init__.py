"""The widgets: each is given core views, shows them, and emits what the person did (room 8 of the walk)."""
