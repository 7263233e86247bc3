"""All solutions over generic parameters of one shape: seeds by linear algebra, then a monodromy graph until it is saturated.

A random theta is a critical point for the ridge weights lambda_k = -g_k / theta_k; it is followed to the base parameters.
Then solutions are followed along edges p -> gamma p' between two generic parameter vectors; since the system is linear in
p, gamma p' has the solutions of p', and every random gamma is another edge (Duff, Hill, Jensen, Lee, Leykin, Sommars,
IMA J. Numer. Anal. 39, 2019). An edge is a bijection of the two solution sets: two paths with one end are a jump, and
both are followed again with smaller steps.

Stopping rule (saturation): all vertices have equally many solutions, every edge matches them one to one, and `FRESH` further
vertices with two edges each and new seeds bring nothing new. The orbit is the whole set because the incidence variety of a pattern is irreducible
(docs/homotopy.md); that the orbit is complete is numerical evidence, not proof.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from explorer.budget import Deadline
from explorer.homotopy.fibre import Fibre, alive, canonical
from explorer.homotopy.model import Model
from explorer.homotopy.track import CAREFUL, DONE, NORMAL, evaluate, track

Array: TypeAlias = Any
SEEDS = 64
SINGULAR = 1e-9  #: reciprocal condition number below which a seed counts as singular
EDGES = ((0, 1), (1, 2), (2, 0), (0, 1), (1, 2), (2, 0))
FRESH = 2
MOST_TRIES = 4


@dataclass(frozen=True)
class Start:
    """The generic solutions of one shape: ``solutions`` (d, N), one for each sign orbit, over ``parameters``.

    ``saturated`` False: the stopping rule was not met, and ``reason`` says so. ``paths``, ``lost``: how many were followed, and
    how many did not arrive even with small steps.
    """

    model: Model
    parameters: Array
    solutions: Array
    saturated: bool
    reason: str
    paths: int
    lost: int

    @property
    def count(self) -> int:
        return int(self.solutions.shape[1])


@dataclass
class Edge:
    """A homotopy from vertex ``ends[0]`` at p to vertex ``ends[1]`` at gamma p'; matches of solutions known so far."""

    ends: tuple[int, int]
    gamma: complex
    known: tuple[dict[int, int], dict[int, int]]  #: there and back
    lost: set[tuple[int, int]]  #: (way, number) of paths that did not arrive


def generic_start(model: Model, deadline: Deadline, *, seed: int = 0) -> Start:
    """The solutions of ``model`` over random complex parameters."""
    rng = np.random.default_rng([seed, model.size, len(model.keys)])
    base = _base(model, rng)
    d = model.size
    theta, p = _seeds(model, base, rng)
    if not theta.shape[1]:
        reason = "every seed is singular: generic parameters have no solution with exactly these units alive"
        return Start(model, base, np.empty((d, 0), dtype=np.complex128), True, reason, 0, 0)
    search = _Graph(model, [base, *(_random(model, rng, like=base) for _ in range(2))], deadline)
    search.follow_seeds(theta, p)
    for a, b in EDGES:
        search.add_edge(a, b, rng)
    search.complete()
    quiet, tries = False, 0
    while not quiet and tries < MOST_TRIES:
        tries += 1
        before = search.counts()[0]
        seeds = []
        for _ in range(FRESH):  # all in one batch each: a batch of few paths takes as long as one of many
            search.vertices.append(_random(model, rng, like=base))
            search.fibres.append(Fibre())
            search.add_edge(0, len(search.vertices) - 1, rng)
            search.add_edge(len(search.vertices) - 1, 0, rng)
            seeds.append(_seeds(model, base, rng))
        search.follow_seeds(*(np.concatenate(parts, axis=1) for parts in zip(*seeds, strict=True)))
        search.complete()
        quiet = search.counts()[0] == before and len(set(search.counts())) == 1
    reason = "" if quiet else f"no saturation after {len(search.edges)} edges: {search.counts()} solutions"
    solutions = search.fibres[0].matrix()
    order = np.lexsort(np.round(np.concatenate([solutions.real, solutions.imag]), 6)[::-1])
    return Start(model, base, solutions[:, order], quiet, reason, search.paths, search.lost)


def _base(model: Model, rng: np.random.Generator) -> Array:
    """Complex parameters near data that a regression could have: ridge weights in the right half-plane, moments of a sample.

    Paths to real data then keep away from vanishing ridge weights and singular moment matrices, where solutions run away.
    """
    n, inputs = len(model.keys), model.shape.widths[0] or 1
    p = 0.7 * (rng.normal(size=n) + 1j * rng.normal(size=n))
    x = rng.normal(size=(4 * inputs + 8, 64))
    for k, key in enumerate(model.keys):
        turn = np.exp(1j * rng.uniform(-0.6, 0.6))
        if key[0] in ("ridge", "c"):
            p[k] = rng.uniform(0.6, 1.4) * turn
        elif key[0] == "moment":
            alpha: tuple[int, ...] = key[1]
            values = np.prod([x[i] ** e for i, e in enumerate(alpha)], axis=0) if any(alpha) else np.ones(64)
            p[k] = values.mean() * turn + 0.2 * p[k]
    return p[:, None]


def _random(model: Model, rng: np.random.Generator, like: Array) -> Array:
    """Random complex parameters (column); inputs x as in ``like``, since edges move only what enters linearly."""
    n = len(model.keys)
    p = (rng.normal(size=n) + 1j * rng.normal(size=n)) / np.sqrt(2)
    return np.where(np.array(model.scaled), p, like[:, 0])[:, None]


def _seeds(model: Model, base: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Random nonsingular critical points with the parameters that make them critical."""
    d, n = model.size, len(model.keys)
    theta = 0.8 * (rng.normal(size=(d, SEEDS)) + 1j * rng.normal(size=(d, SEEDS)))
    p = (rng.normal(size=(n, SEEDS)) + 1j * rng.normal(size=(n, SEEDS))) / np.sqrt(2)
    p = np.where(np.array(model.scaled)[:, None], p, base)
    ridge = [k for k, key in enumerate(model.keys) if key[0] == "ridge"]
    p[ridge] = 0
    g, _, _ = evaluate(model, theta, p, None)
    p[ridge] = -g / theta
    _, h, _ = evaluate(model, theta, p, None)
    s = np.linalg.svd(np.moveaxis(h, 2, 0), compute_uv=False)
    good = s[:, -1] > SINGULAR * s[:, 0]
    return theta[:, good], p[:, good]


class _Graph:
    """Vertices (parameters), solutions over each, and edges between them."""

    def __init__(self, model: Model, vertices: list[Array], deadline: Deadline) -> None:
        self.model, self.vertices, self.deadline = model, vertices, deadline
        self.fibres = [Fibre() for _ in vertices]
        self.edges: list[Edge] = []
        self.paths = self.lost = 0
        self.linear = np.array(model.scaled)[:, None]

    def counts(self) -> tuple[int, ...]:
        return tuple(len(f) for f in self.fibres)

    def follow_seeds(self, theta: Array, p: Array) -> None:
        self.paths += theta.shape[1]
        ends = track(self.model, theta, p, self.vertices[0], self.deadline)
        good = (ends.status == DONE) & alive(self.model.shape, ends.theta)
        self.fibres[0].add(canonical(self.model.shape, ends.theta[:, good]))

    def add_edge(self, a: int, b: int, rng: np.random.Generator) -> None:
        gamma = complex(np.exp(2j * np.pi * rng.random()) * rng.uniform(0.7, 1.4))
        self.edges.append(Edge((a, b), gamma, ({}, {}), set()))

    def complete(self) -> None:
        """Follow every solution along every edge, all edges in one batch, until nothing is left to follow."""
        while True:
            jobs = [job for e in self.edges for job in self._missing(e)]
            if not jobs:
                return
            conflicts = self._follow(jobs, careful=False)
            if conflicts:
                self._follow(conflicts, careful=True)

    def _missing(self, e: Edge) -> list[tuple[Edge, int, int]]:
        """What is not matched yet, from the end that has more of it (the other end learns its part)."""
        ways = []
        for way in (0, 1):
            count = len(self.fibres[e.ends[way]])
            ways.append([(e, way, m) for m in range(count) if m not in e.known[way] and (way, m) not in e.lost])
        return max(ways, key=len)

    def _between(self, e: Edge, way: int) -> tuple[Array, Array]:
        a, b = self.vertices[e.ends[0]], self.vertices[e.ends[1]]
        b = np.where(self.linear, e.gamma * b, b)
        return (a, b) if way == 0 else (b, a)

    def _follow(self, jobs: list[tuple[Edge, int, int]], *, careful: bool) -> list[tuple[Edge, int, int]]:
        """Follow the paths (edge, way, number); what came into conflict with another path is returned."""
        self.paths += len(jobs)
        theta = np.array([self.fibres[e.ends[way]].points[m] for e, way, m in jobs]).T
        ends = {(id(e), way): self._between(e, way) for e, way, _ in jobs}
        p0, p1 = (np.concatenate([ends[id(e), way][k] for e, way, _ in jobs], axis=1) for k in (0, 1))
        found = track(self.model, theta, p0, p1, self.deadline, settings=CAREFUL if careful else NORMAL)
        arrived = canonical(self.model.shape, found.theta)
        good = (found.status == DONE) & alive(self.model.shape, found.theta)
        groups: dict[int, list[int]] = {}
        for k, (e, way, _) in enumerate(jobs):
            if good[k]:
                groups.setdefault(e.ends[1 - way], []).append(k)
        targets: dict[int, int] = {}
        for vertex, ks in groups.items():
            targets |= dict(zip(ks, self.fibres[vertex].add(arrived[:, ks]), strict=True))
        conflicts: list[tuple[Edge, int, int]] = []
        for k, job in enumerate(jobs):
            e, way, source = job
            if k not in targets:
                if not careful and found.status[k] == DONE:
                    conflicts.append(job)
                    continue
                self.lost += 1
                e.lost.add((way, source))
                continue
            target = targets[k]
            other = e.known[1 - way].get(target)
            if other is None:
                e.known[way][source], e.known[1 - way][target] = target, source
            elif other != source:
                conflicts += [job, (e, way, other)]
                if careful:
                    e.lost |= {(way, source), (way, other)}
                e.known[way].pop(other)
                e.known[1 - way].pop(target)
        return [job for n, job in enumerate(conflicts) if job not in conflicts[:n]]
