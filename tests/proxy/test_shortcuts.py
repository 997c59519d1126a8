"""What is lighter than mitmproxy's own says the same as mitmproxy's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy import http
from mitmproxy.options import Options
from mitmproxy.proxy.context import Context
from mitmproxy.test import tflow

from capper.proxy.shortcuts import take_shortcuts

NAMES = st.sampled_from([b"Accept", b"accept", b"Via", b"K", "\u212a".encode(), b"\xff"])
FIELDS = st.lists(st.tuples(NAMES, st.binary(max_size=4)), max_size=6)


@pytest.fixture(autouse=True)
def _shortcuts():
    """They hold for the whole process, as in a running capper."""
    take_shortcuts()


@given(FIELDS, NAMES)
def test_header_fields(fields, name):
    """A field is found by its name in any case, as text or bytes, with all its values in their order."""
    headers = http.Headers(fields)
    text = name.decode("utf-8", "surrogateescape")
    values = [value.decode("utf-8", "surrogateescape") for key, value in fields if key.lower() == name.lower()]

    assert values == headers.get_all(name) == headers.get_all(text)
    assert (", ".join(values) if values else None) == headers.get(text) == headers.get(name)
    assert bool(values) == (text in headers) == (name in headers)
    if values:
        assert ", ".join(values) == headers[text]
    else:
        with pytest.raises(KeyError):
            headers[text]


@given(FIELDS, FIELDS)
def test_other_fields(before, after):
    """What was found before says nothing of other fields, nor of a copy's."""
    headers = http.Headers(before)
    assert headers.get("accept") == http.Headers(before).get("accept")
    copy = headers.copy()
    copy["accept"] = "*/*"
    headers.fields = tuple(after)

    assert http.Headers(after).get("accept") == headers.get("accept")
    assert copy["Accept"] == "*/*"


def test_names_are_text_or_bytes():
    """Anything else is no name, as ever."""
    with pytest.raises(TypeError):
        http.Headers().get(1)


def test_options():
    """What can be changed is given away as a copy, and what was set is what is found."""
    options = Options()
    options.mode.append("socks5")
    options.update(rawtcp=False, listen_host="::1")

    assert [*options.mode] == ["regular"]
    assert (options.rawtcp, options.listen_host) == (False, "::1")


def test_fork():
    """A forked context has the same connections and options, and layers of its own."""
    context = Context(tflow.tclient_conn(), Options())
    context.layers.append("one")
    forked = context.fork()
    forked.layers.append("two")

    assert (forked.client, forked.server, forked.options) == (context.client, context.server, context.options)
    assert (context.layers, forked.layers) == (["one"], ["one", "two"])


def test_connections():
    """A connection is the one of its id, be it a record of it, and nothing else."""
    client = tflow.tclient_conn()
    recorded = tflow.tclient_conn()
    recorded.id = client.id

    assert client == recorded
    assert client != tflow.tclient_conn().copy()
    assert client != client.id
