"""Room 2 of a message's way: who may send what to whom, and what a device asks about its log."""
