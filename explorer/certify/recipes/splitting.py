"""Splitting a unit: a critical point of a narrow network, embedded into a wider one along a line of critical points.

Let p be critical for m units with input weights w and output weight v != 0 at unit j. In the network with m + 1 units give
two of them the input weights w and the output weights lam v, (1 - lam) v: the outputs are the same, and the point is critical
for every lam, since psi(w) = 0 and grad psi(w) = 0 already hold at p (psi(u) = sum g_i phi(u.x_i)). Its kind is decided by
    B = v Hess psi(w) = v sum g_i phi''(w.x_i) x_i x_i^T,
because moving the two units by (1 - lam) d and -lam d changes the outputs in second order only, by lam (1 - lam) d^T B d / 2 in F.
If p is a strict (nondegenerate) local minimum:

| B | 0 < lam < 1 | lam < 0 or lam > 1 | lam = 0 or 1 |
|---|---|---|---|
| positive definite | local minimum, not strict | strict saddle | saddle |
| negative definite | strict saddle | local minimum, not strict | saddle |
| indefinite | strict saddle | strict saddle | saddle |

At the ends one unit has output weight 0: with its input weights w + s d, its output weight -c s and the other one's v + c s
the outputs move by O(s^2), so F changes by -c s^3 d^T Hess psi d / 2 + O(s^4), of either sign by the choice of c = +-1.
(Fukumizu, Amari 2000, Theorem 3; the ends are not treated there.)
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from explorer.algebra.fields import arithmetic
from explorer.algebra.inertia import inertia
from explorer.certify.certificate import Certificate, accepted
from explorer.certify.encode import assemble, element_json, trimmed
from explorer.certify.goals import certify
from explorer.certify.located import Located
from explorer.certify.recipes.units import sigmoid
from explorer.certify.saddles import curve_step
from explorer.errors import Invalid, NotCertifiable
from explorer.model.jets import outputs
from explorer.model.rings import ExactRing
from explorer.point import Element, Inertia, Ln2Ring, Point, RationalField
from explorer.problem import Activation, DenseNetwork, Problem
from explorer.solve.results import Curve

#: sign of B -> what holds for 0 < lam < 1, outside [0, 1], and at both ends
KINDS = {
    "positive definite": ("local-minimum", "strict-saddle", "saddle"),
    "negative definite": ("strict-saddle", "local-minimum", "saddle"),
    "indefinite": ("strict-saddle", "strict-saddle", "saddle"),
}


@dataclass(frozen=True)
class Narrow:
    """A strict local minimum of a network with one hidden layer, scalar output and squared loss, and the unit to split."""

    problem: Problem
    point: Point
    unit: int = 0

    @property
    def network(self) -> DenseNetwork:
        net = self.problem.network
        if not isinstance(net, DenseNetwork) or net.depth != 2 or net.widths[-1] != 1:
            raise NotCertifiable("splitting", expected="one hidden layer and a scalar output")
        if self.problem.loss is None or self.problem.loss.kind != "squared" or self.problem.regularizer is not None:
            raise NotCertifiable("splitting", expected="squared loss without regularizer")
        if not 0 <= self.unit < net.widths[1]:
            raise Invalid("unit", expected=f"0 to {net.widths[1] - 1}", got=str(self.unit))
        return net

    def own(self) -> list[int]:
        """The parameters that lead into the unit."""
        net = self.network
        d, m = net.widths[:2]
        return [*range(self.unit * d, (self.unit + 1) * d), *([m * d + self.unit] if net.bias[0] else [])]

    @property
    def output_weight(self) -> int:
        net = self.network
        return net.widths[1] * (net.widths[0] + net.bias[0]) + self.unit

    def curvature(self) -> list[list[Element]]:
        """B, exactly: the Hessian block at the unit of Phi = sum g_i f(x_i) with g_i = 2 c_i (f - y)."""
        p = Located.of(self.problem, "p", self.point)
        p.require_critical()
        ring, data, loss = ExactRing(p.field), self.problem.data, self.problem.loss
        assert data is not None
        assert loss is not None
        theta = [ring.from_element(c) for c in p.exact.coordinates]
        own = self.own()
        total = [[ring.constant(Fraction(0)) for _ in own] for _ in own]
        for i, (y, c) in enumerate(zip(data.targets, loss.weights, strict=True)):
            jet = outputs(self.problem, ring, theta, i, 2)[0]
            g = ring.mul(ring.total([jet.value, ring.constant(-y[0])]), ring.constant(2 * c))
            for a, row in zip(own, total, strict=True):
                for k, b in enumerate(own):
                    entry = jet.hessian.get((min(a, b), max(a, b)))
                    if entry is not None:
                        row[k] = ring.total([row[k], ring.mul(g, entry)])
        return [[ring.to_element(v) for v in row] for row in total]

    def sign(self) -> str:
        """ "positive definite", "negative definite", "indefinite"; `NotCertifiable` for a singular semidefinite B."""
        found: Inertia = inertia(self.curvature(), Located.of(self.problem, "p", self.point).field)
        if found.positive and found.negative:
            return "indefinite"
        if found.zero:
            raise NotCertifiable("splitting", expected="a definite or indefinite B", got="a singular one")
        return "positive definite" if found.positive else "negative definite"


def kind(narrow: Narrow, lam: Fraction) -> str:
    """The goal that holds at ``lam``: local-minimum, strict-saddle or saddle (the table above)."""
    inside, outside, end = KINDS[narrow.sign()]
    return end if lam in (0, 1) else inside if 0 < lam < 1 else outside


def split(narrow: Narrow, lam: Fraction) -> tuple[Problem, Point]:
    """The problem with one more unit (the last one), and the embedded point."""
    net, old = narrow.network, narrow.point
    d, m = net.widths[:2]
    assert narrow.problem.data is not None
    assert narrow.problem.loss is not None
    problem = Problem.dense(
        widths=[d, m + 1, 1],
        activation=net.activations[0],
        bias=list(net.bias),
        output_activation=net.output,
        inputs=[list(x) for x in narrow.problem.data.inputs],
        targets=[list(y) for y in narrow.problem.data.targets],
        loss_weights=list(narrow.problem.loss.weights),
        slug=f"{narrow.problem.slug}-split"[:60],
        source=narrow.problem.source,
    )
    c = list(old.coordinates)
    weights, rest = c[: m * d], c[m * d :]
    biases, rest = (rest[:m], rest[m:]) if net.bias[0] else ([], rest)
    v = rest[narrow.unit]
    out = [*rest[:m], tuple(a * (1 - lam) for a in v)]
    out[narrow.unit] = tuple(a * lam for a in v)
    weights = [*weights, *weights[narrow.unit * d : (narrow.unit + 1) * d]]
    biases = [*biases, biases[narrow.unit]] if biases else []
    return problem, Point(old.field, tuple(map(trimmed, (*weights, *biases, *out, *rest[m:]))))


def certificate(narrow: Narrow, lam: Fraction) -> Certificate:
    """The certificate of the kind at ``lam``, about the problem that `split` gives."""
    goal = kind(narrow, lam)
    problem, point = split(narrow, lam)
    if goal != "saddle":
        return certify(problem, goal, at=point)
    p = Located.of(problem, "p", point)
    steps = [
        {"rule": "stationary", "point": "p"},
        *(curve_step("p", _end_curve(narrow, lam, sign), p.field, sign) for sign in (-1, 1)),
    ]
    return accepted(assemble(problem, {"kind": "saddle", "point": "p"}, {"p": p.point}, steps))


#: the intervals of lam between the ends (None: no end)
INTERVALS: dict[str, tuple[int | None, int | None]] = {"below-0": (None, 0), "0-to-1": (0, 1), "above-1": (1, None)}


def interval_certificate(narrow: Narrow, above: int | None, below: int | None) -> Certificate:
    """The kind at *every* lam of an interval between the ends: ``line-of-minima`` or ``line-of-saddles``.

    The point moves on the line lam -> (lam v, (1 - lam) v), on which the gradient vanishes identically; the checker finds one
    inertia of the Hessian for the whole interval, with lam as a variable. p is the point at lam = 0.
    """
    problem, start = split(narrow, Fraction(0))
    _, end = split(narrow, Fraction(1))
    p = Located.of(problem, "p", start)
    a = arithmetic(p.field)
    middle = {(0, 1): Fraction(1, 2), (1, None): Fraction(2), (None, 0): Fraction(-1)}[above, below]
    found = Located.of(problem, "q", split(narrow, middle)[1]).inertia
    step = {
        "rule": "line",
        "point": "p",
        "direction": [
            element_json(a.sub(b, c), p.field) for b, c in zip(end.coordinates, start.coordinates, strict=True)
        ],
        "above": None if above is None else str(above),
        "below": None if below is None else str(below),
        "inertia": [found.positive, found.zero, found.negative],
        "basis": _basis(narrow, len(problem.parameters)),
    }
    goal = {"kind": "line-of-saddles" if found.negative else "line-of-minima", "point": "p"}
    return accepted(assemble(problem, goal, {"p": p.point}, [step]))


def _basis(narrow: Narrow, size: int) -> list[list[str]]:
    """First the directions that the narrow network has (the twins move together), where the Hessian does not depend on lam; then
    one twin alone, where lam (1 - lam) B is left over, and the line itself."""
    net = narrow.network
    d, m = net.widths[:2]
    twins = list(zip(_incoming(net, m, narrow.unit), _incoming(net, m, m), strict=True))
    start = (m + 1) * (d + net.bias[0])
    out, single = start + narrow.unit, start + m
    special = {k for pair in twins for k in pair} | {single}
    rows = [{a: 1, b: 1} for a, b in twins] + [{k: 1} for k in range(size) if k not in special]
    rows += [{a: 1} for a, _ in twins] + [{out: 1, single: -1}]
    return [[str(row.get(k, 0)) for k in range(size)] for row in rows]


def _incoming(net: DenseNetwork, last: int, unit: int) -> list[int]:
    """Where the weights into a unit of the widened network (``last`` is its last unit) stand."""
    d = net.widths[0]
    return [*range(unit * d, (unit + 1) * d), *([(last + 1) * d + unit] if net.bias[0] else [])]


def _end_curve(narrow: Narrow, lam: Fraction, sign: int) -> Curve:
    """The cubic curve of the given sign at lam = 0 or 1, along a parameter direction (or a sum of two) with d^T B d != 0."""
    problem, point = split(narrow, lam)
    field = Located.of(problem, "p", point).field
    a, b = arithmetic(field), narrow.curvature()
    size = len(b)
    candidates = [[int(i == k) for i in range(size)] for k in range(size)]
    candidates += [[int(i in (k, j)) for i in range(size)] for k in range(size) for j in range(k)]

    def form(d: list[int]) -> Element:
        out = a.zero
        for i in range(size):
            for j in range(size):
                out = a.add(out, a.mul((Fraction(d[i] * d[j]),), b[i][j]))
        return out

    direction = next(d for d in candidates if not a.is_zero(form(d)))
    d_in, m, hidden_bias = narrow.network.widths[0], narrow.network.widths[1], narrow.network.bias[0]
    zero_unit, other = (narrow.unit, m) if lam == 0 else (m, narrow.unit)
    start = (m + 1) * (d_in + hidden_bias)
    own = [*range(zero_unit * d_in, (zero_unit + 1) * d_in), *([(m + 1) * d_in + zero_unit] if hidden_bias else [])]
    v = narrow.point.coordinates[narrow.output_weight]
    bend = a.mul(form(direction), a.inverse(trimmed(v)))  # d^T Hess psi d
    c = -sign * a.sign(bend)
    rows: list[tuple[Element, ...]] = [() for _ in problem.parameters]
    for k, move in zip(own, direction, strict=True):
        rows[k] = ((Fraction(move),),) if move else ()
    rows[start + zero_unit], rows[start + other] = ((Fraction(-c),),), ((Fraction(c),),)
    return Curve(3, a.mul((Fraction(-c, 2),), bend), tuple(rows))


# -- narrow strict minima to split -------------------------------------------------------------------------------------


def examples(source: str) -> dict[str, Narrow]:
    """One narrow strict minimum for every sign of B."""
    made = {
        # w = ln 2, residuals orthogonal to the activations 2^x/(1 + 2^x) and to the slopes x 2^x/(1 + 2^x)^2
        "positive": _sigmoid_unit([1, 3], [4, -3], "sigmoid-pair", source),
        "negative": _sigmoid_unit([1, 2, 3], [Fraction(-4, 1000), 0, Fraction(3, 1000)], "sigmoid-triple", source),
        "indefinite": indefinite_example(source),
    }
    return made


def _sigmoid_unit(inputs: list[int], residual: list[Fraction | int], slug: str, source: str) -> Narrow:
    targets = [sigmoid(x) - r for x, r in zip(inputs, residual, strict=True)]
    problem = Problem.dense(
        widths=[1, 1, 1], activation="sigmoid", inputs=inputs, targets=targets, slug=slug, source=source
    )
    return Narrow(problem, Point(Ln2Ring(), ((Fraction(0), Fraction(1)), (Fraction(1),))))


def indefinite_example(source: str) -> Narrow:
    """phi(t) = 1 + t + t^2 on R^2 at w = 0: B is proportional to sum r_i x_i x_i^T, here indefinite.

    Inputs (1, 0), (-1, 0), (0, 1), (0, -1) and residual r = c (1, 1, -1, -1): sum r_i phi(0) = 0, sum r_i x_i = 0,
    sum r_i x_i x_i^T = 2 c diag(1, -1). The unit's output is v phi(w.x) with v = 1.
    """
    c = Fraction(1, 8)
    problem = Problem.dense(
        widths=[2, 1, 1],
        activation=Activation("polynomial", coefficients=(Fraction(1), Fraction(1), Fraction(1))),
        inputs=[[1, 0], [-1, 0], [0, 1], [0, -1]],
        targets=[1 - c, 1 - c, 1 + c, 1 + c],
        slug="quadratic-indefinite",
        source=source,
    )
    return Narrow(problem, Point(RationalField(), ((Fraction(0),), (Fraction(0),), (Fraction(1),))))
