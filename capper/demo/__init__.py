"""A small world of its own - publishers, an ad server, a shop, on loopback - and a tour of capper through it."""
