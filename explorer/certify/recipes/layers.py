"""A point of a network, layer by layer, while a recipe builds it; and the certificate around two such points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from explorer.certify.certificate import Certificate, accepted
from explorer.certify.enclosure import enclose_loss
from explorer.certify.encode import Step, assemble, simplest
from explorer.certify.hypotheses import all_hypotheses, hypothesis_steps
from explorer.certify.located import Located
from explorer.certify.values import bounds_step, exact_step, rounded_out, state_exactly
from explorer.errors import NotCertifiable
from explorer.point import Element, Field, Point
from explorer.problem import Problem

ZERO: Element = (Fraction(0),)
ONE: Element = (Fraction(1),)


@dataclass(frozen=True)
class Layer:
    """The weights into one layer, one row per unit, and its biases (None: the layer has none)."""

    rows: tuple[tuple[Element, ...], ...]
    bias: tuple[Element, ...] | None = None


Layers: TypeAlias = tuple[Layer, ...]


def point_of(layers: Sequence[Layer], field: Field) -> Point:
    """The parameter vector, in the problem's order."""
    entries: list[Element] = []
    for layer in layers:
        entries += [w for row in layer.rows for w in row]
        entries += layer.bias or ()
    return Point(field, tuple(entries))


def rationals(values: Sequence[Fraction | int]) -> tuple[Element, ...]:
    """Rational numbers as elements."""
    return tuple((Fraction(v),) for v in values)


def times(element: Element, factor: Fraction | int) -> Element:
    """A rational multiple of an element."""
    return tuple(c * factor for c in element) if factor else ZERO


def plus(a: Element, b: Element) -> Element:
    """The sum of two elements of Q or Q[ln 2]."""
    size = max(len(a), len(b))
    padded = [[*e, *[Fraction(0)] * (size - len(e))] for e in (a, b)]
    out = [x + y for x, y in zip(*padded, strict=True)]
    while len(out) > 1 and not out[-1]:
        out.pop()
    return tuple(out)


def total(elements: Sequence[Element]) -> Element:
    """The sum of elements of Q or Q[ln 2]."""
    out = ZERO
    for e in elements:
        out = plus(out, e)
    return out


def spurious(problem: Problem, at: Point, better: Point, *, proof: str, value: Fraction | None = None) -> Certificate:
    """ "at is a local minimum by the tangent lemma (``proof``), better is lower", once the checker has accepted it.

    ``value`` is F(at) where the recipe knows it; the hypotheses are all that the problem has.
    """
    names = all_hypotheses(problem)
    p, q = Located.of(problem, "p", at), Located.of(problem, "q", better)
    steps: list[Step] = [
        *hypothesis_steps(problem, names),
        *separating_steps(p, q, value=value),
        {"rule": "flat-minimum", "point": "p", "proof": proof},
        {"rule": "below", "lower": "q", "upper": "p"},
    ]
    goal = {"kind": "spurious-local-minimum", "point": "p", "better": "q", "hypotheses": names}
    return accepted(assemble(problem, goal, {"p": p.point, "q": q.point}, steps))


def separating_steps(p: Located, q: Located, *, value: Fraction | None = None) -> list[Step]:
    """Value steps of p and q that show F(q) < F(p): exact where the numbers are short, bounds as wide as possible otherwise."""
    lower: list[tuple[Fraction, Step]] = []  # the lowest value that F(p) may have, with its step
    if value is not None:
        lower = [(value, exact_step("p", (value,), p.field))]
    elif p.value is not None and state_exactly(p.value, p.problem):
        lower = [(p.bounds[0], p.value_step())]
    else:
        ends = enclose_loss(p.problem, p.point)
        lower = [(b[0], bounds_step("p", *b)) for b in (rounded_out(*ends, bits=bits) for bits in BITS)]
    if len(q.problem.parameters) <= MANY and q.value is not None and state_exactly(q.value, q.problem):
        for least, step in lower:
            if q.bounds[1] < least:
                return [step, q.value_step()]
    low, high = enclose_loss(q.problem, simplest(q.point))
    for bits in BITS:
        below = rounded_out(low, high, bits=bits)
        for least, step in lower:
            if below[1] < least:
                return [step, bounds_step("q", *below)]
    raise NotCertifiable(
        "lower point", expected=f"a value below {str(lower[-1][0])[:40]}", got=f"up to {str(high)[:40]}"
    )


#: above this number of parameters the value of a lower point is stated by bounds at once
MANY = 400
#: significant bits of bounds, the shortest that separate the two values
BITS = (20, 40, 80, 120)
