"""Video ads inside JSON: found in whatever string holds them, and cut out of it as it is written."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.errors import Unrewritable
from capper.jsontext import Locator, read, splice
from capper.recognise.ad import AdReader
from capper.recognise.networks import load_networks
from capper.recognise.offer import read_offer
from capper.rewrite.video.embedded import apply, cuts, find, may_hold
from capper.rewrite.video.vast import looks

# Synthetic, as everything in this file that is not read from `shared_data`.
AD = (
    '<Ad id="{0}" sequence="{0}"><InLine><AdTitle>Été \U0001f600 "{0}"</AdTitle><Creatives><Creative><Linear><VideoClicks>'
    "<ClickThrough>https://www.shop{0}.com/</ClickThrough></VideoClicks></Linear></Creative></Creatives></InLine></Ad>"
)
POD = f'<?xml version="1.0"?>\n<VAST version="4.2">\t{AD.format(1)}\n{AD.format(2)}<!-- \\ / -->{AD.format(3)}</VAST>\n'


def slashed(value):
    return json.dumps(value).replace("/", "\\/")


def escaped(value):
    return json.dumps(value).replace("<", "\\u003c").replace(">", "\\u003E")


def plain(value):
    return json.dumps(value, ensure_ascii=False)


def without(data, numbers):
    """A JSON document without the ads of these numbers, in every string that holds any."""
    text = read(data)
    return apply(text, [(held, [ad for ad in held.videos.ads if ad.number in numbers]) for held in find(text)])


@pytest.mark.parametrize("write", [json.dumps, slashed, escaped, plain])
@pytest.mark.parametrize("numbers", [{0}, {1}, {2}, {0, 2}, {0, 1, 2}])
def test_an_ad_is_cut_out_of_the_string_as_it_is_written(write, numbers):
    """What is left reads as the answer without the ad, and is written with the escapes it had."""
    left = POD
    for number in numbers:
        left = left.replace(AD.format(number + 1), "")
    before, after = ({"ads": [{"n": 1.50, "vastXml": xml}], "x": "<b>"} for xml in (POD, left))

    assert without(write(before).encode(), numbers) == write(after).encode()


def test_ads_are_found_wherever_a_string_holds_them():
    """Members of any name, in any depth, playlists too; what is no answer to a player is none."""
    vmap = f"<vmap:VMAP><vmap:AdBreak><vmap:AdSource><vmap:VASTAdData>{POD[22:]}</vmap:VASTAdData></vmap:AdSource></vmap:AdBreak></vmap:VMAP>"
    wrapper = "<VAST><Ad><Wrapper><VASTAdTagURI>https://next.example/</VASTAdTagURI></Wrapper></Ad></VAST>"
    value = {"a": [{"vast": POD}, "<p>VAST</p>", "<VAST></VAST>"], "b": {"c": {"": vmap}}, "d": [[], wrapper], "e": 1}
    held = find(read(json.dumps(value).encode()))

    assert [each.path for each in held] == [("a", 0, "vast"), ("b", "c", ""), ("d", 1)]
    assert [len(each.videos.ads) for each in held] == [3, 3, 1]
    assert [tag.url for tag in held[2].videos.tags] == ["https://next.example/"]


def test_the_ads_say_whose_they_are():
    """The evidence is that of an answer of its own."""
    (held,) = find(read(json.dumps([POD]).encode()))
    reader = AdReader(load_networks())

    assert [read_offer(reader, ad.offer).advertisers for ad in held.videos.ads] == [
        ("shop1.com",),
        ("shop2.com",),
        ("shop3.com",),
    ]
    assert held.videos.ads[0].title == 'Été \U0001f600 "1"'


def test_what_cannot_be_read_is_passed_over():
    """One string that is beyond measure costs none of the others."""
    value = ["<VAST>" * 1000, "<!DOCTYPE a [<!ENTITY b 'c'>]><VAST><Ad></Ad></VAST>", POD]

    assert [each.path for each in find(read(json.dumps(value).encode()))] == [(2,)]


def test_json_without_video_ads_is_not_gone_through():
    """A document without a hint costs one look at its text."""
    data = b'{"a": ["<b>bold</b>", "VAST", "vast"]}'

    assert not may_hold(data)
    assert find(read(data)) == ()


@pytest.mark.parametrize("write", [json.dumps, slashed, escaped, plain])
@pytest.mark.parametrize("root", ["VAST", "vmap:VMAP", "v:VAST", "VideoAdServingTemplate", "DAAST", "vmap"])
def test_json_that_may_hold_one_is_known_by_a_look(write, root):
    """However the string is escaped."""
    assert may_hold(write({"é": f"<{root}></{root}>"}).encode())


def test_the_samples_hold_what_they_hold(shared_data):
    """Real answers with a player's answer in a string: found, and without its ads still JSON with all else as it was."""
    counts = {}
    for path in sorted((shared_data / "adtech").rglob("*.json")):
        text = read(path.read_bytes())
        locator = Locator(text)
        for held in find(text):
            counts[path.name] = counts.get(path.name, 0) + len(held.videos.ads)
            left = json.loads(splice(text.source, cuts(locator, held, held.videos.ads)))
            value, whole = left, json.loads(text.source)
            for step in held.path[:-1]:
                value, whole = value[step], whole[step]
            assert looks(value[held.path[-1]])
            value[held.path[-1]] = whole[held.path[-1]]
            assert left == json.loads(text.source)

    assert counts == {
        "cadent-banner-video.json": 1,
        "gumgum-video.json": 1,
        "infytv-video.json": 1,
        "jixie-banner-video.json": 1,
        "openrtb2-response-2.6-vast-xml-document-returned-inline.json": 1,
        "prebid-demo-response-video-outstream.json": 1,
    }


@given(
    st.lists(st.text(st.characters(exclude_characters="<>&"), max_size=6), min_size=1, max_size=4),
    st.sampled_from([json.dumps, slashed, escaped, plain]),
    st.data(),
)
def test_any_ads_can_be_cut_whatever_stands_between(texts, write, data):
    """Lone surrogates, pairs, control characters and backslashes move no place."""
    parts = [f"{text}<Ad>{text}</Ad>" for text in texts]
    gone = data.draw(st.sets(st.integers(0, len(parts) - 1)))
    left = [text if number in gone else part for number, (text, part) in enumerate(zip(texts, parts, strict=True))]
    before, after = (write([f"<VAST>{''.join(each)}</VAST>", "<VAST/> é"]) for each in (parts, left))
    try:
        source = before.encode()
    except UnicodeEncodeError:
        return

    assert without(source, gone) == after.encode()


@given(st.recursive(st.text("<VASTAd/>![]CDT ", max_size=30), st.lists, max_leaves=5))
def test_nothing_but_unrewritable_is_raised(value):
    """Whatever strings there are."""
    with contextlib.suppress(Unrewritable):
        without(json.dumps([value]).encode(), {0})
