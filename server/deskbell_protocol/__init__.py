"""The wire between server and desktop: the one room both know. Imports only the standard library and msgspec."""

__version__ = "0.1.0"

PROTOCOL_VERSION = 2
"""`v` of the connect payload; raised when an old client could misread a new server."""
