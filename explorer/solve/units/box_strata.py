"""Critical sets of several units with one incoming weight each and no regularizer, in a box: strata of equal and switched-off units split off.

Such networks have families of critical points everywhere (units that are equal, units that are switched off, exact fits), so branch and
prune on the gradient never ends. But every critical point lies over an *effective network*: its different incoming weights u_g with output weights that
add up to V_g != 0 (for an odd activation u and -u are one). With the residual r and psi(u) = sum_i c_i r_i phi(u x_i):

1. r = 0 on the set of exact fits: F = 0. With fewer samples than parameters it is listed as one family, by a point that is proved on it, or proved to miss the box.
2. r != 0: psi vanishes doubly at each u_g, and in a zero of psi at each other unit, whose output weights add up to 0. All effective networks are found by
   `effective_search` (no bound on V), all zeros of psi in the interval of incoming weights here, and the units of each point are distributed over them by `duplicates`.
   If all zeros of psi but the u_g are simple (and those exactly double) the others have output weight 0 each: v_j psi'(u_j) = 0.

What does not go through is a doubt, and then the list is not called complete. For doubts there is no box of parameters: they may reach through the whole box.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import flint
from flint import arb

from explorer.algebra.balls import ball, sign_of, to_fmpq
from explorer.budget import Deadline
from explorer.errors import BudgetExceeded, Unsupported
from explorer.exact import text
from explorer.model.jets import Where
from explorer.point import AnyPoint, EnclosedPoint
from explorer.problem import DenseNetwork, Problem
from explorer.solve import bounds as whole
from explorer.solve.boxes.balls import BallRing, prove_critical, value_at
from explorer.solve.boxes.points import Certified
from explorer.solve.merged import merged, restored
from explorer.solve.results import Component, Coverage, CriticalSet, Trust, Value
from explorer.solve.units.confluent import ANALYTIC, Interval
from explorer.solve.units.duplicates import assembled, idle
from explorer.solve.units.effective import Effective, narrowed, targets
from explorer.solve.units.effective_minors import APART, FAR, both
from explorer.solve.units.effective_search import PRECISION, effective_places
from explorer.solve.units.exact_fits import fits, is_fit
from explorer.solve.units.shares import AT_ZERO, Coordinate
from explorer.solve.values import settle_globals

METHOD = "effective networks in a box"
BITS = 256
FINEST = 40  #: intervals of a 2^FINEST-th of the whole in which a zero of psi is neither proved nor excluded
MOST_INTERVALS = 20_000
SHARPER = 24  #: halvings of an interval that holds one zero


def applies(problem: Problem) -> str:
    """Why this method is not for the problem, or the empty string."""
    net, data, loss = problem.network, problem.data, problem.loss
    if not isinstance(net, DenseNetwork) or data is None or loss is None or problem.regularizer is not None:
        return "a regularizer, or no network"
    if loss.kind != "squared" or net.depth != 2 or net.widths[0] != 1 or net.widths[2] != 1 or net.widths[1] < 2:
        return "not several units with one incoming weight and one output"
    if any(net.bias) or net.output.kind != "linear" or net.activations[0].kind not in ANALYTIC:
        return "biases, or not an analytic activation"
    if not any(row[0] for row in data.targets):
        return "all targets are 0"
    return ""


def by_strata(problem: Problem, deadline: Deadline, box: EnclosedPoint) -> CriticalSet:
    """All critical points in the box as strata over effective networks; `Unsupported` where that is not the problem's class."""
    if why := applies(problem):
        raise Unsupported("strata", expected="several analytic units without bias and regularizer", got=why)
    if (smaller := merged(problem)) is not None and not applies(smaller[0]):
        return restored(problem, by_strata(smaller[0], deadline, box), smaller[1])
    search = _Search(problem, deadline, box)
    try:
        search.run()
    except BudgetExceeded as stopped:
        search.doubts.append(stopped.sentence())
    return search.assembled()


class _Search:
    def __init__(self, problem: Problem, deadline: Deadline, box: EnclosedPoint) -> None:
        net, data = problem.network, problem.data
        assert isinstance(net, DenseNetwork)
        assert data is not None
        self.problem, self.deadline, self.box, self.width = problem, deadline, box, net.widths[1]
        self.plain, self.halved = both(problem)
        self.odd = self.halved is not None
        self.samples = len(data)
        low, high = min(box.lower[: self.width]), max(box.upper[: self.width])
        self.inside: Interval = (Fraction(0), max(-low, high)) if self.odd else (low, high)
        self.components: list[Component] = []
        self.doubts: list[str] = []
        self.boxes = 0

    def run(self) -> None:
        self._strata(idle(self.problem))
        for n in range(1, self.width + 1):
            places = effective_places(self.problem, n, self.inside, self.deadline)
            self.boxes += places.boxes
            self.doubts += places.doubts
            for p in places.found:
                self._place(places.problem, p, n)
            if self.samples <= n + 1 and not places.found and not places.doubts:
                break  # more units would hold n units that share a residual
        if (
            2 * self.width > self.samples
        ):  # as many samples as parameters: exact fits are isolated, and found as effective networks
            found, doubt = fits(self.problem, self.box, self.deadline)
            self.components += found
            self.doubts += [doubt] if doubt else []

    def _place(self, narrow: Problem, p: Certified, n: int) -> None:
        """An effective network, or a switched-off unit that Newton's method came upon."""
        at, value = p.narrow, value_at(narrow, p.narrow)
        with flint.ctx.workprec(BITS):
            u = [ball(*b) for b in zip(at.lower[:n], at.upper[:n], strict=True)]
            v = [ball(*b) for b in zip(at.lower[n:], at.upper[n:], strict=True)]
            _, c = targets(narrow)
            weights = tuple(ball(a) * r for a, r in zip(c, self._residuals(u, v), strict=True))
            slopes = [self._psi(weights, g, 1) for g in u]
            off = [w.contains(0) for w in v]
            if any(o and sign_of(s) for o, s in zip(off, slopes, strict=True)):
                return  # V psi' = 0 and psi' != 0: V = 0
            if any(off):
                self.doubts.append("a unit with output weight 0 sits at a double zero of psi, or nearly so")
                return
            if all(w.contains(0) for w in weights):
                if not is_fit(narrow, p.wide):
                    self.doubts.append("whether the residual vanishes at a critical point is not decided")
                    return
                if n < self.width:  # the set of exact fits is listed on its own
                    return
                value = Value.rational(Fraction(0))
            curvature = tuple(sign_of(self._psi(weights, g, 2)) for g in u)
        self._strata(Effective(at, value, weights, None, tuple(u), curvature, p.inertia))

    def _residuals(self, u: Sequence[arb], v: Sequence[arb]) -> list[arb]:
        y, _ = targets(self.problem)
        outputs = [[self._phi(g, i)[0] for i in range(self.samples)] for g in u]
        return [sum((a * o[i] for a, o in zip(v, outputs, strict=True)), arb(0)) - ball(t) for i, t in enumerate(y)]

    def _phi(self, u: arb, i: int) -> list[arb]:
        """phi, phi', phi'' at u x_i, times 1, x_i, x_i^2."""
        x = ball(self.plain.inputs[i])
        found = BallRing().derivatives(self.plain.activation, u * x, 2, Where("psi"))
        return [d * x**k for k, d in enumerate(found) if d is not None]

    def _psi(self, weights: Sequence[arb], u: arb, order: int) -> arb:
        return sum((w * self._phi(u, i)[order] for i, w in enumerate(weights)), arb(0))

    def _strata(self, e: Effective) -> None:
        if e.inertia is None or e.inertia.zero:
            self.doubts.append(f"the Hessian of a critical point with {e.units} effective units is singular")
            return
        off = self._off(e) if self.width > e.units else []
        if off is None:
            return
        found, doubts = assembled(self.problem, e, off, self.width, self.deadline, odd=self.odd, box=self.box)
        self.components += found
        self.doubts += doubts

    # -- zeros of psi ---------------------------------------------------------------------------------------------------

    def _off(self, e: Effective) -> list[Coordinate] | None:
        """The simple zeros of psi in the interval other than the effective units (and 0 for odd activations); None: doubts."""
        places = [] if e.point is None else _units_of(e.point, e.units)
        weights = e.weights if e.exact_weights is None else [arb(to_fmpq(w)) for w in e.exact_weights]
        if self.odd:  # psi'(0) is the value at the node 0
            with flint.ctx.workprec(PRECISION):
                if not sign_of(self._deflated(places, weights, (Fraction(0), Fraction(0)))[0]):
                    self.doubts.append(
                        "psi'(0) = 0 or not known: units at w = 0 with any output weight are not decomposed"
                    )
                    return None
        roots = self._zeros(places, weights)
        if roots is None:
            self.doubts.append(
                "a zero of psi is not simple, or is too near an effective unit or an end of the interval"
            )
            return None
        out = [AT_ZERO] if self.odd else []
        for low, high in roots:
            coordinate = self._off_unit(e, low, high)
            if coordinate is None:
                self.doubts.append("a switched-off unit could not be enclosed")
                return None
            out.append(coordinate)
        return out

    def _deflated(self, places: Sequence[Interval], weights: Sequence[arb], t: Interval) -> tuple[arb, arb, Interval]:
        """psi over the interval t of incoming weights, divided by the squares of the nodes' differences to those units that are near (for odd activations near 0: and
        by u); its derivative in the node there, and the node. All divisors are positive, but where t is such a unit, or 0."""
        units = self.halved if self.halved is not None and t[0] < FAR else self.plain
        near = [p for p in places if p[0] - t[1] < APART and t[0] - p[1] < APART]
        nodes = [units.node(p) for p in (*near, t)]
        tables = units.differences(nodes)
        both = [
            sum((w * table.at((*(2 for _ in near), k)) for w, table in zip(weights, tables, strict=True)), arb(0))
            for k in (1, 2)
        ]
        return both[0], both[1], nodes[-1]

    def _zeros(self, places: Sequence[Interval], weights: Sequence[arb]) -> list[Interval] | None:
        """Intervals of u with exactly one zero of the deflated psi each, a simple one, and none elsewhere."""
        out: list[Interval] = []
        size = self.inside[1] - self.inside[0]
        with flint.ctx.workprec(PRECISION):
            stack, count = [self.inside], 0
            while stack:
                self.deadline.check("looking for switched-off units")
                low, high = stack.pop()
                count += 1
                value, slope, node = self._deflated(places, weights, (low, high))
                middle = (low + high) / 2
                at, _, centre = self._deflated(places, weights, (middle, middle))
                if self._alike(places, (low, high), middle):  # the mean value form
                    value = _meet(value, at + slope * (ball(*node) - ball(*centre)))
                if sign_of(value):
                    continue
                if sign_of(slope):
                    ends = [sign_of(self._deflated(places, weights, (v, v))[0]) for v in (low, high)]
                    if all(ends):
                        if ends[0] != ends[1]:
                            out.append(self._sharper(places, weights, low, high, ends[0]))
                        continue
                if (high - low) * 2**FINEST <= size or count > MOST_INTERVALS:
                    return None
                if not sign_of(at):  # perhaps a zero: no good place to cut
                    middle = (5 * low + 3 * high) / 8
                stack += [(low, middle), (middle, high)]
            self.boxes += count
        return sorted(out)

    def _sharper(
        self, places: Sequence[Interval], weights: Sequence[arb], low: Fraction, high: Fraction, sign: int
    ) -> Interval:
        """A part of the interval across which the sign still changes, so short that Newton's method does not leave it."""
        for _ in range(SHARPER):
            middle = (low + high) / 2
            at = sign_of(self._deflated(places, weights, (middle, middle))[0])
            if not at:
                break
            low, high = (middle, high) if at == sign else (low, middle)
        return low, high

    def _alike(self, places: Sequence[Interval], t: Interval, middle: Fraction) -> bool:
        """Whether `_deflated` divides by the same numbers over the interval and at its middle."""
        if self.halved is not None and (t[0] < FAR) != (middle < FAR):
            return False
        return all(
            (p[0] - t[1] < APART and t[0] - p[1] < APART) == (p[0] - middle < APART and middle - p[1] < APART)
            for p in places
        )

    def _off_unit(self, e: Effective, low: Fraction, high: Fraction) -> Coordinate | None:
        """The unit as a coordinate of a regular critical point of the network with one unit more."""
        near = [] if e.point is None else list(_centre(e.point))
        wide = narrowed(self.problem, e.units + 1)
        box = prove_critical(wide, [*near[: e.units], (low + high) / 2, *near[e.units :], Fraction(0)])
        if box is None or not (low <= box.lower[e.units] and box.upper[e.units] <= high):
            return None
        return Coordinate((box.lower[e.units], box.upper[e.units]))

    # -- the answer -----------------------------------------------------------------------------------------------------

    def assembled(self) -> CriticalSet:
        doubts = list(dict.fromkeys(self.doubts))
        complete = not doubts
        settled, best, because = settle_globals(
            self.components,
            floor=Fraction(0),
            floor_because=whole.nonnegative(self.problem),
            coercive="",
            complete=False,
        )
        place = " x ".join(f"[{text(a)}, {text(b)}]" for a, b in zip(self.box.lower, self.box.upper, strict=True))
        how = (
            f"effective networks with all output weights, switched-off units and exact fits were enumerated with {self.boxes} intervals "
            "of incoming weights in ball arithmetic, and distributed over the units"
        )
        reason = f"{how}; complete in the box {place} only" if complete else f"{'; '.join(doubts)}; {how}"
        order = sorted(settled, key=lambda c: (-c.dimension, c.value.lower, str(c.sample)))
        return CriticalSet(
            self.problem, tuple(order), Coverage(complete, METHOD, Trust.COMPUTED, reason, place), best, because
        )


def _units_of(point: AnyPoint, n: int) -> list[Interval]:
    assert isinstance(point, EnclosedPoint)
    return list(zip(point.lower[:n], point.upper[:n], strict=True))


def _meet(a: arb, b: arb) -> arb:
    return a if not b.is_finite() else b if not a.is_finite() else a.intersection(b)


def _centre(point: AnyPoint) -> tuple[Fraction, ...]:
    assert isinstance(point, EnclosedPoint)
    return point.centre
