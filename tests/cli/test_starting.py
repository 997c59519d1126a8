"""What a start imports: the proxy listens before anything is loaded that only some will need."""

import subprocess
import sys

SELDOM = {
    "aioquic.quic.connection": "QUIC, which is passed on unread",
    "babel": "placeholders, once it listens",
    "capper.gate.credit": "words of credit, once it listens",
    "capper.recognise.knowledge": "whose ad it is, once it listens",
    "capper.rewrite.auction.bids": "answers of auctions, once it listens",
    "capper.rewrite.html.candidates": "pages, once it listens",
    "capper.rewrite.video.answer": "answers of players, once it listens",
    "h2.connection": "browsers, once it listens",
    "httpx": "downloads",
    "hyperscan": "words of credit, once it listens",
    "jinja2": "dashboards",
    "PIL": "pictures of ads, once it listens",
    "numpy": "pictures of ads, and studies",
    "pydantic": "options other than text, paths, choices and whole numbers",
    "redis.commands": "nothing: its connections are used, not its clients",
    "pyparsing.core": "the language of mitmproxy's commands",
    "rich": "tables",
    "ruamel.yaml.main": "mitmproxy's configuration",
    "scipy": "studies",
    "starlette.requests": "dashboards",
    "tomlkit": "policies that are edited",
    "turbohtml": "pages, once it listens",
}
"""Modules that a start does without, with what needs them: 75 MB and half a second."""

START = f"""
import sys
import capper.cli.proxying, capper.cli.run, capper.cli.workers
import capper.dashboard.house, capper.dashboard.serving
import capper.ledger.embedded, capper.proxy.lean, capper.proxy.master, capper.proxy.people
print(*{set(SELDOM)} & sys.modules.keys())
"""


def test_a_start_loads_nothing_that_only_some_need():
    """A module of the list is imported by what needs it, when it does."""
    done = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, check=True)

    assert "" == done.stdout.strip()
