"""Filter engines: verdicts against independent engines on real requests, their traps, and hostile input."""

import csv
import gzip
import json

import adblock
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.recognise.cosmetic import SelectorRules
from capper.recognise.engine import LONGEST_URL, Cosmetics, Engines, FilterEngine, Label, Match, pack, unpack
from capper.recognise.filterlist import FilterList, ListKind
from capper.recognise.hosts import HostRules
from capper.recognise.kind import UNKNOWN_SOURCE, Kind

NEWS = "https://news.example/"


def an_engine(*rules: str) -> FilterEngine:
    return FilterEngine.build([FilterList("test", "\n".join(rules))])


def some_engines(ads: str, trackers: str) -> Engines:
    return Engines.build([FilterList("ads", ads), FilterList("trackers", trackers, ListKind.TRACKERS)])


def test_match_says_rule_and_exception():
    """A match carries the rule and the exception in the words of their list, and derives its verdict from them."""
    engine = an_engine("||ads.example^$third-party", "@@||ads.example/free^", "||ads.example/now^$important")

    assert engine.match("https://ads.example/x", NEWS, Kind.IMAGE) == Match("||ads.example^$third-party")
    assert engine.match("https://ads.example/free/", NEWS, Kind.IMAGE) == Match(
        "||ads.example^$third-party", "@@||ads.example/free^"
    )
    assert not engine.match("https://ads.example/free/", NEWS, Kind.IMAGE).blocks()
    assert engine.match("https://ads.example/now/", NEWS, Kind.IMAGE).blocks()
    assert engine.match("https://ads.example/now/", NEWS, Kind.IMAGE).important
    assert engine.match("https://ads.example/x", "https://www.ads.example/", Kind.IMAGE) is None
    assert engine.match("https://shoes.example/", NEWS, Kind.IMAGE) is None


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.DOCUMENT])
def test_every_kind_is_known(kind):
    """A rule for everything matches every kind but a top-level document."""

    assert an_engine("||ads.example^").match("https://ads.example/", NEWS, kind) is not None


@pytest.mark.parametrize(
    ("option", "kind"),
    [
        ("xmlhttprequest", Kind.XHR),
        ("subdocument", Kind.SUBDOCUMENT),
        ("image", Kind.IMAGE),
        ("media", Kind.MEDIA),
        ("font", Kind.FONT),
        ("object", Kind.OBJECT),
        ("websocket", Kind.WEBSOCKET),
        ("ping", Kind.PING),
        ("other", Kind.OTHER),
        ("script", Kind.SCRIPT),
        ("stylesheet", Kind.STYLESHEET),
    ],
)
def test_options_name_kinds(option, kind):
    """Each type option matches its kind and no other."""
    engine = an_engine(f"||ads.example^${option}")

    assert [found for found in Kind if engine.match("https://ads.example/", NEWS, found)] == [kind]


def test_documents_are_not_ads():
    """Going to an ad company's site is a visit, whatever the lists say."""

    assert (
        an_engine("||ads.example^", "||ads.example^$document").match("https://ads.example/", NEWS, Kind.DOCUMENT)
        is None
    )


@pytest.mark.parametrize("source", ["", "about:blank", "null", "data:text/html,x", "news.example"])
def test_no_source_is_an_unknown_page(source):
    """Without a source an exception for two sites does not hold, as it would if the engine were asked with none."""
    engine = an_engine("||ads.example^$script", "@@||ads.example^$script,domain=one.example|two.example")

    assert engine.match("https://ads.example/x.js", source, Kind.SCRIPT).blocks()
    assert engine.match("https://ads.example/x.js", source, Kind.SCRIPT) == engine.match(
        "https://ads.example/x.js", UNKNOWN_SOURCE, Kind.SCRIPT
    )


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://",
        "/ads/x.js",
        "data:text/html,ads.example",
        "blob:https://ads.example/1",
        "about:blank",
        "javascript:ads.example",
    ],
)
def test_urls_without_a_host_match_nothing(url):
    """What has no host name is answered with nothing, not with an error."""

    assert an_engine("ads.example", "/ads/*").match(url, NEWS, Kind.SCRIPT) is None
    assert an_engine("##.ad").cosmetics(url).generic


@pytest.mark.parametrize(
    "url",
    [
        "https://ads.example/\udc80\udcff",
        "https://ads.example/\ud800",
        "https://ads.example/é日本\x00\t",
        "HTTPS://ADS.EXAMPLE:8443/x",
        "https://user:pw@ads.example/x",
        "https://ads.example/" + "&ad=b/c" * 300_000,
    ],
)
def test_odd_urls_still_match(url):
    """Undecodable bytes, ports, names and megabytes do not hide an ad."""

    assert an_engine("||ads.example^").match(url, NEWS, Kind.IMAGE).blocks()
    assert an_engine("||ads.example^").match(url, url, Kind.IMAGE) is not None


def test_long_urls_are_looked_at_in_part():
    """A URL's first 16 kB decide, so its length cannot hold up the proxy."""
    engine = an_engine("/first-ad/", "last-ad")

    assert engine.match(f"https://a.example/first-ad/{'x' * LONGEST_URL}", NEWS, Kind.IMAGE)
    assert engine.match(f"https://a.example/{'x' * LONGEST_URL}last-ad", NEWS, Kind.IMAGE) is None


@given(
    url=st.text(max_size=80) | st.text(max_size=40).map("https://ads.example/".__add__),
    source=st.text(max_size=40),
    kind=st.sampled_from(Kind),
)
def test_any_url(url, source, kind):
    """No URL and no source makes the engine fail."""
    found = HOSTILE.match(url, source, kind)

    assert found is None or found.rule
    assert HOSTILE.cosmetics(url).selectors is not None


HOSTILE = an_engine("ad", "/a*d^", "||ads.example^", "@@x", "##.ad", "a.example##.x:has(y)")


@pytest.mark.parametrize("rule", ["|/", "/|", "|/|", "|/$script", "@@|/", "/", "|/*", "*/|$image,domain=a.example"])
def test_a_lethal_rule_is_left_out(rule, caplog):
    """A rule after which the engine would panic at every request is not given to it."""
    engine = an_engine("||ads.example^", rule, "||more.example^")

    assert engine.match("https://ads.example/", NEWS, Kind.IMAGE) == Match("||ads.example^")
    assert engine.match("https://more.example/", NEWS, Kind.IMAGE) == Match("||more.example^")
    assert caplog.text == ""


def test_a_panic_is_an_answer_of_nothing(caplog):
    """Should the engine's Rust code panic all the same, the request passes and the log says so."""
    filters = adblock.FilterSet(debug=True)
    filters.add_filters(["|/"])
    panicking = adblock.Engine(filters, optimize=False)
    engine = FilterEngine(panicking, panicking, SelectorRules(), HostRules())

    assert engine.match("https://ads.example/", NEWS, Kind.IMAGE) is None
    assert "panicked" in caplog.text


def test_a_rule_that_cannot_be_parsed_costs_only_itself(monkeypatch, caplog):
    """Should the parser panic at a rule, the others are given to it one by one."""

    class PanicException(BaseException):
        """What the engine's Rust code raises, whose class cannot be imported."""

    def panicking(filters, chosen):
        if "/bad" in chosen:
            raise PanicException("a slice")
        filters.add_filters(chosen)
        return True

    monkeypatch.setattr("capper.recognise.engine._added", panicking)
    engine = an_engine("||ads.example^", "/bad", "||more.example^")

    assert engine.match("https://ads.example/", NEWS, Kind.IMAGE)
    assert engine.match("https://more.example/", NEWS, Kind.IMAGE)
    assert "panicked: a slice" in caplog.text


def test_other_errors_are_not_hidden():
    """Only panics are answered with nothing: a mistake of ours is heard of."""

    with pytest.raises(TypeError):
        an_engine("||ads.example^").match("https://ads.example/", NEWS, 3)


@given(
    st.lists(st.text(alphabet="|/*^@$~,.a(\\[", max_size=6), max_size=4),
    st.sampled_from(["", "$script", "$domain=a.example"]),
)
def test_any_list(lines, options):
    """Whatever a list says, building works and matching answers without a panic."""
    engine = an_engine(*(line + options for line in lines), "||ads.example^$important")

    assert engine.match("https://ads.example/ad", NEWS, Kind.SCRIPT).blocks()


def test_www_is_a_host_of_its_own():
    """A rule for `www.` neither blocks nor frees the rest of the domain, and is shown as its list has it."""
    engine = an_engine("||shoes.example^", "@@||www.shoes.example^", "||www.ads.example/x")

    assert engine.match("https://www.shoes.example/", NEWS, Kind.IMAGE).exception == "@@||www.shoes.example^"
    assert engine.match("https://cdn.shoes.example/", NEWS, Kind.IMAGE).blocks()
    assert engine.match("https://www.ads.example/x", NEWS, Kind.IMAGE) == Match("||www.ads.example/x")
    assert engine.match("https://a.www.ads.example/x", NEWS, Kind.IMAGE) is not None
    assert engine.match("https://cdn.ads.example/x", NEWS, Kind.IMAGE) is None
    assert (
        an_engine("||www.a.example^", "||www.a.example^$badfilter").match("https://www.a.example/", NEWS, Kind.IMAGE)
        is None
    )


HOSTS = st.sampled_from(["a.example", "b.a.example", "www.b.a.example", "ba.example", "news.example", "a.example."])


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["||", "@@||"]),
            HOSTS,
            st.sampled_from(["", "$third-party", "$important", "$script", "$badfilter", "$third-party,badfilter"]),
        ),
        max_size=5,
    ),
    HOSTS,
    HOSTS,
    st.sampled_from([kind for kind in Kind if kind is not Kind.DOCUMENT]),
)
def test_hosts_named_as_a_whole_are_as_in_the_engine(named, host, source, kind):
    """Rules kept apart, by host, give the verdicts that the engine gives where it holds them; a final dot changes no host."""
    lines = [f"{begin}{name.removesuffix('.')}^{options}" for begin, name, options in named]
    filters = adblock.FilterSet(debug=True)
    filters.add_filters([line.replace("||www.", "||WWW.") for line in lines])
    same = f"https://{host.removesuffix('.')}/x?y", f"https://{source.removesuffix('.')}/", kind
    expected = adblock.Engine(filters, optimize=False).check_network_urls(*same)
    found = an_engine(*lines).match(f"https://{host}/x?y", f"https://{source}/", kind)

    assert expected.matched == (found is not None and found.blocks()), lines


@pytest.mark.parametrize(
    "url", ["https://ads.example:8443/x", "wss://ads.example", "http://u@ads.example?x", "HTTPS://ADS.example"]
)
def test_hosts_are_found_in_any_address(url):
    """A host named as a whole is so at any port, by any scheme, and however it is written."""

    assert Match("||ads.example^") == an_engine("||ads.example^").match(url, NEWS, Kind.OTHER)


def test_patterns_mean_ascii():
    """Letters and digits in a pattern are those a browser means, and the rule is shown as its list has it."""
    rules = r"/ad\w{2}\d\./$script", r"@@/free[\w-]+\./"
    engine = an_engine(*rules)

    assert engine.match("https://x.example/adab1.js", NEWS, Kind.SCRIPT) == Match(rules[0])
    assert engine.match("https://x.example/adab1.js?free-2.", NEWS, Kind.SCRIPT) == Match(rules[0], rules[1])
    assert engine.match("https://x.example/ad\u00e9\u00e91.js", NEWS, Kind.SCRIPT) is None
    assert engine.match("https://x.example/adab\u0661.js", NEWS, Kind.SCRIPT) is None


def test_undecodable_rules():
    """A rule with undecodable bytes is no reason to lose the list."""

    assert an_engine("||ads.example^", "/\udc80\ud800ad").match("https://ads.example/", NEWS, Kind.IMAGE)


def test_exceptions_of_either_list_hold_in_both():
    """An exception or `$badfilter` of the tracker list frees an ad, and the other way round."""
    engines = some_engines(
        "||ads.example^\n||bad.example^\n@@||count.example/ok^\n##.ad",
        "||count.example^\n@@||ads.example/ok^\n||bad.example^$badfilter\nnews.example#@#.ad",
    )

    def label(url):
        return engines.verdict(url, NEWS, Kind.IMAGE).label

    assert label("https://ads.example/x") == Label.AD
    assert label("https://ads.example/ok/") == Label.NONE
    assert label("https://count.example/x") == Label.TRACKER
    assert label("https://count.example/ok/") == Label.NONE
    assert label("https://bad.example/") == Label.NONE
    assert engines.verdict("https://ads.example/ok/", NEWS, Kind.IMAGE).match.exception == "@@||ads.example/ok^"
    assert engines.ads.hiding(["ad"], [], engines.cosmetics(NEWS)) == []
    assert engines.ads.hiding(["ad"], [], engines.cosmetics("https://other.example/")) == [".ad"]


def test_what_both_name_is_an_ad():
    """A request that an ad list and a tracker list name is an ad."""
    engines = some_engines("||both.example^", "||both.example^")
    found = engines.verdict("https://both.example/", NEWS, Kind.IMAGE)

    assert (found.label, found.is_ad, found.blocks()) == (Label.AD, True, True)


@pytest.mark.parametrize("kept", [False, True], ids=["built", "read"])
def test_where_generic_selectors_are_not_used(kept):
    """A page is free of them by rules about its address, for this one and not for its neighbours; also once read back."""
    engine = an_engine(
        "##.ad",
        "@@||quiet.example/a^$ghide",
        "@@||loud.example^$generichide",
        "@@||loud.example^$generichide,badfilter",
    )
    engine = FilterEngine.deserialize(engine.serialize()) if kept else engine
    pages = ("quiet.example/a/1", "quiet.example/b", "quiet.example/a/2", "loud.example/a")
    found = [engine.cosmetics(f"https://{page}").generic for page in pages]

    assert found == [False, True, False, True]


def test_cosmetics():
    """A page's selectors are its own and the general ones; exceptions and `$generichide` take away; `:has()` is there."""
    engine = an_engine(
        "##.ad",
        "###ad",
        '##a[href^="https://ads.example/"]',
        "news.example##.promo",
        "news.example##li:has(> .sponsor)",
        "shop.*##.offer:-abp-has(i)",
        "plain.example#@#.ad",
        "@@||quiet.example^$generichide",
        "quiet.example##.own",
        "odd.example##.x:has-text(Ad)",
    )
    news, shop, plain, quiet, odd = (
        engine.cosmetics(f"https://{host}/")
        for host in ("news.example", "www.shop.co.uk", "plain.example", "quiet.example", "odd.example")
    )

    assert set(news.selectors) == {'a[href^="https://ads.example/"]', ".promo", "li:has(> .sponsor)"}
    assert set(shop.selectors) == {'a[href^="https://ads.example/"]', ".offer:has(i)"}
    assert engine.hiding(["ad", "x"], ["ad", "y"], news) == ["#ad", ".ad"]
    assert engine.hiding(["ad", "x"], ["ad"], plain) == ["#ad"]
    assert (quiet.selectors, quiet.generic) == ((".own",), False)
    assert engine.hiding(["ad"], ["ad"], quiet) == []
    assert set(odd.selectors) == {'a[href^="https://ads.example/"]'}


def test_selectors_of_all_pages_stand_apart():
    """What hides ads on all pages is the same object for all, but where a page takes some of it back."""
    engine = an_engine("##a[href]", "##.b > i", "##div:has(> q)", "news.example##.own", "free.example#@#a[href]")
    news, other, free = (engine.cosmetics(f"https://{name}.example/") for name in ("news", "other", "free"))

    assert news.common is other.common
    assert set(news.common) - set(engine.hiding(["b"], [], news)) == {"a[href]", "div:has(> q)"}
    assert (news.own, other.own) == ((".own",), ())
    assert set(news.common) - set(free.common) == {"a[href]"}
    assert engine.hiding(["\ud800", "\x00", ""], ["é"], Cosmetics()) == []


def test_serialized_engines_are_the_same():
    """What is read back matches, hides and knows its hosts as what was written; no rules are fine too."""
    engines = some_engines("||ads.example^\nnews.example##a:has(b)\n@@||free.ads.example^", "||count.example^")
    again = Engines.deserialize(engines.serialize())

    assert again.verdict("https://ads.example/", NEWS, Kind.IMAGE) == engines.verdict(
        "https://ads.example/", NEWS, Kind.IMAGE
    )
    assert again.cosmetics(NEWS) == engines.cosmetics(NEWS)
    assert again.hosts == engines.hosts
    assert again.hosts.without == {"free.ads.example"}
    assert Engines.deserialize(Engines.build([]).serialize()).verdict(NEWS, NEWS, Kind.IMAGE).label == Label.NONE


@given(st.data())
def test_damaged_engines_are_refused(data):
    """Whatever is cut from or appended to a serialized engine, reading it fails cleanly or it still matches."""
    whole = SERIALIZED
    at = data.draw(st.integers(0, len(whole) - 1))
    damaged = data.draw(st.sampled_from([whole[:at], whole + b"x", whole[:at] + b"\xff" + whole[at + 1 :], b""]))

    try:
        engine = FilterEngine.deserialize(damaged)
    except ValueError:
        return
    engine.match("https://ads.example/", NEWS, Kind.IMAGE)


SERIALIZED = an_engine("||ads.example^", "##.ad", "a.example##b:has(c)").serialize()


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=5))
def test_pack(parts):
    """What is packed is unpacked, and never as another number of parts."""

    assert unpack(pack(parts), len(parts)) == parts
    with pytest.raises(ValueError):
        unpack(pack(parts), len(parts) + 1)


@pytest.fixture(scope="module")
def engines(shared_data) -> Engines:
    """The real lists that the verdicts were made with, read back from their serialized form."""
    lists = [("easylist-20260822", "ads"), ("easyprivacy-20260822", "trackers"), ("adguard-dutch-20260320", "ads")]
    found = [FilterList(name, _text(shared_data / "lists" / f"{name}.txt.gz"), ListKind(kind)) for name, kind in lists]
    return Engines.deserialize(Engines.build(found).serialize())


def _text(path):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return file.read()


def _rows(path):
    return [json.loads(line) for line in _text(path).splitlines()]


@pytest.mark.parametrize("name", ["crawl2019", "devtools", "har"])
def test_verdicts_agree_with_independent_engines(engines, shared_data, name):
    """On every real request the two engines say together what uBlock Origin says, and Ghostery where a source is known."""
    if name == "har":
        rows = _rows(shared_data / "har" / "verdicts.jsonl.gz")
    else:
        folder = shared_data / "requests"
        pairs = zip(_rows(folder / f"{name}.jsonl.gz"), _rows(folder / f"{name}.verdicts.jsonl.gz"), strict=True)
        rows = [asked | answered for asked, answered in pairs]
    wrong = []
    for row in rows:
        blocks = engines.verdict(row["url"], row["source"], Kind(row["type"])).blocks()
        expected = {row["ubo"] == "block"}
        if row["source"].startswith("http"):
            expected.add(row["ghostery"] in ("block", "redirect"))
        if expected != {blocks}:
            wrong.append(row)

    assert len(rows) > 1000
    assert wrong == []


def test_the_two_engines_together_are_one(engines, shared_data):
    """Ads and trackers apart block what one engine with all lists blocks."""
    names = ("easylist-20260822", "easyprivacy-20260822", "adguard-dutch-20260320")
    one = FilterEngine.build([FilterList(name, _text(shared_data / "lists" / f"{name}.txt.gz")) for name in names])
    for row in _rows(shared_data / "requests" / "crawl2019.jsonl.gz")[::7]:
        asked = row["url"], row["source"], Kind(row["type"])
        found = one.match(*asked)

        assert engines.verdict(*asked).blocks() == (found is not None and found.blocks()), asked


def test_rules_match_their_requests(shared_data):
    """A rule that is known to match a request matches it when it stands alone (thousands of pairs)."""
    wrong = total = 0
    for row in json.loads(_text(shared_data / "requests" / "rule-matches.json.gz"))[::4]:
        kind = KINDS.get(row["type"], row["type"])
        source = row["sourceUrl"]
        if kind not in list(Kind) or Kind(kind) is Kind.DOCUMENT or not row["url"].partition("://")[2]:
            continue
        for rule in row["filters"]:
            if rule.startswith("@@"):
                continue
            total += 1
            wrong += an_engine(rule).match(row["url"], source, Kind(kind)) is None

    assert total > 800
    assert wrong <= total * 0.01


KINDS = {
    "main_frame": "document",
    "sub_frame": "subdocument",
    "xmlhttprequest": "xhr",
    "beacon": "ping",
    "imageset": "image",
    "object_subrequest": "object",
    "object-subrequest": "object",
}


def test_known_regressions(engines, shared_data):
    """Requests that another blocker once got wrong are right here."""
    with (shared_data / "requests" / "brave-regressions.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            kind = Kind(KINDS.get(row["type"], row["type"]))

            assert engines.verdict(row["url"], row["sourceUrl"], kind).blocks() == (row["blocked"] == "true"), row


def test_hosts_of_real_lists(engines):
    """Real lists name tens of thousands of ad hosts, and no host that everybody visits."""

    assert len(engines.hosts) > 10_000
    assert engines.hosts.covers("securepubads.g.doubleclick.net")
    for host in ("www.google.com", "www.facebook.com", "github.com", "www.nu.nl", "fonts.gstatic.com", "www.ing.nl"):
        assert not engines.hosts.covers(host), host
