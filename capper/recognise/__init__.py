"""Is this an ad, and whose: filter lists, kinds of requests, networks, the words of labels and of credit."""

from capper.later import import_lazily

# As in `capper/rewrite/__init__.py`: whoever reads only heads does without these.
SEARCHING = ("capper.recognise.labels", "capper.recognise.networks", "capper.recognise.pagejudge")
import_lazily(*SEARCHING)
