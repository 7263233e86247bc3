"""From effective networks to all critical strata of a one-hidden-layer network: duplicated and switched-off units.

A critical point with residual r != 0 sends every hidden unit j either to an effective unit g (same incoming weights, the
output weights of each class add up to V_g != 0) or to a zero of psi(u) = sum_i c_i r_i phi(u x_i) with output weight 0.
(Only at a double zero of psi could a class with sum 0 have other output weights; double zeros are reported as doubts.)

Inertia along a class with output weights v_j != 0: the Hessian splits into that of the narrow network and, on the
directions with sum v_j dw_j = 0 and sum dv_j = 0, the form psi''(u_g) sum v_j dw_j^2 and zero. A switched-off unit at a
simple zero adds one eigenvalue of each sign. These are the embedded minima and saddles of Fukumizu and Amari (Neural
Networks 13 (2000), Theorem 3) and the symmetry-induced critical points of Simsek et al. (ICML 2021, section 4).

An odd activation (tanh): (w_j, v_j) and (-w_j, -v_j) are the same unit. The effective and switched-off units are then listed with
w >= 0, w = 0 among the latter (psi(0) = 0; a simple zero if psi'(0) != 0, and then the output weight there must be 0), and every
stratum is repeated with the signs of its units flipped in all ways.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import flint
from flint import arb

from explorer.algebra.balls import bounds, to_fmpq
from explorer.algebra.fields import arithmetic
from explorer.budget import Deadline
from explorer.errors import Unsupported
from explorer.model.landscape import landscape
from explorer.point import AnyPoint, Element, EnclosedPoint, Inertia, Ln2Ring, Point
from explorer.problem import Problem
from explorer.solve.boxes.balls import inertia_at, prove_critical
from explorer.solve.results import Component, Kind, Value
from explorer.solve.units.effective import Effective, narrowed, targets
from explorer.solve.units.shares import AT_ZERO, Bounds, Coordinate, Edge, Outside, inside, spread
from explorer.solve.units.substitution import Substitution, dot, univariate
from explorer.solve.univariate import BITS, middle, positive_roots, positive_roots_of_balls, up_to_sign

MAX_STRATA = 20_000
#: the half-width that an exact coordinate gets beside enclosed ones (a box has no flat side)
NARROW = Fraction(1, 2**64)
FREE_AT_ZERO = "psi'(0) = 0 or not known: units at w = 0 with any output weight are not decomposed"


@dataclass(frozen=True)
class Labels:
    """What the units can be: effective ones (weights and output sum) and switched-off ones (weights)."""

    effective: tuple[tuple[Coordinate, Coordinate], ...]
    off: tuple[Coordinate, ...]


def idle(problem: Problem) -> Effective:
    """The effective network without units: f = 0, r = -y."""
    y, c = targets(problem)
    exact = tuple(-a * b for a, b in zip(c, y, strict=True))
    value = sum((a * b * b for a, b in zip(c, y, strict=True)), Fraction(0))
    return Effective(
        None, Value.rational(value), tuple(arb(to_fmpq(v)) for v in exact), exact, (), (), Inertia(0, 0, 0)
    )


def opposite(point: AnyPoint) -> AnyPoint:
    """All coordinates with the other sign."""
    if isinstance(point, EnclosedPoint):
        return EnclosedPoint(tuple(-x for x in point.upper), tuple(-x for x in point.lower))
    assert isinstance(point, Point)
    return Point(point.field, tuple(tuple(-x for x in c) for c in point.coordinates))


def strata(
    problem: Problem, sub: Substitution, e: Effective, units: int, deadline: Deadline
) -> tuple[list[Component], list[str]]:
    """All strata of the network with ``units`` hidden units over one effective network, and what stays undecided."""
    doubts: list[str] = []
    if e.inertia is None or e.inertia.zero:
        doubts.append(f"the Hessian of a critical point with {e.units} effective units is singular")
        return [], doubts
    off, more = _off_units(problem, sub, e) if units > e.units else ([], [])
    out, late = assembled(problem, e, off, units, deadline, odd=sub.odd)
    return out, [*more, *late]


def assembled(
    problem: Problem,
    e: Effective,
    off: Sequence[Coordinate],
    units: int,
    deadline: Deadline,
    *,
    odd: bool,
    box: EnclosedPoint | None = None,
) -> tuple[list[Component], list[str]]:
    """The strata over an effective network with a regular Hessian and the switched-off units ``off``, or their parts inside a box."""
    doubts: list[str] = []
    labels = Labels(effective_units(e), tuple(off))
    if (e.units + len(off)) ** units * 3**units > MAX_STRATA:
        return [], [f"the strata of {units} units are too many to be listed one by one"]
    assignments = [a for a in product(range(e.units + len(off)), repeat=units) if set(range(e.units)) <= set(a)]
    out: list[Component] = []
    for a in assignments:
        deadline.check("assembling strata of duplicated units")
        classes = [tuple(j for j in range(units) if a[j] == g) for g in range(e.units)]
        spare = sum(label >= e.units for label in a)
        if any(len(c) > 1 for c in classes) and 0 in e.curvature:
            doubts.append("psi'' vanishes at a duplicated unit: the kinds along its family are not decided")
            continue
        for signs, flips in product(_patterns(classes), _flips(labels, a, odd=odd)):
            try:
                component = _component(problem, e, labels, a, classes, spare, signs, flips, box)
            except Outside:
                continue
            except Edge:
                doubts.append(
                    "a critical point or a family is too near the side of the box to tell on which side it ends"
                )
                continue
            if component is None:
                doubts.append("a critical point could not be enclosed")
            else:
                out.append(component)
    return out, doubts


# -- what units can be ---------------------------------------------------------------------------------------------


def effective_units(e: Effective) -> tuple[tuple[Coordinate, Coordinate], ...]:
    if e.point is None:
        return ()
    both = _coordinates(e.point)
    return tuple(zip(both[: e.units], both[e.units :], strict=True))


def _coordinates(point: AnyPoint) -> tuple[Coordinate, ...]:
    if isinstance(point, EnclosedPoint):
        return tuple(Coordinate(b) for b in zip(point.lower, point.upper, strict=True))
    a = arithmetic(point.field)
    return tuple(Coordinate((x[0], x[0]) if len(x) == 1 else a.enclose(x, 128), x) for x in point.coordinates)


def _off_units(problem: Problem, sub: Substitution, e: Effective) -> tuple[list[Coordinate], list[str]]:
    """The simple zeros of psi other than the effective units."""
    if e.exact_weights is not None:
        psi = univariate(dot(e.exact_weights, sub.values))
        if psi == 0:
            return [], ["psi vanishes identically: switched-off units are free"]
        found: list[Coordinate | None] = []
        roots = positive_roots(psi)
        if sub.odd:
            if next(r for r in roots if r.rational == 1).multiplicity > 1:
                return [], [FREE_AT_ZERO]
            found.append(AT_ZERO)
        for root in up_to_sign(roots, odd=sub.odd):
            if any(root.ball.overlaps(t) for t in e.ts):
                if root.multiplicity != 2:
                    return [], ["psi has a zero of higher order at a unit"]
                continue
            if root.multiplicity > 1:
                return [], ["psi has a double zero away from the units: classes with sum 0 are not decomposed there"]
            t = root.rational
            w = None if t is None else sub.exact_parameter(0, t)
            found.append(_off_unit(problem, sub, e, root.interval, w))
        boxes = found
    else:
        with flint.ctx.workprec(BITS):
            columns = [univariate(p) for p in sub.values]
            common = columns[0]
            for p in columns[1:]:
                common = common.gcd(p)
            columns = [p // common for p in columns]
            length = max(p.degree() for p in columns) + 1
            coefficients = [
                sum((w * arb(p[k]) for w, p in zip(e.weights, columns, strict=True)), arb(0)) for k in range(length)
            ]
            ts = (*e.ts, *(1 / t for t in e.ts)) if sub.odd else e.ts
        intervals = positive_roots_of_balls(coefficients, ts)
        if intervals is None:
            return [], ["the zeros of psi could not be separated"]
        boxes = []
        if sub.odd:  # the columns share the simple zero t = 1, which is gone with ``common``
            if common(1) != 0 or any(lo <= 1 <= hi for lo, hi in intervals):
                return [], [FREE_AT_ZERO]
            intervals = [i for i in intervals if i[0] > 1]
            boxes.append(AT_ZERO)
        boxes += [_off_unit(problem, sub, e, i, None) for i in intervals]
    if any(b is None for b in boxes):
        return [], ["a switched-off unit could not be enclosed"]
    return [b for b in boxes if b is not None], []


def _off_unit(problem: Problem, sub: Substitution, e: Effective, t: Bounds, exact: Element | None) -> Coordinate | None:
    """The unit as a coordinate of a nondegenerate critical point of the network with one unit more (Krawczyk)."""
    lo, hi = bounds(sub.parameter(0, *t))
    if exact is not None:
        return Coordinate((lo, hi), exact)
    near = [] if e.point is None else [middle(c.box) for c in _coordinates(e.point)]
    wide = narrowed(problem, e.units + 1)
    box = prove_critical(wide, [*near[: e.units], (lo + hi) / 2, *near[e.units :], Fraction(0)])
    if box is None or not (box.lower[e.units] <= lo and hi <= box.upper[e.units]):
        return None
    return Coordinate((box.lower[e.units], box.upper[e.units]))


# -- strata --------------------------------------------------------------------------------------------------------


def _patterns(classes: Sequence[tuple[int, ...]]) -> Iterator[dict[int, int] | None]:
    """Signs of v_j / V_g on the classes with several units (one dict per open or boundary cell: the inertia is constant
    there and changes from one to the next); None: there is no such class."""
    free = [c for c in classes if len(c) > 1]
    if not free:
        yield None
        return
    choices = [[s for s in product((1, 0, -1), repeat=len(c)) if 1 in s] for c in free]
    for picked in product(*choices):
        signs = {j: s for c, p in zip(free, picked, strict=True) for j, s in zip(c, p, strict=True)}
        yield signs


def _flips(labels: Labels, assignment: Sequence[int], *, odd: bool) -> list[tuple[int, ...]]:
    """The signs that the units may be given: both for every unit of an odd activation that is not at w = 0."""
    n = len(labels.effective)
    both = [odd and (g < n or labels.off[g - n] != AT_ZERO) for g in assignment]
    return list(product(*((1, -1) if b else (1,) for b in both)))


def along(e: Effective, classes: Sequence[tuple[int, ...]], signs: dict[int, int], spare: int) -> Inertia:
    """The inertia of the Hessian where v_j / V_g has these signs (see the module)."""
    assert e.inertia is not None
    positive, zero, negative = e.inertia.positive + spare, 0, e.inertia.negative + spare
    for g, c in enumerate(classes):
        if len(c) == 1:
            continue
        # the form sum v_j dw_j^2 on sum v_j dw_j = 0 loses one direction of the sign of V_g
        same, other = sum(signs[j] > 0 for j in c) - 1, sum(signs[j] < 0 for j in c)
        same_sign = e.curvature[g] * _sign_of_output(e, g)
        positive += same if same_sign > 0 else other
        negative += other if same_sign > 0 else same
        zero += len(c) - 1 + sum(signs[j] == 0 for j in c)
    return Inertia(positive, zero, negative)


def _sign_of_output(e: Effective, g: int) -> int:
    lo, hi = effective_units(e)[g][1].box
    assert lo > 0 or hi < 0
    return 1 if lo > 0 else -1


def _component(
    problem: Problem,
    e: Effective,
    labels: Labels,
    assignment: Sequence[int],
    classes: Sequence[tuple[int, ...]],
    spare: int,
    signs: dict[int, int] | None,
    flips: Sequence[int],
    box: EnclosedPoint | None,
) -> Component | None:
    shares = {j: 1 for c in classes for j in c} | (signs or {})
    dimension = sum(len(c) - 1 for c in classes) - sum(s == 0 for s in shares.values())
    inertia = along(e, classes, shares, spare)
    kind, because = _kind(e, classes, shares, spare, inertia)
    point = _sample(e, labels, assignment, classes, shares, flips, box)
    isolated = all(len(c) == 1 for c in classes)
    if isinstance(point, Point):  # the formula for the inertia against the exact Hessian
        try:
            geometry = landscape(problem).at(point)
        except Unsupported:  # erf and gelu have no derivatives in the field, even at 0
            point = _boxed([arithmetic(point.field).enclose(c, 128) for c in point.coordinates])
        else:
            if not geometry.is_critical or geometry.inertia != inertia:
                return None
    if isolated and not isinstance(point, Point):
        proved = prove_critical(problem, point.centre)
        if proved is None or inertia_at(problem, proved) != inertia:
            return None
        point = proved
    names = problem.parameters
    units = len(assignment)
    return Component(
        dimension=dimension,
        sample=point,
        value=e.value,
        inertia=inertia,
        kind=kind,
        is_global=None,
        because=because,
        orbit=1 if isolated else None,
        points=(point,) if dimension == 0 else (),
        isolated=isolated if dimension == 0 else None,
        equations=() if isolated else _equations(names, units, labels, assignment, classes, signs, flips),
        description=_words(classes, flips, spare, dimension, isolated, exact=isinstance(point, Point)),
    )


def _kind(
    e: Effective, classes: Sequence[tuple[int, ...]], signs: dict[int, int], spare: int, inertia: Inertia
) -> tuple[Kind, str]:
    """Signs of eigenvalues, Morse-Bott where only the family is flat, and saddles next to cells of strict saddles."""
    if inertia.negative and inertia.positive:
        why = f"eigenvalues: {inertia.positive} positive, {inertia.zero} zero, {inertia.negative} negative"
        return Kind.STRICT_SADDLE, why
    family = sum(len(c) - 1 for c in classes)
    if not inertia.negative and inertia.zero == family:
        if not family:
            return Kind.STRICT_MINIMUM, "the Hessian is positive definite"
        return Kind.MINIMUM, f"Morse-Bott: a family of dimension {family} with a positive definite Hessian across it"
    zeros = [j for j, s in signs.items() if s == 0]
    for choice in product((1, -1), repeat=len(zeros)):
        near = along(e, classes, {**signs, **dict(zip(zeros, choice, strict=True))}, spare)
        if near.negative and near.positive:
            return Kind.SADDLE, (
                "F is constant along the family, and every neighbourhood meets a part of it that consists of strict saddles"
            )
    return Kind.UNDECIDED, "the Hessian is singular across the family"


def _sample(
    e: Effective,
    labels: Labels,
    assignment: Sequence[int],
    classes: Sequence[tuple[int, ...]],
    signs: dict[int, int],
    flips: Sequence[int],
    box: EnclosedPoint | None,
) -> AnyPoint:
    """A point of the stratum: v_j = V_g times rational shares with sum 1, then the signs of units flipped; in the box, if one is given."""
    hidden = [labels.effective[g][0] if g < e.units else labels.off[g - e.units] for g in assignment]
    output = [AT_ZERO] * len(assignment)
    for g, c in enumerate(classes):
        same, other = [j for j in c if signs[j] > 0], [j for j in c if signs[j] < 0]
        for j in same:
            output[j] = labels.effective[g][1].times(Fraction(1 + len(other), len(same)))
        for j in other:
            output[j] = labels.effective[g][1].times(Fraction(-1))
    if box is not None:
        half = len(assignment)
        turned = [(a, b) if f > 0 else (-b, -a) for a, b, f in zip(box.lower, box.upper, (*flips, *flips), strict=True)]
        for at, side in zip(hidden, turned[:half], strict=True):
            inside(at.box, side)
        for g, c in enumerate(classes):
            for j, v in zip(
                c,
                spread(
                    labels.effective[g][1], [output[j] for j in c], [signs[j] for j in c], [turned[half + j] for j in c]
                ),
                strict=True,
            ):
                output[j] = v
        for j, g in enumerate(assignment):
            if g >= e.units:
                inside((Fraction(0), Fraction(0)), turned[half + j])
    everything = [
        c if f > 0 else c.times(Fraction(-1)) for c, f in zip((*hidden, *output), (*flips, *flips), strict=True)
    ]
    if all(c.exact is not None for c in everything):
        return Point(Ln2Ring(), tuple(c.exact for c in everything if c.exact is not None))
    return _boxed([c.box for c in everything])


def _boxed(coordinates: Sequence[Bounds]) -> EnclosedPoint:
    boxes = [(a, b) if a < b else (a - NARROW, b + NARROW) for a, b in coordinates]
    return EnclosedPoint(tuple(lo for lo, _ in boxes), tuple(hi for _, hi in boxes))


def _equations(
    names: Sequence[str],
    units: int,
    labels: Labels,
    assignment: Sequence[int],
    classes: Sequence[tuple[int, ...]],
    signs: dict[int, int] | None,
    flips: Sequence[int],
) -> tuple[str, ...]:
    out = []
    for j, g in enumerate(assignment):
        k = len(labels.effective)
        at = labels.effective[g][0] if g < k else labels.off[g - k]
        out.append(f"{names[j]} = {_text(at if flips[j] > 0 else at.times(Fraction(-1)))}")
    for g, c in enumerate(classes):
        terms = "".join(f" {'+' if flips[j] > 0 else '-'} {names[units + j]}" for j in c)
        out.append(f"{terms[3:] if terms[1] == '+' else terms[1:]} = {_text(labels.effective[g][1])}")
    out += [f"{names[units + j]} = 0" for j, g in enumerate(assignment) if g >= len(labels.effective)]
    for g, c in enumerate(classes):
        if signs is None or len(c) == 1:
            continue
        for j in c:
            positive = (labels.effective[g][1].box[0] > 0) == (flips[j] > 0)
            relation = "= 0" if not signs[j] else "> 0" if (signs[j] > 0) == positive else "< 0"
            out.append(f"{names[units + j]} {relation}")
    return tuple(out)


def _text(c: Coordinate) -> str:
    if c.exact is not None:
        parts = [str(x) if not k else f"{x}*log(2)" for k, x in enumerate(c.exact) if x or len(c.exact) == 1]
        return " + ".join(parts)
    scaled = round(middle(c.box) * 10**12)
    whole, rest = divmod(abs(scaled), 10**12)
    return f"{'-' if scaled < 0 else ''}{whole}.{rest:012d}..."


def _words(
    classes: Sequence[tuple[int, ...]], flips: Sequence[int], spare: int, dimension: int, isolated: bool, *, exact: bool
) -> str:
    parts = [
        f"units {', '.join(str(j + 1) for j in c)} are equal{' up to sign' if len({flips[j] for j in c}) > 1 else ''}"
        for c in classes
        if len(c) > 1
    ]
    if spare:
        parts.append(f"{spare} switched-off {'units' if spare > 1 else 'unit'}")
    if isolated:
        parts.insert(0, "an isolated point")
    elif dimension:
        parts.insert(0, f"a connected piece of dimension {dimension}")
    else:
        parts.insert(0, "a special point of a family")
    if not isolated and not exact:
        parts.append("the sample is a box around one point of it")
    return "; ".join(parts)
