"""One household's part in a joint study: the sketch of what its people met, and, once all are added up, which ads follow them."""

import numpy as np

from capper.study.detection import Verdicts, detect
from capper.study.joint import Answer, Roster, Terms
from capper.study.metrics import pairs
from capper.study.sketch import Cells, counted, places
from capper.study.table import Exposures
from capper.study.truncation import bounded


def sketched(exposures: Exposures, key: bytes, terms: Terms, seed: int) -> Cells:
    """Each ad as often as it has people who met it, of each person no more than the terms say."""
    met, names = pairs(exposures, "advertiser"), exposures.advertiser.names
    # In an order to which nobody else's ads matter.
    rows = np.array(sorted(range(len(met)), key=lambda row: (met.person[row], names[met.ad[row]])), np.int64)
    kept = rows[bounded(met.person[rows], exposures.person.names, terms.most, seed)]
    return counted(terms.shape, key, (names[ad] for ad in met.ad[kept]))


def judged(exposures: Exposures, key: bytes, answer: Answer, roster: Roster) -> Verdicts:
    """Which ads follow whom; of each ad's people it is only known whether they reach the threshold, so `users` is that or nought."""
    rows = np.arange(roster.terms.shape.depth)
    many = (answer.many[rows, places(roster.terms.shape, key, ad)].all() for ad in exposures.advertiser.names)
    users = np.fromiter((answer.threshold if each else 0.0 for each in many), np.float64)
    return detect(exposures, "advertiser", users=users, users_threshold=answer.threshold)
