"""The merge tree of a landscape: how its valleys join as the level rises, as a networkx graph.

The sublevel sets {F <= c} of a solved landscape change their connected components only at critical values (Milnor, Morse
Theory, section 3; Smale, for functions that satisfy the Palais-Smale condition). A component is born at a local minimum
and two of them merge at a critical point from which F falls into both. Union-find over the critical points in the order of
their exact values gives the tree; which minima a point falls into comes from descent lines (`explorer.paths.lines`), so
the *links* are numerical, whatever is known about the points themselves. Unions are never too many as far as the lines'
samples show (a line stays below its start); they can be too few where a point or a side was missed, and then the tree has
more than one root and says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import networkx as nx
import numpy as np

from explorer.budget import Budget, Deadline
from explorer.errors import Invalid
from explorer.paths.coercive import penalties
from explorer.paths.floating import Array, Floats, coordinates
from explorer.paths.lines import LIMIT, departures, descend, joined, straight
from explorer.paths.trees import MergeTree, Valley, valleys_of
from explorer.problem import DenseNetwork, Problem
from explorer.solve.results import Component, CriticalSet

#: random directions per parameter at a degenerate point; random descents that look for valleys without a listed minimum
DIRECTIONS, STARTS = 24, 48
#: pairs of points that are tried before two pieces of a level count as apart; points that a piece is remembered by
TRIES, SEEN = 4, 24
#: parameters up to which Hessians in NumPy are reasonable, and points up to which every one is followed
MOST_PARAMETERS, MOST_POINTS = 60, 2000


def merge_tree(
    problem: Problem, critical_set: CriticalSet | None = None, *, seed: int = 0, budget: Budget | None = None
) -> MergeTree:
    """The merge tree of ``problem``, from its critical set (solved here unless given).

    ``seed`` draws the directions at degenerate points and the random descents. Raises `Invalid` for the critical set of
    another problem or too many parameters.
    """
    clock = (budget or Budget()).start()
    if len(problem.parameters) > MOST_PARAMETERS:
        raise Invalid(
            "merge tree",
            expected=f"at most {MOST_PARAMETERS} parameters",
            got=str(len(problem.parameters)),
            remedy="take a smaller network",
        )
    if critical_set is None:
        from explorer.solve.critical import critical_set as solve

        critical_set = solve(problem, budget=Budget(clock.remaining))
    if critical_set.problem.digest != problem.digest:
        raise Invalid("critical_set", expected=problem.digest, got=critical_set.problem.digest, remedy="solve this one")
    return _Builder(problem, critical_set, np.random.default_rng(seed), clock, seed).tree()


@dataclass(eq=False)
class _Node:
    """A critical point that takes part: one of an orbit, the sample of a family, or an end that no list has."""

    name: str
    at: Array
    low: Fraction
    high: Fraction
    component: int | None
    source: Component | None
    kind: str
    #: points of the same component of its sublevel set, itself first
    seen: list[Array] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.seen.append(self.at)

    @property
    def height(self) -> float:
        return float((self.low + self.high) / 2)


@dataclass(eq=False)
class _Union:
    parent: dict[str, str] = field(default_factory=dict)

    def find(self, a: str) -> str:
        while self.parent.setdefault(a, a) != a:
            a = self.parent[a]
        return a

    def join(self, a: str, b: str) -> None:
        self.parent[self.find(b)] = self.find(a)


class _Builder:
    def __init__(
        self, problem: Problem, found: CriticalSet, rng: np.random.Generator, clock: Deadline, seed: int
    ) -> None:
        self.problem, self.found, self.rng, self.clock, self.seed = problem, found, rng, clock, seed
        self.f = Floats(problem)
        self.nodes: list[_Node] = []
        self.morse: nx.DiGraph = nx.DiGraph()
        self.troubles: list[str] = []
        self.random_ends = 0

    def tree(self) -> MergeTree:
        self._list()
        for node in list(self.nodes):
            if node.kind != "minimum":
                self._lines(node)
        self._audit()
        self._levels()
        graph, valleys = self._merged()
        if self.clock.over:
            self.troubles.append(
                "the budget was spent: some lines, random descents and joins on one level were not tried"
            )
        return self._judged(graph, valleys)

    # -- nodes

    def _list(self) -> None:
        for k, c in enumerate(self.found.components, 1):
            points = c.points if c.dimension == 0 and c.points else (c.sample,)
            if len(points) < (c.orbit or 1):
                self.troubles.append(f"only {len(points)} of the {c.orbit} points of component {k} were followed")
            for i, p in enumerate(points):
                name = str(k) if len(points) == 1 else f"{k}.{i + 1}"
                kind = "minimum" if c.kind.is_minimum else "critical"
                self._add(_Node(name, coordinates(p), c.value.lower, c.value.upper, k, c, kind))
        if len(self.nodes) > MOST_POINTS:
            raise Invalid(
                "merge tree",
                expected=f"at most {MOST_POINTS} critical points",
                got=str(len(self.nodes)),
                remedy="take a smaller problem",
            )

    def _add(self, node: _Node) -> None:
        self.nodes.append(node)
        self.morse.add_node(node.name, kind=node.kind, height=node.height, component=node.component)

    # -- lines

    def _lines(self, node: _Node) -> None:
        if self.clock.over:
            self.troubles.append(f"the budget was spent before the lines of {node.name}")
            return
        starts = departures(self.f, node.at, self._directions(node))
        self._follow(node.name, starts)

    def _directions(self, node: _Node) -> Array:
        """Both sides of every eigenvector of negative curvature; at degenerate points also random directions."""
        d = len(node.at)
        _, _, h = self.f.quadratics(node.at[None])
        assert node.source is not None
        inertia = node.source.inertia
        degenerate = inertia is None or inertia.zero > 0 or not np.isfinite(h).all()
        eigenvalues, vectors = np.linalg.eigh(np.nan_to_num(h[0]))
        chosen = vectors.T if degenerate else vectors.T[eigenvalues < 0]
        rows = np.concatenate([chosen, -chosen])
        if degenerate:
            rows = np.concatenate([rows, self.rng.normal(size=(DIRECTIONS * d, d))])
        return rows

    def _follow(self, source: str | None, starts: Array) -> None:
        """Descend; a limit that is a saddle of no list is left downward again (its sublevel set contains those lines)."""
        for _ in range(4):
            if len(starts) == 0:
                return
            ends = descend(self.f, starts, self.clock)
            again: list[Array] = []
            for k, outcome in enumerate(ends.outcome):
                at, value = ends.points[k], float(ends.values[k])
                node = self._at(at, value) if outcome == LIMIT else None
                scale = 1 + abs(float(ends.least[k]))
                if node is None and outcome == LIMIT and float(ends.least[k]) < -1e-7 * scale:
                    again += list(departures(self.f, at, np.array([ends.direction[k], -ends.direction[k]])))
                    continue
                if not np.isfinite(value):
                    continue
                self._link(source, node or self._new(at, value, outcome))
            starts = np.array(again).reshape(-1, starts.shape[1])

    def _at(self, at: Array, value: float) -> _Node | None:
        """The listed node at this limit, if any; a limit on a family is joined to its sample if a path on the level says so."""
        near = 1e-4 * (1 + float(np.abs(at).max()))
        same = [n for n in self.nodes if abs(n.height - value) <= 1e-7 * (1 + abs(value))]
        for n in same:
            if float(np.abs(n.at - at).max()) <= near:
                return n
        wide = [
            n for n in same if n.kind == "minimum" and not (n.source and n.source.isolated and not n.source.dimension)
        ]
        for bend in (False, True):  # straight segments first: they cost one evaluation each
            for n in wide:
                if self._joined([at], n.seen, n.height, bend=bend):
                    n.seen = [*n.seen[:SEEN], at]
                    return n
        return None

    def _joined(self, some: list[Array], others: list[Array], level: float, *, bend: bool) -> bool:
        """Whether a point of each list is joined below the next critical value above ``level`` (`explorer.paths.lines`)."""
        above = [n.height for n in self.nodes if n.height > level + 1e-9 * (1 + abs(level))]
        high = level + 0.9 * (min(above) - level) if above else 2 * abs(level) + 1
        pairs = [(a, b) for a in some for b in others]
        if not bend:
            return bool(straight(self.f, pairs, high).any())
        pairs.sort(key=lambda p: float(np.abs(p[0] - p[1]).max()))
        return any(joined(self.f, a, b, level, high, self.rng, self.clock) for a, b in pairs[:TRIES])

    def _new(self, at: Array, value: float, outcome: str) -> _Node:
        """An end that belongs to no listed point: another piece of a family, a limit that is not listed, or an escape."""
        q = Fraction(value)
        if outcome == LIMIT:
            listed = [
                c
                for c in self.found.components
                if abs(float(c.value.lower) - value) <= 1e-7 * (1 + abs(value)) and c.dimension
            ]
            source = listed[0] if listed else None
            k = self.found.components.index(source) + 1 if source else None
            low, high = (source.value.lower, source.value.upper) if source else (q, q)
            node = _Node(f"{k or 'unlisted'}+{len(self.nodes)}", at, low, high, k, source, "minimum")
        else:
            for n in self.nodes:
                near = n.kind == "open end" and abs(n.height - value) <= 1e-3 * (1 + abs(value))
                if near and any(self._joined([at], [n.at], max(n.height, value), bend=bend) for bend in (False, True)):
                    return n
            node = _Node(f"open {len(self.nodes)}", at, q, q, None, None, "open end")
        self._add(node)
        return node

    def _link(self, source: str | None, end: _Node) -> None:
        if source is not None and source != end.name:
            count = self.morse.get_edge_data(source, end.name, {"count": 0})["count"]
            self.morse.add_edge(source, end.name, count=count + 1)

    def _audit(self) -> None:
        """Random descents: every valley should have a listed minimum."""
        if self.clock.over:
            return
        known = len(self.nodes)
        scale = np.array([0.3, 1.0, 3.0])[np.arange(STARTS) % 3]
        self._follow(None, self.rng.normal(size=(STARTS, len(self.problem.parameters))) * scale[:, None])
        self.random_ends = len(self.nodes) - known

    def _levels(self) -> None:
        """Critical points of one level that a path on that level joins (families that touch, plateaus): an edge each."""
        loose = [n for n in self.nodes if n.source is not None and not (n.source.dimension == 0 and n.source.isolated)]
        union = _Union()
        for i, a in enumerate(loose):
            for b in loose[:i]:
                if union.find(a.name) == union.find(b.name) or not (a.low <= b.high and b.low <= a.high):
                    continue
                if any(self._joined(a.seen, b.seen, a.height, bend=bend) for bend in (False, True)):
                    union.join(a.name, b.name)
                    self._link(a.name, b)

    # -- the tree

    def _merged(self) -> tuple[nx.DiGraph, tuple[Valley, ...]]:
        """Union-find by rising level; a level is a chain of overlapping enclosures (equal as far as they tell)."""
        graph, union = nx.DiGraph(), _Union()
        top: dict[str, str] = {}  # root of a class -> its node of the tree
        seen: set[str] = set()
        for level in _chains(self.nodes):
            names = {n.name for n in level}
            before = {union.find(a) for a in seen}
            seen |= names
            for a, b in self.morse.edges:
                if a in seen and b in seen and (a in names or b in names):
                    union.join(a, b)
            classes: dict[str, list[_Node]] = {}
            for n in level:
                classes.setdefault(union.find(n.name), []).append(n)
            olds: dict[str, list[str]] = {}
            for old in before:
                olds.setdefault(union.find(old), []).append(old)
            for root, members in classes.items():
                born = [m for m in members if m.kind != "critical"]
                tops = [top[o] for o in sorted(olds.get(root, [])) if o in top]
                leaf = self._leaf(graph, born) if born else None
                parts = tops + ([leaf] if leaf else [])
                if len(parts) > 1:
                    through = [m for m in members if m.kind == "critical"] or members
                    name = f"merge {sum(k == 'merge' for _, k in graph.nodes(data='kind')) + 1}"
                    graph.add_node(
                        name, kind="merge", height=through[0].height,
                        component=sorted({m.component for m in through if m.component}),
                        point=[float(v) for v in through[0].at], critical=sorted(m.name for m in through),
                    )  # fmt: skip
                    graph.add_edges_from((p, name) for p in parts)
                    parts = [name]
                if parts:
                    top[root] = parts[0]
        return graph, valleys_of(graph)

    def _leaf(self, graph: nx.DiGraph, born: list[_Node]) -> str:
        first = born[0]
        sources = [m.source for m in born if m.source is not None]
        known = {s.is_global for s in sources if s.kind.is_minimum} if sources else {None}
        is_global = True if True in known else False if known == {False} else None
        graph.add_node(
            first.name, kind=first.kind, height=first.height, component=sorted({m.component for m in born if m.component}),
            point=[float(v) for v in first.at], is_global=is_global, dimension=max((s.dimension for s in sources), default=None),
        )  # fmt: skip
        return first.name

    def _judged(self, graph: nx.DiGraph, valleys: tuple[Valley, ...]) -> MergeTree:
        reasons = list(dict.fromkeys(self.troubles))
        sure = self.found.coverage
        if not sure.complete:
            reasons.append(f"the critical set is not complete ({sure.reason}), so merges may be missing")
        unlisted = sum(n.source is None and n.kind == "minimum" for n in self.nodes)
        if unlisted:
            reasons.append(f"{unlisted} limits of lines lie on no listed component: the critical set misses them")
        if any(n.kind == "open end" for n in self.nodes):
            reasons.append(
                "some lines have no limit (they run to infinity or are very slow): an open end stands for where they go"
            )
        if self.random_ends:
            reasons.append(f"random descents found {self.random_ends} ends that no line of a critical point reaches")
        roots = [n for n in graph if not list(graph.successors(n))]
        if len(roots) > 1:
            reasons.append(f"{len(roots)} valleys never merge: a line was missed, or they join at infinity")
        complete = not reasons
        if not _coercive(self.problem):
            reasons.append("F is not known to be coercive: valleys may also join at infinity")
        said = "; ".join(reasons)
        because = "every critical point is listed and its lines lead to known minima" if complete else ""
        because = "; ".join(t for t in (because, said) if t)
        settings = {"seed": self.seed, "starts": STARTS, "directions": DIRECTIONS}
        return MergeTree(self.problem, graph, self.morse, valleys, complete, because, settings)


def _coercive(problem: Problem) -> bool:
    return isinstance(problem.network, DenseNetwork) and all(penalties(problem)[0])


def _chains(nodes: list[_Node]) -> list[list[_Node]]:
    """Groups of nodes whose enclosures of F overlap, in rising order."""
    out: list[list[_Node]] = []
    high: Fraction | None = None
    for n in sorted(nodes, key=lambda n: (n.low, n.high)):
        if high is not None and n.low <= high:
            out[-1].append(n)
            high = max(high, n.high)
        else:
            out.append([n])
            high = n.high
    return out
