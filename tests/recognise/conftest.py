"""What tests of recognition share: the shipped networks, and evidence read by a parser that is not capper's own."""

import re
from html.parser import HTMLParser

import pytest

from capper.domain.evidence import Evidence
from capper.recognise.ad import AdReader
from capper.recognise.networks import load_networks

_CLICK_ATTRIBUTES = {"data-href", "data-url", "data-target", "data-clickurl", "data-click-url"}


class _Clues(HTMLParser):
    """Reads clues with the standard library, so that what is measured does not hang on capper's markup reader."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.clicks, self.resources, self.attributes, self.text, self.hidden = [], [], [], [], 0

    def handle_starttag(self, tag, attrs):
        self.hidden += tag in {"script", "style"}
        for name, value in attrs:
            if not value:
                continue
            if (tag in {"a", "area"} and name == "href") or name in _CLICK_ATTRIBUTES:
                self.clicks.append(value)
            elif name.startswith("on"):
                self.clicks += re.findall(r"https?:[^'\"\s)]+", value)
            elif name == "src":
                self.resources.append(value)
            elif name == "srcdoc":
                self.feed_in(value)
            elif name == "style":
                self.resources += re.findall(r"url\([\"']?([^\"')]+)", value)
            else:
                self.attributes.append((name, value))

    def handle_endtag(self, tag):
        self.hidden -= tag in {"script", "style"} and self.hidden > 0

    def handle_data(self, data):
        if not self.hidden:
            self.text.append(data)

    def feed_in(self, markup):
        inner = _Clues()
        inner.feed(markup)
        for name in ("clicks", "resources", "attributes", "text"):
            getattr(self, name).extend(getattr(inner, name))


def _clues_of(markup, page):
    clues = _Clues()
    clues.feed(markup)
    text = " ".join(" ".join(clues.text).split())
    return Evidence(tuple(clues.clicks), tuple(clues.resources), tuple(clues.attributes), text, page)


@pytest.fixture(scope="session")
def clues_of():
    """A function from an ad's markup and its page to `Evidence`."""
    return _clues_of


@pytest.fixture(scope="session")
def networks():
    """The networks that travel with capper."""
    return load_networks()


@pytest.fixture(scope="session")
def reader(networks):
    """A reader that knows the shipped networks."""
    return AdReader(networks)
