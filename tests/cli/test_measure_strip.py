"""`capper measure strip` as somebody who shares a recording meets it."""

import json


def test_a_recording_is_stripped(capper, tmp_path):
    """For its owner only until it is given away; never over itself."""
    entry = {
        "startedDateTime": "2026-11-22T12:00:00Z",
        "request": {"method": "GET", "url": "https://news.example/?id=hunter2", "headers": []},
        "response": {"status": 200, "headers": [], "content": {"size": 1, "mimeType": "text/plain", "text": "x"}},
    }
    path, out = tmp_path / "in.har", tmp_path / "out.har"
    path.write_text(json.dumps({"log": {"version": "1.2", "entries": [entry]}}))
    said = capper("measure", "strip", str(path), "--out", str(out))
    refused = capper("measure", "strip", str(path), "--out", str(path))

    assert "has 1 entry without" in said.out
    assert "hunter2" not in out.read_text()
    assert 0o600 == out.stat().st_mode & 0o777
    assert 2 == refused.code
    assert "hunter2" in path.read_text()
