"""The proxy that the environment names for a server: `https_proxy` or `http_proxy`, and none for `no_proxy`."""

from urllib.request import getproxies, proxy_bypass

from yarl import URL

from deskbell_desktop.core.hosts import is_loopback
from deskbell_desktop.io.address import Address


def proxy_for(address: Address) -> URL | None:
    """May hold a name and a password. None for this computer, whatever the environment says."""
    typed = getproxies().get(address.scheme, "")
    if not typed or is_loopback(address.name) or proxy_bypass(address.host):
        return None
    return URL(typed if "://" in typed else f"http://{typed}")
