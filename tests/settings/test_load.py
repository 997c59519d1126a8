"""Settings from options, environment, file and defaults."""

import tomllib
from ipaddress import ip_network
from pathlib import Path

import platformdirs
import pytest

from capper.domain.errors import ConfigError
from capper.packaged import packaged_config
from capper.settings import Address, Open, Settings, first_words, load_settings, policy_file
from capper.settings.load import defaults, read_settings
from capper.settings.options import OPTIONS, redacted
from capper.settings.places import own_policy, packaged_policy
from capper.settings.sample import literal, sample, table


@pytest.fixture(autouse=True)
def _a_home(tmp_path, monkeypatch):
    """An owner without any file of hers."""
    monkeypatch.setattr(platformdirs, "user_config_path", lambda *_, **__: tmp_path / "config")
    monkeypatch.setattr(platformdirs, "user_state_path", lambda *_, **__: tmp_path / "state")


def load(text="", tmp_path=None, environ=None, **options):
    path = None
    if tmp_path:
        path = tmp_path / "capper.toml"
        path.write_text(text)
    return load_settings(path, options, environ or {})


def test_the_defaults(tmp_path):
    """Without a file, a variable or an option everything has its default, and the state its usual place."""
    settings = load()

    assert settings == Settings(state=tmp_path / "state")
    assert policy_file(settings) == packaged_policy()


def test_the_packaged_file_says_the_defaults(tmp_path):
    """config/capper.toml is generated, holds every key, and says exactly the defaults."""
    text = (packaged_config() / "capper.toml").read_text(encoding="utf-8")

    assert text == sample()
    assert set(tomllib.loads(text)) == {"version", *OPTIONS}
    assert read_settings(text, "capper.toml", tmp_path) == defaults()
    assert list(OPTIONS) == list(defaults())


@pytest.mark.parametrize("key", OPTIONS)
def test_every_example_can_be_read_and_written(key, tmp_path):
    """The example in each key's comment is accepted, and what it becomes is written back as TOML that means the same."""
    (value,) = read_settings(f"{key} = {OPTIONS[key].example}", "p", tmp_path).values()

    assert read_settings(f"{key} = {literal(key, value)}", "p", tmp_path) == {key: value}


def test_every_key_is_documented():
    """docs/configuration.md holds the table of all keys as it is generated."""
    docs = Path(__file__).parents[2] / "docs" / "configuration.md"

    assert table() in docs.read_text(encoding="utf-8")


def test_feeds_are_off_until_they_are_named(tmp_path):
    """No feed is looked into by default; one that is not known is refused with a suggestion."""
    from capper.settings.options import known_feeds

    assert load().feeds == ()
    assert load('feeds = ["X", "any"]', tmp_path).feeds == ("x", "any")
    assert {"x", "instagram", "facebook", "tiktok", "youtube", "shops", "any"} == set(known_feeds())
    with pytest.raises(ConfigError, match=r'found "instagran"; did you mean "instagram"\?'):
        load('feeds = ["instagran"]', tmp_path)


def test_options_beat_the_environment_and_that_the_file(tmp_path):
    """Option, then environment, then file, then default."""
    text = 'listen = "127.0.0.1:1"\ndeadline_ms = 10\njournal_level = 1'
    environ = {"CAPPER_LISTEN": "127.0.0.1:2", "CAPPER_DEADLINE_MS": "20"}
    settings = load(text, tmp_path, environ, listen="127.0.0.1:3", deadline_ms=None)

    assert (settings.listen.port, settings.deadline_ms, settings.journal_level, settings.max_body) == (
        3,
        20,
        1,
        8 << 20,
    )


def test_every_key_of_the_environment(tmp_path):
    """What a file says with lists and tables, a variable says with commas and equals signs."""
    settings = load(
        environ={
            "CAPPER_LISTEN": "[::]:3128",
            "CAPPER_MODE": "regular, wireguard:a.conf@51821",
            "CAPPER_LAN": "192.168.1.0/24,fd00::/64",
            "CAPPER_PROXY_AUTH": "anna:secret",
            "CAPPER_POLICY": str(tmp_path / "p.toml"),
            "CAPPER_LANGUAGE": "nl",
            "CAPPER_LEDGER": "redis://h/0",
            "CAPPER_DEADLINE_MS": "7",
            "CAPPER_STATE": str(tmp_path / "s"),
            "CAPPER_JOURNAL_LEVEL": "3",
            "CAPPER_LISTS": "/a.txt,/b.txt",
            "CAPPER_OPEN": "ALL",
            "CAPPER_CREDIT_SITES": "No",
            "CAPPER_MAX_BODY": "1 MiB",
            "CAPPER_MAX_DECODED": "2097152",
            "CAPPER_UPSTREAM_CA": "/ca.pem",
            "CAPPER_RESOLVE": "www.News.example=127.0.0.1:9001,a.example=::1",
            "CAPPER_DEBUG": "1",
        }
    )

    assert settings == Settings(
        listen=Address("::", 3128),
        mode=("regular", "wireguard:a.conf@51821"),
        lan=(ip_network("192.168.1.0/24"), ip_network("fd00::/64")),
        proxy_auth="anna:secret",
        policy=tmp_path / "p.toml",
        language="nl",
        ledger="redis://h/0",
        deadline_ms=7,
        state=tmp_path / "s",
        journal_level=3,
        lists=(Path("/a.txt"), Path("/b.txt")),
        open=Open.ALL,
        credit_sites=False,
        max_body=1 << 20,
        max_decoded=2 << 20,
        upstream_ca=Path("/ca.pem"),
        resolve={"www.news.example": "127.0.0.1:9001", "a.example": "::1"},
    )


@pytest.mark.parametrize("value", ['"false"', "0", "[]"])
def test_a_flag_is_true_or_false(tmp_path, value):
    """Nothing else is taken for one in a file, nor a word that means neither in the environment."""
    with pytest.raises(ConfigError, match="credit_sites: expected true or false"):
        load(f"credit_sites = {value}", tmp_path)
    with pytest.raises(ConfigError, match="expected true or false"):
        load(environ={"CAPPER_CREDIT_SITES": "perhaps"})


def test_paths_start_from_the_file(tmp_path):
    """A relative path in a file starts from that file's folder, and ~ is the home."""
    settings = load('policy = "p.toml"\nstate = "~/s"\nproxy_auth = "@users"', tmp_path)

    assert (settings.policy, settings.state) == (tmp_path / "p.toml", Path.home() / "s")
    assert settings.proxy_auth == f"@{tmp_path / 'users'}"


def test_the_owners_files_are_found(tmp_path):
    """capper.toml and policy.toml in the configuration folder are used; CAPPER_CONFIG names another file."""
    own = tmp_path / "config"
    own.mkdir()
    (own / "capper.toml").write_text("deadline_ms = 5")
    (own / "policy.toml").write_text("caps = []")
    other = tmp_path / "other.toml"
    other.write_text("deadline_ms = 6")
    settings = load()

    assert (settings.deadline_ms, settings.policy) == (5, own / "policy.toml")
    assert load(environ={"CAPPER_CONFIG": str(other)}).deadline_ms == 6
    assert first_words(settings) == ""


def test_a_newcomer_is_told_where_to_put_a_policy():
    """Who has no policy yet is told where one would be found."""
    assert first_words(load()) == (
        f"The starter policy holds. Your own would be {own_policy()}; `capper policy init` begins one."
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('lsten = ""', 'line 1: lsten: unknown key; did you mean "listen"?'),
        ('listen = "localhost"', 'line 1: listen: expected an address like "127.0.0.1:8080", found "localhost"'),
        ("listen = true", 'line 1: listen: expected an address like "127.0.0.1:8080", found true'),
        ('listen = "127.0.0.1:65536"', 'line 1: listen: expected an address like "127.0.0.1:8080", found "127.0.0.1:65536"'),
        (
            'mode = "wiregard:a"',
            ("line 1: mode: expected a mode (regular, transparent, socks5, upstream, wireguard, local, tun),"
            ' found "wiregard:a"; did you mean "wireguard"?'),
        ),
        ("mode = []", 'line 1: mode: expected at least one mode, like "regular"'),
        ('lan = ["0.0.0.0/0"]', 'line 1: lan: "0.0.0.0/0" is far more than a household; name the range of your own network'),
        ('lan = ["::/0"]', 'line 1: lan: "::/0" is far more than a household; name the range of your own network'),
        ('proxy_auth = "secret"', 'line 1: proxy_auth: expected "NAME:PASSWORD" or "@FILE" with an htpasswd file'),
        (
            'ledger = "rediss:/h"',
            'line 1: ledger: expected "embedded", "memory" or a URL like "redis://localhost:6379/0", found "rediss:/h"',
        ),
        (
            'ledger = "redsi://u:pw@h"',
            ('line 1: ledger: expected "embedded", "memory" or a URL like "redis://localhost:6379/0",'
            ' found "redsi://u:***@h"; did you mean "redis"?'),
        ),
        ("journal_level = 4", "line 1: journal_level: expected a whole number from 0 to 3, found the number 4"),
        ("journal_level = true", "line 1: journal_level: expected a whole number from 0 to 3, found true"),
        ('open = "everything"', 'line 1: open: expected one of "ads", "all", found "everything"'),
        ('max_body = "2 GB"', 'line 1: max_body: expected a size like "8 MiB", found "2 GB"'),
        ("max_body = 1", 'line 1: max_body: expected a size from 1 KiB to 1024 MiB, found "1"'),
        ('resolve = "a"', 'line 1: resolve: expected a table of hosts like "news.example" = "127.0.0.1:9001", found "a"'),
        ("version = 9", "line 1: version: this capper reads version 1; version 9 needs a newer one"),
    ],
)  # fmt: skip
def test_what_is_wrong(text, problem, tmp_path):
    """A mistake is told with file, line, key and what was expected; a password is never repeated."""
    with pytest.raises(ConfigError) as caught:
        load(text, tmp_path)

    assert str(caught.value) == f"{tmp_path / 'capper.toml'} {problem}"


def test_mistakes_in_variables_and_options_name_them():
    """A variable or an option that cannot be used is named as the person wrote it."""
    with pytest.raises(
        ConfigError, match=r"\ACAPPER_DEADLINE_MS: expected a whole number.*\nCAPPER_OPEN: expected one of"
    ):
        load(environ={"CAPPER_DEADLINE_MS": "soon", "CAPPER_OPEN": "none"})
    with pytest.raises(ConfigError, match=r"\A--max-body: expected a size"):
        load(max_body="big")


@pytest.mark.parametrize("listen", ["0.0.0.0:8080", ":8080", "[::]:8080", "192.168.1.2:8080", "gateway.lan:8080"])
def test_a_listener_for_everyone_is_refused(listen):
    """A listener that other machines reach needs the household's ranges or a password."""
    with pytest.raises(ConfigError, match="nothing says who may use it"):
        load(listen=listen)

    assert load(listen=listen, lan=["192.168.0.0/16"]).lan
    assert load(listen=listen, proxy_auth="a:b").proxy_auth


@pytest.mark.parametrize("listen", ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1", "8080", 8080])
def test_loopback_needs_no_permission(listen):
    """This machine's own addresses may be listened on as they are."""
    assert load(listen=listen).listen.loopback


def test_a_named_file_must_exist(tmp_path):
    """A configuration file that was named and is not there is an error, not a default."""
    with pytest.raises(ConfigError, match="does not exist"):
        load_settings(tmp_path / "gone.toml", {}, {})


def test_passwords_are_not_shown():
    """Neither repr nor messages hold the ledger's or the proxy's password."""
    settings = load(proxy_auth="anna:hunter2", ledger="redis://:hunter2@h:6379/0")

    assert "hunter2" not in repr(settings)
    assert redacted(settings.ledger) == "redis://:***@h:6379/0"


def test_the_ledgers_addresses_are_the_ledgers():
    """What the settings accept as a ledger is what the ledger can open."""
    from capper.ledger import SCHEMES
    from capper.settings.options import LEDGER_SCHEMES, LEDGERS

    assert {*LEDGER_SCHEMES, *LEDGERS} == set(SCHEMES)


@pytest.mark.parametrize(
    ("text", "ledger"),
    [
        ("Embedded", "embedded"),
        ("embedded:counts", "embedded:{base}/counts"),
        ("memory:", "memory"),
        ("REDIS://h:1/0", "redis://h:1/0"),
    ],
)
def test_a_ledgers_address(text, ledger, tmp_path):
    """Addresses of a ledger keep what follows their scheme; a folder starts from the file."""
    assert load(f'ledger = "{text}"', tmp_path).ledger == ledger.format(base=tmp_path)


def test_a_state_folder_that_is_a_file_is_refused(tmp_path):
    """Every command says so in the same words."""
    (tmp_path / "state").write_text("")
    with pytest.raises(ConfigError, match="state is a file; a folder is needed"):
        load(state=tmp_path / "state")
