"""Bodies and their codings, what is found in them, and what is put in the place of what goes."""

from capper.later import import_lazily

# Whoever reads only heads does without these, and a start does until the proxy listens (`capper/assembly.py`).
SEARCHING = (
    "capper.rewrite.auction.admanager",
    "capper.rewrite.auction.payload",
    "capper.rewrite.auction.targeting",
    "capper.rewrite.feeds",
    "capper.rewrite.filler",
    "capper.rewrite.html.page",
    "capper.rewrite.video.chain",
    "capper.rewrite.video.embedded",
    "capper.rewrite.video.vast",
    "capper.rewrite.wording",
)
import_lazily(*SEARCHING)
