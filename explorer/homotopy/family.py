"""A family of problems solved once for generic complex data and re-used for any data by parameter homotopies.

`solve_family` finds the generic solutions of every shape of living units; `Family.solutions` follows them to one or many
problems, all paths in one batch. Cheater's homotopy: T. Y. Li, T. Sauer, J. A. Yorke, SIAM J. Numer. Anal. 26 (1989);
A. J. Sommese, C. W. Wampler, The Numerical Solution of Systems of Polynomials, 2005, ch. 7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from explorer.budget import Deadline
from explorer.errors import Unsupported
from explorer.homotopy.fibre import Fibre, alive, canonical
from explorer.homotopy.model import Model, Pattern, Shape, applies, build, moments_are_free, patterns
from explorer.homotopy.monodromy import Start, generic_start
from explorer.homotopy.precise import follow
from explorer.homotopy.track import CAREFUL, DIVERGED, DONE, FAILED, LONG, NORMAL, PATIENT, Settings, track
from explorer.problem import DenseNetwork, Problem

Array: TypeAlias = Any
#: for each attempt what is done about paths that patience did not help
LAST: tuple[Settings, ...] = (LONG, LONG, LONG, CAREFUL, LONG)
FEW = 24  #: so many paths of one problem are followed alone in numbers of many digits


@dataclass(frozen=True)
class Family:
    """The generic solutions of a network's shapes: ``starts`` in the order of ``shapes``; ``samples`` None: moment form."""

    network: DenseNetwork
    samples: int | None
    patterns: tuple[Pattern, ...]
    shapes: tuple[Shape, ...]
    starts: tuple[Start | None, ...]  #: None for the shape without parameters

    @cached_property
    def count(self) -> int:
        """The number of complex critical points for generic data."""
        return sum(self.multiplicity(p) * self.start(p) for p in self.patterns)

    @property
    def saturated(self) -> bool:
        return all(s is None or s.saturated for s in self.starts)

    @property
    def reason(self) -> str:
        return "; ".join(s.reason for s in self.starts if s is not None and not s.saturated)

    def multiplicity(self, pattern: Pattern) -> int:
        """How many solutions one representative stands for: the sign changes of its units."""
        return int(2 ** len(pattern.shape.flips))

    def start(self, pattern: Pattern) -> int:
        found = self.starts[self.shapes.index(pattern.shape)]
        return 1 if found is None else found.count

    @cached_property
    def whole(self) -> Model:
        """The system of the network with all units alive."""
        found = self.starts[
            self.shapes.index(next(p for p in self.patterns if len(p.places) == self.network.parameter_count).shape)
        ]
        assert found is not None
        return found.model


@dataclass(frozen=True)
class Arrival:
    """What reached one pattern of one problem: representatives ``theta`` (d, M) of ``expected`` generic ones, ``far`` of
    which went to infinity; ``lost`` says what became of the others."""

    pattern: Pattern
    theta: Array
    expected: int
    far: int
    lost: str


def solve_family(problem: Problem, deadline: Deadline, *, seed: int = 0) -> Family:
    """The generic solutions of the family of ``problem`` (same network, any data of as many samples)."""
    if not applies(problem):
        raise Unsupported(
            "monodromy",
            expected="polynomial activations with value 0 at 0, squared loss, a positive l2 weight on every parameter",
            got="another problem",
        )
    net, data = problem.network, problem.data
    assert isinstance(net, DenseNetwork)
    assert data is not None
    samples = None if moments_are_free(problem) else len(data)
    found = tuple(patterns(net))
    shapes = tuple(dict.fromkeys(p.shape for p in found))
    starts: list[Start | None] = []
    for shape in shapes:
        if not shape.size:
            starts.append(None)
            continue
        model = build(shape, inputs=net.widths[0], samples=samples)
        starts.append(generic_start(model, deadline, seed=seed))
    return Family(net, samples, found, shapes, tuple(starts))


def arrivals(
    family: Family, problems: Sequence[Problem], deadline: Deadline, *, seed: int = 0, thorough: bool = True
) -> list[list[Arrival]]:
    """For every problem the solutions that its paths reached, pattern by pattern; ``thorough``: see `transport`."""
    for p in problems:
        if p.network != family.network or (family.samples is not None and len(p.data or ()) != family.samples):
            raise Unsupported("monodromy", expected="problems of the family", got=p.slug)
    out: list[list[Arrival]] = [[] for _ in problems]
    for shape, start in zip(family.shapes, family.starts, strict=True):
        jobs = [(k, q) for k in range(len(problems)) for q in family.patterns if q.shape == shape]
        if start is None:
            for k, q in jobs:
                out[k].append(Arrival(q, np.empty((0, 1), dtype=np.complex128), 1, 0, ""))
            continue
        goals = [start.model.parameters(problems[k], q.places) for k, q in jobs]
        found = transport(start, goals, deadline, seed=seed, thorough=thorough)
        for (k, q), (theta, far, lost) in zip(jobs, found, strict=True):
            out[k].append(Arrival(q, theta, start.count, far, lost))
    return out


def _arc(
    start: Start,
    p0: Array,
    goals: Sequence[Sequence[Fraction]],
    fibres: Sequence[Fibre],
    deadline: Deadline,
    *,
    attempt: int,
    thorough: bool,
) -> list[int]:
    """For each of the goals (blocks of columns) the distinct points that one arc reaches go into its fibre; returned is how
    many paths went to infinity.

    Paths that failed, met another one or lost a unit are followed again along the same arc with smaller steps; on all arcs but
    the first (another arc takes less time) then in longer numbers and, if they are few, alone in numbers of many digits; then they
    do not count. Nothing is followed again to a goal that misses no point. Not ``thorough``: smaller steps from the third arc on,
    longer numbers on the last, no path alone, and none again that goes to infinity.
    """
    model, n = start.model, start.count
    theta, p1 = np.tile(start.solutions, (1, len(goals))), _columns(goals, n)
    points, status = np.zeros_like(theta), np.full(n * len(goals), FAILED)
    again = np.ones(n * len(goals), dtype=bool)
    parts = [slice(m * n, (m + 1) * n) for m in range(len(goals))]

    def settle(m: int) -> None:
        part = parts[m]
        again[part] = _doubtful(model, points[:, part], status[part])
        fibres[m].add(points[:, part][:, ~again[part]])
        if len(fibres[m]) == n:
            again[part] = False
        if not thorough:
            again[part] &= status[part] != DIVERGED

    stages = (2 if attempt == 0 else 3) if thorough else 1 + attempt // 2
    for settings in (NORMAL, PATIENT, LAST[attempt])[:stages]:
        ends = track(model, theta[:, again], p0[:, again], p1[:, again], deadline, settings=settings)
        points[:, again], status[again] = canonical(model.shape, ends.theta), ends.status
        for m in [m for m, part in enumerate(parts) if again[part].any()]:
            settle(m)
        if not again.any():
            break
    for m, goal in enumerate(goals):
        left = m * n + np.flatnonzero(again[parts[m]])
        if attempt and thorough and 0 < len(left) <= FEW:
            for k in left:
                end = follow(model, theta[:, k], p0[:, k], goal, deadline)
                points[:, k], status[k] = canonical(model.shape, end.theta[:, None])[:, 0], end.status
            settle(m)
    return [int((status[part] == DIVERGED).sum()) for part in parts]


def _columns(goals: Sequence[Sequence[Fraction]], n: int) -> Array:
    """The goals as columns of floats, each n times."""
    return np.repeat(np.array([[complex(v) for v in goal] for goal in goals]).T, n, axis=1)


def _doubtful(model: Model, points: Array, status: Array) -> Array:
    """Paths to one goal that did not arrive, arrived at a dead unit, or at the same point as another one."""
    out = (status != DONE) | ~alive(model.shape, points)
    good = [int(k) for k in np.flatnonzero(~out)]
    owner: dict[int, int] = {}
    for k, number in zip(good, Fibre().add(points[:, good]), strict=True):
        if number in owner:
            out[k] = out[owner[number]] = True
        owner[number] = k
    return out


def _scale(start: Start, p1: Array, linear: Array) -> Array:
    """A positive factor for each column that makes p0 as large as p1, in the geometric mean over what is not 0 in p1."""
    ratio = np.abs(p1) / np.abs(start.parameters)
    used = linear & (ratio > 0)
    logs = np.where(used, np.log(np.where(used, ratio, 1.0)), 0.0).sum(axis=0) / np.maximum(used.sum(axis=0), 1)
    return np.exp(logs)


def transport(
    start: Start, goals: Sequence[Sequence[Fraction]], deadline: Deadline, *, seed: int = 0, thorough: bool = True
) -> list[tuple[Array, int, str]]:
    """Follow all generic solutions to each vector of parameters: what arrived, how many went to infinity, what is missing.

    What is missing is tried along other random arcs. For special data (equal ridge weights, say) some paths go to
    infinity; that is accepted when two arcs agree on how many. ``thorough`` False is for many problems, some of which may stay
    unsettled: paths on their way to infinity are not followed to where they would show that they only pass large numbers.
    """
    rng = np.random.default_rng([seed, start.count])
    model, n = start.model, start.count
    fibres = [Fibre() for _ in goals]
    far, agreed = [-1] * len(goals), [False] * len(goals)
    linear = np.array(model.scaled)[:, None]
    for attempt in range(len(LAST)):
        left = [k for k, f in enumerate(fibres) if len(f) < n and not agreed[k]]
        if not left:
            break
        # ridge weights start within 0.6 of the ray of gamma: none of them comes near 0 on its way to a positive number
        gamma = np.exp(1j * rng.choice([-1, 1]) * rng.uniform(0.7, 2.0))
        chosen, unfilled = [goals[k] for k in left], [fibres[k] for k in left]
        p0 = np.where(linear, gamma * _scale(start, _columns(chosen, n), linear) * start.parameters, start.parameters)
        found = _arc(start, p0, chosen, unfilled, deadline, attempt=attempt, thorough=thorough)
        for k, away in zip(left, found, strict=True):
            agreed[k] = 0 < away == far[k] and len(fibres[k]) + away == n
            far[k] = away
    empty = np.empty((model.size, 0), dtype=np.complex128)
    out = []
    for k, f in enumerate(fibres):
        away = far[k] if agreed[k] else 0
        missing = n - len(f) - away
        why = f"{missing} of {n} paths reached no new point ({max(far[k], 0)} went far away)" if missing else ""
        out.append((f.matrix() if len(f) else empty, away, why))
    return out
