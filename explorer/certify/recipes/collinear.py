"""Three collinear inputs in the plane, two smooth units with bias: a bad local minimum although zero loss is reached.

x_1 = (1, 0), x_2 = (0, 1), x_3 = (1/2, 1/2) with targets 0, 0, 1. At W = 0 with f = 1/3 the residual is r = (1, 1, -2)/3: sum r_i = 0,
sum r_i x_i = 0, and sum r_i (x_i - x_1)(x_i - x_1)^T is positive on the line of the inputs. So p is a local minimum by rule
first-layer-zero on the affine span of the inputs, of value 2/3, as soon as the curvatures v_j phi''(b_j) are positive.
(Yun, Sra, Jadbabaie 2019, Theorem 2 with half this loss; their conditions (C2.4)-(C2.7) are replaced by the tangent lemma.)
"""

from __future__ import annotations

from fractions import Fraction

from explorer.certify.certificate import Instance
from explorer.certify.goals import certify
from explorer.certify.recipes.layers import Layer, Layers, point_of, rationals, spurious
from explorer.certify.recipes.sites import curved_site, field_of
from explorer.certify.recipes.spare import lowered
from explorer.errors import NotCertifiable
from explorer.point import Element, Ln2Ring, Point
from explorer.problem import Activation, Problem

HALF = Fraction(1, 2)
INPUTS = ((Fraction(1), Fraction(0)), (Fraction(0), Fraction(1)), (HALF, HALF))
#: value of f at p, the mean of the targets
LEVEL = Fraction(1, 3)


def bad_minimum(activation: Activation, width: int = 2, *, seed: int = 0, source: str) -> Instance:
    """The instance for a curved ``activation``; for two sigmoid units the lower point has loss 0, in exact numbers."""
    here = curved_site(activation, start=seed)
    if here.rational_value is None or width < 1:
        raise NotCertifiable("collinear recipe", expected="a rational value of the activation and at least one unit")
    sign = 1 if here.bend > 0 else -1
    v = Fraction(sign) * HALF
    shift = LEVEL - width * v * here.rational_value
    layers: Layers = (
        Layer((rationals([0, 0]),) * width, (here.at,) * width),
        Layer((rationals([v] * width),), rationals([shift])),
    )
    residual = [LEVEL, LEVEL, LEVEL - 1]
    problem = Problem.dense(
        widths=[2, width, 1],
        activation=activation,
        bias=[True, True],
        inputs=[list(x) for x in INPUTS],
        targets=[0, 0, 1],
        slug=f"collinear-{activation.kind.replace('_', '-')}-w{width}{f'-seed{seed}' if seed else ''}",
        source=source,
    )
    at, field = point_of(layers, field_of(activation)), field_of(activation)
    exact = activation.kind == "sigmoid" and width == 2
    found = None if exact else lowered(problem, layers, [2 * r for r in residual], [(LEVEL,)], here.at)
    better = _interpolating() if found is None else point_of(found, field)
    bad = spurious(problem, at, better, proof="first-layer-zero", value=Fraction(2, 3))
    made = [("spurious-local-minimum", bad)]
    if exact:
        made.append(("global-minimum", certify(problem, "global-minimum", at=better)))
    return Instance(problem.slug, problem, tuple(made))


def _interpolating() -> Point:
    """Pre-activations (-3, 1, -1) ln 2 and (-1, 3, 1) ln 2 with output weights -9, 9 and bias -2: outputs 0, 0, 1."""

    def logs(*k: int) -> tuple[Element, ...]:
        return tuple((Fraction(0), Fraction(v)) if v else (Fraction(0),) for v in k)

    return Point(Ln2Ring(), (*logs(-3, 1, -1, 3, 0, 0), *rationals([-9, 9, -2])))
