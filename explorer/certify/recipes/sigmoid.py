"""Sigmoid networks of any width with a sub-optimal local minimum, all numbers rational over ln 2.

One hidden layer, scalar inputs x_i, f(x) = sum_j v_j sigma(w_j x + b_j), F = sum_i (y_i - f(x_i))^2. At a point with output
f_i choose a residual r and *define* the targets y_i = f_i - r_i. Since F(q) - F(p) = 2 <r, f_q - f_p> + |f_q - f_p|^2, the
point p is a local minimum of F if it is one of the linear functional Phi(q) = <r, f_q> = sum_j v_j psi(w_j, b_j) with
psi(w, b) = sum_i r_i sigma(w x_i + b); and F(p) = |r|^2 > 0.

*Without hidden bias* (flat-minimum, proof ``units``). All w_j = w, v_j > 0, and <r, sigma(w x)> = 0, <r, x sigma'(w x)> = 0,
<r, x^2 sigma''(w x)> > 0. Then psi has a strict local minimum of value 0 at w, so v'_j psi(w'_j) >= 0 = Phi(p) for all w'_j near
w and v'_j > 0. Such an r with three nonzero entries exists unless the three curvatures depend linearly on the other two
rows; two entries suffice when x_a/(1 + e^(w x_a)) = x_b/(1 + e^(w x_b)), which at integer multiples of ln 2 means
x_b = 3 x_a: 1/(1 + 2) = 3/(1 + 8). For inputs {0, a, -a} the row x^2 sigma'' is a multiple of x sigma' at every w (sigma'' is odd,
sigma' even), so no r exists; indeed every such network satisfies 2 f(0) = f(a) + f(-a).

Width 1 needs a residual large enough for another single unit to be better; the recipe doubles r until one is.

*With hidden bias* (flat-minimum, proof ``first-layer-zero``). All w_j = 0, b_j = -ln 2, v_j > 0, and sum r_i = 0, sum r_i x_i = 0,
sum r_i x_i^2 = S > 0: second divided differences on any three inputs. By Taylor's theorem in the first-layer weights,
Phi(q) = sum_j v'_j sigma''(b'_j) w'_j^2 S / 2 + o(|w'|^2) >= 0 near p, uniformly in b' and v', since the constant and the linear
term cancel for *all* b', v', and sigma''(-ln 2) = 2/27 > 0. Two samples never suffice: sigma'(b)(1, x_i) would span the plane.

(Ding, Li, Sun, arXiv 1911.01413; Sun et al. 2020, Claim IV.1 and Proposition IV.2. The two-sample instance x = (1, 3) is
this project's.)
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from explorer.certify.certificate import Certificate, Instance
from explorer.certify.encode import Step, assemble
from explorer.certify.hypotheses import all_hypotheses, hypothesis_steps
from explorer.certify.recipes.better import Bounds, freed_unit, interpolating, other_unit, rough_unit
from explorer.certify.recipes.residual import dot, dual_residual
from explorer.certify.recipes.units import Grid, Unit
from explorer.certify.values import bounds_step, exact_step, rounded_out, state_exactly
from explorer.errors import Invalid, NotCertifiable
from explorer.exact import exact
from explorer.point import Ln2Ring, Point
from explorer.problem import Problem

#: input weights to try, as multiples of the unit of weight
WEIGHTS = (1, -1, 2, -2, 3, -3)
#: the recipes use integer multiples of the unit of weight up to about this one
WIDEST = 3
MAX_SAMPLES, MAX_WIDTH = 200, 1_000


def bad_minimum(
    samples: int | None = None,
    width: int | None = None,
    *,
    bias: bool = False,
    inputs: Sequence[Any] | None = None,
    seed: int = 0,
    source: str = "sun2020.claim-IV.1",
) -> Instance:
    """A sigmoid network with a certified sub-optimal local minimum and an explicit lower point.

    ``samples`` n (default: as many as ``inputs``, else 2, with bias 3), ``width`` p (default n), ``inputs`` distinct
    exact scalars (default small integers drawn with ``seed``; seed 0 gives 1, ..., n, with bias centred at 0). The output
    weights are (1 + seed, 1, ..., 1). Raises `NotCertifiable` with the reason where the recipe does not apply.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise Invalid("seed", expected="an integer >= 0", got=repr(seed)[:40])
    points = None if inputs is None else _scalars(inputs)
    n = len(points) if samples is None and points is not None else samples
    n = (3 if bias else 2) if n is None else n
    p = n if width is None else width
    for name, value, least, most in (("samples", n, 1, MAX_SAMPLES), ("width", p, 1, MAX_WIDTH)):
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise Invalid(name, expected=f"an integer from {least} to {most}", got=repr(value)[:40])
    if points is not None and len(points) != n:
        raise Invalid("inputs", expected=f"{n} inputs, one per sample", got=str(len(points)))
    if n < (3 if bias else 2):
        raise NotCertifiable("sigmoid recipe", got=f"{n} samples", remedy=_too_small(n))
    grid, weight, r = _grid(n, points, bias, seed)
    return _instance(grid, weight, r, p, bias=bias, seed=seed, source=source)


def _scalars(inputs: Sequence[Any]) -> tuple[Fraction, ...]:
    if any(isinstance(x, (list, tuple)) and len(x) != 1 for x in inputs):
        raise NotCertifiable(
            "inputs", expected="scalar inputs", got="vectors", remedy="the recipe is for one input unit"
        )
    flat = [x[0] if isinstance(x, (list, tuple)) else x for x in inputs]
    points = tuple(exact(x, f"inputs[{i}]") for i, x in enumerate(flat))
    if not points or len(set(points)) != len(points):
        raise Invalid("inputs", expected="distinct inputs", got=f"{len(points)} with repetitions")
    return points


def _too_small(n: int) -> str:
    if n == 1:
        return "one sample admits no such minimum, because sigma > 0; use n >= 2"
    return (
        "with a hidden bias two samples admit no such minimum, because sigma'(z_i)(1, x_i) span the plane; use n >= 3"
    )


def _grid(n: int, points: tuple[Fraction, ...] | None, bias: bool, seed: int) -> tuple[Grid, int, tuple[Fraction, ...]]:
    """Inputs, weight multiple and residual; drawn inputs are redrawn until the recipe applies."""
    draw = random.Random(seed)
    for _ in range(100):
        chosen = points if points is not None else _inputs(n, bias, seed, draw)
        grid = Grid.of(chosen)
        if not bias:
            grid.require_small(WIDEST)
        found = _residual(grid, bias)
        if found is not None:
            return grid, *found
        if points is not None:
            break
    raise NotCertifiable("inputs", got=", ".join(map(str, chosen))[:80], remedy=_why_not(chosen))


def _inputs(n: int, bias: bool, seed: int, draw: random.Random) -> tuple[Fraction, ...]:
    if n == 2:
        a = 1 if seed == 0 else draw.choice([-1, 1]) * draw.randint(1, 50)
        return Fraction(a), Fraction(3 * a)
    if seed == 0:
        start = -((n - 1) // 2) if bias else 1
        return tuple(Fraction(start + i) for i in range(n))
    return tuple(Fraction(x) for x in sorted(draw.sample(range(-n, n + 1) if bias else range(1, 2 * n + 1), n)))


def _residual(grid: Grid, bias: bool) -> tuple[int, tuple[Fraction, ...]] | None:
    order = sorted(range(len(grid.inputs)), key=lambda i: (abs(grid.integers[i]), grid.integers[i]))
    if bias:
        ones, squares = [Fraction(1)] * len(grid.inputs), [x * x for x in grid.inputs]
        r = dual_residual(ones, grid.inputs, squares, order)
        return None if r is None else (0, r)
    for weight in WEIGHTS:
        r = dual_residual(*grid.jets(weight), order)
        if r is not None:
            return weight, r
    return None


def _why_not(points: Sequence[Fraction]) -> str:
    if len(points) == 2:
        return (
            "two samples need x_a/(1+e^(w x_a)) = x_b/(1+e^(w x_b)), impossible when x_a x_b <= 0 and reached at a multiple "
            "of ln 2 only when one input is three times the other; use for example 1, 3"
        )
    if len(points) == 3 and sum(points) == 0 and 0 in points:
        return (
            "on inputs 0, a, -a every network satisfies 2 f(0) = f(a) + f(-a) and the curvature row is a multiple of the "
            "slope row, so no such minimum exists; use other inputs or a hidden bias"
        )
    return f"no residual was found at the input weights {', '.join(map(str, WEIGHTS))} times the unit; use other inputs"


def _instance(
    grid: Grid, weight: int, r: tuple[Fraction, ...], width: int, *, bias: bool, seed: int, source: str
) -> Instance:
    units = tuple(Unit(weight, -1 if bias else 0, Fraction(1 + seed if j == 0 else 1)) for j in range(width))
    outputs = grid.outputs(units)
    slug = f"sigmoid-n{len(r)}-w{width}{'-bias' if bias else ''}{f'-seed{seed}' if seed else ''}"[:60]
    for scale in (2**k for k in range(1 if width > 1 else 11)):
        residual = tuple(scale * e for e in r)
        problem = Problem.dense(
            widths=[1, width, 1],
            activation="sigmoid",
            bias=bias,
            inputs=grid.inputs,
            targets=[f - e for f, e in zip(outputs, residual, strict=True)],
            slug=slug,
            source=source,
        )
        better = _better(problem, grid, units, residual, bias)
        if better is not None:
            at = (grid.point(units, bias=bias), dot(residual, residual))
            proof = "first-layer-zero" if bias else "units"
            bad = spurious_certificate(problem, at=at, better=better, proof=proof)
            return Instance(slug, problem, (("spurious-local-minimum", bad),))
    raise NotCertifiable("lower point", expected="a unit with <r, activations> != 0", remedy="use other inputs")


def _better(
    problem: Problem, grid: Grid, units: tuple[Unit, ...], r: tuple[Fraction, ...], bias: bool
) -> tuple[Point, Fraction | Bounds] | None:
    """A point with a lower value, and that value or bounds of it.

    A single unit has none to spare. Another one with activations a and the best output weight has loss
    |y|^2 - <y, a>^2/|a|^2, where y = f - r and |y|^2 = |f|^2 + |r|^2 as <r, f> = 0 at p. That is below F(p) = |r|^2 exactly
    if <f - r, a>^2 > |f|^2 |a|^2, which holds for every sufficiently large multiple of r once <r, a> != 0.
    """
    if not grid.is_small(WIDEST):
        return rough_unit(problem, grid, units, r)
    assert problem.data is not None  # a network has data
    targets = [row[0] for row in problem.data.targets]
    shapes = _shapes(grid, r, bias)
    if len(units) == 1:
        found = other_unit(grid, targets, dot(r, r), shapes)
    else:
        found = interpolating(grid, targets, len(units), bias=bias) or freed_unit(grid, units, r, shapes)
    return None if found is None else (grid.point(found, bias=bias), grid.loss(found, targets))


def _shapes(grid: Grid, r: Sequence[Fraction], bias: bool) -> list[tuple[int, int]]:
    """Input weights (and biases) to try for a moved unit: with bias, steps placed at the inputs with a residual."""
    if not bias:
        return [(w, 0) for w in range(-3, 4)]
    centres = sorted({0, *(k for k, e in zip(grid.integers, r, strict=True) if e)})
    return [(w, -w * k) for w in (1, -1, 2, -2) for k in centres]


def spurious_certificate(
    problem: Problem, *, at: tuple[Point, Fraction], better: tuple[Point, Fraction | Bounds], proof: str
) -> Certificate:
    """ "p is a local minimum by the tangent lemma, q is lower", for p with its value and q with its value or bounds."""
    names = all_hypotheses(problem)
    steps = [
        *hypothesis_steps(problem, names),
        *_values(problem, at[1], better[1]),
        {"rule": "flat-minimum", "point": "p", "proof": proof},
        {"rule": "below", "lower": "q", "upper": "p"},
    ]
    goal = {"kind": "spurious-local-minimum", "point": "p", "better": "q", "hypotheses": names}
    return assemble(problem, goal, {"p": at[0], "q": better[0]}, steps)


def _values(problem: Problem, at: Fraction, better: Fraction | Bounds) -> list[Step]:
    """The value steps of p and q, exact where the numbers are short; `NotCertifiable` unless they show F(q) < F(p)."""
    lower, upper = (better, better) if isinstance(better, Fraction) else better
    if not upper < at:
        raise NotCertifiable("lower point", expected=f"a value below {at}", got=f"up to {upper}"[:60])
    if lower == upper and state_exactly((upper,), problem):
        q = exact_step("q", (upper,), Ln2Ring())
    else:
        bits = 40
        while (bounds := rounded_out(lower, upper, bits=bits))[1] >= at:
            bits *= 2
        q = bounds_step("q", *bounds)
    return [exact_step("p", (at,), Ln2Ring()), q]
