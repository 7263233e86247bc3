"""Bad local minima in affine regions: every pre-activation strictly inside a piece of degree at most 1.

There the network is, near p, f(x) = sum v_j (s_j (w_j.x + b_j) + t_j) + c. Let the outputs be the affine (for constant pieces: the
constant) least-squares fit of the targets. The residual is then orthogonal to 1 and to every coordinate, so
psi(w, b) = sum g_i phi(w.x_i + b) vanishes identically near every unit and p is a local minimum by the tangent lemma (rule
flat-minimum, units). A unit of output weight 0 that is moved across a kink lowers the loss as soon as <g, a> != 0, which a
hinge at a suitable place achieves for every residual that is not 0. (Yun, Sra, Jadbabaie 2019, Theorem 1, there for two
slopes; the freed unit replaces its explicit lower point. Dead regions: all units constant. Activations with one affine piece
among others: Christof, Kowalczyk 2022.)
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from explorer.certify.certificate import Instance
from explorer.certify.recipes.layers import ZERO, Layer, Layers, point_of, rationals, spurious
from explorer.certify.recipes.linear import Row, least_squares
from explorer.certify.recipes.residual import dot
from explorer.certify.recipes.spare import lowered
from explorer.errors import Invalid, NotCertifiable
from explorer.model.activations import pieces_of
from explorer.model.pieces import Pieces
from explorer.point import RationalField
from explorer.probes.zeros import inside
from explorer.problem import Activation, Problem

REGIONS = ("linear", "dead")


def bad_minimum(
    inputs: Sequence[Row],
    targets: Sequence[Fraction],
    width: int,
    activation: Activation,
    *,
    region: str = "linear",
    output_bias: bool = True,
    source: str,
    slug: str = "",
) -> Instance:
    """A one-hidden-layer network (hidden biases, squared loss) with a certified bad local minimum in an affine region.

    ``region`` "linear" puts the affine least-squares fit on the first unit (width >= 2), "dead" leaves every unit constant.
    `NotCertifiable` where the activation has no such piece, or the targets are fitted exactly.
    """
    if region not in REGIONS:
        raise Invalid("region", expected="'linear' or 'dead'", got=repr(region)[:40])
    build = _linear if region == "linear" else _dead
    layers, fit = build(inputs, targets, width, activation, output_bias)
    r = [f - y for f, y in zip(fit, targets, strict=True)]
    if not any(r):
        raise NotCertifiable(
            "targets", expected=f"targets that no {'affine function' if region == 'linear' else 'constant'} fits"
        )
    kind = activation.kind.replace("piecewise-polynomial", "piecewise").replace("_", "-")
    slug = slug or f"{region}-{kind}-d{len(inputs[0])}-n{len(inputs)}-w{width}{'' if output_bias else '-nobias2'}"
    problem = Problem.dense(
        widths=[len(inputs[0]), width, 1],
        activation=activation,
        bias=[True, output_bias],
        inputs=[list(x) for x in inputs],
        targets=list(targets),
        slug=slug[:60],
        source=source,
    )
    found = lowered(problem, layers, [2 * e for e in r], [(fit[0],)] if region == "dead" else [ZERO], ZERO)
    if found is None:
        raise NotCertifiable("lower point", expected="two units or an output bias")
    points = [point_of(each, RationalField()) for each in (layers, found)]
    return Instance(
        problem.slug, problem, (("spurious-local-minimum", spurious(problem, *points, proof="units", value=dot(r, r))),)
    )


def affine_pieces(activation: Activation) -> tuple[Pieces, list[int], list[int]]:
    """The pieces of ``activation``; those of degree 1, and the constant ones. `NotCertifiable` if it has neither or is affine."""
    p = pieces_of(activation)
    sloped = [] if p is None else [k for k, c in enumerate(p.polynomials) if len(c) == 2 and c[1]]
    constant = [] if p is None else [k for k, c in enumerate(p.polynomials) if len(c) <= 1]
    if p is None or p.is_polynomial or not (sloped or constant):
        raise NotCertifiable(
            f"activation {activation.kind}",
            expected="a piecewise polynomial with an affine piece and a break",
            remedy="for example relu, leaky_relu or requ",
        )
    return p, sloped, constant


def _linear(
    inputs: Sequence[Row], targets: Sequence[Fraction], width: int, activation: Activation, output_bias: bool
) -> tuple[Layers, list[Fraction]]:
    """The affine least-squares fit on the first unit; the others sit at the same place with output weight 0."""
    p, sloped, _ = affine_pieces(activation)
    if not sloped:
        raise NotCertifiable(
            f"activation {activation.kind}", expected="a piece of degree 1", remedy="use region 'dead'"
        )
    if width < 2:
        raise NotCertifiable("width", expected="at least 2 units, one of them to spare", got=str(width))
    d, one = len(inputs[0]), Fraction(1)
    *w, shift = least_squares([*zip(*inputs, strict=True), [one] * len(inputs)], targets)
    fit = [dot(w, x) + shift for x in inputs]
    for k in sorted(sloped, reverse=True):
        low, high = p.interval(k)
        t, s = p.polynomials[k]
        placed = _placed(fit, low, high) if output_bias else _through(fit, low, high, t / s)
        if placed is None:
            continue
        alpha, beta = placed  # the unit's pre-activation is alpha fit + beta
        v = 1 / (alpha * s)
        middle = alpha * fit[0] + beta
        rows = (rationals([alpha * a for a in w]), *[rationals([0] * d)] * (width - 1))
        bias = rationals([alpha * shift + beta, *[middle] * (width - 1)])
        out = rationals([v, *[0] * (width - 1)])
        return (Layer(rows, bias), Layer((out,), rationals([-v * (s * beta + t)]) if output_bias else None)), fit
    raise NotCertifiable(
        "targets", expected="a least-squares fit of one sign, without an output bias", remedy="use an output bias"
    )


def _placed(fit: Sequence[Fraction], low: Fraction | None, high: Fraction | None) -> tuple[Fraction, Fraction]:
    """alpha > 0 and beta with alpha fit + beta strictly between low and high."""
    least, most = min(fit), max(fit)
    if low is not None and high is not None:
        alpha = min(Fraction(1), (high - low) / (2 * (most - least)) if most > least else Fraction(1))
        return alpha, (low + high) / 2 - alpha * (least + most) / 2
    if low is not None:
        return Fraction(1), max(Fraction(0), low + 1 - least)
    return Fraction(1), min(Fraction(0), high - 1 - most) if high is not None else Fraction(0)


def _through(
    fit: Sequence[Fraction], low: Fraction | None, high: Fraction | None, offset: Fraction
) -> tuple[Fraction, Fraction] | None:
    """alpha with alpha fit - offset strictly inside: without an output bias the unit must give the whole fit."""
    for size in (Fraction(1), Fraction(2) ** 10, Fraction(1, 2**10)):
        for alpha in (size, -size):
            z = [alpha * f - offset for f in fit]
            if (low is None or min(z) > low) and (high is None or max(z) < high):
                return alpha, -offset
    return None


def _dead(
    inputs: Sequence[Row], targets: Sequence[Fraction], width: int, activation: Activation, output_bias: bool
) -> tuple[Layers, list[Fraction]]:
    """Every unit constant, the output the best constant (0 where the piece is 0 and there is no output bias)."""
    p, _, constant = affine_pieces(activation)
    if not constant:
        raise NotCertifiable(f"activation {activation.kind}", expected="a constant piece", remedy="use region 'linear'")
    k = constant[0]
    low, high = p.interval(k)
    t = p.polynomials[k][0] if p.polynomials[k] else Fraction(0)
    mean = sum(targets, Fraction(0)) / len(targets)
    weights = [Fraction(1)] * width
    if not output_bias and t:
        weights = [mean / (t * width)] * width
    value = mean if output_bias or t else Fraction(0)
    bias = rationals([mean - t * width]) if output_bias else None
    first = Layer((rationals([0] * len(inputs[0])),) * width, rationals([inside(low, high)] * width))
    return (first, Layer((rationals(weights),), bias)), [value] * len(inputs)
