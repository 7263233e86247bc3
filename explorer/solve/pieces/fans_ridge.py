"""Every critical point of one hidden layer of relu-like units with l2 regularizer, face by face; kinds by an exact criterion.

At a critical point the derivatives along (u_j, v_j) give m v^2 = u . L u, so a unit is zero or *active*, v and u not 0. In p = v u F is
convex on a product of faces with fixed signs of v, |data term| + sum 2 sqrt(m) |p|_L, so active units of one *type* (face, sign of
v, weights) point in one direction and only sum |p| is bound: each choice of types is one polynomial system with few solutions, and
q > 1 units of one type are a family (v_j, u_j) = a_j (v, u), a on the unit sphere with positive entries. For |z| the units u and -u are
one function: types are listed for one of two opposite faces only, and every stratum with the signs of its active units in all ways.

Kinds: with g_i = 2 c_i (f_i - y_i) and h(u) = sum_i g_i phi(x_i . u), F(q) - F(p) = sum_j (Psi_j(q_j) - Psi_j(p_j)) + a nonnegative rest of higher
order, Psi(v, u) = v h(u) + u . L u + m v^2. So p is a local minimum iff h(u)^2 <= 4 m u . L u for all u (every zero unit) and F does
not fall to first order where an active unit leaves its face; it is never a maximum, v being regularized. docs/piecewise.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import combinations, product
from typing import Any

import flint

from explorer.algebra.feasible import Affine, strictly_feasible
from explorer.algebra.solver import Dimension, solve_zero_dimensional
from explorer.algebra.systems import PolynomialSystem
from explorer.budget import Deadline
from explorer.errors import ExplorerError, Unsupported
from explorer.point import AnyPoint
from explorer.solve import bounds
from explorer.solve.classify import PRECISION
from explorer.solve.pieces.fans import Face, Fan, dot
from explorer.solve.pieces.fans_cells import shortened
from explorer.solve.pieces.layer import MAX_STRATA, ZERO, Layer, Weights, free_part, gathered
from explorer.solve.pieces.ridge_components import Found, Home, component
from explorer.solve.pieces.ridge_points import Active, Numbers, Shift
from explorer.solve.pieces.ridge_rest import Rest, rests_of
from explorer.solve.pieces.ridge_shift import amount, holds, pinned, shift_of
from explorer.solve.pieces.ridge_single import single_unit
from explorer.solve.pieces.share_strata import strata
from explorer.solve.pieces.share_systems import Type
from explorer.solve.polynomials import context, to_terms
from explorer.solve.results import Component, CriticalSet


class Infinite(Exception):
    """A choice of types whose system has infinitely many complex solutions."""


def with_ridge(layer: Layer, deadline: Deadline) -> CriticalSet:
    """All Clarke-critical points of a layer in which some unit has weights on both sides of its product; the coverage says what a
    system or a box left open."""
    fan = layer.fan(deadline)
    units = [layer.weights_of(j) for j in range(layer.units)]
    kinds = list(dict.fromkeys(units))
    faces = [f for f in fan.faces if f.dimension and not f.dead and (not layer.even or _leading(f) > 0)]
    types = [Type(f, s, w) for w in kinds for f in faces if _carries(layer, fan, f, w) for s in (1, -1)]
    doubts: list[str] = []
    components: list[Component] = []
    solved = 0
    try:
        for chosen, homes in _choices(layer, fan, units, types, deadline):
            solved += 1
            for stratum in _strata(layer, fan, units, chosen, homes, deadline, doubts):
                found, doubt = component(layer, fan, stratum)
                doubts += doubt
                components += [] if found is None else [found]
                if len(components) > MAX_STRATA:
                    raise Unsupported("critical strata", expected=f"at most {MAX_STRATA}", got="more")
    except ExplorerError as stopped:
        doubts.append(f"strata are missing: {stopped.sentence()}")
    reason = (
        f"{len(fan.faces)} faces per unit; {solved} choices of faces and signs were not excluded by linear programming over Q, and "
        "the polynomial system of each was solved"
    )
    return gathered(layer, components, doubts, reason, bounds.coercive(layer.problem) or _attained(layer))


def _attained(layer: Layer) -> str:
    """Why min F is attained where some units have no weights at all and the others are regularized in every weight."""
    if all(all(w.incoming) if w.outgoing else not any(w.incoming) for w in map(layer.weights_of, range(layer.units))):
        return "the units without weights reach a finite union of closed polyhedral cones of outputs, and F is coercive in the other units"
    return ""


def _strata(
    layer: Layer,
    fan: Fan,
    units: Sequence[Weights],
    chosen: Sequence[Type],
    homes: Sequence[Given],
    deadline: Deadline,
    doubts: list[str],
) -> Iterator[Found]:
    """Every solution with every way to give the types, the places to rest and (for |z|) the signs to the units."""
    try:
        solutions = list(_solutions(layer, fan, chosen, deadline, doubts))
    except Infinite as why:
        yield from _shared(layer, fan, units, chosen, homes, deadline, doubts, str(why))
        return
    for active in solutions:
        resting = _resting(active, fan, units)
        for given in homes:
            deadline.check("classifying critical points")
            for home in _with_rests(units, given, resting, doubts):
                for flips in _flips(layer, home):
                    yield Found(active, home, flips)


def _shared(
    layer: Layer,
    fan: Fan,
    units: Sequence[Weights],
    chosen: Sequence[Type],
    homes: Sequence[Given],
    deadline: Deadline,
    doubts: list[str],
    why: str,
) -> Iterator[Found]:
    """The same where the shares of the units are not bound, for up to two active units (share_strata.py)."""
    for given in homes:
        owners = [j for j, a in enumerate(given) if a is not None]
        parts = [replace(chosen[a], weights=units[j]) for j, a in enumerate(given) if a is not None]
        if sum(t.bent for t in parts) > 2:
            doubts.append(f"the system of a choice of faces was not solved: {why}")
            continue
        numbered = tuple(None if a is None else owners.index(j) for j, a in enumerate(given))
        for stratum in strata(layer, fan, parts, deadline, doubts):
            for home in _with_rests(units, numbered, _resting(stratum.active, fan, units), doubts):
                for flips in _flips(layer, home):
                    yield Found(stratum.active, home, flips, stratum.dimension)


def _resting(active: Active, fan: Fan, units: Sequence[Weights]) -> dict[Weights, tuple[list[Rest], list[str]]]:
    with flint.ctx.workprec(PRECISION):
        return {w: rests_of(active, fan, w) for w in dict.fromkeys(units)}


def _with_rests(
    units: Sequence[Weights],
    given: Given,
    resting: dict[Weights, tuple[list[Rest], list[str]]],
    doubts: list[str],
) -> Iterator[tuple[Home, ...]]:
    """Every way for the units without a type to rest."""
    for w in (units[j] for j, a in enumerate(given) if a is None):
        doubts += resting[w][1]
    options: list[list[Home]] = [[*resting[units[j]][0]] if a is None else [a] for j, a in enumerate(given)]
    yield from product(*options)


def _flips(layer: Layer, home: Sequence[Home]) -> Iterator[tuple[int, ...]]:
    return product(*((1, -1) if layer.even and isinstance(a, int) else (1,) for a in home))


def _carries(layer: Layer, fan: Fan, face: Face, weights: Weights) -> bool:
    """Whether a unit with these weights may have v not 0 in the face: m v^2 = u . L u."""
    if weights.outgoing:
        return len(weights.kernel(face)) < face.dimension
    return free_part(layer, fan, face, weights) is not None


def _leading(face: Face) -> int:
    """The first sign of a face that is not 0: of two opposite faces one has 1."""
    return next((s for s in face.signs if s), 0)


#: which type each unit has (None: it has v = 0)
Given = tuple[int | None, ...]


def _choices(
    layer: Layer, fan: Fan, units: Sequence[Weights], types: Sequence[Type], deadline: Deadline
) -> Iterator[tuple[tuple[Type, ...], list[Given]]]:
    """The sets of types that linear programming does not exclude, each with the ways to give them to the units."""
    for count in range(min(layer.units, len(types)) + 1):
        for chosen in combinations(types, count):
            deadline.check("choosing faces for the units")
            if any(
                a.face == b.face
                and a.weights.like(b.weights, a.face)
                and (a.sign == b.sign or not a.weights.kernel(a.face))
                for a, b in combinations(chosen, 2)
            ):
                continue  # one type (`_assignments`), or opposite signs on one face, which want opposite directions
            homes = list(_assignments(units, chosen))
            if homes and _possible(layer, fan, chosen):
                yield chosen, homes


def _assignments(units: Sequence[Weights], chosen: Sequence[Type]) -> Iterator[Given]:
    """Which unit has which type (None: it is zero), every type used; the first unit of a type has its very weights."""
    options = [[None, *(k for k, t in enumerate(chosen) if t.weights.like(w, t.face))] for w in units]
    for home in product(*options):
        if set(range(len(chosen))) <= set(home) and all(
            units[home.index(k)] == t.weights for k, t in enumerate(chosen)
        ):
            yield home


def _possible(layer: Layer, fan: Fan, chosen: Sequence[Type]) -> bool:
    """A linear relaxation: p_a in sign (face), and -sign (span: M^-1 times the gradient of h) in the face, for some outputs."""
    if not chosen:
        return True
    columns = [[row[k] for row in t.face.columns] for t in chosen for k in range(t.face.dimension)]
    if layer.output_bias:
        columns.append([Fraction(1)] * len(layer.targets))
    size = len(columns)
    # g_i as affine functions of (p, c)
    g = [
        (*(2 * w * c[i] for c in columns), -2 * w * y)
        for i, (w, y) in enumerate(zip(layer.weights, layer.targets, strict=True))
    ]
    positive: list[Affine] = []
    equations: list[Affine] = []
    start = 0
    for t in chosen:
        slope = [combined([row[k] for row in t.face.columns], g) for k in range(t.face.dimension)]
        kernel = t.weights.kernel(t.face)
        # free directions: the gradient of h vanishes along them
        equations += [combined(k, slope) for k in kernel] if t.bent else slope
        inverse = [] if kernel else t.weights.inverse(t.face)
        direction = [combined([-t.sign * v for v in line], slope) for line in inverse]
        for n, side in zip(fan.normals, t.face.signs, strict=True):
            if not side:
                continue
            local = [side * dot(n, b) for b in t.face.basis]
            own = [ZERO] * (size + 1)
            own[start : start + t.face.dimension] = [t.sign * v for v in local]
            positive += [tuple(own)] if kernel else [tuple(own), combined(local, direction)]
        start += t.face.dimension
    if layer.output_bias:
        total = list(combined([Fraction(1)] * len(g), g))
        total[size - 1] += 2 * layer.bias_weight
        equations.append(tuple(total))
    return strictly_feasible(size, equations, positive) is not None


def combined(coefficients: Sequence[Fraction], rows: Sequence[Affine]) -> Affine:
    """sum_k coefficients_k rows_k."""
    return tuple(
        sum((c * v for c, v in zip(coefficients, column, strict=True) if c), ZERO) for column in zip(*rows, strict=True)
    )


# -- the systems ------------------------------------------------------------------------------------------------------


def _solutions(
    layer: Layer, fan: Fan, chosen: Sequence[Type], deadline: Deadline, doubts: list[str]
) -> Iterator[Active]:
    """The critical points of F with one unit of each type, the others zero; with the output bias in `Active.bias`."""
    if not chosen:
        total = sum(layer.weights, layer.bias_weight)
        bias = sum((c * y for c, y in zip(layer.weights, layer.targets, strict=True)), ZERO) / total
        yield Active.none(layer, bias if layer.output_bias else ZERO)
        return
    if not all(t.bent for t in chosen):
        raise Infinite("an output weight is free")
    roots: list[tuple[AnyPoint, bool]]
    free = any(t.weights.kernel(t.face) for t in chosen)
    shifts = [shift_of(layer, t.face, t.weights) for t in chosen]
    if len(chosen) == 1 and not free:
        (t,) = chosen
        points = single_unit(layer, t.face, t.weights.matrix(t.face), t.weights.outgoing, layer.bias_weight)
        roots = [(p, True) for p in points]
    else:
        system = pinned(_system(layer, chosen), shifts)
        size = len(system.names)
        solution = solve_zero_dimensional(_saturated(system, chosen) if free else system, deadline)
        if solution.dimension is Dimension.POSITIVE:
            raise Infinite(solution.reason)
        if solution.dimension not in (Dimension.FINITE, Dimension.EMPTY):
            doubts.append(f"the system of a choice of faces was not solved: {solution.reason}")
            return
        if not solution.complete:
            doubts.append(solution.reason)
        roots = [(shortened(root.point, size), not root.singular) for root in solution.roots]
    for point, nonsingular in roots:
        with flint.ctx.workprec(PRECISION):
            inside = _inside(fan, chosen, shifts, point)
            moves = _moves(fan, chosen, shifts, point) if inside else None
        if inside is None or (inside and moves is None):
            doubts.append("a critical point of one activation cell may lie on its boundary: its box does not decide")
        elif moves is not None:
            types = [(t.face, t.sign, t.weights, m) for t, m in zip(chosen, moves, strict=True)]
            yield Active.of(layer, types, point, nonsingular=nonsingular)


def _moves(
    fan: Fan, chosen: Sequence[Type], shifts: Sequence[Shift | None], point: AnyPoint
) -> list[Shift | None] | None:
    """The shifts by an amount that leads into the faces, or None where a box does not tell."""
    numbers = Numbers.of(point)
    out: list[Shift | None] = []
    start = 0
    for t, shift in zip(chosen, shifts, strict=True):
        s = numbers.values[start : start + t.face.dimension]
        start += t.face.dimension + 1
        by = ZERO if shift is None else amount(fan, t.face, shift, numbers, s, point)
        if by is None:
            return None
        out.append(None if shift is None else replace(shift, by=by))
    return out


def _system(layer: Layer, chosen: Sequence[Type]) -> PolynomialSystem:
    """The gradient of F in (s_a, v_a) for each type, u = sum_k s_ak basis_k, and the output bias."""
    names: list[str] = []
    for a, t in enumerate(chosen):
        names += [*(f"s{a}_{k}" for k in range(t.face.dimension)), f"v{a}"]
    names += ["c"] if layer.output_bias else []
    ring = context(names)
    gens = dict(zip(names, ring.gens(), strict=True))
    q = lambda value: flint.fmpq(value.numerator, value.denominator)  # noqa: E731
    loss = ring.constant(0)
    for i, (w, y) in enumerate(zip(layer.weights, layer.targets, strict=True)):
        f = ring.constant(-q(y)) + (gens["c"] if layer.output_bias else 0)
        for a, t in enumerate(chosen):
            f += gens[f"v{a}"] * _sum(ring, [q(c) * gens[f"s{a}_{k}"] for k, c in enumerate(t.face.columns[i])])
        loss += q(w) * f * f
    for a, t in enumerate(chosen):
        matrix = t.weights.matrix(t.face)
        loss += q(t.weights.outgoing) * gens[f"v{a}"] ** 2
        for k, line in enumerate(matrix):
            loss += _sum(ring, [q(c) * gens[f"s{a}_{k}"] * gens[f"s{a}_{j}"] for j, c in enumerate(line)])
    if layer.output_bias:
        loss += q(layer.bias_weight) * gens["c"] ** 2
    return PolynomialSystem.gradient(names, to_terms(loss))


def _saturated(system: PolynomialSystem, chosen: Sequence[Type]) -> PolynomialSystem:
    """With z_a v_a = 1 for each type: v_a = 0 leaves the free incoming weights undetermined."""
    names, extra = system.names, [f"z{a}" for a in range(len(chosen))]
    equations = [{(*e, *[0] * len(extra)): c for e, c in p} for p in system.equations]
    for a in range(len(chosen)):
        v = names.index(f"v{a}")
        both = tuple(int(k in (v, len(names) + a)) for k in range(len(names) + len(extra)))
        equations.append({both: Fraction(1), (0,) * len(both): Fraction(-1)})
    return PolynomialSystem.of((*names, *extra), equations)


def _sum(ring: Any, parts: Sequence[Any]) -> Any:
    out = ring.constant(0)
    for p in parts:
        out += p
    return out


def _inside(fan: Fan, chosen: Sequence[Type], shifts: Sequence[Shift | None], point: AnyPoint) -> bool | None:
    """Whether signs and strict face conditions hold; None where a box does not tell."""
    numbers = Numbers.of(point)
    start, unsure = 0, False
    for t, shift in zip(chosen, shifts, strict=True):
        s = numbers.values[start : start + t.face.dimension]
        signs = [numbers.sign(numbers.values[start + t.face.dimension], t.sign)]
        signs += [] if shift is None else holds(fan, t.face, shift, numbers, s)
        for n, side in zip(fan.normals, t.face.signs, strict=True):
            if side and shift is None:
                signs.append(numbers.sign(numbers.linear([dot(n, b) for b in t.face.basis], s), side))
        if any(v is not None and v <= 0 for v in signs):
            return False
        unsure = unsure or None in signs
        start += t.face.dimension + 1
    return None if unsure else True
