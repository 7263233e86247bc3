"""Families of critical points through a point of a network, for the Morse-Bott rules: known shapes, proposed only.

*Duplicate units*: hidden units with equal input weights (and biases) act as one, so their output weights may be shifted
against each other: v_1 + t_1, ..., v_k - t_1 - ... ; F and its gradient stay constant. *Silent units*: where phi vanishes at
every pre-activation of a unit, its output weight is free. The checker decides whether the family is critical and as large
as the nullity of the Hessian. Other families come from the solver as evidence.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from explorer.algebra.fields import FieldArithmetic, arithmetic
from explorer.certify.encode import Step, element_json, trimmed
from explorer.certify.located import Located
from explorer.errors import NotCertifiable, Unsupported
from explorer.model.jets import outputs
from explorer.model.rings import ExactRing
from explorer.point import Element, Field
from explorer.problem import DenseNetwork
from explorer.solve.results import Family


def morse_bott_step(p: Located, *, sign: int) -> Step:
    """The step ``morse-bott-minimum`` (sign 1) or ``morse-bott-maximum`` (sign -1) with a family as large as the nullity."""
    family = p.evidence.morse_bott or known_family(p)
    if family is None:
        raise NotCertifiable(f"morse-bott at {p.name}", expected="a known family of critical points through it")
    nullity = p.inertia.zero
    if len(family.at) != nullity:
        raise NotCertifiable(
            f"morse-bott at {p.name}", expected=f"a family of dimension {nullity}, the nullity", got=f"{len(family.at)}"
        )
    rule = "morse-bott-minimum" if sign > 0 else "morse-bott-maximum"
    return {"rule": rule, "point": p.name, "family": family_json(family, p.field)}


def family_json(family: Family, field: Field) -> dict[str, Any]:
    """A family as the format writes it."""
    return {
        "at": [element_json(t, field) for t in family.at],
        "coordinates": [
            [[element_json(c, field), list(e)] for c, e in sorted(terms, key=lambda term: term[1])]
            for terms in family.coordinates
        ],
    }


def known_family(p: Located) -> Family | None:
    """The largest family of the two shapes through an exact point of a network with one hidden layer; None if there is none."""
    net = p.problem.network
    if not isinstance(net, DenseNetwork) or net.depth != 2 or net.widths[-1] != 1:
        return None
    cols, width = net.widths[0], net.widths[1]
    start = width * cols + (width if net.bias[0] else 0)
    coordinates = [trimmed(c) for c in p.exact.coordinates]
    silent = _silent(p, range(start, start + width))
    groups: dict[tuple[Element, ...], list[int]] = {}
    for j in range(width):
        own = [*range(j * cols, (j + 1) * cols), *([width * cols + j] if net.bias[0] else [])]
        groups.setdefault(tuple(coordinates[k] for k in own), []).append(start + j)
    moves: list[dict[int, int]] = []  # parameter -> coefficient of this move
    for group in groups.values():
        if group[0] in silent:
            moves += [{k: 1} for k in group]
        else:
            moves += [{k: 1, group[-1]: -1} for k in group[:-1]]
    return _affine(coordinates, moves, arithmetic(p.field)) if moves else None


def _affine(coordinates: list[Element], moves: list[dict[int, int]], a: FieldArithmetic) -> Family:
    """gamma(t) = p + sum_k t_k move_k, at t = 0."""
    r = len(moves)
    constant = (0,) * r
    rows = []
    for k, c in enumerate(coordinates):
        terms = [] if a.is_zero(c) else [(c, constant)]
        for i, move in enumerate(moves):
            if k in move:
                terms.append(((Fraction(move[k]),), tuple(int(i == j) for j in range(r))))
        rows.append(tuple(terms))
    return Family(((Fraction(0),),) * r, tuple(rows))


def _silent(p: Located, output_weights: range) -> set[int]:
    """Output weights on which no output depends: the unit's activation is 0 on every sample."""
    ring = ExactRing(p.field)
    theta = [ring.from_element(c) for c in p.exact.coordinates]
    data = p.problem.data
    assert data is not None  # a network has data
    try:
        jets = [outputs(p.problem, ring, theta, i, 1)[0] for i in range(len(data))]
    except Unsupported:
        return set()
    return {k for k in output_weights if all(k not in jet.gradient for jet in jets)}
