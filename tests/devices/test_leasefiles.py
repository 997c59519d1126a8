"""Lease files as they change."""

import os

import pytest

from capper.devices.leasefiles import LARGEST, LeaseFiles, usual_places
from capper.testing import FrozenClock

ROW = "2000000000 de:ad:be:ef:00:0{0} 192.168.1.{0} phone-{0} *\n"
FOUR = bytes([192, 168, 1, 4])


def test_what_has_changed_is_read_again(tmp_path):
    """Files that come, change and go; each is told by its place, the others stay."""
    first, second = tmp_path / "one.leases", tmp_path / "two.leases"
    first.write_text(ROW.format(4))
    files = LeaseFiles([str(tmp_path / "*.leases")], FrozenClock())
    before = files.now.macs
    files.refresh()
    one = files.now
    second.write_text(ROW.format(5))
    files.refresh()
    both = files.now
    first.unlink()
    files.refresh()

    assert {} == before
    assert ({FOUR: "de:ad:be:ef:00:04"}, {"de:ad:be:ef:00:04": "phone-4"}) == (one.macs, one.names)
    assert {4, 5} == {address[3] for address in both.macs}
    assert {5} == {address[3] for address in files.now.macs}
    assert (second,) == files.files


def test_only_the_end_of_a_huge_file(tmp_path):
    """Of a file that was never cleaned up the newest part is read; Kea's columns keep their names."""
    file = tmp_path / "kea.csv"
    head = "address,hwaddr,client_id,valid_lifetime,expire,hostname,state\n"
    old = "192.168.1.9,de:ad:be:ef:00:09,,3600,1000000000,,0\n"
    file.write_text(head + old * (LARGEST // len(old) + 10) + "192.168.1.4,de:ad:be:ef:00:04,,3600,2000000000,tv,0\n")
    files = LeaseFiles([str(file)], FrozenClock())
    files.refresh()

    assert {FOUR: "de:ad:be:ef:00:04"} == files.now.macs


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read(tmp_path):
    """It is named, and is no error."""
    file = tmp_path / "leases"
    file.write_text(ROW.format(4))
    file.chmod(0)
    files = LeaseFiles([str(file)])
    files.refresh()

    assert ({file}, {}) == (files.unreadable, files.now.macs)


def test_what_is_no_file(tmp_path):
    """A folder or a pipe in its place is passed over."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    files = LeaseFiles([str(tmp_path / "*")])
    files.refresh()

    assert {} == files.now.macs


def test_a_name_like_a_pattern(tmp_path):
    """A file that is there by its very name is that file."""
    file = tmp_path / "leases[1]"
    file.write_text(ROW.format(4))
    files = LeaseFiles([str(file)], FrozenClock())
    files.refresh()

    assert [FOUR] == list(files.now.macs)


def test_usual_places():
    """Every place is a whole path."""
    assert all(place.startswith("/") for place in usual_places())
    assert "/var/lib/misc/dnsmasq.leases" in usual_places()
