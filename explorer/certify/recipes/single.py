"""Proposition IV.1 as a generator: one neuron, one sample, F(w, v) = (y - v phi(w x))^2, for x != 0 and y != 0.

F has a sub-optimal local minimum exactly if phi, continuous and not identically zero, has a zero that is a local extremum.

*If.* Let phi(t) = 0 and s phi >= 0 near t. At (t/x, v) with v of the sign of -s y the linear functional of the tangent lemma is
-2 y v' phi(w' x) >= 0 nearby: a local minimum of value y^2 > 0 = F(w, y/phi(w x)). Its finite check is rule flat-minimum: ``units`` at
double zeros and where phi vanishes on an interval, ``line`` at zeros of higher order and at kinks.
*Only if.* Where phi(w x) != 0, dF/dv = 0 forces F = 0. Where phi(w x) = 0 and phi changes its sign, F falls along a curve on which
y v phi grows: w moves to one side, and v is moved too if it is 0. The certificates of this side show it at one zero each with
v = -1, 0, 1; a zero of odd order m has descent curves of order m (m + 1 for v = 0).
For x = 0 or y = 0 or phi = 0 there is never such a minimum: F is constant, or F = 0 at every critical point.
(Sun et al. 2020, Proposition IV.1; continuity and phi != 0 are not stated there.)
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction

from explorer.algebra.fields import arithmetic
from explorer.certify.certificate import Certificate, Instance, accepted
from explorer.certify.encode import Step, assemble
from explorer.certify.goals import certify
from explorer.certify.recipes.layers import spurious
from explorer.certify.recipes.sites import at_multiple, is_transcendental, site
from explorer.certify.saddles import curve_step
from explorer.errors import NotCertifiable, Unsupported
from explorer.model.activations import pieces_of
from explorer.model.pieces import value
from explorer.point import Element, Ln2Ring, Point, RationalField
from explorer.probes.zeros import Zero, nonzero_arguments, zeros
from explorer.problem import Activation, Problem
from explorer.solve.results import Curve


@dataclass(frozen=True)
class Answer:
    """Whether F has a sub-optimal local minimum, why, and the zeros of phi that were looked at."""

    exists: bool
    reason: str
    zeros: tuple[Zero, ...]


def decide(activation: Activation, x: Fraction, y: Fraction) -> Answer:
    """Exactly, for every polynomial, piecewise polynomial and listed activation, also for x = 0, y = 0 and phi = 0."""
    found = tuple(zeros(activation))
    p = pieces_of(activation)
    if p is not None and p.is_zero:
        return Answer(False, "phi = 0, so F is constant", found)
    if not y:
        return Answer(False, "y = 0: dF/dv = 2 v phi^2 vanishes only where F = v^2 phi^2 = 0", found)
    if not x:
        return Answer(False, "x = 0: F is constant, or dF/dv = 0 forces F = 0", found)
    if any(z.extremum for z in found):
        return Answer(True, "phi has a zero that is a local extremum", found)
    return Answer(False, "phi changes its sign at every zero" if found else "phi has no zero", found)


def instances(
    activation: Activation, *, x: Fraction = Fraction(1), y: Fraction = Fraction(1), slug: str, source: str
) -> tuple[Instance, ...]:
    """Certificates of the answer: per extremal zero a bad local minimum; else a global minimum and, per zero, points that
    are critical and no minima. `NotCertifiable` for the degenerate inputs, where nothing is to be shown but the reason."""
    answer = decide(activation, x, y)
    if not x or not y or (pieces_of(activation) and pieces_of(activation).is_zero):  # type: ignore[union-attr]
        raise NotCertifiable(
            "single neuron", expected="x, y and phi not 0", got=f"no sub-optimal local minimum: {answer.reason}"
        )
    if not answer.exists:
        return (_without(activation, answer, x, y, slug, source),)
    chosen = [z for z in answer.zeros if z.extremum]
    out = []
    for k, z in enumerate(chosen):
        name = slug if len(chosen) == 1 else f"{slug}-{k + 1}"
        problem = _problem(activation, x, y, name, source)
        v = Fraction(-1 if (z.side or 1) * y > 0 else 1)
        at = Point(z.field, (tuple(c / x for c in z.at), (v,)))
        plain = z.order == 2 or (not z.left and not z.right and not is_transcendental(activation))
        bad = spurious(problem, at, _interpolating(activation, x, y), proof="units" if plain else "line")
        out.append(Instance(name, problem, (("spurious-local-minimum", bad),)))
    return tuple(out)


def _problem(activation: Activation, x: Fraction, y: Fraction, slug: str, source: str) -> Problem:
    return Problem.dense(widths=[1, 1, 1], activation=activation, inputs=[x], targets=[y], slug=slug, source=source)


def _interpolating(activation: Activation, x: Fraction, y: Fraction) -> Point:
    """(w, y/phi(w x)) with phi(w x) != 0, exactly."""
    p = pieces_of(activation)
    for _, t in zip(range(200), nonzero_arguments(activation), strict=False):
        if p is not None:
            phi = value(p.polynomials[p.index(t)[0]], t)
        else:
            here = site(activation, t)
            phi = here.rational_value if here is not None and here.rational_value is not None else Fraction(0)
        if phi:
            field = Ln2Ring() if is_transcendental(activation) else RationalField()
            return Point(field, (tuple(c / x for c in at_multiple(activation, t)), (y / phi,)))
    raise NotCertifiable(
        f"activation {activation.kind}",
        expected="an exact rational value that is not 0",
        remedy="it has none in the checker's rings",
    )


def _without(activation: Activation, answer: Answer, x: Fraction, y: Fraction, slug: str, source: str) -> Instance:
    problem = _problem(activation, x, y, slug, source)
    made: list[tuple[str, Certificate]] = []
    with suppress(NotCertifiable):  # phi may have no exact value but 0
        made = [("global-minimum", certify(problem, "global-minimum", at=_interpolating(activation, x, y)))]
    for k, z in enumerate(answer.zeros):
        name = f"zero-{k + 1}"
        w = tuple(c / x for c in z.at)
        if z.order == 1:
            with suppress(NotCertifiable, Unsupported):  # erf and gelu have no exact slope at 0
                made.append((name, certify(problem, "strict-saddle", at=Point(z.field, (w, (Fraction(0),))))))
        elif z.order is not None and z.leading is not None:
            made += [
                (f"{name}-{word}", _descending(problem, z, w, v, x, y))
                for word, v in (("below", -1), ("on", 0), ("above", 1))
            ]
    if not made:
        raise NotCertifiable(
            f"activation {activation.kind}",
            expected="an exact place",
            got=f"no sub-optimal local minimum: {answer.reason}",
        )
    return Instance(slug, problem, tuple(made))


def _descending(problem: Problem, z: Zero, w: Element, v: int, x: Fraction, y: Fraction) -> Certificate:
    """At (t/x, v), phi = c h^m + ... with m odd: w = t/x + s/x (times a sign), and v = +-s from v = 0.

    F = y^2 - 2 y v phi + (v phi)^2 has the leading term -2 y v c s^m, or -2 y (+-s) c s^m.
    """
    a, m = arithmetic(z.field), z.order
    assert m is not None
    assert z.leading is not None
    up = a.sign(z.leading) * (1 if y > 0 else -1)  # the sign of y c
    step, order = (Fraction(up * v) / x, m) if v else (1 / x, m + 1)
    size = -2 * y * (v * (up * v) if v else up)
    rows: tuple[tuple[Element, ...], ...] = (((step,),), ()) if v else (((step,),), ((Fraction(up),),))
    curve = Curve(order, a.mul(z.leading, (size,)), rows)
    step_ = curve_step("p", curve, z.field, -1)
    steps: list[Step] = [step_]
    goal = {"kind": "not-local-minimum", "point": "p"}
    return accepted(assemble(problem, goal, {"p": Point(z.field, (w, (Fraction(v),)))}, steps))
