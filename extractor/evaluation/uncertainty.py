"""How far a figure can be trusted: intervals over authors, exact bounds on rare errors, and two runs side by side.

Notes of one author are alike, so intervals resample authors, not notes: the cluster bootstrap (Davison and Hinkley
1997, section 3.8) with percentile limits (Efron 1979). Bounds are Clopper and Pearson 1934; the paired test is McNemar
1947 in its exact, binomial form. Everything is a function of its arguments and the seed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from extractor.errors import InputError

RESAMPLES = 2000
LEVEL = 0.95
SEED = 0

Item = TypeVar("Item")
Statistic = Callable[[Sequence[Item]], float | None]


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its percentile limits.

    `low` and `high` are None where they cannot be told: fewer than two clusters, or a figure that no resample has.
    `used` counts the resamples that had the figure (one with no released note has no precision).
    """

    value: float | None
    low: float | None
    high: float | None
    level: float
    clusters: int
    used: int


def cluster_of(author: str, id_: str) -> str:
    """The cluster of a note: its author's, or one of its own where no author is known.

    >>> cluster_of("a", "1"), cluster_of("", "1")
    ('author a', 'note 1')
    """
    return f"author {author}" if author else f"note {id_}"


def _members(clusters: Sequence[str]) -> list[list[int]]:
    """Positions by cluster, in the order of the clusters' names, so that the order of the notes does not matter."""
    members: dict[str, list[int]] = {}
    for at, name in enumerate(clusters):
        members.setdefault(name, []).append(at)
    return [members[name] for name in sorted(members)]


def _draws(size: int, resamples: int, seed: int) -> Iterator[npt.NDArray[np.int64]]:
    """One draw of clusters, with replacement, at a time: a table of all of them would not be flat in memory."""
    generator = np.random.default_rng(seed)
    for _ in range(resamples):
        yield generator.integers(0, size, size=size)


def _interval(value: float | None, drawn: Sequence[float], level: float, clusters: int) -> Interval:
    if not drawn:
        return Interval(value, None, None, level, clusters, len(drawn))
    low, high = np.quantile(np.asarray(drawn), [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high), level, clusters, len(drawn))


def _check(count: int, clusters: Sequence[str], resamples: int, level: float) -> None:
    if not count:
        raise InputError("no notes to resample")
    if count != len(clusters):
        raise InputError("notes and clusters are not of one length")
    if resamples < 1 or not 0 < level < 1:
        raise InputError("an interval needs at least one resample and a level between 0 and 1")


def bootstrap(
    notes: Sequence[Item],
    clusters: Sequence[str],
    statistic: Statistic[Item],
    *,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = SEED,
) -> Interval:
    """The interval of any statistic of notes; `clusters` names the author of each note.

    A resample draws as many clusters as there are, with replacement, each with all its notes; `statistic` gets these
    notes in a list, or returns None where it is not defined. For sums and shares of sums, `bootstrap_sums` is faster.
    """
    _check(len(notes), clusters, resamples, level)
    members = _members(clusters)
    drawn: list[float] = []
    if len(members) > 1:
        for draw in _draws(len(members), resamples, seed):
            figure = statistic([notes[at] for cluster in draw for at in members[cluster]])
            if figure is not None:
                drawn.append(figure)
    return _interval(statistic(notes), drawn, level, len(members))


def bootstrap_sums(
    rows: Sequence[Sequence[float]],
    clusters: Sequence[str],
    statistics: Mapping[str, Statistic[float]],
    *,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = SEED,
) -> dict[str, Interval]:
    """The intervals of statistics of column sums, all from the same resamples.

    `rows` is (notes, columns); each statistic gets the list of the columns' sums. It draws as `bootstrap` does, so both
    give the same limits for the same seed.

    >>> bootstrap_sums([(1,), (0,), (1,)], ["a", "a", "b"], {"hits": lambda sums: sums[0]})["hits"].value
    2.0
    """
    _check(len(rows), clusters, resamples, level)
    members = _members(clusters)
    table = np.asarray(rows, dtype=np.float64)
    sums = np.stack([table[cluster].sum(axis=0) for cluster in members])
    drawn: dict[str, list[float]] = {name: [] for name in statistics}
    if len(members) > 1:
        for draw in _draws(len(members), resamples, seed):
            # counts times whole numbers: exact in float64, so that no order of adding changes a digit
            total = (np.bincount(draw, minlength=len(members)) @ sums).tolist()
            for name, statistic in statistics.items():
                figure = statistic(total)
                if figure is not None:
                    drawn[name].append(figure)
    whole = sums.sum(axis=0).tolist()
    return {name: _interval(statistics[name](whole), drawn[name], level, len(members)) for name in statistics}


# -- bounds on rare errors -------------------------------------------------------------------------------------------


def upper_bound(errors: int, notes: int, level: float = LEVEL) -> float:
    """The exact one-sided upper bound (Clopper-Pearson) of the error rate after `errors` errors in `notes` notes.

    It is the rate at which so few errors would be seen with a probability of `1 - level` only: the `level` quantile of
    Beta(errors + 1, notes - errors). The notes are taken as independent; notes of one author are less than that. No
    note at all bounds nothing (1.0).

    >>> round(upper_bound(0, 300), 6)
    0.009936
    """
    if not 0 <= errors <= notes or not 0 < level < 1:
        raise InputError("a bound needs errors between 0 and the number of notes, and a level between 0 and 1")
    if errors == notes:
        return 1.0
    # In logs: powers of the rate alone leave the range of floats for some thousand notes.
    ways = [0.0]
    for k in range(errors):
        ways.append(ways[-1] + math.log(notes - k) - math.log(k + 1))

    def tail(rate: float) -> float:
        """The probability of at most `errors` errors."""
        log_rate, log_rest = math.log(rate), math.log1p(-rate)
        return math.fsum(math.exp(way + k * log_rate + (notes - k) * log_rest) for k, way in enumerate(ways))

    low, high = 0.0, 1.0
    while low < (middle := (low + high) / 2) < high:  # until no float lies between
        if tail(middle) > 1 - level:
            low = middle
        else:
            high = middle
    return high


# -- two runs --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Paired:
    """Two runs over the same notes. `better` and `worse` are ids, in the order of the first run."""

    notes: int
    both_right: int
    both_wrong: int
    better: tuple[str, ...]  # wrong in the first run, right in the second
    worse: tuple[str, ...]  # right in the first run, wrong in the second
    p: float  # exact McNemar test, two-sided


def mcnemar(better: int, worse: int) -> float:
    """The exact two-sided p value: twice the smaller binomial tail at one half, at most 1 (and 1 with no change).

    >>> mcnemar(0, 5), mcnemar(3, 3), mcnemar(0, 0)
    (0.0625, 1.0, 1.0)
    """
    changed = better + worse
    tail = sum(math.comb(changed, k) for k in range(min(better, worse) + 1))
    return min(1.0, 2 * tail / (1 << changed))


def compare_runs(first: Mapping[str, bool], second: Mapping[str, bool]) -> Paired:
    """What changed from the first run to the second; both map the ids of the same notes to right or wrong.

    Notes that only one run has would make the comparison unfair: `InputError`.
    """
    if first.keys() != second.keys():
        raise InputError(f"the runs are not over the same notes ({len(first.keys() ^ second.keys())} are in one only)")
    if not first:
        raise InputError("no notes to compare")
    better = tuple(id_ for id_ in first if second[id_] and not first[id_])
    worse = tuple(id_ for id_ in first if first[id_] and not second[id_])
    both = sum(first[id_] and second[id_] for id_ in first)
    return Paired(
        notes=len(first),
        both_right=both,
        both_wrong=len(first) - both - len(better) - len(worse),
        better=better,
        worse=worse,
        p=mcnemar(len(better), len(worse)),
    )
