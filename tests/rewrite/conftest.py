"""What the tests of rewriting share: a judge that goes by words, and the words a placeholder says."""

import pytest

from capper.clues import Shapes
from capper.recognise.labels import load_labels
from capper.rewrite.wording import Words


class WordJudge:
    """Calls an ad what contains one of the words given, and elsewhere what is not on `site`."""

    labels = load_labels()

    def __init__(self, ads=(), clicks=(), hide=(), sold=(), shapes=None, site="news.example"):
        self.ads, self.clicks, self.hide, self.sold, self.shapes, self.site = (
            ads,
            clicks,
            hide,
            sold,
            shapes or Shapes(),
            site,
        )

    def is_ad(self, url, kind):
        assert kind in {"image", "media", "object"}
        assert url.startswith(("https://", "http://"))
        return any(word in url for word in self.ads)

    def is_click(self, url):
        return any(word in url for word in self.clicks)

    def is_sold(self, url):
        return any(word in url for word in self.sold)

    def is_profile(self, url):
        return "//social.example/" in url

    def is_notice(self, url):
        return "adchoices" in url

    def is_teaser(self, url):
        return "teaser" in url

    def is_elsewhere(self, url):
        return f"//{self.site}/" not in url and f".{self.site}/" not in url

    def selectors(self, classes, ids):
        assert isinstance(classes, set)
        assert isinstance(ids, set)
        return (self.hide,)


@pytest.fixture(scope="session")
def word_judge():
    return WordJudge


@pytest.fixture
def say():
    """The words of a placeholder for an ad of `who`."""

    def words(who="shoes.example"):
        told = Words(who, "3 of 3 today", "again at 14:10", "3/3", "", "en")
        return Words(who, told.why, told.when, told.short, f"Ad withheld: {told.sentence}", "en")

    return words
