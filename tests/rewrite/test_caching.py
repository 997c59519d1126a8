"""Ads a browser may cache are asked for anew, and our answer vouches only for what the origin would have allowed."""

from datetime import timedelta

import pytest

from capper.domain.exchange import Headers, Response
from capper.rewrite.caching import Validator, lifetime, not_modified, revalidated
from capper.testing import NOON


def headers(**fields: str) -> Headers:
    return Headers((name.replace("_", "-"), value) for name, value in fields.items())


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({"Cache-Control": "max-age=3600"}, 3600),
        ({"Cache-Control": "public, max-age=3600, immutable", "Age": "600"}, 3000),
        ({"Cache-Control": 'max-age="60"'}, 60),
        ({"Cache-Control": "no-cache, max-age=60"}, 0),
        ({"Cache-Control": "no-store"}, 0),
        ({"Cache-Control": "max-age=-1"}, 0),
        ({"Expires": "Sun, 22 Nov 2026 13:00:00 GMT", "Date": "Sun, 22 Nov 2026 12:00:00 GMT"}, 3600),
        ({"Expires": "0"}, 0),
        ({"Cache-Control": "max-age=10", "Expires": "Sun, 22 Nov 2026 13:00:00 GMT"}, 10),
        ({"Last-Modified": "Thu, 12 Nov 2026 12:00:00 GMT"}, 86400),
        ({"Last-Modified": "garbage"}, 0),
        ({}, 0),
    ],
)
def test_lifetime_follows_the_standard(fields, seconds):
    """A response is fresh for as long as RFC 9111 says, heuristics included."""
    assert timedelta(seconds=seconds) == lifetime(Headers(fields.items()), NOON)


def test_a_cacheable_ad_is_made_to_be_asked_for():
    """A banner with max-age keeps its body and validators and becomes no-cache."""
    given = Response(200, Headers([("Cache-Control", "public, max-age=60"), ("ETag", '"a"'), ("Expires", "x")]), b"png")

    response, validator = revalidated(given, NOON)

    assert [("Cache-Control", "no-cache"), ("ETag", '"a"')] == list(response.headers)
    assert b"png" == response.body
    assert Validator('"a"', "", NOON + timedelta(seconds=60)) == validator


def test_an_ad_without_a_validator_gets_one_of_its_own():
    """Where the origin sends neither ETag nor Last-Modified, the digest of the body serves."""
    one, _ = revalidated(Response(200, headers(Cache_Control="max-age=60"), b"one"), NOON)
    two, _ = revalidated(Response(200, headers(Cache_Control="max-age=60"), b"two"), NOON)

    assert one.headers.get("etag").startswith('"')
    assert one.headers.get("etag") != two.headers.get("etag")


def test_what_is_asked_for_every_time_stays_as_it_is():
    """A response that the browser revalidates by itself is not touched."""
    assert revalidated(Response(200, headers(Cache_Control="no-cache"), b"png"), NOON) is None


@pytest.mark.parametrize(
    ("asked", "vouched"),
    [
        ({"If-None-Match": '"a"'}, True),
        ({"If-None-Match": 'W/"a"'}, True),
        ({"If-None-Match": '"b", "a"'}, True),
        ({"If-None-Match": '"b"'}, False),
        ({"If-None-Match": '"a"', "Cache-Control": "no-cache"}, False),
        ({"If-Modified-Since": "yesterday"}, True),
        ({"If-Modified-Since": "today"}, False),
        ({}, False),
    ],
)
def test_we_vouch_for_the_copy_we_know(asked, vouched):
    """Only a question about that very copy is answered here; a forced reload goes to the origin."""
    validator = Validator('"a"', "yesterday", NOON + timedelta(minutes=1))

    assert vouched == validator.vouches(Headers(asked.items()), NOON)


def test_we_vouch_no_longer_than_the_origin_would():
    """Once the origin's own lifetime is over, the origin is asked again."""
    validator = Validator('"a"', "", NOON)

    assert not validator.vouches(headers(If_None_Match='"a"'), NOON)


def test_our_answer_names_the_validator():
    """A 304 carries what RFC 9110 section 15.4.5 asks for."""
    response = not_modified(Validator('"a"', "yesterday", NOON))

    assert 304 == response.status
    assert '"a"' == response.headers.get("etag")
    assert b"" == response.body
