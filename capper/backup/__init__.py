"""A household in one sealed file: its settings, policy, keys and counts, taken from one machine and brought to another."""
