"""How traffic finds its way to capper: a PAC file, a transparent router, WireGuard; text to review before it is applied."""
