"""The proxy: everything that knows mitmproxy, from the listening socket to an `Exchange` and back."""

from capper.proxy.lean import lean

# Before any module below imports mitmproxy.
lean()
