"""From shares to strata: the products that reproduce the outputs form a polyhedron over the field of g; docs/piecewise.md, "Shares".

A bent unit has p_j = v_j u_j = V_j q_j + kappa_j, q_j = -M_j^+ A_j^T g / 2, kappa_j in ker M_j, a unit without weight on v_j any p_j in ker L on its face.
What is left is linear: the outputs, the faces, the signs. The coefficients of the kappa_j are rational, so Fourier's and Motzkin's
elimination multiplies numbers of the field by rationals only, and one more unknown t (`Shares.slide`) comes last.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import flint

from explorer.algebra.balls import bounds
from explorer.algebra.feasible import echelon
from explorer.budget import Deadline
from explorer.errors import Unsupported
from explorer.exact import text
from explorer.point import Point
from explorer.solve.classify import PRECISION
from explorer.solve.pieces.fans import Fan, dot
from explorer.solve.pieces.layer import ZERO, Layer, linear
from explorer.solve.pieces.ridge_points import Active, ActiveUnit, Numbers
from explorer.solve.pieces.ridge_shift import between
from explorer.solve.pieces.share_systems import Shares, Type, inverse, shares_of
from explorer.solve.scalars import element_text

ONE = Fraction(1)
MAX_INEQUALITIES = 2_000
#: bisections of the interval for t: its ends are apart, so this never decides
HALVINGS = 400


@dataclass(frozen=True)
class Stratum:
    """A connected piece of critical points; ``active`` is a sample (one unit per type), ``dimension`` that of the active units."""

    active: Active
    dimension: int


@dataclass(frozen=True)
class _Gap:
    """coefficients . x + level + t rise > 0."""

    coefficients: tuple[Fraction, ...]
    level: Any
    rise: Any


def strata(layer: Layer, fan: Fan, parts: Sequence[Type], deadline: Deadline, doubts: list[str]) -> Iterator[Stratum]:
    """The critical points in which unit j of ``parts`` is active with its type, the other units adding nothing."""
    for shares in shares_of(layer, parts, deadline, doubts):
        deadline.check("listing units that share")
        with flint.ctx.workprec(PRECISION):
            steep = [_flat(shares, t) for t in parts if not t.bent]
            if any(s is False for s in steep):
                continue
            if None in steep:
                doubts.append("a box does not tell whether a unit without weight on its output is critical")
                continue
            found = _Polyhedron.of(layer, fan, parts, shares)
            sample = found.sample()
            if sample is None:
                doubts.append("a box does not tell whether units that share stay in their faces")
            elif sample:
                yield found.stratum(*sample)


def _flat(shares: Shares, t: Type) -> bool | None:
    """Whether h = 0 on the face's span (for v not 0 and L u = 0 that is the critical equation in u)."""
    size = t.face.dimension
    units = [tuple(Fraction(int(i == k)) for i in range(size)) for k in range(size)]
    signs = [shares.numbers.sign(shares.numbers.linear(c, shares.g)) for c in t.columns(units)]
    return False if any(s for s in signs) else None if None in signs else True


@dataclass(frozen=True)
class _Polyhedron:
    layer: Layer
    parts: tuple[Type, ...]
    shares: Shares
    #: for each part: q in the coordinates of its face (bent), and the vectors of its free unknowns
    directions: list[list[Any]]
    #: V of each part as level + t rise
    squares: list[tuple[Any, Any]]
    #: each unknown as a combination of the free ones, level and rise
    unknowns: list[_Gap]
    gaps: list[_Gap]
    free: int

    @classmethod
    def of(cls, layer: Layer, fan: Fan, parts: Sequence[Type], shares: Shares) -> _Polyhedron:
        numbers = shares.numbers
        nothing = numbers.ring.constant(ZERO)
        directions = []
        for t in parts:
            units = [tuple(Fraction(int(i == k)) for i in range(t.face.dimension)) for k in range(t.face.dimension)]
            slope = [numbers.linear(c, shares.g) for c in t.columns(units)]
            directions.append(
                [numbers.linear([-v / 2 for v in row], slope) for row in t.inverse()]
                if t.bent
                else [nothing] * len(units)
            )
        squares = _squares(shares, parts)
        unknowns, free = _outputs(layer, parts, shares, directions, squares)
        gaps, start = [], 0
        for t, q, (level, rise) in zip(parts, directions, squares, strict=True):
            kernel = t.weights.kernel(t.face)
            for n, side in zip(fan.normals, t.face.signs, strict=True):
                if not side:
                    continue
                local = [t.sign * side * dot(n, b) for b in t.face.basis]
                height = numbers.linear(local, q)
                terms = [(dot(local, k), unknowns[start + i]) for i, k in enumerate(kernel)]
                base = _Gap((ZERO,) * free, numbers.ring.mul(level, height), numbers.ring.mul(rise, height))
                gaps.append(_sum(numbers, [(ONE, base), *terms]))
            start += len(kernel)
        if shares.slide is not None:
            one = numbers.ring.constant(ONE)
            gaps.append(_Gap((ZERO,) * free, nothing, one))
            gaps.append(_Gap((ZERO,) * free, one, numbers.ring.constant(-ONE)))
        return cls(layer, tuple(parts), shares, directions, squares, unknowns, gaps, free)

    # -- a point of the polyhedron --------------------------------------------------------------------------------------

    def sample(self) -> tuple[Fraction, list[Fraction]] | tuple[()] | None:
        """(s, x): t = slide r^2 with the rational point of the conic that s names, and the free unknowns; () where there is no point,
        None where a box does not tell."""
        numbers, rows, stages = self.shares.numbers, self.gaps, []
        for k in range(self.free):
            stages.append([r for r in rows if r.coefficients[k]])
            up = [r for r in rows if r.coefficients[k] > 0]
            down = [r for r in rows if r.coefficients[k] < 0]
            rows = [r for r in rows if not r.coefficients[k]]
            rows += [_sum(numbers, [(1 / a.coefficients[k], a), (-1 / b.coefficients[k], b)]) for a in up for b in down]
            if len(rows) > MAX_INEQUALITIES:
                raise Unsupported("sharing units", expected=f"at most {MAX_INEQUALITIES} inequalities", got="more")
        s = self._slide(rows)
        if not isinstance(s, Fraction):
            return s
        t = numbers.ring.constant(self._part(s))
        chosen = [ZERO] * self.free
        for k in reversed(range(self.free)):
            ends: dict[int, list[Any]] = {1: [], -1: []}
            for r in stages[k]:
                at = numbers.ring.add(r.level, numbers.ring.mul(t, r.rise))
                at = numbers.ring.add(at, numbers.ring.constant(dot(r.coefficients[k + 1 :], chosen[k + 1 :])))
                ends[1 if r.coefficients[k] > 0 else -1].append(numbers.linear([-1 / r.coefficients[k]], [at]))
            found = between(ends[1], ends[-1], self.shares.point)
            if found is None:
                return None
            chosen[k] = found
        return s, chosen

    def _slide(self, rows: Sequence[_Gap]) -> Fraction | tuple[()] | None:
        """A parameter s of the conic that satisfies all level + t rise > 0."""
        numbers = self.shares.numbers
        ring = numbers.ring
        rises = [numbers.sign(r.rise) for r in rows]
        if None in rises:
            return None
        signs = [numbers.sign(r.level) for r, way in zip(rows, rises, strict=True) if not way]
        up = [r for r, way in zip(rows, rises, strict=True) if way == 1]
        down = [r for r, way in zip(rows, rises, strict=True) if way == -1]
        for a in up:
            for b in down:  # -a.level/a.rise < -b.level/b.rise
                cross = ring.mul(numbers.linear([-ONE], [b.rise]), a.level)
                signs.append(numbers.sign(ring.add(cross, ring.mul(b.level, a.rise))))
        if any(s is not None and s <= 0 for s in signs):
            return ()
        if None in signs:
            return None
        if self.shares.slide is None:
            return ZERO
        low, high = ZERO, ONE
        for _ in range(HALVINGS):
            s = (low + high) / 2
            if self._shares(s)[0] <= 0:
                high = s
                continue
            t = numbers.ring.constant(self._part(s))
            values = [(numbers.sign(ring.add(r.level, ring.mul(t, r.rise))), way) for r, way in ((r, 1) for r in up)]
            values += [(numbers.sign(ring.add(r.level, ring.mul(t, r.rise))), -1) for r in down]
            if all(v == 1 for v, _ in values):
                return s
            if any(v is None for v, _ in values):
                return None
            low, high = (s, high) if any(v != 1 and way == 1 for v, way in values) else (low, s)
        return None

    def _shares(self, s: Fraction) -> tuple[Fraction, Fraction]:
        """(r_a, r_b) with r_a^2 + slide r_b^2 = 1, on the line of slope s through (-1, 0)."""
        assert self.shares.slide is not None
        s = s / min(ONE, self.shares.slide)  # far enough for r_a = 0
        size = self.shares.slide * s * s
        return (1 - size) / (1 + size), 2 * s / (1 + size)

    def _part(self, s: Fraction) -> Fraction:
        """t = slide r_b^2."""
        return ZERO if self.shares.slide is None else self.shares.slide * self._shares(s)[1] ** 2

    # -- the sample as a point of F -------------------------------------------------------------------------------------

    def stratum(self, s: Fraction, x: Sequence[Fraction]) -> Stratum:
        numbers, shares = self.shares.numbers, self.shares
        t = numbers.ring.constant(self._part(s))
        values = [self._at(u, t, x) for u in self.unknowns]
        factors = (ONE,) * len(shares.sizes) if shares.slide is None else self._shares(s)
        sizes = shares.sizes if shares.slide is None else shares.sizes * 2
        units, start, bent = [], 0, 0
        for part, q in zip(self.parts, self.directions, strict=True):
            kernel = part.weights.kernel(part.face)
            own = values[start : start + len(kernel)]
            start += len(kernel)
            k = [numbers.linear([b[i] for b in kernel], own) for i in range(part.face.dimension)]
            if part.bent:
                size = numbers.linear([factors[bent]], [sizes[bent]])
                bent += 1
                back = inverse(shares.point, size)
                local = [
                    numbers.ring.add(numbers.ring.mul(size, a), numbers.ring.mul(back, b))
                    for a, b in zip(q, k, strict=True)
                ]
            else:
                size, local = numbers.ring.constant(ONE), k
            local = [numbers.linear([Fraction(part.sign)], [a]) for a in local]
            u = [numbers.linear([b[i] for b in part.face.basis], local) for i in range(self.layer.size)]
            v = numbers.linear([Fraction(part.sign)], [size])
            units.append(ActiveUnit(part.face, part.sign, part.weights, local, u, v))
        bias = values[-1] if self.layer.output_bias else numbers.ring.constant(ZERO)
        active = Active(self.layer, numbers, shares.point, tuple(units), bias, False)
        return Stratum(active, self.free + (shares.slide is not None) + sum(not p.bent for p in self.parts))

    def _at(self, form: _Gap, t: Any, x: Sequence[Fraction]) -> Any:
        ring = self.shares.numbers.ring
        value = ring.add(form.level, ring.mul(t, form.rise))
        return ring.add(value, ring.constant(dot(form.coefficients, x)))


def _squares(shares: Shares, parts: Sequence[Type]) -> list[tuple[Any, Any]]:
    """V of each part, 0 for those that are not bent."""
    ring, nothing = shares.numbers.ring, shares.numbers.ring.constant(ZERO)
    if shares.slide is None:
        found = [(ring.mul(v, v), nothing) for v in shares.sizes]
    else:
        whole = ring.mul(shares.sizes[0], shares.sizes[0])
        found = [
            (whole, shares.numbers.linear([-ONE], [whole])),
            (nothing, shares.numbers.linear([1 / shares.slide], [whole])),
        ]
    left = iter(found)
    return [next(left) if t.bent else (nothing, nothing) for t in parts]


def _outputs(
    layer: Layer,
    parts: Sequence[Type],
    shares: Shares,
    directions: Sequence[Sequence[Any]],
    squares: Sequence[tuple[Any, Any]],
) -> tuple[list[_Gap], int]:
    """The unknowns (kappa of each part, the output bias last) that give the outputs, in terms of the free ones, and how many these are."""
    numbers = shares.numbers
    ring = numbers.ring
    columns = [c for t in parts for c in t.columns(t.weights.kernel(t.face))]
    fixed = None
    if layer.output_bias and layer.bias_weight:
        fixed = numbers.linear([-1 / (2 * layer.bias_weight)] * len(shares.g), shares.g)
    elif layer.output_bias:
        columns.append((ONE,) * len(layer.targets))
    right = []
    for i, (c, y) in enumerate(zip(layer.weights, layer.targets, strict=True)):
        level = numbers.linear([1 / (2 * c)], [shares.g[i]])
        level = ring.add(level, ring.constant(y))
        if fixed is not None:
            level = ring.add(level, numbers.linear([-ONE], [fixed]))
        rise = ring.constant(ZERO)
        for t, q, (a, b) in zip(parts, directions, squares, strict=True):
            minus = numbers.linear([-x for x in t.face.columns[i]], q)
            level, rise = ring.add(level, ring.mul(a, minus)), ring.add(rise, ring.mul(b, minus))
        right.append((level, rise))
    size, count = len(columns), len(layer.targets)
    rows = [(*(c[i] for c in columns), *(Fraction(int(i == k)) for k in range(count))) for i in range(count)]
    reduced = [r for r in echelon(size + count - 1, rows) if any(r[:size])]
    pivots = [next(k for k, x in enumerate(r) if x) for r in reduced]
    free = [k for k in range(size) if k not in pivots]
    out: list[_Gap] = []
    for k in range(size):
        if k in free:
            own = tuple(Fraction(int(k == f)) for f in free)
            out.append(_Gap(own, ring.constant(ZERO), ring.constant(ZERO)))
            continue
        row = reduced[pivots.index(k)]
        out.append(
            _Gap(
                tuple(-row[f] for f in free),
                numbers.linear(row[size:], [level for level, _ in right]),
                numbers.linear(row[size:], [rise for _, rise in right]),
            )
        )
    if fixed is not None:
        out.append(_Gap((ZERO,) * len(free), fixed, ring.constant(ZERO)))
    return out, len(free)


def _sum(numbers: Numbers, terms: Sequence[tuple[Fraction, _Gap]]) -> _Gap:
    scales = [c for c, _ in terms]
    return _Gap(
        tuple(dot(scales, column) for column in zip(*(g.coefficients for _, g in terms), strict=True)),
        numbers.linear(scales, [g.level for _, g in terms]),
        numbers.linear(scales, [g.rise for _, g in terms]),
    )


# -- words ----------------------------------------------------------------------------------------------------------------


def share_texts(
    layer: Layer, fan: Fan, active: Active, members: Sequence[Sequence[int]], flips: Sequence[int]
) -> tuple[list[str], list[str]]:
    """The stratum in the parameters: 2 L u_j + v_j A_j^T g = 0 along the faces (g is the same all along), the outputs, faces and signs."""
    names, numbers = layer.problem.parameters, active.numbers
    owners = [j for (j,) in members]
    out: list[str] = []
    sides: list[str] = []
    for unit, j in zip(active.units, owners, strict=True):
        face = replace(unit.face, signs=tuple(flips[j] * s for s in unit.face.signs))
        equations, inequalities = layer.face_texts(j, face, fan)
        v = names[layer.outgoing(j)]
        own = [names[k] for k in layer.incoming(j)]
        out += equations
        sides += [*inequalities, f"{v} {'>' if unit.sign > 0 else '<'} 0"]
        if not unit.weights.outgoing:
            zero = [f"{name} = 0" for name, w in zip(own, unit.weights.incoming, strict=True) if w]
            out += [e for e in zero if e not in equations]
            continue
        for b in unit.face.basis:
            form = linear(own, [2 * flips[j] * w * x for w, x in zip(unit.weights.incoming, b, strict=True)])
            height = numbers.linear([dot(row, b) for row in unit.face.rows], active.g)
            out += _critical(active, form, height, v, unit.sign)
    for i, y in enumerate(layer.targets):
        coefficients: list[Fraction] = []
        products: list[str] = []
        for unit, j in zip(active.units, owners, strict=True):
            products += [f"{names[layer.outgoing(j)]}*{names[k]}" for k in layer.incoming(j)]
            coefficients += [flips[j] * x for x in unit.face.rows[i]]
        if layer.output_bias:
            products.append(names[-1])
            coefficients.append(ONE)
        if any(coefficients):
            value = numbers.linear([1 / (2 * layer.weights[i])], [active.g[i]])
            out += equal(active, linear(products, coefficients), numbers.ring.add(value, numbers.ring.constant(y)))
    return [*dict.fromkeys(out)], [*dict.fromkeys(sides)]


def _critical(active: Active, form: str, height: Any, v: str, sign: int) -> list[str]:
    """'form + height v = 0'."""
    if isinstance(active.point, Point):
        if active.numbers.sign(height) == 0:
            return [] if form == "0" else [f"{form} = 0"]
        number = element_text(height, active.point.field)
        number = f"({number})" if number.startswith("-") else number
        return [f"{form} + {number}*{v} = 0"]
    lo, hi = _widened(height)
    lo, hi = (lo, hi) if sign > 0 else (hi, lo)
    return [f"{form} + ({text(lo)})*{v} < 0", f"{form} + ({text(hi)})*{v} > 0"]


def equal(active: Active, form: str, value: Any) -> list[str]:
    """'form = number', or where the number is known by a box only, two inequalities."""
    if isinstance(active.point, Point):
        return [f"{form} = {element_text(value, active.point.field)}"]
    lo, hi = _widened(value)
    return [f"{form} > {text(lo)}", f"{form} < {text(hi)}"]


def _widened(value: Any) -> tuple[Fraction, Fraction]:
    lo, hi = (Fraction(round(b * 2**40) + way, 2**40) for b, way in zip(bounds(value), (-1, 1), strict=True))
    return lo, hi
