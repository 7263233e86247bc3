"""Bad local minima of bias-free networks on scalar inputs, for any activation with exact places: all units share one weight.

With every input weight equal to w, f(x) = (sum v_j) phi(w x). A unit v_j phi(w x) contributes v_j psi(w) to the linear functional
of the tangent lemma, psi(w) = sum g_i phi(w x_i); psi = psi' = 0 and v_j psi'' > 0 make p a local minimum (rule flat-minimum, units).
So a residual r is needed with <r, phi(w x)> = <r, x phi'(w x)> = 0 < <r, x^2 phi''(w x)>: two or three samples suffice (`dual_residual`).
At w = 0 rows vanish when phi(0) = 0 or phi'(0) = 0; there inputs in R^d work too (`definite_residual`).
Homogeneous activations have none at w != 0: phi(wx), x phi'(wx) and x^2 phi''(wx) are proportional.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import gcd, lcm

from explorer.certify.certificate import Instance
from explorer.certify.recipes.layers import ZERO, Layer, point_of, spurious
from explorer.certify.recipes.linear import Row
from explorer.certify.recipes.moments import Quadric, definite_residual
from explorer.certify.recipes.residual import dot, dual_residual
from explorer.certify.recipes.sites import MULTIPLES, at_multiple, field_of, is_transcendental, rational_row, site
from explorer.certify.recipes.spare import lowered
from explorer.errors import NotCertifiable
from explorer.point import Element
from explorer.problem import Activation, Problem

MOST_UNITS = 400


def bad_minimum(inputs: Sequence[Row], width: int, activation: Activation, *, seed: int = 0, source: str) -> Instance:
    """A bias-free one-hidden-layer network with a certified sub-optimal local minimum and a lower point (squared loss).

    `NotCertifiable` when no weight was found at which the residual exists.
    """
    weights, residual, features = _place(inputs, activation)
    outputs = [Fraction(width + seed) * a for a in features]
    name = activation.kind.replace("piecewise-polynomial", "piecewise")
    slug = f"shared-{name}-d{len(inputs[0])}-n{len(inputs)}-w{width}{f'-seed{seed}' if seed else ''}"[:60].rstrip("-")
    for scale in (2**k for k in range(12)):
        r = [scale * e for e in residual]
        problem = Problem.dense(
            widths=[len(inputs[0]), width, 1],
            activation=activation,
            inputs=[list(x) for x in inputs],
            targets=[f - e for f, e in zip(outputs, r, strict=True)],
            slug=slug,
            source=source,
        )
        row = tuple((Fraction(1 + seed if j == 0 else 1),) for j in range(width))
        layers = (Layer((weights,) * width), Layer((row,)))
        found = lowered(problem, layers, [2 * e for e in r], [ZERO], ZERO)
        if found is None:
            continue
        field = field_of(activation)
        try:
            bad = spurious(problem, point_of(layers, field), point_of(found, field), proof="units", value=dot(r, r))
        except NotCertifiable as error:
            if width == 1 and error.subject == "lower point":
                continue
            raise
        return Instance(slug, problem, (("spurious-local-minimum", bad),))
    raise NotCertifiable("lower point", expected="a lower point", remedy="use two units")


def _place(inputs: Sequence[Row], activation: Activation) -> tuple[tuple[Element, ...], Row, list[Fraction]]:
    """The common input weights, the residual and the activations there."""
    d = len(inputs[0])
    if d == 1:
        found = _scalar(tuple(x[0] for x in inputs), activation)
        if found is not None:
            return found
    at_zero = site(activation, Fraction(0))
    if at_zero is None or not at_zero.bend or at_zero.rational_value is None:
        raise NotCertifiable(
            f"activation {activation.kind}",
            expected="a common input weight with a residual",
            got="none among the exact ones",
            remedy="use scalar inputs, hidden biases or another activation",
        )
    value = at_zero.rational_value
    residual = definite_residual(inputs, ones=value != 0, linear=at_zero.slope != 0, affine=False)
    if residual is None or isinstance(residual, Quadric):
        got = f"inputs on the quadric {residual}" if residual else "none found"
        raise NotCertifiable(
            "inputs", expected="a residual with definite second moments", got=got[:200], remedy="use other inputs"
        )
    signed = tuple(r if at_zero.bend > 0 else -r for r in residual)
    return (ZERO,) * d, signed, [value] * len(inputs)


def _scalar(x: tuple[Fraction, ...], activation: Activation) -> tuple[tuple[Element, ...], Row, list[Fraction]] | None:
    """A nonzero common weight: a multiple of the unit over the common measure of the inputs."""
    scale = Fraction(lcm(*(v.denominator for v in x)), 1)
    scale /= gcd(*(int(v * scale) for v in x)) or 1
    order = sorted(range(len(x)), key=lambda i: (abs(x[i]), x[i]))
    for multiple in MULTIPLES:
        for factor in (Fraction(1), scale) if scale != 1 else (scale,):
            w = multiple * factor
            if not w or (is_transcendental(activation) and max(map(abs, x)) * abs(w) > MOST_UNITS):
                continue
            sites = rational_row(activation, [w * v for v in x])
            if sites is None:
                continue
            value = [s.rational_value or Fraction(0) for s in sites]
            slope = [v * s.slope for v, s in zip(x, sites, strict=True)]
            bend = [v * v * s.bend for v, s in zip(x, sites, strict=True)]
            residual = dual_residual(value, slope, bend, order)
            if residual is not None:
                return (at_multiple(activation, w),), residual, value
    return None
