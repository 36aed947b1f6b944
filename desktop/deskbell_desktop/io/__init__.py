"""The desktop's edges: the server (room 5 of a message's way), the local store, the keyring."""
