"""Divided differences of units over intervals, with equal and nearly equal nodes: what is left of several units when they come together.

A unit with one incoming weight u has the outputs phi(u x_i). Two of them are v_1 phi(u_1 x) + v_2 phi(u_2 x) = (v_1 + v_2) phi(u_1 x) + v_2 (u_2 - u_1)
phi[u_1, u_2](x), regular also at u_1 = u_2. For an odd activation u and -u are one unit and phi(0) = 0: then phi(u x) = u h(u^2; x) with the analytic function
h(s; x) = x H(s x^2), H(z) = phi(sqrt z)/sqrt z, and s = u^2 is the node. Otherwise h(u; x) = phi(u x).

Enclosures. h[t_0, ..., t_n] is h^(n)/n! somewhere in the hull of the nodes (mean value theorem of divided differences; Hermite, Genocchi), and
(h[t_1, ..., t_n] - h[t_0, ..., t_(n-1)])/(t_n - t_0) where that denominator is not 0: both enclosures are intersected.
tanh(sqrt z)/sqrt z = sum over n of 2/(z + (n + 1/2)^2 pi^2) and erf(sqrt z)/sqrt z = (2/sqrt pi) int_0^1 e^(-z t^2) dt are completely monotone, so their
Taylor coefficients are monotone in z >= 0: the values at both ends enclose them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from flint import arb, arb_series

from explorer.algebra.balls import ball
from explorer.model.jets import Where
from explorer.problem import Activation
from explorer.solve.boxes.singular import BallTaylor, series_of

Interval = tuple[Fraction, Fraction]
#: analytic activations whose Taylor coefficients have enclosures
ANALYTIC = ("sigmoid", "tanh", "softplus", "swish", "exp", "sin", "erf", "gelu")
MONOTONE = ("tanh", "erf")  #: H is completely monotone
NEAR = 1  #: nodes with a larger gap are compared by quotients alone


@dataclass
class Units:
    """The functions h(t; x_i) of the node t, one for each input; ``halved``: of t = u^2 for an odd activation."""

    activation: Activation
    inputs: tuple[Fraction, ...]
    halved: bool
    known: dict[tuple[int, Fraction, Fraction], tuple[arb, ...]] = field(default_factory=dict)

    def node(self, u: Interval) -> Interval:
        """The node of a unit with incoming weight in u (u >= 0 if ``halved``)."""
        return (u[0] * u[0], u[1] * u[1]) if self.halved else u

    def differences(self, nodes: Sequence[Interval]) -> list[Table]:
        """Divided differences at these nodes, one table for each input."""
        return [Table(self, tuple(nodes), i) for i in range(len(self.inputs))]

    def taylor(self, i: int, t: Interval, order: int) -> tuple[arb, ...]:
        """Enclosures of h^(n)(t; x_i)/n!, n = 0, ..., order, over the interval t."""
        key = (i, *t)
        found = self.known.get(key, ())
        if len(found) <= order:
            if len(self.known) > 100_000:
                self.known.clear()
            try:
                found = tuple(self._taylor(self.inputs[i], t, max(order, 3)))
            except (ValueError, ZeroDivisionError):  # too wide for the series
                found = (arb("nan"),) * (max(order, 3) + 1)
            self.known[key] = found
        return found[: order + 1]

    def _taylor(self, x: Fraction, t: Interval, order: int) -> list[arb]:
        if not self.halved:
            c = BallTaylor().taylor(
                self.activation, ball(t[0] * x, t[1] * x) if x >= 0 else ball(t[1] * x, t[0] * x), order, _WHERE
            )
            return [v * ball(x**n) for n, v in enumerate(c)]
        square = x * x
        if self.activation.kind in MONOTONE:
            low, high = (self._quotient(v * square, v * square, order) for v in t)
            c = [a.union(b) for a, b in zip(low, high, strict=True)]
        else:
            c = self._quotient(t[0] * square, t[1] * square, order)
        return [v * ball(x ** (2 * n + 1)) for n, v in enumerate(c)]

    def _quotient(self, low: Fraction, high: Fraction, order: int) -> list[arb]:
        """Taylor coefficients of H over [low, high], low >= 0. Near 0: H[z, ..., z] with n + 1 nodes is phi[+-sqrt z, ...] with 2n + 2 nodes, so
        phi^(2n+1)/(2n+1)! somewhere in [-sqrt z, sqrt z]."""
        if low * 4 <= high or not low:
            root = ball(high).sqrt()
            c = BallTaylor().taylor(self.activation, (-root).union(root), 2 * order + 1, _WHERE)
            return [c[2 * n + 1] for n in range(order + 1)]
        outer = BallTaylor().taylor(self.activation, ball(low, high).sqrt(), order, _WHERE)
        with series_of(order + 1):
            root = arb_series([ball(low, high), 1], prec=order + 1).sqrt()
            step, power, value = root - root[0], arb_series([1], prec=order + 1), arb_series([0], prec=order + 1)
            for c in outer:
                value += c * power
                power *= step
            value = value / root
            return [value[n] for n in range(order + 1)]


_WHERE = Where("units in a box")


@dataclass
class Table:
    """Divided differences of h(.; x_i) at given nodes, by their multiplicities."""

    units: Units
    nodes: tuple[Interval, ...]
    i: int
    known: dict[tuple[int, ...], arb] = field(default_factory=dict)

    def at(self, times: tuple[int, ...]) -> arb:
        """h[nodes], node k taken times[k] times."""
        if times in self.known:
            return self.known[times]
        used = [k for k, n in enumerate(times) if n]
        first, last, order = used[0], used[-1], sum(times) - 1
        if len(used) == 1:
            out = self.units.taylor(self.i, self.nodes[first], order)[order]
        else:
            a, b = self.nodes[first], self.nodes[last]
            gap = max(b[0] - a[1], a[0] - b[1])
            out = None
            if gap > 0:
                top = self.at(_less(times, first)) - self.at(_less(times, last))
                out = top / (ball(*b) - ball(*a))
            if out is None or gap < NEAR:
                inside = [self.nodes[k] for k in used]
                hull = min(n[0] for n in inside), max(n[1] for n in inside)
                mean = self.units.taylor(self.i, hull, order)[order]
                out = (
                    mean if out is None or not out.is_finite() else out.intersection(mean) if mean.is_finite() else out
                )
        self.known[times] = out
        return out


def _less(times: tuple[int, ...], k: int) -> tuple[int, ...]:
    return tuple(n - (j == k) for j, n in enumerate(times))
