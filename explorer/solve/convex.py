"""Linear models (one layer, linear output) with convex losses: the critical set is the set of global minima, a convex set, or empty.

F = sum_r c_r l(a_r . theta, y_r) + sum_k lambda_k |theta_k|^p, one row a_r for every sample and output, l the squared or logistic loss, p >= 1,
any lambda_k >= 0. F is convex, so Clarke's gradient is the subdifferential and every critical point is a global minimum.

- *Smooth (p >= 2 or no regularizer).* F is a strictly convex function of A theta, A the rows (without those whose y_r is 0 for the logistic
  loss) and the unit vectors of the regularized parameters. So the critical set is empty or theta* + ker A. On rank A independent columns
  of A, the other parameters 0, theta* is unique: Krawczyk's test finds it, and its box is all that is needed.
- *When it is empty.* Squared loss: never. Logistic: F falls for ever along u iff u is 0 at the regularized parameters, y_r a_r . u >= 0 for
  all r and > 0 for some r (separable data). By Stiemke's lemma there is no such u iff some positive mu has sum mu_r y_r a_r = 0 at the
  free parameters: linear programming over Q (`strictly_feasible`). If F falls, let S be the samples with y_r a_r . u = 0 for all such u;
  then inf F is the minimum with the samples S alone (Albert and Anderson, Biometrika 71 (1984) 1-10): the others can be made as small as one
  likes at no cost, and with S alone nothing falls for ever. S is the smallest set for which y a . u = 0 on S, > 0 elsewhere has a solution.
- *Squared loss, p = 1 (lasso).* On a choice of signs of the regularized parameters (-, 0, +) F is a convex quadratic: its critical set is an
  affine space on which the residual is constant; the points with those signs are critical iff |dF_data/dtheta_k| <= lambda_k where
  theta_k = 0. All choices are tried, so the pieces that are listed are all minima, exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations, product
from typing import Any, cast

import flint
from flint import arb, arb_mat

from explorer.algebra.balls import ball, dyadic_value
from explorer.algebra.feasible import affine_solutions, echelon, strictly_feasible
from explorer.algebra.krawczyk import PRECISION, KrawczykProof, prove_root
from explorer.algebra.systems import PolynomialSystem
from explorer.budget import Deadline
from explorer.errors import Unsupported
from explorer.exact import text
from explorer.point import AnyPoint, EnclosedPoint, Inertia, Point
from explorer.problem import DenseNetwork, Problem
from explorer.solve.boxes.balls import rounded
from explorer.solve.results import Component, Coverage, CriticalSet, Kind, Trust, Value

METHOD = "convexity"
LASSO_CHOICES, SEPARATED, LARGEST = 3**7, 12, 60
STEPS, TINY = 80, 60
ZERO, ONE = Fraction(0), Fraction(1)
GLOBAL = "F is convex, so every critical point is a global minimum"


def applies(problem: Problem) -> bool:
    """Whether this module has the say: linear models that are not polynomial losses."""
    net, r = problem.network, problem.regularizer
    if not isinstance(net, DenseNetwork) or problem.loss is None or net.depth != 1 or net.output.kind != "linear":
        return False
    if r is not None and r.kind not in ("l2", "power"):
        return False
    odd = r is not None and r.kind == "power" and (r.exponent or 2) % 2 == 1 and any(r.weights)
    if problem.loss.kind == "logistic":
        return not odd or (r is not None and r.exponent != 1)
    return odd


@dataclass(frozen=True)
class Model:
    """Rows (c, a, y) with a in Q^d, the weights lambda and the exponent."""

    rows: tuple[tuple[Fraction, tuple[Fraction, ...], Fraction], ...]
    weights: tuple[Fraction, ...]
    exponent: int
    logistic: bool

    @classmethod
    def of(cls, problem: Problem) -> Model:
        net, data, loss, r = problem.network, problem.data, problem.loss, problem.regularizer
        assert isinstance(net, DenseNetwork)
        assert data is not None
        assert loss is not None
        d, cols, outputs = net.parameter_count, net.widths[0], net.widths[1]
        rows = []
        for c, x, targets in zip(loss.weights, data.inputs, data.targets, strict=True):
            for o, y in enumerate(targets):
                a = [ZERO] * d
                a[o * cols : (o + 1) * cols] = x
                if net.bias[0]:
                    a[outputs * cols + o] = ONE
                rows.append((c, tuple(a), y))
        return cls(tuple(rows), r.weights if r else (ZERO,) * d, (r.exponent or 2) if r else 2, loss.kind == "logistic")

    @property
    def size(self) -> int:
        return len(self.weights)

    @property
    def signed(self) -> list[tuple[Fraction, ...]]:
        """y_r a_r, for the logistic loss."""
        return [tuple(y * v for v in a) for _, a, y in self.rows]

    def gradient(self, theta: Sequence[Any]) -> list[Any]:
        out = [arb(0)] * self.size
        for c, a, y in self.rows:
            z = sum((ball(v) * t for v, t in zip(a, theta, strict=True) if v), arb(0))
            slope = -ball(c * y) / (1 + (ball(y) * z).exp()) if self.logistic else 2 * ball(c) * (z - ball(y))
            out = [g + slope * ball(v) if v else g for g, v in zip(out, a, strict=True)]
        p = self.exponent
        return [
            g + ball(p * w) * t * _power(abs(t), p - 2) if w else g
            for g, w, t in zip(out, self.weights, theta, strict=True)
        ]

    def hessian(self, theta: Sequence[Any]) -> list[list[Any]]:
        d, p = self.size, self.exponent
        out = [[arb(0)] * d for _ in range(d)]
        for c, a, y in self.rows:
            z = sum((ball(v) * t for v, t in zip(a, theta, strict=True) if v), arb(0))
            m = ball(y) * z
            bend = ball(c * y * y) / (1 + m.exp()) / (1 + (-m).exp()) if self.logistic else ball(2 * c)
            where = [k for k, v in enumerate(a) if v]
            for i in where:
                for j in where:
                    out[i][j] += bend * ball(a[i] * a[j])
        for k, w in enumerate(self.weights):
            if w:
                out[k][k] += ball(p * (p - 1) * w) * _power(abs(theta[k]), p - 2)
        return out

    def value(self, theta: Sequence[Any]) -> Any:
        total = arb(0)
        for c, a, y in self.rows:
            z = sum((ball(v) * t for v, t in zip(a, theta, strict=True) if v), arb(0))
            total += ball(c) * ((-ball(y) * z).exp().log1p() if self.logistic else (z - ball(y)) * (z - ball(y)))
        return total + sum(
            (ball(w) * _power(abs(t), self.exponent) for w, t in zip(self.weights, theta, strict=True) if w), arb(0)
        )


def _power(x: arb, n: int) -> arb:
    out = arb(1)
    for _ in range(n):
        out = out * x
    return out


@dataclass(frozen=True)
class Restricted:
    """The gradient in some of the parameters, the others 0, in the shape that Krawczyk's test evaluates."""

    model: Model
    free: tuple[int, ...]

    is_square = True

    def at(self, x: Sequence[Any]) -> list[Any]:
        theta = [arb(0)] * self.model.size
        for k, v in zip(self.free, x, strict=True):
            theta[k] = v
        return theta

    def at_balls(self, x: Sequence[Any]) -> list[Any]:
        found = self.model.gradient(self.at(x))
        return [found[k] for k in self.free]

    def jacobian_at_balls(self, x: Sequence[Any]) -> list[list[Any]]:
        found = self.model.hessian(self.at(x))
        return [[found[i][j] for j in self.free] for i in self.free]


def by_convexity(problem: Problem, deadline: Deadline) -> CriticalSet:
    """The critical set of a problem to which `applies`; `Unsupported` where no point is found or the choices are too many."""
    model = Model.of(problem)
    if model.size > LARGEST:
        raise Unsupported("convexity", expected=f"at most {LARGEST} parameters", got=f"{model.size}")
    if not model.logistic and model.exponent == 1:
        return _lasso(problem, model, deadline)
    if model.logistic and not bounded_below_tightly(model):
        return _falling(problem, model, deadline)
    component = _minimum(problem, model, deadline)
    reason = f"{GLOBAL}, and these are one point, found by Krawczyk's test, and the kernel of the inputs at unregularized parameters"
    return CriticalSet(problem, (component,), Coverage(True, METHOD, Trust.COMPUTED, reason), component.value, GLOBAL)


# -- smooth ------------------------------------------------------------------------------------------------------------


def _minimum(problem: Problem, model: Model, deadline: Deadline) -> Component:
    d = model.size
    live = [a for _, a, y in model.rows if y or not model.logistic]
    touched = [k for k in range(d) if any(a[k] for a in live)]
    # regularized parameters that no input reaches are 0; the others of the kernel's complement are looked for
    still = [k for k in range(d) if k not in touched and model.weights[k]]
    matrix = [(*a, ZERO) for a in live]
    matrix += [(*(ONE if j == k else ZERO for j in range(d)), ZERO) for k in touched if model.weights[k]]
    pivots = tuple(next(j for j, v in enumerate(row) if v) for row in echelon(d, matrix))
    rank = len(pivots) + len(still)
    at: AnyPoint
    if (exact := _without_regularized(model)) is not None:
        at = Point.rational(exact)
        theta = [ball(v) for v in exact]
        moved: tuple[int, ...] = ()
    else:
        system = Restricted(model, pivots)
        with flint.ctx.workprec(PRECISION):
            near = _newton(system, deadline)
        found = prove_root(cast(PolynomialSystem, system), near)
        if not isinstance(found, KrawczykProof):
            raise Unsupported("the minimum of a convex loss", expected="a regular Hessian there", got=found.reason)
        lower, upper = [ZERO] * d, [ZERO] * d
        for k, lo, hi in zip(pivots, found.point.lower, found.point.upper, strict=True):
            lower[k], upper[k] = lo, hi
        at = EnclosedPoint(tuple(lower), tuple(upper))
        theta = [ball(lo, hi) for lo, hi in zip(lower, upper, strict=True)]
        moved = pivots
    bent = len(pivots) if moved or model.exponent == 2 else len(echelon(d, [(*a, ZERO) for a in live]))
    positive = bent + (len(still) if model.exponent == 2 else 0)
    with flint.ctx.workprec(PRECISION):
        value = rounded(model.value(theta))
    if not model.logistic and exact is not None:
        value = Value.rational(sum((c * (_dot(a, exact) - y) ** 2 for c, a, y in model.rows), ZERO))
    unique = rank == d
    return Component(
        dimension=d - rank,
        sample=at,
        value=value,
        inertia=Inertia(positive, d - positive, 0),
        kind=Kind.STRICT_MINIMUM if unique else Kind.MINIMUM,
        is_global=True,
        because=f"{GLOBAL}; " + ("there is only one" if unique else "they form an affine space"),
        orbit=1 if unique else None,
        points=(at,) if unique else (),
        isolated=True if unique else None,
        equations=_affine(problem, matrix, still, exact) if exact is not None and not unique else (),
        description="an isolated point" if unique else f"an affine space of dimension {d - rank}",
    )


def _dot(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    return sum((v * t for v, t in zip(a, b, strict=False)), ZERO)


def _normal(model: Model) -> list[list[Fraction]]:
    """The gradient of the squared loss, as affine functions of theta."""
    d = model.size
    return [
        [2 * sum((c * a[i] * a[j] for c, a, _ in model.rows), ZERO) for j in range(d)]
        + [-2 * sum((c * y * a[i] for c, a, y in model.rows), ZERO)]
        for i in range(d)
    ]


def _affine(
    problem: Problem, matrix: Sequence[tuple[Fraction, ...]], still: Sequence[int], at: Sequence[Fraction]
) -> tuple[str, ...]:
    """The equations of at + the kernel of the matrix, on which the parameters ``still`` are 0."""
    d = len(at)
    rows = [(*row[:d], -_dot(row, at)) for row in matrix]
    rows += [(*(ONE if j == k else ZERO for j in range(d)), ZERO) for k in still]
    return tuple(_shown(problem, echelon(d, rows)))


def _without_regularized(model: Model) -> tuple[Fraction, ...] | None:
    """A rational critical point at which all regularized parameters are 0; for the logistic loss only 0 itself is tried."""
    d = model.size
    if model.logistic:
        slopes = [sum((c * y * a[k] for c, a, y in model.rows), ZERO) for k in range(d)]
        return None if any(slopes) else (ZERO,) * d
    pinned = [(*(ONE if j == k else ZERO for j in range(d)), ZERO) for k, w in enumerate(model.weights) if w]
    solved = affine_solutions(d, [*map(tuple, _normal(model)), *pinned])
    return None if solved is None else solved[0]


def _newton(system: Restricted, deadline: Deadline) -> list[Fraction]:
    """A proposal by damped Newton steps with the middles of balls: halved until F falls."""
    n = len(system.free)
    x, tiny = [arb(0)] * n, arb(2) ** -TINY

    def value(v: Sequence[arb]) -> arb:
        return system.model.value(system.at(v)).mid()

    here = value(x)
    for _ in range(STEPS):
        deadline.check("looking for the minimum of a convex loss")
        h = [[v.mid() for v in row] for row in system.jacobian_at_balls(x)]
        lifted = arb_mat([[v + (tiny if i == j else 0) for j, v in enumerate(row)] for i, row in enumerate(h)])
        try:
            step = lifted.solve(arb_mat([[v.mid()] for v in system.at_balls(x)]))
        except ZeroDivisionError:
            break
        scale = arb(1)
        for _ in range(TINY):
            new = [(v - scale * step[k, 0]).mid() for k, v in enumerate(x)]
            if (there := value(new)) < here:
                break
            scale = scale / 2
        else:
            break
        x, here = new, there
    return [dyadic_value(v) for v in x]


def _shown(problem: Problem, rows: Sequence[Sequence[Fraction]]) -> list[str]:
    """Affine functions, each 0."""
    out = []
    for row in rows:
        parts = [f"{text(v)}*{name}" if v != 1 else name for v, name in zip(row, problem.parameters, strict=False) if v]
        out.append(f"{' + '.join(parts)} = {text(-row[-1])}")
    return out


# -- separable data ------------------------------------------------------------------------------------------------------


def bounded_below_tightly(model: Model) -> bool:
    """Stiemke: positive mu with sum mu_r y_r a_r = 0 at the free parameters, so that nothing falls for ever."""
    rows = [a for a in model.signed if any(v for v, w in zip(a, model.weights, strict=True) if not w)]
    free = [k for k, w in enumerate(model.weights) if not w]
    if not rows or not free:
        return True
    n = len(rows)
    equations = [(*(a[k] for a in rows), ZERO) for k in free]
    return (
        strictly_feasible(n, equations, [(*(ONE if j == i else ZERO for j in range(n)), ZERO) for i in range(n)])
        is not None
    )


def _falling(problem: Problem, model: Model, deadline: Deadline) -> CriticalSet:
    """Separable data: no critical point; the infimum is that of the samples that no falling direction moves."""
    why = "F is convex and falls for ever along a direction (the data are separable), so it has no critical point"
    because = _infimum(problem, model, deadline)
    return CriticalSet(problem, (), Coverage(True, METHOD, Trust.COMPUTED, why), None, because)


def _infimum(problem: Problem, model: Model, deadline: Deadline) -> str:
    free = [k for k, w in enumerate(model.weights) if not w]
    signed = [tuple(a[k] for k in free) for a in model.signed]
    if len(signed) > SEPARATED:
        return f"F has no minimum; its infimum is not computed for more than {SEPARATED} samples"
    for size in range(len(signed)):
        for still in combinations(range(len(signed)), size):
            deadline.check("looking for the samples that cannot be separated")
            rest = [(*signed[r], ZERO) for r in range(len(signed)) if r not in still]
            if strictly_feasible(len(free), [(*signed[r], ZERO) for r in still], rest) is None:
                continue
            if not still:
                return "the infimum is 0, approached along a direction that separates all samples, and not attained"
            left = replace(model, rows=tuple(model.rows[r] for r in still))
            try:
                low = _minimum(problem, left, deadline).value
            except Unsupported as refused:
                return f"F has no minimum; its infimum is not computed: {refused.sentence()}"
            shown = text(low.lower) if low.lower == low.upper else f"about {low.approx:.9g}"
            return f"the infimum is {shown}, the minimum over the {size} samples that cannot be separated, and not attained"
    raise AssertionError("the data are separable")


# -- lasso -----------------------------------------------------------------------------------------------------------------


def _lasso(problem: Problem, model: Model, deadline: Deadline) -> CriticalSet:
    d = model.size
    bound = [k for k, w in enumerate(model.weights) if w]
    if 3 ** len(bound) > LASSO_CHOICES:
        raise Unsupported("the lasso", expected="at most 7 regularized parameters", got=f"{len(bound)}")
    normal = _normal(model)
    pieces: list[Component] = []
    for choice in product((0, 1, -1), repeat=len(bound)):
        deadline.check("trying choices of signs")
        signs = dict(zip(bound, choice, strict=True))
        unit = {k: tuple(ONE if j == k else ZERO for j in range(d)) for k in range(d)}
        equations, positive = [], []
        for k in range(d):
            s = signs.get(k)
            if s == 0:
                equations.append((*unit[k], ZERO))
                continue
            row = normal[k]
            equations.append((*row[:d], row[d] + (s or 0) * model.weights[k]))
            if s:
                positive.append((*(s * v for v in unit[k]), ZERO))
        at = strictly_feasible(d, equations, positive)
        if at is None:
            continue
        slopes = [_dot(row, at) + row[d] for row in normal]
        if any(abs(slopes[k]) > model.weights[k] for k, s in signs.items() if s == 0):
            continue
        solved = affine_solutions(d, equations)
        assert solved is not None
        value = sum(
            (c * (sum((v * t for v, t in zip(a, at, strict=True)), ZERO) - y) ** 2 for c, a, y in model.rows), ZERO
        )
        value += sum((w * abs(t) for w, t in zip(model.weights, at, strict=True)), ZERO)
        smooth = 0 not in choice
        rank = len(echelon(d, [(*row[:d], ZERO) for row in normal]))
        pieces.append(
            Component(
                dimension=len(solved[1]),
                sample=Point.rational(at),
                value=Value.rational(value),
                inertia=Inertia(rank, d - rank, 0) if smooth else None,
                kind=Kind.MINIMUM,
                is_global=True,
                because=GLOBAL,
                equations=(
                    *_shown(problem, echelon(d, equations)),
                    *(f"{problem.parameters[k]} {'>' if s > 0 else '<'} 0" for k, s in signs.items() if s),
                ),
                description="the minima with these signs"
                + ("" if smooth else ", where F is not differentiable (critical in the sense of Clarke)"),
            )
        )
    if len(pieces) == 1 and pieces[0].dimension == 0:
        only, smooth = pieces[0], pieces[0].inertia is not None
        words = f"{GLOBAL}; there is only one"
        pieces = [
            replace(
                only, kind=Kind.STRICT_MINIMUM, because=words, points=(only.sample,), orbit=1 if smooth else None, isolated=smooth,
                equations=(),
            )
        ]  # fmt: skip
    else:
        pieces = [replace(p, isolated=False, points=(p.sample,)) if p.dimension == 0 else p for p in pieces]
    reason = f"{GLOBAL}; all {3 ** len(bound)} choices of signs were solved exactly"
    order = sorted(pieces, key=lambda c: (-c.dimension, str(c.sample)))
    return CriticalSet(problem, tuple(order), Coverage(True, METHOD, Trust.COMPUTED, reason), pieces[0].value, GLOBAL)
