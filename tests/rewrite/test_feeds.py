"""Paid posts in JSON feeds: synthetic answers in the shapes that sites use, and what is left of them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.errors import ConfigError, Unrewritable
from capper.recognise.ad import AdReader
from capper.recognise.networks import load_networks
from capper.recognise.offer import read_offer
from capper.rewrite import feeds
from capper.rewrite.feeds import load_feeds

PAGE = "https://feed.example/"


@pytest.fixture(scope="module")
def reader():
    return AdReader(load_networks())


def x_entry(number, promoted=None):
    tweet = {"rest_id": f"9{number}", "legacy": {"full_text": "hello", "entities": {"urls": []}}}
    content = {"itemContent": {"itemType": "TimelineTweet", "tweet_results": {"result": tweet}}}
    if promoted:
        tweet["legacy"]["entities"]["urls"] = [
            {"expanded_url": "https://shoes.example/x?twclid=1", "url": "https://t.co/a"}
        ]
        advertiser = {"result": {"legacy": {"name": "Shoe House", "screen_name": "shoehouse"}}}
        content["itemContent"]["promotedMetadata"] = {"advertiser_results": advertiser, "impressionId": "7"}
    return {"entryId": f"promoted-tweet-9{number}-7" if promoted else f"tweet-9{number}", "sortIndex": 12345678901234567890, "content": content}  # fmt: skip


def x_answer():
    entries = [
        x_entry(1),
        x_entry(2, promoted=True),
        x_entry(3),
        {"entryId": "cursor-bottom-1", "content": {"value": "abc"}},
    ]
    timeline = {"instructions": [{"type": "TimelineAddEntries", "entries": entries}]}
    return {"data": {"home": {"home_timeline_urt": timeline}}}


def instagram_item(number, injected=None):
    media = {
        "id": f"{number}_1",
        "caption": {"text": "Sunday"},
        "user": {"username": f"user{number}", "full_name": "A Person"},
    }
    if injected:
        media["injected"] = {"label": "Sponsored", "ad_id": "23850", "ad_title": "Tents Co", "show_ad_choices": True}
        media["android_links"] = [{"linkType": 1, "webUri": "https://tents.example/light?fbclid=1"}]
    return {"media_or_ad": media}


def tiktok_item(number, *, ad=False):
    raw = json.dumps({"web_url": "https://snacks.example/a", "creative_id": "55", "source": "Snacks"})
    return {"aweme_id": str(number), "is_ads": ad, "desc": "x", **({"raw_ad_data": raw} if ad else {})}


def youtube_item(number, *, ad=False):
    video = {"videoRenderer": {"videoId": f"v{number}", "title": {"runs": [{"text": "A film"}]}}}
    link = {"clickthroughEndpoint": {"urlEndpoint": {"url": "https://games.example/play"}}}
    slot = {"adSlotRenderer": {"fulfillmentContent": {"fulfilledLayout": {"inFeedAdLayoutRenderer": link}}}}
    return {"richItemRenderer": {"content": slot if ad else video}}


SHAPES = {
    # (feed, address, answer, where the paid posts stand, whose they are)
    "x": (
        "x",
        "https://x.com/i/api/graphql/abc/HomeTimeline?variables=%7B%7D",
        x_answer(),
        ["entries.1"],
        ["shoes.example"],
    ),
    "instagram": (
        "instagram",
        "https://www.instagram.com/api/v1/feed/timeline/",
        {"num_results": 3, "feed_items": [instagram_item(1), instagram_item(2, injected=True), instagram_item(3)]},
        ["feed_items.1"],
        ["tents.example"],
    ),
    "facebook": (
        "facebook",
        "https://www.facebook.com/api/graphql/",
        {
            "data": {
                "viewer": {
                    "news_feed": {
                        "edges": [
                            {"node": {"id": "1", "sponsored_data": None}},
                            {
                                "node": {
                                    "id": "2",
                                    "sponsored_data": {"ad_id": "600", "client_token": "x"},
                                    "attachments": [{"web_link": {"url": "https://cars.example/suv"}}],
                                }
                            },
                        ]
                    }
                }
            }
        },
        ["edges.1"],
        ["cars.example"],
    ),
    "tiktok": (
        "tiktok",
        "https://www.tiktok.com/api/recommend/item_list/?aid=1",
        {"aweme_list": [tiktok_item(1), tiktok_item(2, ad=True), tiktok_item(3)]},
        ["aweme_list.1"],
        ["snacks.example"],
    ),
    "youtube": (
        "youtube",
        "https://www.youtube.com/youtubei/v1/browse?prettyPrint=false",
        {"contents": {"richGridRenderer": {"contents": [youtube_item(1), youtube_item(2, ad=True), youtube_item(3)]}}},
        ["contents.1"],
        ["games.example"],
    ),
    "shop": (
        "shops",
        "https://www.bigshop.example/api/search?q=lamp",
        {
            "total": 3,
            "results": [
                {"asin": "A1", "adId": "77", "advertiserId": "ENT1", "campaignId": "5", "title": "Lamp"},
                {"asin": "A2", "title": "Lamp"},
                {"asin": "A3", "title": "Lamp"},
            ],
        },
        ["results.0"],
        ["bigshop.example/ENT1"],
    ),
    "flag": (
        "any",
        "https://api.news.example/river",
        {
            "items": [
                {"id": 1, "sponsored": False},
                {"id": 2, "sponsored": True, "sponsorName": "Bank Blue"},
                {"id": 3, "sponsored": False},
            ]
        },
        ["items.1"],
        ["sponsor/bank blue"],
    ),
    "typename": (
        "any",
        "https://api.news.example/graphql",
        {
            "data": {
                "feed": {
                    "edges": [
                        {"node": {"__typename": "Thread"}},
                        {"node": {"__typename": "FeedAd", "clickUrl": "https://beer.example/"}},
                        {"node": {"__typename": "Post"}},
                    ]
                }
            }
        },
        ["edges.1"],
        ["beer.example"],
    ),
    "nested modules": (
        "any",
        "https://api.news.example/home",
        {
            "modules": [
                {
                    "type": "list",
                    "items": [
                        {"isAd": "true", "adId": "3", "landingUrl": "https://wine.example/"},
                        {"title": "a"},
                        {"title": "b"},
                    ],
                },
                {"type": "hero"},
            ]
        },
        ["items.0"],
        ["wine.example"],
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("spacing", [None, 1], ids=["dense", "indented"])
def test_shapes(shape, spacing, reader):
    """The paid post of each shape is found with its advertiser, and taken out without another byte."""
    name, url, answer, places, whose = SHAPES[shape]
    data = json.dumps(answer, indent=spacing).encode()
    found = feeds.find(data, url, load_feeds([name]), page=PAGE)

    assert places == [".".join(map(str, post.path[-2:])) for post in found.posts]
    assert whose == [", ".join(read_offer(reader, post.offer).advertisers) for post in found.posts]

    left = feeds.apply(found, [0])
    assert without(answer, found.posts[0].path) == json.loads(left)
    assert is_subsequence(left, data)


def without(answer, path):
    """The answer without what stands at a path."""
    copy = json.loads(json.dumps(answer))
    holder = copy
    for step in path[:-1]:
        holder = holder[step]
    del holder[path[-1]]
    return copy


def is_subsequence(part, whole):
    """Whether `part` is `whole` with one run of bytes cut out."""
    start = 0
    while start < len(part) and part[start] == whole[start]:
        start += 1
    return whole.endswith(part[start:])


def test_nothing_withheld_is_the_same_object():
    """None withheld: the very same bytes object."""
    name, url, answer, *_ = SHAPES["x"]
    data = json.dumps(answer).encode()
    found = feeds.find(data, url, load_feeds([name]))

    assert feeds.apply(found, []) is data


def test_answers_in_lines():
    """Of several answers, each on a line of its own, only the post goes."""
    name, url, answer, *_ = SHAPES["facebook"]
    data = json.dumps(answer).encode() + b'\r\n{"label":"x","data":{"page_info":{}}}\r\n'
    found = feeds.find(data, url, load_feeds([name]))
    first, second, _ = feeds.apply(found, [0]).split(b"\r\n")

    assert [{"node": {"id": "1", "sponsored_data": None}}] == json.loads(first)["data"]["viewer"]["news_feed"]["edges"]
    assert second == b'{"label":"x","data":{"page_info":{}}}'


@pytest.mark.parametrize(
    "answer",
    [
        {"items": [{"id": 1, "sponsored": False}, {"id": 2, "adId": None}, {"id": 3, "isAd": "false"}, {"is_ad": 0}]},
        {"items": [{"adId": "1", "title": "Sofa"}, {"adId": "2", "title": "Bed"}, {"adId": "3", "title": "Lamp"}]},
        {
            "items": [
                {"__typename": "Thread"},
                {"__typename": "Road"},
                {"__typename": "Download"},
                {"__typename": "Lead"},
            ]
        },
        {"items": [{"text": "this is sponsored: true"}, {"tags": ["isAd", "promoted"]}]},
        {"sponsored": True, "adId": "1", "config": {"promoted": True}},
        {"flags": {"isAd": True}, "ids": [1, 2, 3]},
    ],
    ids=["switched off", "small ads", "names", "words", "no list", "settings"],
)
def test_organic(answer):
    """What only looks like a paid post is none: a flag that is off, ids that all have, words, an object in no list."""
    assert () == feeds.find(json.dumps(answer).encode(), "https://api.news.example/x", load_feeds()).posts


def test_only_feeds_that_are_on():
    """An answer from elsewhere, or with none of a feed's words, is not even parsed; without feeds nothing is."""
    broken = b'{"promotedMetadata": '

    assert feeds.find(broken, "https://x.com/i/api/graphql/a/b", ()).posts == ()
    assert feeds.find(broken, "https://news.example/i/api/graphql", load_feeds(["x"])).posts == ()
    assert feeds.find(b'{"data": ', "https://x.com/i/api/graphql/a", load_feeds(["x"])).posts == ()
    with pytest.raises(Unrewritable):
        feeds.find(broken, "https://x.com/i/api/graphql/a/b", load_feeds(["x"]))
    assert feeds.speaks(load_feeds(["x"]), "https://x.com/i/api/graphql/a/b?c")
    assert not feeds.speaks(load_feeds(["x"]), "https://notx.com/i/api/graphql/a/b")
    assert not feeds.speaks((), "https://x.com/i/api/graphql/a/b")


_posts = st.lists(
    st.fixed_dictionaries(
        {"id": st.integers(), "text": st.text(max_size=8)},
        optional={
            "sponsored": st.booleans(),
            "items": st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=2),
        },
    ),
    max_size=7,
)


@given(_posts, st.sampled_from([None, 0, 2]), st.booleans(), st.data())
def test_any_of_them_may_go(items, spacing, ascii_only, choose):
    """Whichever are withheld, the answer stays JSON and holds the others as they were, in their order."""
    data = json.dumps({"items": items, "next": "é\ud800"}, indent=spacing, ensure_ascii=True).encode()
    found = feeds.find(data, "https://api.news.example/x", load_feeds(["any"]))
    gone = choose.draw(st.sets(st.sampled_from(range(len(found.posts))))) if found.posts else set()
    places = {found.posts[number].path[-1] for number in gone}

    left = json.loads(feeds.apply(found, gone))
    assert {"items": [each for n, each in enumerate(items) if n not in places], "next": "é\ud800"} == left
    assert all(items[post.path[-1]]["sponsored"] for post in found.posts)


@pytest.mark.parametrize(
    "data",
    [b'{"sponsored":' * 900 + b"1" + b"}" * 900, b"[" * 900 + b'{"adId":"1"}' + b"]" * 900, b'{"items":[' + b'{"adId":"1"},{},{},' * 30_000 + b"{}]}", b'{"items":[' + b"1," * 300_000 + b'{"isAd":true},{},{}]}'],
    ids=["deep objects", "deep arrays", "many posts", "many numbers"],
)  # fmt: skip
@pytest.mark.timeout(20)
def test_hostile_answers(data):
    """Deep and huge answers are looked through as far as is sensible."""
    assert len(feeds.find(data, "https://api.news.example/x", load_feeds()).posts) <= feeds.MOST_POSTS


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("about = 1", "expected about as a text"),
        ('about = "x"\nhots = []', "hots: expected one of about, hosts"),
        ('about = "x"\nhosts = [1]', "hosts: expected a list of texts"),
        ('about = "x"\nhosts = []\nhints = []\nsigns = ["= 1"]', "signs: expected a way"),
        ("about = ", "read the feed in"),
    ],
)
def test_mistakes_are_told(text, complaint, tmp_path):
    """A file that says something else than expected is refused with its name and the key."""
    (tmp_path / "mine.toml").write_text(text)

    with pytest.raises(ConfigError, match=complaint):
        load_feeds(folder=tmp_path)


def test_unknown_feed():
    """A feed of which there is no file is refused by its name."""
    with pytest.raises(ConfigError, match=r"no mytube\.toml"):
        load_feeds(["mytube"])
