"""What a start imports: the proxy listens before anything is loaded that only some will need."""

import subprocess
import sys

START = """
import sys
import capper.cli.proxying, capper.cli.run, capper.cli.workers
import capper.dashboard.house, capper.dashboard.person, capper.dashboard.serving
import capper.ledger.embedded, capper.proxy.lean, capper.proxy.master, capper.proxy.people
print(*{'httpx', 'numpy', 'rich', 'scipy'} & sys.modules.keys())
"""


def test_a_start_loads_nothing_that_only_some_need():
    """numpy is for pictures and studies, httpx for downloads, rich for tables: 50 MB and a third of a second."""
    done = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, check=True)

    assert "" == done.stdout.strip()
