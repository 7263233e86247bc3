"""From a critical point of a regularised relu-like layer to a component with its kind, equations and sample (ridge_points.py)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from typing import Any

import flint

from explorer.algebra.balls import bounds
from explorer.model.polynomial import cell_polynomial
from explorer.point import AnyPoint, EnclosedPoint, Inertia, Point
from explorer.solve.classify import PRECISION, Target
from explorer.solve.pieces.fans import Fan
from explorer.solve.pieces.layer import ZERO, Layer, linear
from explorer.solve.pieces.ridge_points import Active, ActiveUnit, Verdict, clarke, leaving
from explorer.solve.pieces.ridge_rest import Rest, rest_texts, resting
from explorer.solve.pieces.share_strata import equal, share_texts
from explorer.solve.results import Component, Kind

#: what a unit does: the number of its type, or where it rests
Home = int | Rest


@dataclass(frozen=True)
class Found:
    """Where the units are: unit j has type ``home[j]`` of ``active`` or rests there (v = 0), with -u for u where ``flips[j]`` is -1 (|z|
    only). ``free``: the dimension of the active units, where it is not that of units of one type (share_strata.py)."""

    active: Active
    home: tuple[Home, ...]
    flips: tuple[int, ...]
    free: int | None = None

    @property
    def members(self) -> list[list[int]]:
        """The units of each type."""
        return [[j for j, a in enumerate(self.home) if a == k] for k in range(len(self.active.units))]

    @property
    def rests(self) -> list[Rest]:
        return [a for a in self.home if isinstance(a, Rest)]


def component(layer: Layer, fan: Fan, found: Found) -> tuple[Component | None, list[str]]:
    """The component, if it is critical, and what was not decided."""
    active = found.active
    with flint.ctx.workprec(PRECISION):
        met = [clarke(active, fan, unit) for unit in active.units]
        if False in met:
            return None, []
        if None in met:
            return None, [
                "Clarke's condition was not decided where a point is known by a box or a face has more than two dimensions across"
            ]
        rests = dict.fromkeys(found.rests)
        verdicts = [leaving(active, fan, u) for u in active.units] + [resting(active, fan, r) for r in rests]
        return _described(layer, fan, found, verdicts), []


def _described(layer: Layer, fan: Fan, found: Found, verdicts: Sequence[Verdict]) -> Component:
    active, home, flips, members, rests = found.active, found.home, found.flips, found.members, found.rests
    dimension = sum(r.dimension for r in rests)
    if found.free is None:
        dimension += sum(
            (len(m) - 1) * (1 + len(u.weights.kernel(u.face))) for m, u in zip(members, active.units, strict=True)
        )
        dimension += sum(u.shift is not None for u in active.units)
    else:
        dimension += found.free
    sample = _sample(layer, active, home, members, flips)
    smooth = not rests and all(all(u.face.signs) for u in active.units)
    low = False if any(v.low is False for v in verdicts) else None if any(v.low is None for v in verdicts) else True
    strict = bool(low) and active.nonsingular and not dimension and all(v.strict for v in verdicts)
    ends = any(u.weights.like(r.weights, u.face) for u in active.units for r in rests)
    kind = (
        Kind.UNDECIDED if low is None else Kind.SADDLE if not low else Kind.STRICT_MINIMUM if strict else Kind.MINIMUM
    )
    alone = not dimension and not ends and active.nonsingular
    return Component(
        dimension=dimension,
        sample=sample,
        value=active.value,
        inertia=_inertia(layer, active, home, flips, sample) if smooth else None,
        kind=kind,
        is_global=None,
        because=_words(low, active, home),
        orbit=1 if alone and smooth else None,
        points=() if dimension else (sample,),
        isolated=False if ends and not dimension else True if alone and smooth else None,
        equations=tuple(_texts(layer, fan, found)),
        description=_description(dimension, ends, smooth=smooth, bound=found.free is None),
    )


def _inertia(
    layer: Layer, active: Active, home: Sequence[Home], flips: Sequence[int], sample: AnyPoint
) -> Inertia | None:
    """The inertia inside the cells of the units, all of them active."""
    inside = [ZERO] * len(layer.problem.parameters)
    for j, a in enumerate(home):
        assert isinstance(a, int)
        for k, x in zip(layer.incoming(j), active.units[a].face.sample, strict=True):
            inside[k] = flips[j] * x
    return Target(layer.problem, cell_polynomial(layer.problem, inside).polynomial).hessian_inertia(sample)


def _words(low: bool | None, active: Active, home: Sequence[Home]) -> str:
    if low is None:
        rests = any(isinstance(a, Rest) and a.basis for a in home)
        return (
            "a unit with v = 0 and free incoming weights: whether the outputs that v moves hold F up is not decided"
            if rests
            else "the point is known by a box only, and the box does not decide how F changes across the kinks"
        )
    if not low:
        return "one unit alone lowers F across its kinks, and every regularized output weight raises it"
    parts = ["F is convex in the products v u on the faces of the active units"] if active.units else []
    if any(not all(u.face.signs) for u in active.units):
        parts.append("it does not fall when they leave their faces")
    if any(isinstance(a, Rest) for a in home):
        parts.append("h(u)^2 <= 4 m u . L u for every unit with v = 0")
    if any(isinstance(a, Rest) and a.sign != 0 for a in home):
        parts.append("v h >= 0 near every unit that puts nothing out")
    return "; ".join(parts)


def _description(dimension: int, ends: bool, *, smooth: bool, bound: bool) -> str:
    what = f"a connected piece of dimension {dimension}" if dimension else "a point"
    if dimension:
        what += (
            ": units of one direction share their product" if bound else ": only what the units add together is bound"
        )
    what += "" if bound or not smooth else "; the inertia is that of the sample"
    what += " at the end of a family" if ends and not dimension else ""
    return what if smooth else f"{what}, where F is not twice differentiable (critical in the sense of Clarke)"


def shares(ratios: Sequence[Fraction]) -> list[Fraction]:
    """Positive rational a_j with sum_j ratios_j a_j^2 = 1, the first ratio being 1."""
    if set(ratios) == {Fraction(1)}:
        out = [Fraction(1)]
        while len(out) < len(ratios):
            last = out.pop()
            out += [last * Fraction(3, 5), last * Fraction(4, 5)]
        return out
    others = sum(
        ratios[1:], ZERO
    )  # the second point of the quadric on the line from (-1, 0, ..) in the direction (1, t, .., t)
    t = 1 / Fraction(1 + ceil(others))
    size = t * t * others
    return [(1 - size) / (1 + size), *[2 * t / (1 + size)] * (len(ratios) - 1)]


def _ratios(layer: Layer, unit: ActiveUnit, owners: Sequence[int]) -> list[Fraction]:
    """m_j / m for the units of a type: unit j has (v_j, u_j) = a_j (v, m_j u / m)."""
    if len(owners) == 1:
        return [Fraction(1)]
    return [layer.weights_of(j).outgoing / unit.weights.outgoing for j in owners]


def _sample(
    layer: Layer, active: Active, owners: Sequence[Home], members: Sequence[Sequence[int]], flips: Sequence[int]
) -> AnyPoint:
    values: list[Any] = [active.numbers.ring.constant(ZERO)] * len(layer.problem.parameters)
    for j, a in enumerate(owners):
        if isinstance(a, Rest):
            for k, y in zip(layer.incoming(j), a.place(active.numbers), strict=True):
                values[k] = y
            values[layer.outgoing(j)] = active.numbers.ring.constant(Fraction(1 if a.sign is None else a.sign))
    for unit, home in zip(active.units, members, strict=True):
        ratios = _ratios(layer, unit, home)
        for share, ratio, j in zip(shares(ratios), ratios, home, strict=True):
            for k, x in zip(layer.incoming(j), unit.u, strict=True):
                values[k] = active.numbers.linear([flips[j] * share * ratio], [x])
            values[layer.outgoing(j)] = active.numbers.linear([share], [unit.v])
    if layer.output_bias:
        values[-1] = active.bias
    if isinstance(active.point, Point):
        return Point(active.point.field, tuple(values))
    ends = [bounds(v) for v in values]
    return EnclosedPoint(tuple(lo for lo, _ in ends), tuple(hi for _, hi in ends))


def _texts(layer: Layer, fan: Fan, found: Found) -> list[str]:
    out, sides = (_type_texts if found.free is None else share_texts)(
        layer, fan, found.active, found.members, found.flips
    )
    for j, a in enumerate(found.home):
        if isinstance(a, Rest):
            equations, inequalities = rest_texts(layer, fan, j, a, found.active)
            out += equations
            sides += inequalities
    if layer.output_bias and found.free is None:
        out += _constant(layer, found.active, found.members, found.flips)
    return [*out, *sides]


def _type_texts(
    layer: Layer, fan: Fan, active: Active, members: Sequence[Sequence[int]], flips: Sequence[int]
) -> tuple[list[str], list[str]]:
    names = layer.problem.parameters
    out: list[str] = []
    sides: list[str] = []
    for unit, owners in zip(active.units, members, strict=True):
        for j in owners:
            face = replace(unit.face, signs=tuple(flips[j] * s for s in unit.face.signs))
            equations, inequalities = layer.face_texts(j, face, fan)
            out += equations
            sides += [*inequalities, f"{names[layer.outgoing(j)]} {'>' if unit.sign > 0 else '<'} 0"]
        lead, ratios = owners[0], _ratios(layer, unit, owners)
        for j, ratio in zip(owners[1:], ratios[1:], strict=True):
            out += [
                linear(
                    [f"{names[k]}*{names[layer.outgoing(lead)]}", f"{names[m]}*{names[layer.outgoing(j)]}"],
                    [Fraction(1), -flips[j] * flips[lead] * ratio],
                )
                + " = 0"
                for k, m, w in zip(layer.incoming(j), layer.incoming(lead), unit.weights.incoming, strict=True)
                if w
            ]
        squares = [
            (
                linear([f"{names[layer.outgoing(j)]}^2" for j in owners], ratios),
                active.numbers.product_sum([unit.v], [unit.v]),
            )
        ]
        squares += [
            (
                linear(
                    [f"{names[layer.outgoing(j)]}*{names[layer.incoming(j)[k]]}" for j in owners],
                    [Fraction(flips[j]) for j in owners],
                ),
                active.numbers.product_sum([unit.v], [unit.u[k]]),
            )
            for k in range(layer.size)
            if unit.shift is None or k != unit.shift.place
        ]
        out += [t for form, value in squares for t in equal(active, form, value)]
    return out, sides


def _constant(layer: Layer, active: Active, members: Sequence[Sequence[int]], flips: Sequence[int]) -> list[str]:
    """The output bias, with what units with a free bias add to all outputs."""
    names = layer.problem.parameters
    form, value = [names[-1]], [Fraction(1)]
    parts, sizes = [active.bias], [Fraction(1)]
    for unit, owners in zip(active.units, members, strict=True):
        if unit.shift is None:
            continue
        form += [f"{names[layer.outgoing(j)]}*{names[layer.incoming(j)[unit.shift.place]]}" for j in owners]
        value += [flips[j] * unit.shift.constant for j in owners]
        parts.append(active.numbers.product_sum([unit.v], [unit.u[unit.shift.place]]))
        sizes.append(unit.shift.constant)
    return equal(active, linear(form, value), active.numbers.linear(sizes, parts))
