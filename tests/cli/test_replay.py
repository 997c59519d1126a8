"""capper replay, on the real gate: recordings of pages with ads, policies, damage."""

import base64
import gzip
import json
import re
import sqlite3
import struct
import zlib
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from capper.journal import read

START = datetime(2026, 11, 22, 12, tzinfo=UTC)
CLICK = "https://adclick.g.doubleclick.net/pcs/click?xai=1&amp;adurl=https%3A%2F%2Fwww.shoes.example%2Fsale"
SLOT = f'<div><a href="{CLICK}"><img src="https://tpc.googlesyndication.com/simgad/1234567890" width=300 height=250></a></div>'
PAGE = f"<!DOCTYPE html>\r\n<html lang=en><meta charset=utf-8><h1>News</h1>{SLOT}<p>The café</p></html>"
FRAME = f'<!DOCTYPE html><body><a href="{CLICK}"><img src="https://s0.2mdn.net/1/shoe.jpg"></a></body>'


def png(width: int, height: int) -> bytes:
    """A grey picture of this size."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x80" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


class Recording:
    """A HAR in the making; each entry a minute after the last, unless it says when."""

    def __init__(self) -> None:
        self.entries: list[dict] = []
        self.now = START

    def add(self, url, body, kind="document", *, mime="text/html; charset=utf-8", referer=None, at=None, **more):
        self.now = at or self.now + timedelta(minutes=1)
        content = {"size": len(body), "mimeType": mime}
        if isinstance(body, bytes):
            content |= {"text": base64.b64encode(body).decode(), "encoding": "base64"}
        else:
            content["text"] = body
        fields = {"Referer": referer} if referer else {}
        answer = {"Content-Type": mime, "Content-Encoding": "gzip", "Server": "test", **more.pop("headers", {})}
        dest = {"document": "document", "iframe": "iframe", "image": "image"}[kind]
        self.entries.append(
            {
                "_resourceType": "document" if kind == "iframe" else kind,
                "startedDateTime": self.now.isoformat(),
                "request": {
                    "method": "GET",
                    "url": url,
                    "headers": [{"name": k, "value": v} for k, v in {"Sec-Fetch-Dest": dest, **fields}.items()],
                },
                "response": {
                    "status": 200,
                    "statusText": "OK",
                    "headers": [{"name": k, "value": v} for k, v in answer.items()],
                    "content": content,
                    "redirectURL": "",
                    "bodySize": 1234,
                },
                "cache": {},
                **more,
            }
        )

    def value(self) -> dict:
        return {"log": {"version": "1.2", "creator": {"name": "t", "version": "1"}, "entries": self.entries}}


@pytest.fixture
def recording():
    return Recording()


@pytest.fixture
def replay(capper, home, recording):
    """Replay the recording under caps: what the command told, the entries after, the journal's records."""

    def run(*caps, options=(), source=None):
        har, policy, out, journal = (home / name for name in ("in.har", "p.toml", "out.har", "j.jsonl"))
        har.write_bytes(source if source is not None else json.dumps(recording.value(), indent=1).encode())
        policy.write_text(f"caps = {json.dumps(caps)}")
        told = capper("replay", har, "--policy", policy, "--out", out, "--journal", journal, *options)
        told.bytes = out.read_bytes() if out.exists() else b""
        told.entries = json.loads(told.bytes)["log"]["entries"] if out.exists() else []
        told.records = list(read(journal)) if journal.exists() else []
        return told

    return run


def verdicts(entry):
    return [each["verdict"] for each in entry.get("_capper", {}).get("decisions", [])]


def test_the_fourth_page(replay, recording):
    """Under a cap of 3 the fourth page has a placeholder in the ad's place; all else of all entries is as it was."""
    for number in range(4):
        recording.add(f"https://www.news{number}.example/", PAGE)
    told = replay("3 per advertiser per day")
    before, after = PAGE, told.entries[3]["response"]["content"]["text"]
    decision = told.entries[3]["_capper"]["decisions"][0]

    assert told.code == 0
    assert told.entries[:3] == recording.entries[:3]
    assert after.startswith(before[: before.index("<a href")])
    assert after.endswith("<p>The café</p></html>")
    assert "simgad" not in after
    assert {key: decision[key] for key in ("verdict", "advertiser", "rule", "cap", "count", "reopens")} == {
        "verdict": "withhold",
        "advertiser": "shoes.example",
        "rule": "caps",
        "cap": "3 per advertiser per day",
        "count": 3,
        "reopens": "2026-11-23T12:01:00Z",
    }
    assert [(record.entry, record.verdict, record.label) for record in told.records] == [
        (0, "show", "shoes.example"),
        (1, "show", "shoes.example"),
        (2, "show", "shoes.example"),
        (3, "withhold", "shoes.example"),
    ]
    assert "shoes.example" in told.out
    assert "3 ads shown, 1 withheld; 1 entry changed" in told.out


def test_no_caps_change_nothing(replay, recording):
    """With a policy without caps what comes out is what went in, byte for byte."""
    for _ in range(5):
        recording.add("https://www.news.example/", PAGE)
        recording.add(
            "https://ad.doubleclick.net/ddm/adi/1;ord=1", FRAME, "iframe", referer="https://www.news.example/"
        )
    told = replay()

    assert told.bytes == json.dumps(recording.value(), indent=1).encode()


def test_frames_and_pictures(replay, recording):
    """An ad's frame and an ad's picture give way as text and as base64, as they were recorded."""
    news = "https://www.news.example/"
    frame = "https://ad.doubleclick.net/ddm/adi/N1/B2;ord=1"
    picture = "https://tpc.googlesyndication.com/simgad/99887766"
    recording.add(news, "<p>no ads in here")
    for _ in range(2):
        recording.add(frame, FRAME, "iframe", referer=news)
        recording.now += timedelta(minutes=30)
        recording.add(picture, png(300, 250), "image", mime="image/png", referer=news)
        recording.now += timedelta(minutes=30)
    told = replay("1 per advertiser per day", "1 per creative per day")
    frames, pictures = told.entries[1::2], told.entries[2::2]

    assert told.entries[0] == recording.entries[0]
    assert (verdicts(frames[1]), verdicts(pictures[1])) == (["withhold"], ["withhold"])
    assert "encoding" not in frames[1]["response"]["content"]
    assert "shoe.jpg" not in frames[1]["response"]["content"]["text"]
    assert pictures[1]["response"]["content"]["encoding"] == "base64"
    assert pictures[1]["response"]["content"]["text"] != base64.b64encode(png(300, 250)).decode()
    assert [entry["response"]["status"] for entry in told.entries] == [200] * 5


def test_cacheable_pictures(replay, recording):
    """A cacheable creative is made to be asked for anew, body untouched; over the cap it is answered without the origin."""
    news, picture = "https://www.news.example/", "https://tpc.googlesyndication.com/simgad/99887766"
    recording.add(news, "<p>no ads in here")
    for _ in range(2):
        recording.now += timedelta(minutes=30)
        recording.add(
            picture,
            png(300, 250),
            "image",
            mime="image/png",
            referer=news,
            headers={"Cache-Control": "max-age=86400", "ETag": '"1"', "Date": "Sun, 22 Nov 2026 12:00:00 GMT"},
        )
    told = replay("1 per creative per day")
    first, second = told.entries[1:]
    was = recording.entries[1]["response"]

    assert (first["_capper"]["action"], verdicts(first)) == ("rewrite", ["show"])
    assert (second["_capper"]["action"], verdicts(second)) == ("answer", ["withhold"])
    assert first["response"]["content"] == was["content"]
    assert {"name": "Cache-Control", "value": "no-cache"} in first["response"]["headers"]
    assert [field for field in first["response"]["headers"] if field["name"] != "Cache-Control"] == [
        field for field in was["headers"] if field["name"] != "Cache-Control"
    ]
    assert second["response"]["content"]["encoding"] == "base64"
    assert second["response"]["content"]["text"] != was["content"]["text"]


def test_people(replay, recording):
    """Each `_viewer` has counts of her own, and `--viewer` names whose the other entries are."""
    for viewer in ("anna", "ben", None, "anna", None):
        recording.add("https://www.news.example/", PAGE, **({"_viewer": viewer} if viewer else {}))
    told = replay("1 per advertiser per day", options=["--viewer", "ben"])

    assert [verdicts(entry) for entry in told.entries] == [[], [], ["withhold"], ["withhold"], ["withhold"]]
    assert [record.viewer for record in told.records] == ["anna", "ben", "ben", "anna", "ben"]


def test_midnight(replay, recording):
    """A calendar day ends at midnight of the recording's clock, a rolling day 24 hours later."""
    for hours in (9, 11, 13):
        recording.add("https://www.news.example/", PAGE, at=START + timedelta(hours=hours))
    calendar = replay("1 per advertiser per calendar day")
    rolling = replay("1 per advertiser per day")

    assert [verdicts(entry) for entry in calendar.entries] == [[], ["withhold"], []]
    assert [verdicts(entry) for entry in rolling.entries] == [[], ["withhold"], ["withhold"]]
    assert calendar.entries[1]["_capper"]["decisions"][0]["reopens"] == "2026-11-23T00:00:00Z"


def test_order(replay, recording):
    """Entries are judged by their times and stay where they stand."""
    for hours in (3, 1, 2):
        recording.add("https://www.news.example/", PAGE, at=START + timedelta(hours=hours))
    told = replay("2 per advertiser per day")

    assert [verdicts(entry) for entry in told.entries] == [["withhold"], [], []]


@pytest.mark.parametrize(("charset", "name"), [("windows-1252", "café"), ("shift_jis", "日本"), ("koi8-r", "кафе")])
def test_charsets(replay, recording, charset, name):
    """A page in another charset than UTF-8 is capped, and its text stays what it was."""
    page = PAGE.replace("café", name).replace("<meta charset=utf-8>", "")
    for _ in range(2):
        recording.add("https://www.news.example/", page, mime=f"text/html; charset={charset}")
    told = replay("1 per advertiser per day")

    assert verdicts(told.entries[1]) == ["withhold"]
    assert told.entries[1]["response"]["content"]["text"].endswith(f"<p>The {name}</p></html>")
    assert told.entries[1]["response"]["headers"][0] == recording.entries[1]["response"]["headers"][0]


def test_json(replay, recording):
    """`--json` prints the summary as JSON alone."""
    for _ in range(2):
        recording.add("https://www.news.example/", PAGE)
    told = json.loads(replay("1 per advertiser per day", options=["--json"]).out)

    assert (told["entries"], told["shown"], told["withheld"], told["changed"]) == (2, 1, 1, 1)
    assert told["advertisers"][0] | {"reopens": None} == {
        "viewer": "household",
        "advertiser": "shoes.example",
        "shown": 1,
        "withheld": 1,
        "reopens": None,
    }


def test_same_twice(replay, recording):
    """The same recording and policy give the same bytes."""
    for _ in range(3):
        recording.add("https://www.news.example/", PAGE)
    first, second = replay("1 per creative per day"), replay("1 per creative per day")

    assert (first.bytes, first.out) == (second.bytes, second.out)


def test_compressed(capper, home, recording):
    """A .har.gz is read, and written when so named."""
    recording.add("https://www.news.example/", PAGE)
    (home / "in.har.gz").write_bytes(gzip.compress(json.dumps(recording.value()).encode()))
    told = capper("replay", home / "in.har.gz", "--out", home / "out.har.gz")

    assert told.code == 0
    assert json.loads(gzip.decompress((home / "out.har.gz").read_bytes())) == recording.value()


def test_only_the_summary(capper, home, recording):
    """Nothing but the recording is needed; without --out nothing is written but capper's own state."""
    (home / "in.har").write_text(json.dumps(recording.value()))
    told = capper("replay", home / "in.har")

    assert (told.code, told.err) == (0, "")
    assert "holds no entries" in told.out
    assert {path.name for path in home.iterdir()} <= {"in.har", "state"}


def test_the_ledger_is_left_alone(capper, home, recording, monkeypatch):
    """A replay opens no ledger, whatever the settings name."""
    monkeypatch.setenv("CAPPER_LEDGER", "redis://127.0.0.1:1")
    recording.add("https://www.news.example/", PAGE)
    (home / "in.har").write_text(json.dumps(recording.value()))

    assert capper("replay", home / "in.har").code == 0


def test_damaged_entries(replay, recording):
    """A damaged entry stays, is told, and is in the journal with its index."""
    recording.add("https://www.news.example/", PAGE)
    recording.entries.append({"request": None, "startedDateTime": 5})
    told = replay("1 per advertiser per day")

    assert told.code == 0
    assert told.entries == recording.entries
    assert "entry 1: its `request` is missing" in told.out
    assert [(record.entry, bool(record.note)) for record in told.records] == [(0, False), (1, True)]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (b"", "is empty"),
        (b"\x89PNG\r\n\0", "binary data"),
        (b'{"log": {"entries": [{', "is cut off"),
        (b"not json", "line 1, column 1"),
        (b"[]", "not a HAR"),
        (b'{"log": {"entries": {}}}', "not a list"),
        (b'{"log": {"entries": [' + b"[" * 100_000, "nested too deeply"),
        (b'{"log": {"entries": [{"a": ' + b"1" * 10_000 + b"}]}}", "digits"),
        (b'{"log": {"entries": ["\0"]}}', "control character"),
        (gzip.compress(b"{}" * 9999, mtime=0)[:30], "is cut off"),
    ],
)
def test_damage(replay, source, words):
    """A damaged recording ends with exit code 2, one sentence with its name, and no output."""
    told = replay(source=source)

    assert (told.code, told.out, told.bytes, told.records) == (2, "", b"", [])
    assert re.fullmatch(r"capper: \S+in\.har .*\n", told.err)
    assert words in told.err


def test_files_that_cannot_be(capper, home, recording):
    """A missing or unreadable file and an output that cannot be or must not be written end with 2 and one sentence."""
    har = home / "in.har"
    har.write_text(json.dumps(recording.value()))
    (home / "folder").mkdir()
    cases = {
        (home / "none.har",): "no such file",
        (home / "folder",): "is a directory",
        (har, "--out", har): "read by this replay",
        (har, "--out", home / "folder"): "is a directory",
        (har, "--out", home / "none" / "out.har"): "cannot be written",
        (har, "--out", home / "a", "--journal", home / "a"): "name two files",
        (har, "--policy", home / "none.toml"): "none.toml",
    }
    for arguments, words in cases.items():
        told = capper("replay", *arguments)

        assert (told.code, told.out, told.err.count("\n")) == (2, "", 1), told.err
        assert words in told.err
    assert json.loads(har.read_text()) == recording.value()


def test_real_recordings(capper, home, shared_data):
    """Every real recording is replayed under the starter policy, and no entry is lost or moved."""
    for path in sorted((shared_data / "har").glob("*.har.gz")):
        told = capper("replay", path, "--out", home / "out.har", "--json")
        before = json.loads(gzip.decompress(path.read_bytes()))["log"]["entries"]
        after = json.loads((home / "out.har").read_bytes())["log"]["entries"]

        assert told.code == 0, path.name
        assert len(before) == len(after)
        assert all("_capper" in new for old, new in zip(before, after, strict=True) if old != new)
        assert [entry["request"] for entry in before] == [entry["request"] for entry in after]


def test_a_crawl_of_openwpms_is_replayed(capper, tmp_path):
    """Ads that their requests tell are counted for the browser that met them."""
    from capper.study.formats.openwpm import write_openwpm

    path = tmp_path / "crawl-data.sqlite"
    write_openwpm(path, "none", [], [])
    with closing(sqlite3.connect(path)) as file:
        for number in range(3):
            url = f"{CLICK.replace('&amp;', '&')}&n={number}"
            file.execute(
                "INSERT INTO http_requests (browser_id, visit_id, request_id, url, method, headers, resource_type, time_stamp)"
                " VALUES (1, ?, ?, ?, 'GET', '[]', 'sub_frame', '2026-11-22T12:00:00.000Z')",
                (number, number, url),
            )
            file.execute(
                "INSERT INTO http_responses (browser_id, visit_id, request_id, url, response_status, headers)"
                ' VALUES (1, ?, ?, ?, 200, \'[["Content-Type", "text/html"]]\')',
                (number, number, url),
            )
        file.commit()
    told = json.loads(capper("replay", str(path), "--json").out)

    assert 3 == told["entries"]
    assert "2026-11-22T12:00:00+00:00" == told["first"]
