"""Which node of a cluster a command goes to, and what happens when keys move; tests/deploy runs real ones."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot

from capper.domain.errors import LedgerUnavailable
from capper.ledger import cluster
from capper.ledger.cluster import ClusterLink, slot_of
from capper.ledger.keys import ViewerKeys
from capper.ledger.link import connect

KEY = b"cap{abc}s"


class Node:
    """A server that speaks enough RESP to be a node: it answers from a list, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[bytes]] = []
        self.answers: dict[bytes, list[bytes]] = {}
        self.replies: dict[bytes, bytes] = {}
        """To `CLUSTER`, by its second word."""
        self.slots = b"*0\r\n"

    async def start(self) -> None:
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readline():
                words = []
                for _ in range(int(head[1:])):
                    size = int((await reader.readline())[1:])
                    words.append((await reader.readexactly(size + 2))[:-2])
                if words[0] == b"CLIENT":
                    writer.write(b"+OK\r\n")
                    continue
                self.asked.append(words)
                waiting = self.answers.get(words[0])
                answer = waiting.pop(0) if waiting else b"+OK\r\n"
                if answer == b"":
                    return
                writer.write(self.replies.get(words[1], self.slots) if words[0] == b"CLUSTER" else answer)
        finally:
            writer.close()

    def says(self, *owners: "Node") -> None:
        """The slots are shared out evenly, as this node tells it."""
        share = 16_384 // len(owners)
        rows = (
            b"*3\r\n:%d\r\n:%d\r\n*2\r\n$9\r\n127.0.0.1\r\n:%d\r\n" % (share * n, share * (n + 1) - 1, owner.port)
            for n, owner in enumerate(owners)
        )
        self.slots = b"*%d\r\n" % len(owners) + b"".join(rows)

    def names(self) -> list[bytes]:
        """What it was asked, in order, by the first word."""
        return [words[0] for words in self.asked]


@pytest.fixture
async def nodes() -> AsyncIterator[tuple[Node, Node]]:
    """Two nodes; all slots are the first one's."""
    pair = Node(), Node()
    for node in pair:
        await node.start()
    for node in pair:
        node.says(pair[0])
    yield pair
    for node in pair:
        node.server.close()


@pytest.fixture
async def link(nodes) -> AsyncIterator[ClusterLink]:
    """A link to the cluster, by its first node."""
    link = connect(f"redis+cluster://127.0.0.1:{nodes[0].port}", timeout=1)
    assert isinstance(link, ClusterLink)
    yield link
    await link.close()


@given(st.binary(max_size=60))
def test_slots_are_those_of_the_server(key):
    """With a hash tag, without one, with an empty or an unclosed one: what redis-py and the server reckon."""
    assert key_slot(key) == slot_of(key)


@given(st.binary(min_size=32, max_size=32), st.text(max_size=30))
def test_all_keys_of_a_viewer_have_one_slot(root, occasion):
    """Whatever kind of key it is."""
    keys = ViewerKeys(root)

    assert len({slot_of(key) for key in (keys.session, keys.occasion(occasion), keys.note(5))}) == 1


async def test_the_map_is_asked_for_once(nodes, link):
    """Many commands at a time learn together who has which slots, over one connection to each node."""
    await asyncio.gather(*(link("SET", KEY, "x") for _ in range(50)))

    assert nodes[0].names().count(b"CLUSTER") == 1
    assert nodes[0].names().count(b"SET") == 50


async def test_keys_that_moved_are_found(nodes, link):
    """A node that says MOVED is believed: the map is asked for anew, and the command repeated where the keys are."""
    first, second = nodes
    await link("SET", KEY, "x")
    first.answers[b"SET"] = [b"-MOVED %d 127.0.0.1:%d\r\n" % (slot_of(KEY), second.port)]
    for node in nodes:
        node.says(second)

    assert await link("SET", KEY, "y") == b"OK"
    assert second.asked[-1] == [b"SET", KEY, b"y"]


async def test_keys_on_their_way_are_asked_for_there(nodes, link):
    """A node that says ASK is asked around once, with ASKING right before, and the map stays."""
    first, second = nodes
    await link("SET", KEY, "x")
    first.answers[b"SET"] = [b"-ASK %d 127.0.0.1:%d\r\n" % (slot_of(KEY), second.port)]
    await asyncio.gather(link("SET", KEY, "y"), link("SET", KEY, "z"))

    assert second.names() == [b"ASKING", b"SET"]
    assert first.names().count(b"CLUSTER") == 1


async def test_the_node_that_keys_moved_to_is_asked_for_the_map(nodes, link):
    """It knows, when the others have not heard of it yet; a name without a host is on that of the node that says it."""
    first, second = nodes
    await link("SET", KEY, "x")
    second.says(second)  # the first still says that all is its own
    first.answers[b"SET"] = [b"-MOVED %d :%d\r\n" % (slot_of(KEY), second.port)] * 3

    assert await link("SET", KEY, "y") == b"OK"
    assert first.names().count(b"CLUSTER") == 1
    assert second.names() == [b"CLUSTER", b"SET"]


async def test_keys_of_which_some_have_moved_are_waited_for(nodes, link):
    """A node that has some of them only, or that the others are on their way to, is asked again; the map stays."""
    first, second = nodes
    first.answers[b"SET"] = [b"-TRYAGAIN some\r\n", b"-ASK 1 127.0.0.1:%d\r\n" % second.port]
    second.answers[b"SET"] = [b"-TRYAGAIN some\r\n"]

    assert await link("SET", KEY, "x") == b"OK"
    assert first.names() == [b"CLUSTER", b"SET", b"SET", b"SET"]
    assert second.names() == [b"ASKING", b"SET"]


async def test_keys_that_stay_between_two_nodes_are_given_up(nodes, link, monkeypatch):
    """After the last pause, in the node's words."""
    monkeypatch.setattr(cluster, "_PAUSES", (0, 0))
    nodes[0].answers[b"SET"] = [b"-TRYAGAIN still some\r\n"] * 9
    with pytest.raises(LedgerUnavailable, match="still some"):
        await link("SET", KEY, "x")

    assert nodes[0].names().count(b"SET") == 3


async def test_a_node_that_is_gone_is_looked_past(nodes, link):
    """When a node hangs up for good, the others say who has its slots now."""
    first, second = nodes
    first.says(second)
    await link("SET", KEY, "x")
    second.says(first)
    first.says(first)
    second.answers[b"SET"] = [b"", b""]

    assert await link("SET", KEY, "y") == b"OK"
    assert first.asked[-1] == [b"SET", KEY, b"y"]


async def test_the_named_node_may_be_the_one_that_is_gone(nodes, link):
    """The others are known from the map, also those that were not needed yet; the one that hung up is asked last."""
    first, second = nodes
    assert slot_of(KEY) < 8192
    for node in nodes:
        node.says(first, second)
    await link("SET", KEY, "x")
    first.answers[b"SET"] = [b"", b""]
    second.says(second)

    assert await link("SET", KEY, "y") == b"OK"
    assert second.asked[-1] == [b"SET", KEY, b"y"]
    assert first.names().count(b"CLUSTER") == 1


async def test_a_persons_keys_are_looked_for_in_their_slot(nodes, link):
    """On every node, for some may be on their way; what else is in that slot is left out."""
    first, second = nodes
    for node, key in ((first, KEY), (second, b"cap{xyz}s")):
        node.says(first, second)
        node.replies[b"GETKEYSINSLOT"] = b"*1\r\n$%d\r\n%b\r\n" % (len(key), key)

    assert [key async for keys in link.scan(b"cap{abc}*") for key in keys] == [KEY]
    assert second.asked[-1][:3] == [b"CLUSTER", b"GETKEYSINSLOT", b"%d" % slot_of(KEY)]


@pytest.mark.parametrize("pattern", [b"cap{*", b"cap{a*}s", b"cap{a?}s*"])
async def test_keys_that_may_be_anywhere_are_looked_for_everywhere(nodes, link, pattern):
    """A pattern that does not name one hash tag is scanned for."""
    nodes[0].answers[b"SCAN"] = [b"*2\r\n$1\r\n0\r\n*1\r\n$%d\r\n%b\r\n" % (len(KEY), KEY)]

    assert [keys async for keys in link.scan(pattern)] == [[KEY]]


async def test_who_may_not_ask_for_a_slot_scans(nodes, link):
    """As a user whose rights are of before."""
    nodes[0].replies[b"GETKEYSINSLOT"] = b"-NOPERM this user has no permissions\r\n"
    nodes[0].answers[b"SCAN"] = [b"*2\r\n$1\r\n0\r\n*1\r\n$%d\r\n%b\r\n" % (len(KEY), KEY)]

    assert [keys async for keys in link.scan(b"cap{abc}*")] == [[KEY]]


async def test_another_word_is_final(nodes, link):
    """A command that a node refuses is not tried elsewhere."""
    nodes[0].answers[b"SET"] = [b"-OOM no memory\r\n"]
    with pytest.raises(LedgerUnavailable, match="no memory"):
        await link("SET", KEY, "x")

    assert nodes[0].names().count(b"SET") == 1


async def test_keys_that_keep_moving_are_given_up(nodes, link):
    """Two nodes that each name the other end in one sentence."""
    first, second = nodes
    for node, other in ((first, second), (second, first)):
        node.answers[b"SET"] = [b"-MOVED 1 127.0.0.1:%d\r\n" % other.port] * 9
    with pytest.raises(LedgerUnavailable, match="ask the ledger at"):
        await link("SET", KEY, "x")

    assert first.names().count(b"SET") == 3


async def test_slots_that_nobody_has(nodes, link):
    """A cluster that is not whole says so for those keys."""
    for node in nodes:
        node.slots = b"*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$0\r\n\r\n:%d\r\n" % nodes[0].port

    with pytest.raises(LedgerUnavailable, match="no node of the cluster has slot"):
        await link("SET", KEY, "x")
    assert await link("INFO") == b"OK", "a node without a name is the one that was asked"


async def test_a_server_that_is_no_cluster(nodes, link):
    """Said in one sentence."""
    nodes[0].slots = b"-ERR This instance has cluster support disabled\r\n"

    with pytest.raises(LedgerUnavailable, match="cluster support disabled"):
        await link("INFO")
