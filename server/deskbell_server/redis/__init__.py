"""Redis between several processes: the connection to it, and hints."""
