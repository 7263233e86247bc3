"""Paths between two points of a one-hidden-layer network on which the loss stays below the larger of their values."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from explorer.budget import Budget
from explorer.errors import Unsupported
from explorer.paths.curves import PiecewisePath
from explorer.paths.features import Layer, columns
from explorer.paths.walks import LINE, MOVE, SHIFT, Walk, concentrated
from explorer.point import Point
from explorer.problem import Problem


def connecting_path(problem: Problem, a: Point, b: Point, *, budget: Budget | None = None) -> PiecewisePath:
    """A path from ``a`` to ``b`` with F <= max(F(a), F(b)); between two global minima F is constant on it.

    One spare unit beyond a basis of the features is enough: the units of b come in one by one and take the output weight
    of a unit of a (exchange of bases), one straight line in the output weights leads to b's values, then the units go to
    their places. So width >= n + 1 always suffices, for every activation with exact values; less may. Raises
    `Unsupported` for other networks and when no unit is spare.
    """
    deadline = (budget or Budget()).start()
    start, goal = Layer.of(problem, a), Layer.of(problem, b)
    if start.field != goal.field:
        raise Unsupported("the points", expected="two points over one field", got="two fields")
    level = max(start.loss(), goal.loss())
    walk = Walk(start)
    if start.hidden == goal.hidden:
        return walk.to(goal, LINE).path(start, level)
    end, wanted = concentrated(goal)
    here, basis = concentrated(start, [j for j in range(start.units) if start.hidden[j] == goal.hidden[j]])
    walk = walk.to(here, SHIFT)
    place: dict[int, int] = {}  # unit of b -> where it stands now
    for u in wanted:
        deadline.check("exchanging units")
        walk, basis = _bring(walk, basis, u, goal, place)
    straight = replace(walk.here, outputs=_placed(walk.here, end, place), biases=end.biases)
    walk = walk.to(straight, LINE)
    while any(u != p for u, p in place.items()):
        walk = _one_home(walk, goal, place)
    home = replace(walk.here, hidden=goal.hidden)
    return walk.to(home, MOVE).to(goal, SHIFT.replace("to the others", "back")).path(start, level)


def _bring(walk: Walk, basis: list[int], u: int, goal: Layer, place: dict[int, int]) -> tuple[Walk, list[int]]:
    """Unit ``u`` of b stands in the basis afterwards, instead of one of a's units if it depends on the basis."""
    here = walk.here
    if u in basis and u not in place.values() and here.hidden[u] == goal.hidden[u]:
        place[u] = u
        return walk, basis
    free = [j for j in range(here.units) if j not in basis]
    if not free:
        raise Unsupported(
            "connect",
            expected="a spare unit: more units than independent features",
            got=f"{here.units} units, all needed",
            remedy="one more hidden unit connects any two points; a barrier may stand between these",
        )
    f = u if u in free else next((j for j in free if here.hidden[j] == goal.hidden[u]), free[0])
    moved = here.with_unit(f, goal.hidden[u])
    walk = walk.to(moved, MOVE)
    rows = list(moved.table())
    biased = [(Fraction(1),) * len(rows[0])] if moved.biases else []
    order = [*range(len(rows), len(rows) + len(biased)), *basis, f]
    found, coefficients = columns([*rows, *biased], order=[*order, *(j for j in free if j != f)])
    place[u] = f
    if f in found:
        return walk, [*basis, f]
    # z_f = sum_s c_s z_s: let f carry the weight of one s that is no unit of b; such an s exists, b's units being independent
    c = dict(zip(found, coefficients[f], strict=True))
    s = next(s for s in basis if c.get(s) and s not in place.values())
    outputs, biases = [list(row) for row in moved.outputs], list(moved.biases)
    for k, row in enumerate(outputs):
        share, row[s] = row[s] / c[s], Fraction(0)
        row[f] += share
        for t, factor in c.items():
            if t == len(rows):
                biases[k] -= share * factor
            elif t != s:
                row[t] -= share * factor
    there = replace(moved, outputs=tuple(map(tuple, outputs)), biases=tuple(biases))
    return walk.to(there, SHIFT), [f if j == s else j for j in basis]


def _placed(here: Layer, end: Layer, place: dict[int, int]) -> tuple[tuple[Fraction, ...], ...]:
    """b's output weights, at the places where its units stand."""
    out = []
    for row in end.outputs:
        new = [Fraction(0)] * here.units
        for u, p in place.items():
            new[p] = row[u]
        out.append(tuple(new))
    return tuple(out)


def _one_home(walk: Walk, goal: Layer, place: dict[int, int]) -> Walk:
    """One more unit of b moves to its own place, or, in a cycle, to a spare one."""
    here, taken = walk.here, set(place.values())
    u, target = next(((u, u) for u, p in place.items() if u != p and u not in taken), (-1, -1))
    if u < 0:
        spare = next((j for j in range(here.units) if j not in taken), None)
        if spare is None:
            raise Unsupported("connect", expected="a spare unit to permute the units", got="none")
        u, target = next((u, spare) for u, p in place.items() if u != p)
    source = place[u]
    walk = walk.to(here.with_unit(target, goal.hidden[u]), MOVE)
    outputs = [list(row) for row in walk.here.outputs]
    for row in outputs:
        row[target], row[source] = row[source], Fraction(0)
    place[u] = target
    return walk.to(replace(walk.here, outputs=tuple(map(tuple, outputs))), SHIFT)
