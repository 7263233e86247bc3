"""Losses with one parameter that are not polynomials piece by piece: all critical points on the line, kinks included.

F(w) = sum_i c_i l(psi(w x_i), y_i) + lambda |w|^p, any activation, squared or logistic loss, any p. Cuts: w = b/x_i for the breaks b of psi,
and 0. Between two cuts F is analytic; F' and F'' are enclosed there by balls, with the formulas that hold between these cuts also at the
cuts. *No zero missed:* an interval is dropped when F' or its mean value form excludes 0; where F'' excludes 0, F' is monotone, and its
signs at the ends say whether there is a zero, one, which is then narrowed by bisection. What resists is reported. *Cuts:* the one-sided
derivatives; w is critical in the sense of Clarke iff 0 lies between them; F on either side is decided by the sign of F' or, where that is
0, of F''. Whether F' is 0 at w = 0 is decided exactly where psi(0), psi'(0) are in Q + Q tau with tau one irrational number (ln 2 for
softplus, 1/sqrt pi for erf; both irrational). *Far out:* a box, or `tails.tail`: beyond some W the sign of F' is known. If F rises outward
on both sides its minimum is attained; if it falls to a limit, the infimum is that limit unless a critical value is below.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction
from itertools import pairwise

import flint

from explorer.algebra.balls import ball, sign_of
from explorer.budget import Deadline
from explorer.errors import Unsupported
from explorer.exact import text
from explorer.model.kinds import is_piecewise_polynomial
from explorer.point import AnyPoint, EnclosedPoint, Inertia, Point
from explorer.problem import DenseNetwork, Problem
from explorer.solve import bounds
from explorer.solve.boxes.balls import prove_critical, rounded
from explorer.solve.growth import growth_radius
from explorer.solve.one_weight.limits import settle_with_limits
from explorer.solve.one_weight.tails import Tail, tail
from explorer.solve.one_weight.terms import FINER, ONE, PRECISION, ZERO, Line, blind_part, slope_at_zero, value_on_line
from explorer.solve.one_weight.zeros import narrowed, zeros
from explorer.solve.radius import radius
from explorer.solve.results import Component, Coverage, CriticalSet, Kind, Trust, Value
from explorer.solve.values import settle_globals

METHOD = "intervals on the line"
COARSE, NARROW = Fraction(1, 2**20), Fraction(1, 2**80)


def applies(problem: Problem) -> bool:
    """One weight, and a loss that is not piecewise polynomial."""
    net = problem.network
    return (
        isinstance(net, DenseNetwork)
        and net.parameter_count == 1
        and not is_piecewise_polynomial(problem)[0]
        and (problem.regularizer is None or problem.regularizer.kind in ("l2", "power"))
    )


def has_kinks(problem: Problem) -> bool:
    """Whether F is perhaps not twice differentiable somewhere."""
    return bool(Line.of(problem).kinks)


def by_line(problem: Problem, deadline: Deadline, box: EnclosedPoint | None = None) -> CriticalSet:
    """The critical set of a problem with one parameter, on the line or in the box."""
    line = Line.of(problem)
    tails: list[Tail] = []
    if not line.samples and box is None:
        return _blind(problem, line)
    if box is None:
        tails = tails_of(problem, line)
        low, high = -tails[0].start, tails[1].start
    else:
        low, high = box.lower[0], box.upper[0]
        if not line.samples or {low, high} & (line.kinks | {ZERO}):
            raise Unsupported(
                "a box on the line",
                expected="inputs that are not 0, and ends that are no kinks and not 0",
                got="others",
            )
    kinks = {k for k in line.kinks if low < k < high}
    if box is None and any(not low < k < high for k in line.kinks):
        low, high = min(low, *line.kinks) - 1, max(high, *line.kinks) + 1
        kinks = line.kinks
    cuts = sorted(kinks | ({ZERO} if low < 0 < high else set()))
    search = _Search(problem, line, deadline)
    ends = [low, *cuts, high]
    for a, b in pairwise(ends):
        search.cell(a, b, first=a == low, last=b == high, bounded=box is not None)
    for k in cuts:
        search.cut(k, smooth=k not in kinks)
    return _assembled(problem, search, tails, box, (low, high))


def tails_of(problem: Problem, line: Line) -> list[Tail]:
    """Both ends of the line; with a regularizer the a-priori radius serves as well: F -> infinity, without critical points beyond."""
    try:
        return [tail(line.samples, line.weight, line.exponent, s) for s in (-1, 1)]
    except Unsupported as why:
        for bound in (radius, growth_radius):
            with suppress(Unsupported):
                return [Tail(bound(problem).bounds[0], 1, None)] * 2
        raise why


def limits_of(problem: Problem, tails: Sequence[Tail]) -> list[Value]:
    """The limits to which F falls far out."""
    with flint.ctx.workprec(FINER[0]):
        return [rounded(t.limit + blind_part(problem)) for t in tails if t.way < 0 and t.limit is not None]


def _blind(problem: Problem, line: Line) -> CriticalSet:
    """No sample moves: F is a constant plus lambda |w|^p."""
    search = _Search(problem, line, Deadline(None))
    p = line.exponent
    if not line.weight:
        search._family(None, None, ZERO)
        why = "F does not depend on its parameter: all inputs are 0, or labels of the logistic loss"
    else:
        found = None if p == 1 else Inertia(int(p == 2), int(p > 2), 0)
        why = (
            f"all inputs are 0, or labels of the logistic loss, and F is a constant plus a positive multiple of |w|^{p}"
        )
        search._add(Point.rational([0]), Kind.STRICT_MINIMUM, found, why, isolated=p > 1, kink=p == 1)
    settled, best, because = settle_globals(
        search.components, floor=None, floor_because="", coercive=why, complete=True
    )
    return CriticalSet(problem, settled, Coverage(True, METHOD, Trust.COMPUTED, why), best, because)


class _Search:
    def __init__(self, problem: Problem, line: Line, deadline: Deadline) -> None:
        self.problem, self.line, self.deadline = problem, line, deadline
        self.components: list[Component] = []
        self.doubts: list[str] = []
        self.flats: dict[tuple[int, Fraction], Value] = {}  # values of intervals on this side of a cut

    # -- between cuts ------------------------------------------------------------------------------------------------

    def cell(self, a: Fraction, b: Fraction, *, first: bool, last: bool, bounded: bool) -> None:
        """All zeros of F' strictly between a and b."""
        inside = (a + b) / 2
        if self.line.flat(inside):
            self._family(a if bounded or not first else None, b if bounded or not last else None, inside)
            self.flats[1, a] = self.flats[-1, b] = self.components[-1].value
            return
        if self.line.silent(inside):  # a constant plus lambda |w|^p, on one side of 0
            return
        found = zeros(lambda w: self.line.derivatives(w, inside), lambda w: self.slope(w, inside), a, b, self.deadline)
        for lo, hi, rising in found.found:
            self._root(lo, hi, inside, rising)
        self.doubts += [f"whether F' vanishes at w = {text(v)} is not decided" for v in found.unsure]
        if found.left is not None:
            lo, hi = found.left
            self.doubts.append(
                f"a zero of F' between {text(_short(lo))} and {text(_short(hi))} is perhaps a multiple one, and is not decided"
            )

    def slope(self, w: Fraction, inside: Fraction) -> int | None:
        """The sign of F' at w by the formulas around ``inside``; None: not decided."""
        if self.line.flat(inside):
            return 0
        if w == 0 and (found := slope_at_zero(self.line, 1 if inside > 0 else -1)) is not None:
            return found
        for bits in (PRECISION, *FINER):
            with flint.ctx.workprec(bits):
                if s := sign_of(self.line.derivatives(ball(w), inside)[0]):
                    return s
        return None

    def _root(self, lo: Fraction, hi: Fraction, inside: Fraction, rising: int) -> None:
        """The only zero between lo and hi, where F' has opposite signs: in a box of Krawczyk's test, or by bisection alone."""
        outer = lo, hi
        lo, hi = narrowed(lambda w: self.slope(w, inside), lo, hi, rising, COARSE)
        at = None
        with suppress(Unsupported):  # elu, whose breaks Krawczyk's test does not know
            at = prove_critical(self.problem, [(lo + hi) / 2])
        if at is None or not (outer[0] < at.lower[0] and at.upper[0] < outer[1]):
            lo, hi = narrowed(lambda w: self.slope(w, inside), lo, hi, rising, NARROW)
            at = EnclosedPoint((lo,), (hi,))
        kind = Kind.STRICT_MINIMUM if rising > 0 else Kind.STRICT_MAXIMUM
        self._add(
            at,
            kind,
            Inertia(int(rising > 0), 0, int(rising < 0)),
            f"the second derivative is {'positive' if rising > 0 else 'negative'}",
            isolated=True,
        )

    # -- cuts ----------------------------------------------------------------------------------------------------------

    def cut(self, k: Fraction, *, smooth: bool) -> None:
        """Whether k is critical in the sense of Clarke, and what F does on both sides of it."""
        near = min([ONE, *(abs(c - k) for c in self.line.kinks | {ZERO} if c != k)]) / 2
        slopes = {s: self.slope(k, k + s * near) for s in (-1, 1)}
        if None in slopes.values():
            self.doubts.append(f"whether F' vanishes at w = {text(k)} is not decided")
            return
        left, right = slopes[-1], slopes[1]
        assert left is not None
        assert right is not None
        if left * right > 0:
            return
        rise, bends = {}, {}
        for s, slope in ((-1, left), (1, right)):
            inside = k + s * near
            with flint.ctx.workprec(FINER[0]):
                bends[s] = sign_of(self.line.derivatives(ball(k), inside)[1])
            flat = self.line.flat(inside)
            if flat or not self.line.silent(inside):
                rise[s] = s * slope if slope else 0 if flat else bends[s] or None
            else:  # a constant plus lambda |w|^p: F' can vanish at 0 only
                rise[s] = s * slope if slope else 1
        words = f"{_WORDS[rise[-1]]} to the left and {_WORDS[rise[1]]} to the right"
        kind = Kind.UNDECIDED
        if None not in rise.values():
            ways = {rise[-1], rise[1]}
            if ways == {1, -1}:
                kind = Kind.SADDLE
            elif -1 not in ways:
                kind = Kind.STRICT_MINIMUM if 0 not in ways else Kind.MINIMUM
            else:
                kind = Kind.STRICT_MAXIMUM if 0 not in ways else Kind.MAXIMUM
        regular = smooth and bends[-1] == bends[1] != 0
        found = Inertia(int(bends[1] > 0), 0, int(bends[1] < 0)) if regular else None
        self._add(
            Point.rational([k]),
            kind,
            found,
            f"F {words}"
            if found is None
            else f"F' = 0, and the second derivative is {'positive' if found.positive else 'negative'}",
            isolated=smooth and not {0, None} & set(rise.values()),
            kink=not smooth,
            value=next((self.flats[s, k] for s in (-1, 1) if rise[s] == 0), None),
        )

    # -- components ----------------------------------------------------------------------------------------------------

    def _add(
        self,
        at: AnyPoint,
        kind: Kind,
        found: Inertia | None,
        why: str,
        *,
        isolated: bool,
        kink: bool = False,
        value: Value | None = None,
    ) -> None:
        self.components.append(
            Component(
                dimension=0,
                sample=at,
                value=value or value_on_line(self.problem, at),
                inertia=found,
                kind=kind,
                is_global=None,
                because=why,
                orbit=1 if isolated else None,
                points=(at,),
                isolated=isolated,
                description="a kink (critical in the sense of Clarke)" if kink else "an isolated point",
            )
        )

    def _family(self, a: Fraction | None, b: Fraction | None, inside: Fraction) -> None:
        name = self.problem.parameters[0]
        sides = [f"{name} > {text(a)}"] if a is not None else []
        sides += [f"{name} < {text(b)}"] if b is not None else []
        at = Point.rational([inside])
        self.components.append(
            Component(
                dimension=1,
                sample=at,
                value=value_on_line(self.problem, at),
                inertia=Inertia(0, 1, 0),
                kind=Kind.MINIMUM,
                is_global=None,
                because="F is constant near every one of these points",
                equations=tuple(sides),
                description="an interval on which F is constant",
            )
        )


_WORDS = {1: "rises", -1: "falls", 0: "is constant", None: "has vanishing first and second derivatives"}


def _short(x: Fraction) -> Fraction:
    return Fraction(round(x * 2**30), 2**30)


# -- putting it together -----------------------------------------------------------------------------------------------


def _audit(components: Sequence[Component], tails: Sequence[Tail]) -> str:
    """Minima and maxima alternate, so the signs of F' far out tell their difference; silent where F is constant somewhere."""
    if not tails or any(c.dimension or c.kind is Kind.UNDECIDED for c in components):
        return ""
    found = sum(c.kind.is_minimum - c.kind.is_maximum for c in components)
    due = sum(t.way for t in tails)
    if 2 * found == due:
        return ""
    return f"the audit failed: {found} more minima than maxima, which contradicts the signs of F' far out"


def _assembled(
    problem: Problem, search: _Search, tails: Sequence[Tail], box: EnclosedPoint | None, ends: tuple[Fraction, Fraction]
) -> CriticalSet:
    if wrong := _audit(search.components, tails):
        search.doubts.append(wrong)
    complete = not search.doubts
    settled, best, because = settle_with_limits(
        search.components,
        limits_of(problem, tails),
        floor_because=bounds.nonnegative(problem),
        complete=complete,
        rising="F rises outward beyond the listed points, or falls to limits above the smallest of their values"
        if box is None
        else "",
        going="the weight goes to infinity",
    )
    shown = f"[{text(ends[0])}, {text(ends[1])}]"
    place = (
        f"in the box {shown} only" if box is not None else f"everywhere: outside {shown} F' has one sign on either side"
    )
    reason = "; ".join(search.doubts) or (
        f"F' has no other zero between kinks and 0 (intervals in ball arithmetic), one-sided derivatives there; complete {place}"
    )
    return CriticalSet(
        problem,
        tuple(sorted(settled, key=lambda c: (-c.dimension, c.value.lower, str(c.sample)))),
        Coverage(complete, METHOD, Trust.COMPUTED, reason, "" if box is None else shown),
        best,
        because,
    )
