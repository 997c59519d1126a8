"""Which device is behind an address: its MAC, by the kernel's neighbour table and by DHCP leases; and whom nobody has named yet."""
