"""Lists of hosts that stay closed, as AdGuard, Zen and others publish them."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.recognise.exclusions import exclusions, exclusions_refusal
from capper.recognise.hosts import HostSet


@pytest.mark.parametrize(
    ("line", "host"),
    [
        ("mybank.example", "mybank.example"),
        ("  MyBank.Example.  ", "mybank.example"),
        ("bänk.example", "xn--bnk-qla.example"),
        ("*.mybank.example", "mybank.example"),
        ("ping.*.vendor.example", "vendor.example"),
        ("mybank.example # why", "mybank.example"),
        ('"mybank.example"', "mybank.example"),
        ("// mybank.example", None),
        ("# mybank.example", None),
        ("! mybank.example", None),
        ("[Section]", None),
        ("google.com$app=com.example.app", None),
        ("213.135.106.194", None),
        ("2001:db8::1", None),
        ("com", None),
        ("*.com", None),
        ("ping.*", None),
        ("||ads.example^", None),
        ("a..b", None),
        ("-a.example", None),
        ("x" * 64 + ".example", None),
        ("", None),
    ],
)
def test_a_line(line, host):
    """A host a line; comments, lines for one application and addresses name none, and nothing closes a whole country."""
    assert ([host] if host else []) == list(exclusions(line))


@given(st.text(max_size=300) | st.text(st.sampled_from("a.*$-#/| \n\r\u2028ä1"), max_size=300))
def test_whatever_it_is_hosts_come_out(text):
    """Any text gives hosts of at least two labels in lower case and ASCII, or none, and never an error."""
    for host in exclusions(text):
        assert host.isascii()
        assert host == host.lower().strip(".")
        assert "." in host
    exclusions_refusal(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("<!doctype html><title>Not found</title>", "web page"),
        ('{"a": 1}', "JSON"),
        ("\x00\x01", "binary"),
        ("// nothing but a comment", "names no host"),
        ("! Title: rules\n||ads.example^\nexample.com##.ad\n/banner/*\n@@||good.example^\nnews.example\n", "no hosts"),
        ("This is the terms of service of our.example and all that.", "names no host"),
    ],
)
def test_what_is_no_list(text, why):
    """What would close hosts by chance is refused."""
    assert why in (exclusions_refusal(text) or "")


def test_the_real_lists(shared_data):
    """Every list that others publish is read, nearly whole."""
    for file in sorted((shared_data / "exclusions").glob("*.txt")):
        text = file.read_text("utf-8")
        lines = [line for line in text.splitlines() if line.strip() and not line.startswith(("//", "#", "!"))]
        plain = [line for line in lines if "$" not in line and not line[-1].isdigit()]

        assert exclusions_refusal(text) is None, file.name
        assert len(list(exclusions(text))) >= len(plain) * 0.99, file.name


def test_a_line_for_one_app_closes_no_cloud(shared_data):
    """`google.com$app=...` does not keep every connection to it closed."""
    android = (shared_data / "exclusions" / "adguard-android.txt").read_text()
    closed = HostSet(exclusions(android))

    assert "google.com$app=" in android
    assert not any(closed.covers(host) for host in ("www.google.com", "googleads.g.doubleclick.net", "facebook.com"))


def test_filter_lists_are_none(shared_data):
    """A filter list is not mistaken for a list of hosts."""
    text = gzip.decompress((shared_data / "lists" / "easylist-20260822.txt.gz").read_bytes()).decode()

    assert exclusions_refusal(text)
