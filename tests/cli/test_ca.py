"""`capper ca` as a person meets it."""

import json
import plistlib
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from capper.proxy.authority import AUTHORITY_LIFE, authority_file, load_authority
from capper.settings.version import CURRENT, VERSION_FILE


@pytest.fixture
def authority(home):
    return load_authority(home / "state", datetime.now(UTC))


def test_show(capper, authority, home):
    """Whose it is, until when, its fingerprint, and where a device gets it."""
    told = capper("ca", "show").out
    row = json.loads(capper("ca", "show", "--json").out)

    assert authority.fingerprint() == row["sha256"]
    assert authority.fingerprint() in told
    assert str(authority_file(home / "state")) == row["file"]
    assert AUTHORITY_LIFE.days - 3 <= row["days_left"] <= AUTHORITY_LIFE.days
    assert "http://capper.internal/" in told


def test_one_that_has_ended(capper, home):
    """That it is over is said, with what to do."""
    load_authority(home / "state", datetime.now(UTC) - AUTHORITY_LIFE - timedelta(days=1))

    assert "over: no device takes it; capper ca renew" in capper("ca", "show").out


@pytest.mark.parametrize("command", ["show", "export"])
def test_none_so_far(capper, home, command):
    """Before the first start there is none, and asking makes none."""
    told = capper("ca", command)

    assert 2 == told.code
    assert "the first `capper run` makes it" in told.err
    assert not (home / "state" / "ca").exists()


def test_export(capper, authority, home):
    """The certificate comes in each form, to a file or on; its key in none."""
    der, profile = home / "x.cer", home / "x.mobileconfig"
    pem = capper("ca", "export").out
    assert 0 == capper("ca", "export", "--form", "der", "--out", der).code
    assert 0 == capper("ca", "export", "--form", "profile", "--out", profile).code
    content = plistlib.loads(profile.read_bytes())["PayloadContent"][0]["PayloadContent"]

    assert authority.certificate == x509.load_pem_x509_certificate(pem.encode())
    assert authority.certificate == x509.load_der_x509_certificate(der.read_bytes())
    assert content == der.read_bytes()
    assert "PRIVATE" not in pem


def test_export_to_where_nothing_can_be_written(capper, authority, home):
    """That is one sentence."""
    told = capper("ca", "export", "--out", home / "no" / "where")

    assert (2, 1) == (told.code, told.err.count("\n"))


def test_renew(capper, authority, home):
    """A new one takes the old one's place once that is confirmed, and what to do next is said."""
    refused = capper("ca", "renew", stdin="n\n")
    kept = json.loads(capper("ca", "show", "--json").out)["sha256"]
    renewed = capper("ca", "renew", "--yes")
    new = json.loads(capper("ca", "show", "--json").out)

    assert (1, 0) == (refused.code, renewed.code)
    assert authority.fingerprint() == kept != new["sha256"]
    assert "Remove the old one there: it is called capper." in renewed.out
    assert f"It is called {new['name']}." in renewed.out


def test_a_newer_state_is_left_alone(capper, authority, home):
    """What a newer capper wrote is not touched."""
    (home / "state" / VERSION_FILE).write_text(json.dumps({"capper_state": CURRENT + 1}))

    assert 2 == capper("ca", "renew", "--yes").code
    assert authority.pem() == authority_file(home / "state").read_bytes()
