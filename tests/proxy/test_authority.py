"""The household's certificate authority: made once, kept secret, and good for browsers."""

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from capper.domain.errors import ConfigError
from capper.proxy.authority import (
    AUTHORITY_LIFE,
    LEAF_LIFE,
    Authority,
    Leaves,
    authority_file,
    load_authority,
    read_authority,
    renew_authority,
)

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def test_authority_is_made_once(tmp_path):
    """The first start makes it, the next ones find it; the key is readable by its owner only."""
    first, again = load_authority(tmp_path, NOW), load_authority(tmp_path, NOW)
    secret = tmp_path / "ca" / "authority.pem"

    assert first.certificate == again.certificate
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert b"PRIVATE" in secret.read_bytes()
    assert b"PRIVATE" not in authority_file(tmp_path).read_bytes()
    assert [file.name for file in (tmp_path / "ca").iterdir() if file.name.startswith(".")] == []


def test_two_starts_at_once_agree(tmp_path):
    """Processes that start at the same time end up with the same authority."""
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: load_authority(tmp_path, NOW).certificate, range(8)))

    assert len(set(made)) == 1


def test_loose_permissions_are_tightened(tmp_path):
    """A key that others could read is closed again."""
    load_authority(tmp_path, NOW)
    secret = tmp_path / "ca" / "authority.pem"
    secret.chmod(0o644)
    load_authority(tmp_path, NOW)

    assert stat.S_IMODE(secret.stat().st_mode) == 0o600


def test_certificate_says_who_it_is():
    """It is called capper, signs for hosts but for no further authority, and lasts five years."""
    certificate = Authority.create(NOW).certificate
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)

    assert certificate.subject.rfc4514_string() == "O=capper,CN=capper"
    assert (constraints.value.ca, constraints.value.path_length, constraints.critical) == (True, 0, True)
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == AUTHORITY_LIFE


@pytest.mark.parametrize(
    ("host", "names"),
    [
        ("ads.test", ["ads.test"]),
        ("bücher.test", ["xn--bcher-kva.test"]),
        ("a" * 60 + ".test", ["a" * 60 + ".test"]),
        ("203.0.113.1", ["203.0.113.1"]),
        ("2001:db8::1", ["2001:db8::1"]),
    ],
)
def test_leaf_is_for_one_host(host, names):
    """A leaf names exactly its host, in the form browsers compare."""
    key = ec.generate_private_key(ec.SECP256R1())
    authority = Authority.create(NOW)
    leaf = authority.leaf(host, key.public_key(), NOW)
    found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert [str(name.value) for name in found] == names
    leaf.verify_directly_issued_by(authority.certificate)


def test_leaves_are_kept_and_renewed():
    """A host's certificate is made once, and anew when half its life is over."""
    leaves = Leaves(Authority.create(NOW))
    first = leaves.get("ads.test", NOW)

    assert leaves.get("ads.test", NOW + timedelta(days=1)) is first
    assert leaves.get("ads.test", NOW + LEAF_LIFE / 2) is not first


def test_an_expired_authority_gives_way(tmp_path, caplog):
    """An expired certificate is of no use to anybody: a new one is made at the start, under a name of its own, and that is told."""
    old, later = load_authority(tmp_path, NOW), NOW + timedelta(days=6 * 365)
    new = load_authority(tmp_path, later)

    assert old.certificate != new.certificate
    assert new.certificate == load_authority(tmp_path, later).certificate
    assert "capper 2032-11-20" == new.name()
    assert new.pem() == authority_file(tmp_path).read_bytes()
    assert "expired on 2031" in caplog.text


def test_renewing(tmp_path):
    """A new key and certificate take the place of the old, which nobody can use any more."""
    old = load_authority(tmp_path, NOW)
    new = renew_authority(tmp_path, NOW)
    secret = tmp_path / "ca" / "authority.pem"

    assert new.certificate == read_authority(tmp_path).certificate
    assert old.certificate != new.certificate
    assert old.secret_pem()[:100] not in secret.read_bytes()
    assert 0o600 == stat.S_IMODE(secret.stat().st_mode)
    assert new.pem() == authority_file(tmp_path).read_bytes()


def test_there_is_none(tmp_path):
    """Looking makes nothing."""
    with pytest.raises(ConfigError, match="no certificate"):
        read_authority(tmp_path)
    assert not (tmp_path / "ca").exists()


@pytest.mark.parametrize("left", [1, 30, 89, 400])
def test_a_leaf_does_not_outlive_its_authority(left):
    """Near the end of the authority's life leaves end with it, and are made anew before."""
    authority = Authority.create(NOW)
    now = authority.expires() - timedelta(days=left)
    entry = Leaves(authority).get("ads.test", now)

    assert min(authority.expires(), now + LEAF_LIFE) - timedelta(days=2) <= entry.cert.notafter <= authority.expires()
    assert entry.cert.notafter - entry.cert.notbefore <= LEAF_LIFE


@pytest.mark.parametrize(
    "content", [b"", b"not pem", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_broken_file_is_told(tmp_path, content):
    """A file that holds no key and certificate is named, not overwritten."""
    (tmp_path / "ca").mkdir()
    (tmp_path / "ca" / "authority.pem").write_bytes(content)

    with pytest.raises(ConfigError, match=r"authority\.pem"):
        load_authority(tmp_path, NOW)
    assert (tmp_path / "ca" / "authority.pem").read_bytes() == content


def test_state_that_is_no_folder_is_told(tmp_path):
    """A state folder that is a file is one clear sentence."""
    (tmp_path / "state").write_text("")

    with pytest.raises(ConfigError, match="certificate authority"):
        load_authority(tmp_path / "state", NOW)
