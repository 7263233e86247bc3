"""Merge trees as plain data: valleys, merges, and what a tree says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import networkx as nx

from explorer.problem import Problem
from explorer.shown import Shown
from explorer.solve.results import Trust

FORMAT = "explorer.merge-tree/1"


@dataclass(frozen=True)
class Valley:
    """One leaf: the valley that is born at a local minimum.

    ``merges``: the level at which it joins a valley with a lower (or older) minimum, None for the last one; ``escapes``: the
    level at which it is joined to a global minimum (its own for a global one, None if unknown); ``spurious``: True for a
    sublevel component without a global minimum that persists over an interval of levels (Venturi, Bandeira and Bruna 2019).
    """

    name: str
    birth: float
    merges: float | None
    escapes: float | None
    is_global: bool | None
    spurious: bool | None
    point: tuple[float, ...]
    component: int | None

    @property
    def persistence(self) -> float | None:
        return None if self.merges is None else self.merges - self.birth


@dataclass(frozen=True, eq=False)
class MergeTree(Shown):
    """``graph``: edges from each valley or merge up to the merge that swallows it; nodes carry ``kind`` (``minimum``,
    ``merge`` or ``open end``), ``height`` (F), ``component`` numbers, ``point``. ``morse``: every critical point, an edge per
    descent line (the Morse graph). ``complete``: the critical set is complete and the tree is connected. The word of
    trust is that of the links: numerical.
    """

    problem: Problem
    graph: nx.DiGraph
    morse: nx.DiGraph
    valleys: tuple[Valley, ...]
    complete: bool
    because: str
    settings: dict[str, Any]
    trust: Trust = Trust.NUMERICAL

    @property
    def leaves(self) -> tuple[str, ...]:
        return tuple(v.name for v in self.valleys)

    @property
    def merges(self) -> tuple[str, ...]:
        return tuple(n for n, kind in self.graph.nodes(data="kind") if kind == "merge")

    @property
    def roots(self) -> tuple[str, ...]:
        return tuple(n for n in self.graph if not list(self.graph.successors(n)))

    @property
    def spurious(self) -> tuple[Valley, ...]:
        return tuple(v for v in self.valleys if v.spurious)

    def components(self, level: float) -> int:
        """The number of components of {F <= ``level``} that the tree shows."""
        alive = [n for n, h in self.graph.nodes(data="height") if h <= level]
        return sum(not any(self.graph.nodes[m]["height"] <= level for m in self.graph.successors(n)) for n in alive)

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "problem": self.problem.digest,
            "trust": self.trust.word,
            "complete": self.complete,
            "because": self.because,
            "settings": self.settings,
            "nodes": [{"name": n, **data} for n, data in self.graph.nodes(data=True)],
            "edges": [list(e) for e in self.graph.edges],
            "valleys": [{**vars(v), "point": list(v.point), "persistence": v.persistence} for v in self.valleys],
            "lines": [[a, b, data["count"]] for a, b, data in self.morse.edges(data=True)],
        }


def valleys_of(graph: nx.DiGraph) -> tuple[Valley, ...]:
    """The leaves with where they merge, by the elder rule, and where they reach a global minimum."""
    leaves = [n for n, kind in graph.nodes(data="kind") if kind != "merge"]
    height = {n: float(h) for n, h in graph.nodes(data="height")}
    out = []
    below = {n: {m for m in nx.ancestors(graph, n) | {n} if m in leaves} for n in graph}
    order = sorted(leaves, key=lambda n: (height[n], leaves.index(n)))
    rank = {n: k for k, n in enumerate(order)}
    for n in order:
        data = graph.nodes[n]
        merges = escapes = None
        here: str | None = n
        while here is not None:
            if merges is None and min(rank[m] for m in below[here]) < rank[n]:
                merges = height[here]
            if escapes is None and any(graph.nodes[m].get("is_global") for m in below[here]):
                escapes = height[here]
            here = next(iter(graph.successors(here)), None)
        spurious: bool | None = None
        if data.get("is_global") is True:
            spurious = False
        elif data.get("is_global") is False and data["kind"] == "minimum":
            spurious = None if escapes is None else escapes > height[n]
        out.append(
            Valley(n, height[n], merges, escapes, data.get("is_global"), spurious, tuple(data["point"]), next(iter(data["component"]), None))
        )  # fmt: skip
    return tuple(out)
