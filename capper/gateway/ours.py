"""The host that capper itself answers as: where a device gets the certificate, and proves that it trusts it."""

HOST = "capper.internal"
"""ICANN keeps `.internal` for private use: nobody outside can own it."""

ADDRESSES = ("192.0.2.88", "2001:db8:ca99::88")
"""Where the router's resolver says the host is: addresses for documentation, at which nothing is. Connections to them are
redirected to capper like those to ad hosts, and lead nowhere while capper is down."""


def leads_to_us(host: str) -> bool:
    """Whether a connection to this name or address is for capper itself, and nobody is to be connected to."""
    return host in ADDRESSES or is_ours(host.rstrip(".").lower())


def is_ours(host: str) -> bool:
    """Whether `host`, in lower case, is capper's own or below it."""
    return host == HOST or host.endswith(f".{HOST}")
