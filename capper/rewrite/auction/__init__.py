"""Auctions: bids in answers, whom requests are not to ask, Ad Manager's slots."""
