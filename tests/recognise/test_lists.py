"""Subscriptions: fetched over real HTTPS, kept when a fetch fails, written whole or not at all."""

import contextlib
import gzip
import http.server
import ipaddress
import json
import ssl
import threading
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from capper.domain.errors import ConfigError
from capper.recognise.download import Fetcher
from capper.recognise.filterlist import ListKind
from capper.recognise.listfiles import write_atomically
from capper.recognise.lists import ListStore, starter_lists
from capper.recognise.subscription import Outcome, Subscription
from capper.testing import NOON

LIST = "! Title: Test list\n! Expires: 2 days\n||ads.example^\n||more.example^\n##.ad\n"


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers with what the test's `site.answers` holds for a path, and remembers what it was asked."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        site = self.server.site
        site.asked.append((self.path, dict(self.headers)))
        answer = site.answers.get(self.path, (404, {}, b""))
        status, headers, body = answer.pop(0) if isinstance(answer, list) else answer
        if status == 200 and headers.get("ETag") and self.headers.get("If-None-Match") == headers["ETag"]:
            status, body = 304, b""
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *args):
        """Say nothing."""


class Server(http.server.ThreadingHTTPServer):
    """A server that ends with its threads, and does not speak of clients that hang up."""

    daemon_threads = False
    site = None

    def handle_error(self, request, client_address):
        """Clients that hang up in the middle are what some tests are about."""


class Site:
    """A real HTTPS origin on loopback."""

    def __init__(self, context):
        self.answers = {}
        self.asked = []
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.site = self
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that is its own authority, as a PEM file with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "capper tests")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(built.public_bytes(serialization.Encoding.PEM) + private)
    return path


@pytest.fixture
def site(certificate, monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    found = Site(context)
    yield found
    found.close()


@pytest.fixture
def fetch(certificate):
    return Fetcher(verify=ssl.create_default_context(cafile=certificate), most=50_000, pause=lambda _: None)


@pytest.fixture
def store(tmp_path, fetch):
    return ListStore(tmp_path, fetch)


def ok(text=LIST, **headers):
    return 200, headers, text.encode()


def test_add_fetches_and_remembers(site, store):
    """Adding a list fetches it over HTTPS, and says its title and how many rules hold."""
    site.answers["/test.txt"] = ok(ETag='"1"')

    report = store.add(f"{site.url}/test.txt", ListKind.ADS, NOON)

    assert (report.name, report.outcome, report.rules, report.detail) == ("test", Outcome.ADDED, 3, "Test list")
    (known,) = store.subscriptions()
    assert (known.etag, known.expires, known.fetched_at, known.failure) == ('"1"', timedelta(days=2), NOON, "")
    assert [(item.name, item.text, item.kind) for item in store.lists()] == [("test", LIST, ListKind.ADS)]


def test_update_waits_for_expires(site, store):
    """Nothing is asked before `! Expires` is over, unless forced; a clock set back does not stop updates for ever."""
    site.answers["/test.txt"] = ok()
    store.add(f"{site.url}/test.txt", ListKind.ADS, NOON)

    assert [report.outcome for report in store.update(NOON + timedelta(hours=47))] == [Outcome.FRESH]
    assert len(site.asked) == 1
    assert [report.outcome for report in store.update(NOON, force=True)] == [Outcome.UNCHANGED]
    assert [report.outcome for report in store.update(NOON + timedelta(hours=49))] == [Outcome.UNCHANGED]
    assert [report.outcome for report in store.update(NOON - timedelta(days=400))] == [Outcome.UNCHANGED]
    assert len(site.asked) == 4


def test_not_modified(site, store):
    """An unchanged list is asked for by its ETag and not sent again; the time of asking counts."""
    site.answers["/test.txt"] = ok(ETag='"1"')
    store.add(f"{site.url}/test.txt", ListKind.ADS, NOON)
    later = NOON + timedelta(days=3)

    (report,) = store.update(later)

    assert (report.outcome, report.rules) == (Outcome.UNCHANGED, 3)
    assert site.asked[1][1]["If-None-Match"] == '"1"'
    assert store.subscriptions()[0].fetched_at == later
    assert store.lists()[0].text == LIST


def test_changed(site, store):
    """A changed list takes the place of the old one, and the report says by how many rules they differ."""
    site.answers["/test.txt"] = ok(ETag='"1"')
    store.add(f"{site.url}/test.txt", ListKind.ADS, NOON)
    site.answers["/test.txt"] = ok(LIST + "||third.example^\n", ETag='"2"')

    (report,) = store.update(NOON, force=True)

    assert (report.outcome, report.before, report.rules) == (Outcome.UPDATED, 3, 4)
    assert "third.example" in store.lists()[0].text


def test_a_lost_copy_is_fetched_again(site, store):
    """A copy that was deleted is fetched whole, without asking whether it changed."""
    site.answers["/test.txt"] = ok(ETag='"1"')
    store.add(f"{site.url}/test.txt", ListKind.ADS, NOON)
    (store.folder / "test.txt").unlink()

    assert store.lists() == []
    (report,) = store.update(NOON)

    assert (report.outcome, store.lists()[0].text) == (Outcome.UNCHANGED, LIST)


HUGE = "||ads.example^\n" * 10_000


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ((500, {}, b"sorry"), "the server answers 500"),
        ((404, {}, b""), "the server answers 404"),
        ((206, {}, LIST.encode()), "the server answers 206"),
        ((200, {"Content-Length": "9999"}, LIST.encode()), "closed connection"),
        ((200, {}, HUGE.encode()), "larger than 0.05 MB"),
        ((200, {"Content-Encoding": "gzip"}, gzip.compress(HUGE.encode())), "larger than 0.05 MB"),
        ((200, {"Content-Encoding": "gzip"}, gzip.compress(b"\0" * 50_000_000)), "larger than 0.05 MB"),
        ((200, {"Content-Encoding": "gzip"}, gzip.compress(LIST.encode())[:-9]), "ends in the middle"),
        ((200, {"Content-Encoding": "gzip"}, b"no gzip"), "compression is damaged"),
        ((200, {"Content-Encoding": "br"}, b"\x0b\x02\x80"), "in the coding 'br'"),
        ((200, {}, b""), "this is not a filter list: it is empty"),
        ((200, {}, b"<!DOCTYPE html><p>Please log in"), "this is not a filter list: it is a web page"),
        ((200, {}, bytes(range(256)) * 20), "this is not a filter list: it is binary data"),
        ((302, {"Location": "http://127.0.0.1:9/test.txt"}, b""), "only https:// is accepted"),
        ((302, {"Location": "file:///etc/passwd"}, b""), "only https:// is accepted"),
        ((302, {"Location": "/test.txt"}, b""), "more than 5 redirects"),
        ((304, {}, b""), ""),
    ],
)
def test_failure_keeps_the_last_good_copy(site, store, answer, sentence):
    """Whatever a server sends instead of the list, the copy stays in use, and the report says why in one sentence."""
    site.answers["/test.txt"] = ok()
    store.add(f"{site.url}/test.txt", ListKind.ADS, NOON)
    site.answers["/test.txt"] = answer

    (report,) = store.update(NOON + timedelta(days=9))

    assert report.outcome is Outcome.FAILED
    assert sentence in report.detail
    assert "the last good copy of 3 rules stays in use" in report.detail
    assert [item.text for item in store.lists()] == [LIST]
    (known,) = store.subscriptions()
    assert sentence in known.failure
    assert known.fetched_at == NOON
    assert known.due(NOON + timedelta(days=9))


def test_recovery_clears_the_failure(site, store):
    """The next fetch that works makes up for one that failed."""
    site.answers["/test.txt"] = ok()
    store.add(f"{site.url}/test.txt", ListKind.ADS, NOON)
    site.answers["/test.txt"] = (500, {}, b"")
    store.update(NOON, force=True)
    site.answers["/test.txt"] = ok()

    (report,) = store.update(NOON, force=True)

    assert (report.outcome, store.subscriptions()[0].failure) == (Outcome.UNCHANGED, "")


def test_momentary_failures_are_tried_again(site, store):
    """A server that is busy is asked again, at most three times in all; what will not change is not."""
    site.answers["/busy.txt"] = [(503, {}, b""), (429, {}, b""), ok()]
    site.answers["/down.txt"] = (500, {}, b"")
    site.answers["/gone.txt"] = (410, {}, b"")

    assert store.add(f"{site.url}/busy.txt", ListKind.ADS, NOON).rules == 3
    for path in ("/down.txt", "/gone.txt"):
        with pytest.raises(ConfigError, match="the server answers"):
            store.add(site.url + path, ListKind.ADS, NOON)
    assert [path for path, _ in site.asked] == ["/busy.txt"] * 3 + ["/down.txt"] * 3 + ["/gone.txt"]


def test_redirects_over_https_are_followed(site, store):
    """A list may have moved, as long as it moved to another https:// address."""
    site.answers["/old.txt"] = (301, {"Location": "/new.txt"}, b"")
    site.answers["/new.txt"] = ok()

    assert store.add(f"{site.url}/old.txt", ListKind.ADS, NOON).rules == 3


def test_gzip(site, store):
    """A compressed list is the list."""
    site.answers["/test.txt"] = (200, {"Content-Encoding": "gzip"}, gzip.compress(LIST.encode()))

    store.add(f"{site.url}/test.txt", ListKind.ADS, NOON)

    assert store.lists()[0].text == LIST


def test_a_long_compressed_list(site, certificate):
    """A list that inflates to many times its size is read whole as long as it keeps to the limit."""
    site.answers["/test.txt"] = (200, {"Content-Encoding": "gzip"}, gzip.compress(HUGE.encode() * 10))
    fetch = Fetcher(ssl.create_default_context(cafile=certificate))

    assert fetch(f"{site.url}/test.txt").body == HUGE.encode() * 10


def test_an_unknown_authority_is_refused(site, tmp_path):
    """A certificate that nobody vouches for is not accepted, and nothing is subscribed."""
    site.answers["/test.txt"] = ok()
    store = ListStore(tmp_path, Fetcher(pause=lambda _: None))

    with pytest.raises(ConfigError, match="certificate verify failed"):
        store.add(f"{site.url}/test.txt", ListKind.ADS, NOON)
    assert store.subscriptions() == []
    assert site.asked == []


def test_a_slow_server_is_given_up(site, certificate):
    """A download that takes longer than its deadline ends."""
    site.answers["/test.txt"] = ok()
    fetch = Fetcher(ssl.create_default_context(cafile=certificate), deadline=-1, pause=lambda _: None)

    with pytest.raises(ConfigError, match="takes longer"):
        fetch(f"{site.url}/test.txt")


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("http://lists.example/a.txt", "over http:// anyone on the way could rewrite the list"),
        ("HTTP://lists.example/a.txt", "over http:// anyone on the way could rewrite the list"),
        ("ftp://lists.example/a.txt", "neither an https:// address nor a file"),
        ("https://", "neither an https:// address nor a file"),
        ("file://server/a.txt", "three slashes and no host"),
        ("", "neither an https:// address nor a file"),
        ("/no/such/list.txt", "it is not there"),
        ("/", "it is a folder"),
        ("/dev/null", "it is not a file"),
        ("a\x00b", "neither an https:// address nor a file"),
        ("https://lists.example:no/a.txt", "fetch https://lists.example:no/a.txt"),
    ],
)
def test_refused_sources(store, source, sentence):
    """A source that cannot be used is refused in one sentence, and nothing is subscribed."""

    with pytest.raises(ConfigError) as caught:
        store.add(source, ListKind.ADS, NOON)
    assert sentence in str(caught.value)
    assert store.subscriptions() == []


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_file_sources(store, tmp_path, form):
    """A file is copied, so that it may go away; asked again, its changes are taken over."""
    source = tmp_path / "my list.txt"
    source.write_text(LIST)
    store.add(form.format(str(source).replace(" ", "%20") if "file" in form else source), ListKind.TRACKERS, NOON)

    assert [(item.name, item.kind) for item in store.lists()] == [("my-list", ListKind.TRACKERS)]
    source.write_text(LIST + "||new.example^\n")
    assert store.update(NOON, force=True)[0].rules == 4
    source.unlink()
    assert store.update(NOON, force=True)[0].outcome is Outcome.FAILED
    assert "new.example" in store.lists()[0].text
    source.mkdir()
    assert "it is a folder" in store.update(NOON, force=True)[0].detail


def test_shrinking_lists_are_not_believed(store, tmp_path):
    """A list that lost more than half of its rules is taken over only when forced."""
    source = tmp_path / "big.txt"
    source.write_text("".join(f"||ads{n}.example^\n" for n in range(1000)))
    store.add(str(source), ListKind.ADS, NOON)
    source.write_text("||ads1.example^\n")

    (report,) = store.update(NOON + timedelta(days=30))

    assert report.outcome is Outcome.FAILED
    assert "shrank from 1000 to 1 rules" in report.detail
    assert store.update(NOON, force=True)[0].rules == 1


def test_includes(store, tmp_path):
    """What a list includes from beside it is part of it; what lies elsewhere is refused."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "more.txt").write_text("||included.example^\n")
    source = tmp_path / "main.txt"
    source.write_text(LIST + "!#include sub/more.txt\n!#if false\n!#include nothing.txt\n!#endif\n")

    assert store.add(str(source), ListKind.ADS, NOON).rules == 4
    assert "included.example" in store.lists()[0].text
    for path in (
        "../secret.txt",
        "sub/%2e%2e/%2e%2e/secret.txt",
        "/etc/passwd",
        "https://elsewhere.example/x.txt",
        "file:///etc/passwd",
        "//e.example/x",
    ):
        source.write_text(LIST + f"!#include {path}\n")
        assert store.update(NOON, force=True)[0].outcome is Outcome.FAILED


def test_includes_over_https(site, store):
    """Includes are fetched from the same folder of the same server, and then the list is always fetched whole."""
    site.answers["/l/main.txt"] = ok(LIST + "!#include more.txt\n", ETag='"1"')
    site.answers["/l/more.txt"] = ok("||included.example^\n")

    assert store.add(f"{site.url}/l/main.txt", ListKind.ADS, NOON).rules == 4
    assert store.subscriptions()[0].etag == ""
    site.answers["/l/main.txt"] = ok(LIST + "!#include /other.txt\n")
    assert "not beside it" in store.update(NOON, force=True)[0].detail


def test_names(store, tmp_path):
    """Names come from the file, are unique, and can be chosen within reason."""
    for folder in ("a", "b", "c"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "Easy List!.txt").write_text(LIST)

    assert store.add(str(tmp_path / "a" / "Easy List!.txt"), ListKind.ADS, NOON).name == "easy-list"
    assert store.add(str(tmp_path / "b" / "Easy List!.txt"), ListKind.ADS, NOON).name == "easy-list-2"
    for name, sentence in [("easy-list", "already"), ("../x", "no name"), ("starter-ads", "already"), ("", None)]:
        source = str(tmp_path / "c" / "Easy List!.txt")
        if sentence is None:
            assert store.add(source, ListKind.ADS, NOON, name).name == "easy-list-3"
            continue
        with pytest.raises(ConfigError, match=sentence):
            store.add(source, ListKind.ADS, NOON, name)


def test_twice(store, tmp_path):
    """One source is subscribed once."""
    (tmp_path / "x.txt").write_text(LIST)
    store.add(str(tmp_path / "x.txt"), ListKind.ADS, NOON)

    with pytest.raises(ConfigError, match="subscribed already, as 'x'"):
        store.add(f"file://{tmp_path}/x.txt", ListKind.ADS, NOON)


def test_remove(store, tmp_path):
    """A subscription ends by its name or source, and its copy goes; an unknown one is refused with what there is."""
    (tmp_path / "x.txt").write_text(LIST)
    (tmp_path / "y.txt").write_text(LIST)
    store.add(str(tmp_path / "x.txt"), ListKind.ADS, NOON)
    store.add(str(tmp_path / "y.txt"), ListKind.ADS, NOON)

    with pytest.raises(ConfigError, match="no list is called 'z'; subscribed: x, y"):
        store.remove("z")
    assert store.remove("x").name == "x"
    assert store.remove(str(tmp_path / "y.txt")).name == "y"
    assert (store.subscriptions(), store.lists()) == ([], [])
    assert not list(store.folder.glob("*.txt"))


def test_update_by_name(store, tmp_path):
    """Only the lists asked for are updated."""
    for name in "xy":
        (tmp_path / f"{name}.txt").write_text(LIST)
        store.add(str(tmp_path / f"{name}.txt"), ListKind.ADS, NOON)

    assert [report.name for report in store.update(NOON, names=["y"])] == ["y"]
    with pytest.raises(ConfigError, match="no list is called 'z'"):
        store.update(NOON, names=["z"])


def test_show(store, tmp_path):
    """Showing lists those that travel with capper and the subscriptions, ready for JSON."""
    (tmp_path / "x.txt").write_text(LIST)
    store.add(str(tmp_path / "x.txt"), ListKind.ADS, NOON)
    found = [status.as_json() for status in store.show(NOON + timedelta(days=3))]

    assert [(row["name"], row["packaged"], row["due"]) for row in found] == [
        ("starter-ads", True, False),
        ("starter-trackers", True, False),
        ("x", False, True),
    ]
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"subscriptions": 3}',
        '{"subscriptions": [{}]}',
        '{"version": 2, "subscriptions": []}',
        "\udcff",
        "[" * 100_000,
    ],
)
def test_a_damaged_file_of_subscriptions(store, text):
    """A damaged file is named and left alone."""
    store.folder.mkdir(parents=True)
    (store.folder / "subscriptions.json").write_bytes(text.encode("utf-8", "surrogateescape"))

    with pytest.raises(ConfigError, match=r"read .*subscriptions\.json"):
        store.subscriptions()
    with pytest.raises(ConfigError):
        store.update(NOON)
    assert (store.folder / "subscriptions.json").read_bytes() == text.encode("utf-8", "surrogateescape")


def test_a_name_cannot_lead_elsewhere():
    """A subscription whose name is a path is not read."""
    row = Subscription("x", "/x", ListKind.ADS).as_json() | {"name": "../../x"}

    with pytest.raises(ValueError, match="no name for a list"):
        Subscription.from_json(row)


@pytest.mark.parametrize("broken", ["folder", "file", "dangling"])
def test_a_damaged_copy_is_left_out(store, tmp_path, broken, caplog):
    """A copy that became something else is left out, the others stay."""
    for name in "xy":
        (tmp_path / f"{name}.txt").write_text(LIST)
        store.add(str(tmp_path / f"{name}.txt"), ListKind.ADS, NOON)
    copy = store.folder / "x.txt"
    copy.unlink()
    if broken == "folder":
        copy.mkdir()
    elif broken == "file":
        copy.write_bytes(b"\x00")
    else:
        copy.symlink_to("/no/such/file")

    assert [item.name for item in store.lists()] == ["y"]
    assert "filter list x is left out" in caplog.text


def test_a_folder_that_cannot_be_written(tmp_path, fetch):
    """A state folder that is a file is one clear sentence."""
    (tmp_path / "state").write_text("")
    (tmp_path / "x.txt").write_text(LIST)

    with pytest.raises(ConfigError, match="write "):
        ListStore(tmp_path / "state", fetch).add(str(tmp_path / "x.txt"), ListKind.ADS, NOON)


def test_write_atomically(tmp_path, monkeypatch):
    """A write that fails leaves the old file and nothing beside it."""
    path = tmp_path / "x"
    write_atomically(path, b"old")

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_starter_lists():
    """The lists that travel with capper are lists, one of each kind."""

    assert [(item.name, item.kind) for item in starter_lists()] == [
        ("starter-ads", ListKind.ADS),
        ("starter-trackers", ListKind.TRACKERS),
    ]


BANKS = "// Banks\nmybank.example\nother.example\ngoogle.com$app=com.example.app\n"


def test_a_list_of_closed_hosts(site, store):
    """Hosts that stay closed are subscribed to like filter lists, counted as hosts, and not taken for rules."""
    site.answers["/banks.txt"] = ok(BANKS)
    report = store.add(f"{site.url}/banks.txt", ListKind.CLOSED, NOON)

    assert (Outcome.ADDED, 2) == (report.outcome, report.rules)
    assert [] == store.lists()
    assert [("banks", BANKS, ListKind.CLOSED)] == [(item.name, item.text, item.kind) for item in store.closed()]


@pytest.mark.parametrize(("text", "kind"), [(LIST, ListKind.CLOSED), ("<html>", ListKind.CLOSED)])
def test_a_list_of_another_kind_is_refused(site, store, text, kind):
    """A filter list closes nothing by mistake."""
    site.answers["/test.txt"] = ok(text)

    with pytest.raises(ConfigError, match="this is not a list of hosts"):
        store.add(f"{site.url}/test.txt", kind, NOON)


@pytest.mark.parametrize(("text", "kind"), [(BANKS, ListKind.CLOSED), (LIST, ListKind.ADS)])
def test_an_edited_copy_is_renewed(site, store, text, kind):
    """Somebody's edit of the copy never freezes updates: it is fetched whole again, though its source says that nothing changed."""
    site.answers["/test.txt"] = ok(text, ETag='"1"')
    store.add(f"{site.url}/test.txt", kind, NOON)
    copy = store.folder / "test.txt"
    copy.write_text(text + "edited.example\n")
    (report,) = store.update(NOON + timedelta(days=9))

    assert Outcome.FAILED != report.outcome
    assert "If-None-Match" not in site.asked[1][1]
    assert text == copy.read_text()
