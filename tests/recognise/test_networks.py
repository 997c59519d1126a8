"""The networks' files: what they say of hosts, and how their mistakes are told."""

import pytest

from capper.clues import Shapes
from capper.domain.errors import ConfigError
from capper.markup import Document
from capper.recognise.knowledge import Networks, Role
from capper.recognise.networks import load_networks


@pytest.mark.parametrize(
    ("host", "path", "role"),
    [
        ("adclick.g.doubleclick.net", "/pcs/click?xai=1", Role.REDIRECTOR),
        ("googleads.g.doubleclick.net", "/pagead/ads?url=x", Role.BEACON),
        ("www.google.com", "/aclk?x", Role.REDIRECTOR),
        ("www.google.co.uk", "/aclk?x", Role.REDIRECTOR),
        ("www.google.com", "/search?q=shoes", Role.RESELLER),
        ("store.google.com", "/product", None),
        ("adssettings.google.com", "/whythisad", Role.CHOICES),
        ("googlex.example", "/aclk", None),
        ("popup.taboola.com", "/en/?template=colorbox", Role.CHOICES),
        ("trc.taboola.com", "/x/log/3/click", Role.REDIRECTOR),
        ("d111.cloudfront.net", "/x.png", Role.HOSTING),
        ("www.zergnet.com", "/i/1", Role.RESELLER),
        ("d0ehy.voluumtrk.com", "/x", Role.REDIRECTOR),
        ("unheardoftrk.com", "/x", Role.COUNTER),
        ("unheardof.example", "/11ce5de2-98d3-4ef1-a7b2-430034f96057?site=x", Role.COUNTER),
        ("unheardof.example", "/legal/privacy-policy", Role.CHOICES),
        ("www.shoes.example", "/sale", None),
        ("trucks.example", "/click", None),
        ("", "/", None),
    ],
)
def test_place(networks, host, path, role):
    """Hosts are known with their subdomains, down to the path, and some by their looks."""
    place = networks.place(host, path)

    assert (place.role if place else None) == role


def test_most_labels_speak(networks):
    """A subdomain's own entry speaks before its domain's."""

    assert networks.place("optout.adform.net", "/").role is Role.REDIRECTOR
    assert networks.place("optout.adform.com", "/").role is Role.CHOICES


@pytest.mark.parametrize("notice", ["adchoices", "AdChoices"])
@pytest.mark.parametrize("path", ["/adchoices", "/ADChoices/"])
def test_case_is_nothing(notice, path):
    """Neither that of an address nor that of the pattern it is looked for by."""
    place = Networks(notices=(notice,)).place("shop.example", path)

    assert place is not None
    assert Role.CHOICES == place.role


def test_empty_networks():
    """Knowing nothing is allowed: then every host is unknown."""

    assert Networks().place("ads.example", "/") is None


def _folder(tmp_path, text):
    (tmp_path / "one.toml").write_text(text, "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("host", "path", "sold"),
    [
        ("adclick.g.doubleclick.net", "/pcs/click?xai=1", True),
        ("ad.doubleclick.net", "/ddm/trackclk/N1.2/B3.4", True),
        ("www.google.nl", "/aclk?sa=l", True),
        ("paid.outbrain.com", "/network/redir?p=1", True),
        ("go.skimresources.com", "/?url=x", False),
        ("www.awin1.com", "/cread.php", False),
        ("trc.taboola.com", "/news/log/3/click", False),
        ("ad.doubleclick.net", "/ddm/trackimp/N1.2/B3.4", False),
        ("googleads.g.doubleclick.net", "/pagead/ads?url=x", False),
    ],
)
def test_what_only_ads_are_clicked_through(networks, host, path, sold):
    """Ad servers' clicks are told from affiliates', which writers put into their own text, and from recommendations'."""
    assert networks.place(host, path).sold is sold


def test_steps_of_a_path(tmp_path):
    """A reseller's customers may be told apart by the first steps of the path alone."""
    found = load_networks(_folder(tmp_path, 'name = "x"\n[resellers]\n"a.example" = "path 2"\n"b.example" = "path"'))

    assert [found.place(host, "/").steps for host in ("a.example", "b.example")] == [2, 0]


def test_shapes(tmp_path):
    """How a network's ads look in markup is told as CSS selectors."""
    found = load_networks(_folder(tmp_path, 'name = "x"\n[shapes]\nads = [".a"]\nown = [".o"]\nsponsors = [".s"]'))

    assert found.shapes == Shapes((".a",), (".o",), (".s",))


def test_shipped_shapes_can_be_read(networks):
    """Every shape that travels with capper is a selector that can be evaluated."""
    assert [selector for group in networks.shapes for selector in group if not Document.can_select(selector)] == []
    assert all(networks.shapes)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "name: expected a text"),
        ('name = "x"\n[redirecters]\nhosts = []', "redirecters: expected one of"),
        ('name = "x"\nredirectors = 1', "redirectors: expected a table"),
        ('name = "x"\n[redirectors]\nhosts = "a.example"', "redirectors.hosts: expected a list of texts"),
        ('name = "x"\n[redirectors]\nhosts = ["https://a.example"]', "redirectors.hosts: expected hosts like"),
        ('name = "x"\n[redirectors]\nhosts = ["a"]', "redirectors.hosts: expected hosts like"),
        ('name = "x"\n[redirectors]\nnames = []', "redirectors.names: expected nothing but hosts"),
        (
            'name = "x"\n[redirectors]\nhosts = ["a.example"]\n[hosting]\nhosts = ["a.example"]',
            "hosting.hosts: expected 'a.example' once: it is a redirector already",
        ),
        ('name = "x"\n[counters]\nhosts = []\nsold = ["a.example"]', "counters.sold: expected nothing but hosts"),
        ('name = "x"\n[resellers]\n"a.example" = "path 0"', "resellers.a.example: expected a list of texts"),
        ('name = "x"\n[shapes]\nads = [1]', "shapes.ads: expected a list of texts"),
        ('name = "x"\n[resellers]\n"a.example" = 3', "resellers.a.example: expected a list of texts"),
        ('name = "x"\n[clicks]\ndestinations = []', "clicks.destinations: expected one of"),
        ('name = "x"\n[trackers]\nhosts = ["("]', "trackers.hosts: pattern '('"),
        ('name = "x"\n[creatives]\nx = 1', "creatives: expected tables of the form [[creatives]]"),
        ('name = "x"\n[[creatives]]\npath = "x"\nbuyer = "b"', "creatives[1].path: expected a pattern with one group"),
        ('name = "x"\n[[creatives]]\npath = "(x)"', "creatives[1].buyer: expected a text"),
        ('name = "x"\n[[creatives]]\npath = "(x)"\nbuyer = "b"', "creatives[1]: expected either hosts or attributes"),
        (
            'name = "x"\n[[creatives]]\npath = "(x)"\nbuyer = "b"\nhosts = ["a.example"]\nrung = "click"',
            "creatives[1].rung: expected crid or cm360",
        ),
        ('name = "x"\n[[campaigns]]\npaths = "x"', "campaigns[1].paths: expected hosts"),
        ("name = ", "one.toml"),
    ],
)
def test_mistakes_are_named(tmp_path, text, complaint):
    """A mistake in a file is told with the file and the key."""
    with pytest.raises(ConfigError) as caught:
        load_networks(_folder(tmp_path, text))

    assert "one.toml" in str(caught.value)
    assert complaint in str(caught.value)


def test_no_files(tmp_path):
    """An empty folder is a mistake, not networks of which nothing is known."""
    with pytest.raises(ConfigError, match=r"no \*\.toml"):
        load_networks(tmp_path)


def test_unreadable_file(tmp_path):
    """A file that is not UTF-8 is told."""
    (tmp_path / "one.toml").write_bytes(b'name = "\xff"')

    with pytest.raises(ConfigError, match="read the networks"):
        load_networks(tmp_path)
