"""Addresses of clients, as text and as what they are."""

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def parsed(written: str) -> Address | None:
    """None when it is no address; an IPv4 address written as IPv6 is the IPv4 address."""
    try:
        address = ipaddress.ip_address(written)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
