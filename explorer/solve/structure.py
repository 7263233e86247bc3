"""Ridge networks by structure: dead units are smaller networks, signs are divided out, then the engine solves what is left.

Every hidden activation is an even or odd polynomial with phi(0) = 0, only the first hidden layer may have biases (weights of a
constant input, which are meant below too), and every weight carries a positive l2 weight. Then at a critical point (real or complex):

- a hidden unit with incoming weights 0 has outgoing weights 0 (their derivative is 2 lambda w), so the point is one of the
  network without that unit; a layer of such dead units makes all weights 0;
- a unit with incoming weights != 0 has a first nonzero one; write it as s and put s into every weight that changes sign with
  the unit: w_p = m_p * prod s_i. The equations divided by their s are polynomials in m and U_i = s_i^2, with as many unknowns
  and 2^(number of units) fewer solutions.

The *charts* (which incoming weight of each unit is the first nonzero one) cover all cases; all but the first have more
equations than unknowns. Every real solution with U > 0 is lifted, re-proved by Krawczyk's test on the original gradient, and
moved by all sign changes. The number of complex solutions is 1 + the sum over patterns of living units.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations, product

import flint
from flint import arb

from explorer.algebra.balls import ball, bounds
from explorer.algebra.exactify import enclose_root
from explorer.algebra.groebner import METHOD as EXACT
from explorer.algebra.groebner import quick
from explorer.algebra.krawczyk import KrawczykProof, prove_root
from explorer.algebra.msolve import find_msolve, multiplicity, propose
from explorer.algebra.parametrization import Parametrization, coprime, immediate
from explorer.algebra.solver import (
    WIDTHS,
    Dimension,
    RealRoot,
    SystemSolution,
    centres,
    isolated_twice,
    solve_zero_dimensional,
)
from explorer.algebra.systems import PolynomialSystem, polynomial
from explorer.budget import Deadline
from explorer.model.activations import pieces_of
from explorer.point import EnclosedPoint, Point
from explorer.problem import Activation, DenseNetwork, Problem
from explorer.solve.classify import Target
from explorer.solve.polynomials import Terms
from explorer.solve.residual import real_points, residual_system

METHOD = "signs and dead units divided out"
#: below this number of parameters the direct system comes first, for the sake of exact coordinates
SMALLEST = 5
SEVERAL = 3  #: unless so many hidden units divide out and leave the origin as the only real point
MAX_CALLS = 400
MANY = 250  #: with more reduced solutions over Q exact algebra takes minutes: TooMany
FEW = 20  #: up to this many solutions linear algebra over Q is faster than msolve
BITS = 320
#: enclosures of reduced solutions have width 2^-NARROW where the product of the weights gives them, to be lifted into a box of radius 2^-100
NARROW = 160
Unit = tuple[int, int]  #: (layer from 1, number from 0)


@dataclass(frozen=True)
class Units:
    """The hidden units of a network: incoming weights, and all weights that change sign with the unit."""

    layers: tuple[tuple[Unit, ...], ...]
    incoming: dict[Unit, tuple[tuple[Unit | None, int], ...]]  #: (unit that feeds it, None for an input; parameter)
    outgoing: dict[Unit, tuple[int, ...]]
    flips: dict[Unit, frozenset[int]]
    degrees: dict[Unit, int]  #: the units fed by the inputs whose activation is one odd power of that degree


@dataclass(frozen=True)
class Chart:
    """The points where exactly the units ``living`` live and the parameters ``pivots`` are their first nonzero incoming weights: the
    parameters ``zero`` vanish there, those ``dead`` with them, and ``system`` in the unknowns U_i and m_p is left."""

    living: tuple[Unit, ...]
    pivots: dict[int, Unit]
    dead: set[int]
    zero: set[int]
    first: bool  #: every first weight is a pivot: as many equations as unknowns
    system: PolynomialSystem

    @property
    def squares(self) -> list[int]:
        """The numbers of the unknowns U_i."""
        return [self.system.names.index(_name(u)) for u in self.living]


@dataclass
class Tally:
    """Roots found so far, and the number of complex solutions."""

    roots: list[RealRoot]
    count: int
    calls: int = 0
    modular: bool = False  #: whether a count rests on modular lifting
    notes: list[str] = field(default_factory=list)  #: what was left out for lack of time


class Unstructured(Exception):
    """This way does not lead to a complete answer; the caller solves the system directly."""


def applies(problem: Problem) -> bool:
    net = problem.network
    if not isinstance(net, DenseNetwork) or problem.regularizer is None or net.depth < 2:
        return False
    return (
        problem.regularizer.kind == "l2"
        and all(w > 0 for w in problem.regularizer.weights)
        and not any(net.bias[1:])
        and net.output.kind == "linear"
        and all(_parity(a) is not None for a in net.activations)
    )


def by_structure(t: Target, deadline: Deadline) -> SystemSolution | None:
    """All critical points, or None where the structure does not settle it (infinitely many solutions, undecided signs). Small
    systems are solved as they are, for the sake of exact coordinates.

    `TooMany` where a reduced system has more than `MANY` solutions.
    """
    if not applies(t.problem):
        return None
    net = t.problem.network
    assert isinstance(net, DenseNetwork)
    units, small = hidden_units(net), net.parameter_count < SMALLEST
    first = (
        small and len(units.incoming) < SEVERAL
    )  # with more units the reduced system is so much smaller that it is asked first
    if first and (direct := _directly(t, deadline)) is not None:
        return direct
    origin = Point.rational([0] * net.parameter_count)
    if not t.gradient.vanishes_at(origin):
        return None
    found = t.hessian_inertia(origin)
    flat = tuple((Fraction(0), Fraction(0)) for _ in origin.coordinates)
    tally = Tally([RealRoot(origin, "exact", found is None or found.zero > 0, flat)], 1)
    try:
        for living in patterns(units):
            _pattern(t, units, living, tally, deadline)
    except Unstructured:
        return None
    if small and not first and len(tally.roots) > 1 and (direct := _directly(t, deadline)) is not None:
        return direct
    return SystemSolution(
        t.gradient,
        Dimension.FINITE,
        tuple(sorted(tally.roots, key=lambda r: centres(r.enclosure, 1_000_000))),
        tally.count,
        None,
        "modular" if tally.modular else "exact",
        "; ".join(dict.fromkeys([METHOD, "msolve" if tally.modular else EXACT, *tally.notes])),
        True,
    )


def _directly(t: Target, deadline: Deadline) -> SystemSolution | None:
    """The gradient system itself by exact algebra where that is quick: its points may have exact coordinates."""
    found = quick(t.gradient)
    return None if found is None else solve_zero_dimensional(t.gradient, deadline, proposal=found)


def _parity(activation: object) -> int | None:
    """1 for odd, 0 for even polynomials without constant term, else None."""
    p = pieces_of(activation)  # type: ignore[arg-type]
    if p is None or p.breaks:
        return None
    degrees = {k % 2 for k, c in enumerate(p.polynomials[0]) if c}
    if p.polynomials[0] and p.polynomials[0][0]:
        return None
    return degrees.pop() if len(degrees) == 1 else None


def _odd_power(activation: Activation) -> int:
    """k for an activation c z^k with odd k, else 0."""
    p = pieces_of(activation)
    powers = [] if p is None or p.breaks else [k for k, c in enumerate(p.polynomials[0]) if c]
    return powers[0] if len(powers) == 1 and powers[0] % 2 else 0


def hidden_units(net: DenseNetwork) -> Units:
    starts, at = [], 0
    for cols, rows in zip(net.widths[:-1], net.widths[1:], strict=True):
        starts.append(at)
        at += rows * (cols + (net.bias[0] and len(starts) == 1))
    layers, incoming, outgoing, flips = [], {}, {}, {}
    degrees = dict.fromkeys(((1, i) for i in range(net.widths[1])), _odd_power(net.activations[0]))
    for layer in range(1, net.depth):
        cols, rows, beyond = net.widths[layer - 1], net.widths[layer], net.widths[layer + 1]
        row = tuple((layer, i) for i in range(rows))
        layers.append(row)
        for unit in row:
            i = unit[1]
            incoming[unit] = tuple(
                (None if layer == 1 else (layer - 1, j), starts[layer - 1] + i * cols + j) for j in range(cols)
            )
            if layer == 1 and net.bias[0]:
                incoming[unit] += ((None, rows * cols + i),)
            outgoing[unit] = tuple(starts[layer] + k * rows + i for k in range(beyond))
            odd = _parity(net.activations[layer - 1]) == 1
            flips[unit] = frozenset([p for _, p in incoming[unit]] + (list(outgoing[unit]) if odd else []))
    return Units(tuple(layers), incoming, outgoing, flips, {u: k for u, k in degrees.items() if k})


def patterns(units: Units) -> Iterator[tuple[Unit, ...]]:
    """All sets of living units with at least one in every layer."""
    choices = [[c for k in range(1, len(layer) + 1) for c in combinations(layer, k)] for layer in units.layers]
    for picked in product(*choices):
        yield tuple(u for row in picked for u in row)


# -- one pattern of living units -----------------------------------------------------------------------------------


def charts(t: Target, units: Units, living: tuple[Unit, ...]) -> Iterator[Chart]:
    """All charts of one pattern; `Unstructured` where the equations cannot be divided."""
    dead = {
        p for u in units.incoming if u not in living for p in (*units.outgoing[u], *(q for _, q in units.incoming[u]))
    }
    feeds = {u: [p for v, p in units.incoming[u] if v is None or v in living] for u in living}
    for chart in product(*(range(len(feeds[u])) for u in living)):
        pivots = {feeds[u][c]: u for u, c in zip(living, chart, strict=True)}
        zero = dead | {p for u, c in zip(living, chart, strict=True) for p in feeds[u][:c]}
        _, system = _reduced(t, units, living, pivots, zero, dead)
        yield Chart(living, pivots, dead, zero, not any(chart), system)


def _pattern(t: Target, units: Units, living: tuple[Unit, ...], tally: Tally, deadline: Deadline) -> None:
    for chart in charts(t, units, living):
        if chart.first and _by_residual(t, units, chart, tally, deadline):
            continue
        found = _parametrised(chart.system, tally, deadline)
        if found is None:
            continue
        w, squares = found.eliminating, chart.squares
        # U = 0 belongs to other patterns: no solution may have it, or the count would be wrong
        if not all(coprime(found.numerators[k], w) for k in squares):
            raise Unstructured
        tally.count += 2 ** len(living) * int(w.degree())
        intervals, agree = isolated_twice(w, deadline, tally.notes)
        if not agree:
            raise Unstructured
        for interval in intervals:
            deadline.check("lifting solutions without signs")
            for bits in WIDTHS:
                near = enclose_root(found, w, interval, bits=bits)
                if near is None or any(near[k][0] <= 0 <= near[k][1] for k in squares):
                    continue
                if not all(near[k][0] > 0 for k in squares):
                    break
                lifted = _lifted(t, units, chart, dict(zip(chart.system.names, near, strict=True)))
                if lifted is not None:
                    tally.roots += lifted
                    break
            else:
                raise Unstructured


def _by_residual(t: Target, units: Units, chart: Chart, tally: Tally, deadline: Deadline) -> bool:
    """Whether the solutions in a first chart came from the shorter system in the gradient by the product of the weights: one of
    its solutions for each that the chart's has modulo a prime."""
    living, system = chart.living, chart.system
    # a single unit has as few unknowns in its weights
    other = residual_system(t.problem, [number for _, number in living]) if len(living) > 1 else None
    binary = None if other is None or quick(system, largest=FEW) is not None else find_msolve()
    if other is None or binary is None:
        return False
    count = multiplicity(system, binary, deadline)
    if count is None or count > MANY:
        return False
    points = real_points(other, count, binary, deadline, tally.notes, bits=NARROW)
    if points is None:
        return False
    found: list[RealRoot] = []
    for point in points:
        if any(low <= 0 <= high for (low, high), *_ in point):
            return False
        if all(low > 0 for (low, _), *_ in point):
            ends = {_name(u): row[0] for u, row in zip(living, point, strict=True)}
            for u, (_, *rest) in zip(living, point, strict=True):
                places = [p for _, p in units.incoming[u][1:]] + list(units.outgoing[u])
                ends |= {f"m{p}": x for p, x in zip(places, rest, strict=True)}
            lifted = _lifted(t, units, chart, ends)
            if lifted is None:
                raise Unstructured
            found += lifted
    tally.modular = True
    tally.notes.append(
        "units by the gradient by the product of the weights, as many solutions as the weights have modulo a prime"
    )
    tally.count += 2 ** len(living) * count
    tally.roots += found
    return True


def _parametrised(system: PolynomialSystem, tally: Tally, deadline: Deadline) -> Parametrization | None:
    """All complex solutions, each of them simple; None if there is none."""
    deadline.check("solving systems without signs and dead units")
    tally.calls += 1
    if tally.calls > MAX_CALLS:
        raise Unstructured
    proposal = immediate(system) or quick(system, largest=FEW)
    if proposal is None:
        if (binary := find_msolve()) is None:
            raise Unstructured
        proposal = propose(system, binary, deadline, largest=MANY)
        tally.modular = True
    if proposal.dimension is Dimension.EMPTY and not proposal.reason:
        return None
    found = proposal.parametrization
    if found is None or proposal.reason or found.eliminating.degree() != proposal.multiplicity:
        raise Unstructured
    if not coprime(found.denominator, found.eliminating):
        raise Unstructured
    return found


def _name(u: Unit) -> str:
    return f"U{u[0]}_{u[1]}"


def _reduced(
    t: Target, units: Units, living: Sequence[Unit], pivots: dict[int, Unit], zero: set[int], dead: set[int]
) -> tuple[tuple[str, ...], PolynomialSystem]:
    """The equations dF/dw_p / prod s_i in the unknowns m_p and U_i; pivots have m = 1, weights in ``zero`` are 0."""
    free = [p for p in reversed(range(len(t.loss.names))) if p not in zero and p not in pivots]
    # msolve parametrises by the last unknown: with a weight there its integers are half as long as with a square
    names = (*(_name(u) for u in living), *(f"m{p}" for p in free))

    def divided(terms: Terms, by: Mapping[Unit, int]) -> Terms:
        out: dict[tuple[int, ...], Fraction] = {}
        for e, c in terms.items():
            if any(e[q] for q in zero):
                continue
            powers = [sum(e[q] for q in units.flips[u]) - by.get(u, 0) for u in living]
            if any(k < 0 or k % 2 for k in powers):
                raise Unstructured
            key = (*(k // 2 for k in powers), *(e[q] for q in free))
            out[key] = out.get(key, Fraction(0)) + c
        return {e: c for e, c in out.items() if c}

    equations: list[Terms] = []
    for p, terms in enumerate(t.loss.gradient):
        if p in dead:
            continue
        u = pivots.get(p)
        if u in units.degrees:
            equations.append(divided(_balance(t.loss.terms, units, u), {u: 2}))
        else:
            equations.append(divided(terms, {v: 1 for v in living if p in units.flips[v]}))
    return names, PolynomialSystem(names, tuple(polynomial(e) for e in equations if e))


def _balance(loss: Terms, units: Units, u: Unit) -> Terms:
    """(sum of w_p d/dw_p over the incoming weights - degree * the same over the outgoing ones) F: only ridge terms are left.

    Divided by U of the unit it is the equation of its pivot (which is 1) plus multiples of the unit's other equations, so it
    may stand in its place: degree 2 instead of 4.
    """
    into, degree = [p for _, p in units.incoming[u]], units.degrees[u]
    out = {e: c * (sum(e[p] for p in into) - degree * sum(e[p] for p in units.outgoing[u])) for e, c in loss.items()}
    return {e: c for e, c in out.items() if c}


def _lifted(t: Target, units: Units, chart: Chart, ends: dict[str, tuple[Fraction, Fraction]]) -> list[RealRoot] | None:
    """The 2^units original points over one reduced solution, the first by Krawczyk's test, the others by symmetry; None where the
    enclosure is not proved to hold a root."""
    with flint.ctx.workprec(BITS):
        s = {u: ball(*ends[_name(u)]).sqrt() for u in chart.living}
        enclosures = []
        for p in range(len(t.loss.names)):
            if p in chart.zero:
                enclosures.append((Fraction(0), Fraction(0)))
                continue
            w = arb(1) if p in chart.pivots else ball(*ends[f"m{p}"])
            for u in chart.living:
                if p in units.flips[u]:
                    w *= s[u]
            enclosures.append(bounds(w))
    proof = prove_root(t.gradient, [(a + b) / 2 for a, b in enclosures])
    if not isinstance(proof, KrawczykProof):
        return None
    lower, upper = proof.point.lower, proof.point.upper
    if not all(lo < a and b < hi for lo, (a, b), hi in zip(lower, enclosures, upper, strict=True)):
        return None
    return signed_copies(proof, [units.flips[u] for u in chart.living])


def signed_copies(proof: KrawczykProof, flips: Sequence[frozenset[int]]) -> list[RealRoot]:
    """The 2^n roots that sign changes make of a proved one; each element of ``flips`` is a set of parameters."""
    lower, upper = proof.point.lower, proof.point.upper
    sides = [((a, b), (-b, -a)) for a, b in zip(lower, upper, strict=True)]
    out = []
    for signs in product((1, -1), repeat=len(flips)):
        sign = [1] * len(lower)
        for flip, e in zip(flips, signs, strict=True):
            for p in flip:
                sign[p] *= e
        enclosure = tuple(side[e < 0] for side, e in zip(sides, sign, strict=True))
        box = EnclosedPoint(tuple(a for a, _ in enclosure), tuple(b for _, b in enclosure))
        out.append(RealRoot(box, "krawczyk", False, enclosure))
    return out
