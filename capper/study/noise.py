"""Noise under which no figure tells whether any one person took part: Laplace's, drawn by OpenDP. The only module that knows it.

OpenDP draws from the system's source of randomness, exactly and in whole numbers. There is no seed: noise that can be drawn again can
be taken away again.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from capper.domain.errors import ConfigError

_WHOLE = "i64"
"""OpenDP's name for whole numbers; those of Python would become 32 bits wide."""


def noisy(counts: Sequence[int], reach: int, epsilon: float) -> list[int]:
    """Counts with noise.

    Args:
        reach: by how much one person can change all of them together.

    Raises:
        ConfigError: OpenDP is not installed, or takes no such numbers.
    """
    dp = _opendp()
    domain, metric = dp.vector_domain(dp.atom_domain(T=_WHOLE)), dp.l1_distance(T=_WHOLE)
    noise = dp.m.make_laplace(domain, metric, _scale(reach, epsilon))
    if not noise.check(reach, epsilon):
        raise ConfigError(f"release a figure: no noise can be made for an epsilon of {epsilon:g}")
    return list(noise(list(counts)))


def crowds(people: Mapping[str, int], cells: int, epsilon: float, delta: float, least: int) -> dict[str, int]:
    """How many people each cell has, with noise; cells that are not told had too few, or nobody.

    A cell of fewer than `least` people is told with a chance of at most `delta`, as is any that is there because of one person.

    Args:
        people: by cell; nobody counts twice in one.
        cells: in how many one person can be.

    Raises:
        ConfigError: OpenDP is not installed, or takes no such numbers.
    """
    dp = _opendp()
    domain = dp.map_domain(dp.atom_domain(T=str), dp.atom_domain(T=_WHOLE))
    metric = dp.l01inf_distance(dp.absolute_distance(T=_WHOLE))
    threshold = told_from(cells, epsilon, delta, least)
    noise = dp.m.make_laplace_threshold(domain, metric, scale=_scale(cells, epsilon), threshold=threshold)
    if not noise.check((cells, cells, 1), (epsilon, delta)):
        raise ConfigError(f"release a figure: no noise can be made for epsilon {epsilon:g} and delta {delta:g}")
    return dict(noise(dict(people)))


def told_from(cells: int, epsilon: float, delta: float, least: int) -> int:
    """The number that a cell must reach with its noise for `crowds` to tell it."""
    scale = _scale(cells, epsilon)
    # Noise of such a size has a chance of at most delta, by the tail of the Laplace distribution: on a crowd of one too few; and on
    # any of the cells that one person alone makes.
    crowd = least - 1 + math.ceil(scale * math.log(1 / delta))
    alone = 1 + math.ceil(scale * math.log(cells / delta))
    return max(crowd, alone)


def _scale(reach: int, epsilon: float) -> float:
    # A little wider than the quotient, which may have been rounded down.
    return reach / epsilon * (1 + 1e-9)


def _opendp() -> Any:
    try:
        import opendp.prelude as dp  # noqa: PLC0415  # an extra: it is there for who releases something
    except ModuleNotFoundError as exc:
        raise ConfigError(
            'release a figure: OpenDP is not installed, which adds the noise; `pip install "capper[research]"` brings it'
        ) from exc
    dp.enable_features("contrib")
    return dp
