"""Where players are sent, and what that says of the answer that comes: pods, stand-ins, and what wrappers count by."""

import pytest

from capper.rewrite.video.chain import MOST_STEPS, Sending, pod_of, sendings
from capper.rewrite.video.vast import find


def wrapper(name, attributes="", inside="", ad=""):
    return (
        f"<Ad {ad}><Wrapper {attributes}><VASTAdTagURI>https://next.example/{name}</VASTAdTagURI>"
        f"<Impression>https://ads.example/seen/{name}</Impression>{inside}</Wrapper></Ad>"
    )


def sent(body, withheld=(), before=None, version="4.2"):
    videos = find(f'<VAST version="{version}">{body}</VAST>'.encode())
    return dict(sendings(videos, "token", withheld, before))


def test_a_wrapper_in_a_pod_leads_into_that_pod():
    """What is found there belongs to the pod, plays for sure, and what the wrapper counts by counts for it."""
    found = sent(wrapper("a", ad="sequence='2'") + "<Ad sequence='1'><InLine/></Ad>")

    assert found == {
        "https://next.example/a": Sending("token 0", several=False, beacons=("https://ads.example/seen/a",))
    }


def test_a_wrapper_that_stands_in_is_not_sure_to_play():
    """Players fetch all wrappers of a buffet beforehand and play the first that works; beside a pod none."""
    alone = sent(wrapper("a") + wrapper("b"))
    beside = sent("<Ad sequence='1'><InLine/></Ad>" + wrapper("a"))

    assert {url[-1]: (each.pod, each.sure) for url, each in alone.items()} == {"a": (None, True), "b": (None, False)}
    assert [each.sure for each in beside.values()] == [False]


def test_what_is_withheld_sends_nobody_and_makes_way():
    """Without the first, the second plays."""
    found = sent(wrapper("a") + wrapper("b"), withheld={0})

    assert {url[-1]: each.sure for url, each in found.items()} == {"b": True}


def test_a_chain_gathers_what_its_wrappers_count_by():
    """The last answer's ad is led back to the first pod, and every wrapper's beacons to it."""
    (first,) = sent(wrapper("a", ad="sequence='1'")).values()
    (second,) = sent(
        wrapper(
            "b",
            inside="<Creatives><Creative><Linear><TrackingEvents><Tracking event='start'>"
            "https://ads.example/start</Tracking></TrackingEvents></Linear></Creative></Creatives>",
        ),
        before=first,
    ).values()
    videos = find(b"<VAST><Ad><InLine/></Ad></VAST>")
    (stop,) = videos.stops(several=second.several)

    assert second.pod == "token 0"
    assert second.beacons == (
        "https://ads.example/seen/a",
        "https://ads.example/seen/b",
        "https://ads.example/start",
    )
    assert second.steps == 2
    assert pod_of(videos.ads[0], stop, "other", second) == "token 0"


def test_what_is_found_for_a_stand_in_is_one_too():
    """However sure it is among its own."""
    _, second = sent(wrapper("a") + wrapper("b")).values()
    (found,) = sent(wrapper("c"), before=second).values()

    assert not found.sure


def test_a_chain_that_goes_in_a_circle_ends():
    """A wrapper that leads to itself is followed no further than players follow it."""
    before, steps = None, 0
    while found := sent(wrapper("a"), before=before):
        (before,) = found.values()
        steps += 1

    assert steps == MOST_STEPS


@pytest.mark.parametrize(
    ("version", "attributes", "several", "onward"),
    [
        ("2.0", "", True, True),
        ("3.0", "", False, True),
        ("4.2", "allowMultipleAds='true' followAdditionalWrappers='false'", True, False),
        ("4.2", "allowMultipleAds='1' followAdditionalWrappers='0'", True, False),
        ("2.0", "allowMultipleAds='FALSE'", False, True),
    ],
)
def test_wrappers_say_what_may_come_of_them(version, attributes, several, onward):
    """One ad or several, and whether further wrappers are followed; the default changed with VAST 3."""
    (found,) = sent(wrapper("a", attributes), version=version).values()

    assert (found.several, found.onward) == (several, onward)


def test_one_ad_where_one_is_allowed():
    """Told to play one ad, players take the first that stands alone, else the first of the pod."""
    mixed = find(b"<VAST><Ad sequence='1'/><Ad/><Ad sequence='2'/></VAST>").stops(several=False)
    pod = find(b"<VAST><Ad sequence='2'/><Ad sequence='1'/></VAST>").stops(several=False)

    assert [ad.number for ad in mixed[0].playing()] == [1]
    assert [ad.number for ad in mixed[0].playing({1})] == [0]
    assert [ad.number for ad in pod[0].playing()] == [1]


def test_breaks_of_a_playlist_are_pods_of_their_own():
    """Whatever is found for one break belongs together, and to no other; its own `allowMultipleAds` holds."""
    tag = "<vmap:AdSource {}><vmap:AdTagURI><![CDATA[https://next.example/{}]]></vmap:AdTagURI></vmap:AdSource>".format
    sources = [
        tag("allowMultipleAds='true'", "a"),
        tag("allowMultipleAds='false' followRedirects='false'", "b") + tag("", "c"),
    ]
    breaks = "".join(
        f"<vmap:AdBreak timeOffset='{n}%' breakId='mid-{n}'>{each}</vmap:AdBreak>" for n, each in enumerate(sources)
    )
    videos = find(f"<vmap:VMAP>{breaks}</vmap:VMAP>".encode())
    found = dict(sendings(videos, "token"))

    assert [(each.offset, each.id) for each in videos.breaks] == [("0%", "mid-0"), ("1%", "mid-1")]
    assert {url[-1]: (each.pod, each.sure, each.several, each.onward) for url, each in found.items()} == {
        "a": ("token 0", True, True, True),
        "b": ("token 1", True, False, False),
        "c": ("token 1", True, True, True),
    }
    assert videos.alone == {1}


def test_a_break_that_allows_one_ad_plays_one():
    """A pod in it is no pod: its first ad plays, or one that stands alone."""
    source = "<AdSource allowMultipleAds='{}'><VASTAdData><VAST><Ad sequence='2'/><Ad sequence='1'/></VAST></VASTAdData></AdSource>"
    breaks = "".join(f"<AdBreak>{source.format(each)}</AdBreak>" for each in ("false", "true"))
    one, both = find(f"<VMAP>{breaks}</VMAP>".encode()).stops()

    assert [ad.number for ad in one.playing()] == [1]
    assert [ad.number for ad in both.playing()] == [3, 2]
    assert [pod_of(one.playing()[0], one, "token"), pod_of(both.playing()[0], both, "token")] == [None, "token 1"]


def test_a_wrapper_that_ends_the_chain_makes_nothing_behind_it_sure():
    """Players that heed it follow no wrapper found there; those that do not may still play what it leads to."""
    (first,) = sent(wrapper("a", "followAdditionalWrappers='false'")).values()
    (second,) = sent(wrapper("b"), before=first).values()

    assert (first.sure, second.sure) == (True, False)


def test_an_ad_beside_a_pod_is_in_none():
    """A stand-in is no part of the pod it stands beside."""
    videos = find(b"<VAST><Ad sequence='1'/><Ad/></VAST>")
    (stop,) = videos.stops()

    assert [pod_of(ad, stop, "token") for ad in videos.ads] == ["token 0", None]
