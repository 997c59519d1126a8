"""How much memory a capper holds that a household leaves running."""

import gzip
import sys

import pytest

MOST = 160.0
"""Megabytes."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
def test_with_easylist(household, shared_data, wait_for):
    """With EasyList it holds less than 160 MB once it has settled: when it has just built the engine, and with one kept."""
    capper = household()
    lists = capper.folder / "easylist.txt"
    lists.write_bytes(gzip.decompress((shared_data / "lists" / "easylist-20260822.txt.gz").read_bytes()))
    capper.environ["CAPPER_LISTS"] = str(lists)
    held = []
    for _ in range(2):
        capper.start()
        wait_for(lambda: capper.resident() < MOST)
        held.append(capper.resident())
        assert capper.stop() == 0
    print(", ".join(f"{each:.0f} MB" for each in held))

    assert max(held) < MOST
