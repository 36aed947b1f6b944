"""A host's name as it is looked up: one reading of it for the address that a person types and for links in messages."""

import ipaddress
import re

_NAME = re.compile(r"(?=.{1,254}\Z)((?!-)[a-z0-9_-]{1,63}(?<!-)(\.|\Z))+")


def host_of(typed: str) -> str:
    """In ASCII, as browsers read it (UTS 46, non-transitional: ß stays ß); IPv6 in brackets. Raises `ValueError`."""
    if ":" in typed:
        return f"[{ipaddress.IPv6Address(typed)}]"
    name = typed.lower()
    if not name.isascii() or "xn--" in name:
        import idna  # its tables are loaded only where they are needed

        name = idna.encode(name, uts46=True).decode("ascii")
    if not _NAME.fullmatch(name):
        raise ValueError(typed)
    return name


def is_loopback(host: str) -> bool:
    """Whether it is this computer, by its own name or number. No name is looked up."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
