"""Capper's speed, measured against what people would use instead: `python -m benchmarks --help`."""
