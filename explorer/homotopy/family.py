"""A family of problems solved once for generic complex data and re-used for any data by parameter homotopies.

`solve_family` finds the generic solutions of every shape of living units; `Family.solutions` follows them to one or many
problems, all paths in one batch. Cheater's homotopy: T. Y. Li, T. Sauer, J. A. Yorke, SIAM J. Numer. Anal. 26 (1989);
A. J. Sommese, C. W. Wampler, The Numerical Solution of Systems of Polynomials, 2005, ch. 7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from explorer.budget import Deadline
from explorer.errors import Unsupported
from explorer.homotopy.fibre import Fibre, canonical
from explorer.homotopy.model import Model, Pattern, Shape, applies, build, moments_are_free, patterns
from explorer.homotopy.monodromy import Start, generic_start
from explorer.homotopy.track import CAREFUL, DIVERGED, DONE, NORMAL, track
from explorer.problem import DenseNetwork, Problem

Array: TypeAlias = Any
ATTEMPTS = 4


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
        found = self.starts[self.shapes.index(next(p for p in self.patterns if len(p.places) == self.network.parameter_count).shape)]
        assert found is not None
        return found.model


@dataclass(frozen=True)
class Arrival:
    """What reached one pattern of one problem: representatives ``theta`` (d, M) of ``expected`` generic ones."""

    pattern: Pattern
    theta: Array
    expected: int
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


def arrivals(family: Family, problems: Sequence[Problem], deadline: Deadline, *, seed: int = 0) -> list[list[Arrival]]:
    """For every problem the solutions that its paths reached, pattern by pattern."""
    for p in problems:
        if p.network != family.network or (family.samples is not None and len(p.data or ()) != family.samples):
            raise Unsupported("monodromy", expected="problems of the family", got=p.slug)
    out: list[list[Arrival]] = [[] for _ in problems]
    for shape, start in zip(family.shapes, family.starts, strict=True):
        jobs = [(k, q) for k in range(len(problems)) for q in family.patterns if q.shape == shape]
        if start is None:
            for k, q in jobs:
                out[k].append(Arrival(q, np.empty((0, 1), dtype=np.complex128), 1, ""))
            continue
        goals = [np.array([complex(v) for v in start.model.parameters(problems[k], q.places)]) for k, q in jobs]
        for (k, q), (theta, lost) in zip(jobs, transport(start, goals, deadline, seed=seed), strict=True):
            out[k].append(Arrival(q, theta, start.count, lost))
    return out


def transport(
    start: Start, goals: Sequence[Array], deadline: Deadline, *, seed: int = 0
) -> list[tuple[Array, str]]:
    """Follow all generic solutions to each vector of parameters; what is missing is tried along other random arcs."""
    rng = np.random.default_rng([seed, start.count])
    model, n = start.model, start.count
    fibres = [Fibre() for _ in goals]
    lost = [""] * len(goals)
    linear = np.array(model.scaled)[:, None]
    for attempt in range(ATTEMPTS):
        left = [k for k, f in enumerate(fibres) if len(f) < n]
        if not left:
            break
        gamma = np.exp(2j * np.pi * rng.random()) * rng.uniform(0.7, 1.4)
        p0 = np.where(linear, gamma * start.parameters, start.parameters)
        p1 = np.concatenate([np.repeat(goals[k][:, None], n, axis=1) for k in left], axis=1)
        theta = np.tile(start.solutions, (1, len(left)))
        ends = track(model, theta, p0, p1, deadline, settings=CAREFUL if attempt else NORMAL)
        arrived = canonical(model.shape, ends.theta)
        for m, k in enumerate(left):
            part = slice(m * n, (m + 1) * n)
            good = ends.status[part] == DONE
            fibres[k].add(arrived[:, part][:, good])
            diverged = int((ends.status[part] == DIVERGED).sum())
            missing = n - len(fibres[k])
            lost[k] = f"{missing} of {n} paths reached no new point ({diverged} went far away)" if missing else ""
    empty = np.empty((model.size, 0), dtype=np.complex128)
    return [(f.matrix() if len(f) else empty, why) for f, why in zip(fibres, lost, strict=True)]
