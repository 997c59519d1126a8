"""capper: a proxy that counts, for each person, how often an ad has been shown, and stops at the cap."""

__version__ = "0.1.0"
