"""Popups: adapters to what the desktop offers, tried in order; the last one always works (room 8 of the walk)."""
