"""Trees of boxes that the checker's own arithmetic accepts, leaf by leaf.

The solver's enclosures share what the checker's do not, so now and then a leaf that floats exclude is too large for the checker. Such a
leaf is cut in two, and the search goes on there: the tree grows by a few leaves, and nothing is believed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any

from explorer import checker
from explorer.budget import Deadline
from explorer.certify.encode import Step
from explorer.errors import NotCertifiable
from explorer.problem import Problem

Cells = list[tuple[int, int]]  # a box in units of 2^-TREE_PRECISION
#: the tokens of a tree for a box, from the solver
Search = Callable[[Sequence[Fraction], Sequence[Fraction]], list[Any]]


class Leaves:
    """The rule `complete-in-box` of the checker, for single leaves."""

    def __init__(self, problem: Problem, points: dict[str, Any], step: Step, radius: Step | None) -> None:
        meter = checker.Meter()
        theirs = checker.Problem(checker.parse_json(json.dumps(problem.to_json()).encode(), "problem"))
        named = {name: checker.Point(body, name, theirs, meter) for name, body in points.items()}
        self.proof = checker.Proof(theirs, named, meter)
        if radius is not None:
            self.proof.facts["radius",] = self.proof.rule_radius(radius)
        self.ring = checker.Coarse(checker.Meter(checker.TREE_WORK))
        self.series = checker.Taylor(self.ring, 1), checker.Mixed(self.ring)
        self.moves = checker.unit_moves(theirs, *([Fraction(v) for v in step[key]] for key in ("lower", "upper")))
        self.boxes = {name: self.proof.inner_box(self.ring, name) for name in step["points"]}
        ends = zip(step["lower"], step["upper"], strict=True)
        self.whole: Cells = [self.ring.hull(*(self.ring.of(Fraction(v)) for v in pair)) for pair in ends]

    def accepts(self, box: Cells, entry: int | str) -> bool:
        try:
            self.proof.leaf(self.series, box, entry, self.boxes, self.moves)
        except checker.Rejected as refusal:
            if refusal.rule == "limit":
                raise NotCertifiable(
                    "all critical points", expected="a tree within the checker's limits", got=refusal.why
                ) from refusal
            return False
        return True


def accepted_tree(leaves: Leaves, tokens: Sequence[Any], search: Search, deadline: Deadline, *, most: int) -> list[Any]:
    """The tree with every leaf that the checker refuses cut further."""
    out: list[Any] = []
    stack: list[tuple[Cells, Iterator[Any]]] = [(leaves.whole, iter(tokens))]
    while stack:
        deadline.check("proving the leaves of a tree")
        box, source = stack.pop()
        entry = next(source)
        if isinstance(entry, int) and entry > 0:
            halves = [(half, source) for half in _halves(box, entry - 1)]
        elif leaves.accepts(box, entry):
            halves = []
        else:
            entry = 1 + max(range(len(box)), key=lambda k: Fraction(_width(box, k), _width(leaves.whole, k)))
            halves = [(half, iter(search(*_ends(half)))) for half in _halves(box, entry - 1)]
        out.append(entry)
        stack += reversed(halves)
        if len(out) > most:
            raise NotCertifiable("all critical points", expected=f"a tree of at most {most} boxes", got="more")
    return out


def _width(box: Cells, k: int) -> int:
    return box[k][1] - box[k][0]


def _halves(box: Cells, k: int) -> list[Cells]:
    low, high = box[k]
    middle = (low + high) // 2
    return [[*box[:k], half, *box[k + 1 :]] for half in ((low, middle), (middle, high))]


def _ends(box: Cells) -> tuple[list[Fraction], list[Fraction]]:
    unit = checker.Coarse.unit
    return [Fraction(a, unit) for a, _ in box], [Fraction(b, unit) for _, b in box]
