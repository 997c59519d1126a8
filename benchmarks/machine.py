"""The machine and the software of a run, for whoever compares its figures with those of another."""

import os
import platform
from importlib.metadata import version
from pathlib import Path


def machine() -> str:
    """Processors, system, the versions that matter, and how busy others keep it, in one line."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    model = models[0] if models else platform.machine()
    return (
        f"{os.cpu_count()} x {model}, {platform.system()} {platform.release()}, Python {platform.python_version()}, "
        f"mitmproxy {version('mitmproxy')}, load {os.getloadavg()[0]:.1f} before the run"
    )
