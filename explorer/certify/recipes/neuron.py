"""One neuron, one sample: F(w, v) = (y - v phi(w x))^2 has a sub-optimal local minimum at a double zero of phi.

Let phi(t) = phi'(t) = 0 != phi''(t) (a zero that is a local extremum) and w = t/x. There the residual is f - y = -y, so the
linear functional of the tangent lemma is psi(w) = -2 y phi(w x): it has psi = psi' = 0, psi'' = -2 y x^2 phi''(t). For v with
the sign of -y phi''(t) the point (w, v) is a local minimum of value y^2 > 0 (rule flat-minimum, ``units``); for the other
sign a local maximum along a flat line (morse-bott-maximum), and v = 0 is neither. Where phi(w' x) != 0 the output weight
v' = y/phi(w' x) gives F = 0. (Sun et al. 2020, Proposition IV.1 and Figure 2; that proposition states the equivalence for
continuous phi that is not identically zero.) For ReLU the unit is simply dead on the sample: w x < 0.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import count
from typing import Any

from flint import fmpq_poly

from explorer.algebra.balls import to_fmpq, to_fraction
from explorer.certify.certificate import Certificate, Instance
from explorer.certify.encode import Step, assemble
from explorer.certify.hypotheses import all_hypotheses, hypothesis_steps
from explorer.certify.values import exact_step
from explorer.errors import Invalid, NotCertifiable
from explorer.point import Point, RationalField
from explorer.problem import Activation, Problem
from explorer.reading import activation_from_json

Q = RationalField()
FIGURE_2 = Activation("polynomial", coefficients=(Fraction(-1, 8), Fraction(1, 4), Fraction(-1, 8)))
#: activations with a double zero: z^2, the one of Figure 2, and one with zeros at 0 and 1
DEFAULT = (
    Activation("square"),
    FIGURE_2,
    Activation("polynomial", coefficients=tuple(map(Fraction, (0, 0, 1, -2, 1)))),
)


def instances(*, activation: Any = None, seed: int = 0, source: str) -> tuple[Instance, ...]:
    """Single-neuron instances with a certified bad local minimum, one per double zero of the (default) activations.

    The target is y = 1 + seed and the input x = 1. `NotCertifiable` when ``activation`` is no polynomial, or has no
    rational zero at which it is a nondegenerate local extremum.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise Invalid("seed", expected="an integer >= 0", got=repr(seed)[:40])
    chosen = DEFAULT if activation is None else (activation_from_json(activation),)
    out = []
    for a in chosen:
        zeros = double_zeros(_coefficients(a))
        if not zeros:
            raise NotCertifiable(
                f"activation {a.kind}",
                expected="a rational zero t with phi'(t) = 0 != phi''(t)",
                remedy="the recipe needs a double zero, rational and no deeper; use 'square', for example",
            )
        name = a.kind if activation is not None or a.kind != "polynomial" else ("fig2" if a == FIGURE_2 else "quartic")
        for k, t in enumerate(zeros):
            slug = f"neuron-{name}{f'-{k + 1}' if len(zeros) > 1 else ''}{f'-seed{seed}' if seed else ''}"
            out.append(_instance(a, t, Fraction(1 + seed), slug, source))
    return tuple(out)


def examples(*, seed: int = 0, source: str) -> tuple[Instance, ...]:
    """The bad activations among the examples of the survey: z^2 and max(z, 0)."""
    square = instances(activation="square", seed=seed, source=source)
    y = Fraction(1 + seed)
    problem = _problem(Activation("relu"), y, f"neuron-relu{f'-seed{seed}' if seed else ''}", source)
    bad = _spurious(problem, at=(Fraction(-1), Fraction(-1)), better=(Fraction(1), y), value=y * y)
    return (*square, Instance(problem.slug, problem, (("spurious-local-minimum", bad),)))


def figure_2(*, source: str) -> Instance:
    """F(w, v) = (1 + v (w - 1)^2/8)^2: bad minima on the ray w = 1, v > 0, maxima on v < 0, a saddle at v = 0, minima F = 0."""
    base = _instance(FIGURE_2, Fraction(1), Fraction(1), "fig2", source)
    p = base.problem
    low, high, saddle = Point.rational([2, -8]), Point.rational([1, -1]), Point.rational([1, 0])
    floor: list[Step] = [
        exact_step("p", (Fraction(0),), Q),
        {"rule": "floor", "proof": "nonnegative", "value": "0"},
        {"rule": "global", "point": "p"},
    ]
    ray = {"at": ["-1"], "coordinates": [[["1", [0]]], [["1", [1]]]]}  # (w, v) = (1, t) at t = -1
    # w = 1 + s, v = +-s: F = (1 +- s^3/8)^2 = 1 +- s^3/4 + ...
    curves: list[Step] = [
        {"rule": "stationary", "point": "p"},
        {"rule": "descent-curve", "point": "p", "order": 3, "coefficient": "-1/4", "curve": [["1"], ["-1"]]},
        {"rule": "ascent-curve", "point": "p", "order": 3, "coefficient": "1/4", "curve": [["1"], ["1"]]},
    ]
    more = (
        ("global-minimum", assemble(p, {"kind": "global-minimum", "point": "p"}, {"p": low}, floor)),
        (
            "local-maximum",
            assemble(
                p,
                {"kind": "local-maximum", "point": "p"},
                {"p": high},
                [{"rule": "morse-bott-maximum", "point": "p", "family": ray}],
            ),
        ),
        ("saddle", assemble(p, {"kind": "saddle", "point": "p"}, {"p": saddle}, curves)),
    )
    return Instance(base.slug, p, (*base.certificates, *more))


def double_zeros(coefficients: tuple[Fraction, ...]) -> list[Fraction]:
    """The rational t with phi(t) = phi'(t) = 0 != phi''(t), increasing."""
    phi = fmpq_poly([to_fmpq(c) for c in coefficients])
    if phi == 0:
        return []
    factors = [f for f, multiplicity in phi.numer().factor()[1] if multiplicity == 2 and f.degree() == 1]
    return sorted(-Fraction(int(f[0]), int(f[1])) for f in factors)


def _coefficients(a: Activation) -> tuple[Fraction, ...]:
    named = {"square": 2, "cubic": 3, "linear": 1}
    if a.kind in named:
        return (Fraction(0),) * named[a.kind] + (Fraction(1),)
    if a.kind != "polynomial":
        raise NotCertifiable(
            f"activation {a.kind}", expected="a polynomial activation", remedy="use 'square', for example"
        )
    return a.coefficients


def _instance(a: Activation, t: Fraction, y: Fraction, slug: str, source: str) -> Instance:
    phi = fmpq_poly([to_fmpq(c) for c in _coefficients(a)])
    bend = phi.derivative().derivative()(to_fmpq(t))
    v = Fraction(-1 if bend > 0 else 1) * (1 if y > 0 else -1)
    w = next(t + k for k in count(1) if phi(to_fmpq(t + k)) != 0)
    problem = _problem(a, y, slug, source)
    better = (w, y / to_fraction(phi(to_fmpq(w))))
    return Instance(
        slug, problem, (("spurious-local-minimum", _spurious(problem, at=(t, v), better=better, value=y * y)),)
    )


def _problem(a: Activation, y: Fraction, slug: str, source: str) -> Problem:
    return Problem.dense(widths=[1, 1, 1], activation=a, inputs=[1], targets=[y], slug=slug, source=source)


def _spurious(
    problem: Problem, *, at: tuple[Fraction, Fraction], better: tuple[Fraction, Fraction], value: Fraction
) -> Certificate:
    names = all_hypotheses(problem)
    steps: list[Step] = [
        *hypothesis_steps(problem, names),
        exact_step("p", (value,), Q),
        exact_step("q", (Fraction(0),), Q),
        {"rule": "flat-minimum", "point": "p", "proof": "units"},
        {"rule": "below", "lower": "q", "upper": "p"},
    ]
    goal = {"kind": "spurious-local-minimum", "point": "p", "better": "q", "hypotheses": names}
    return assemble(problem, goal, {"p": Point.rational(at), "q": Point.rational(better)}, steps)
