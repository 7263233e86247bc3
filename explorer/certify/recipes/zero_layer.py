"""Bad local minima where the first weight matrix vanishes: any depth, width, dimension, loss, curved activation.

Write f(x) = G(W x; eta), all else in eta. Let W = 0, so f is constant, and let the loss slopes g_i satisfy sum g_i = 0 and
sum g_i x_i = 0 with S = sum g_i x_i x_i^T positive definite (`definite_residual`). The constant and the linear terms of
Phi = sum g_i f(x_i) in W cancel for every eta, and the quadratic one, tr(W^T H W S)/2 with H the Hessian of G in its first
argument, is >= 0 once H > 0: by the tangent lemma p is a local minimum (rule flat-minimum, first-layer-zero).

Here all units of a layer are equal, so H = alpha I + beta 11^T: the first layer gives alpha = phi''(b), beta = 0, and a later
layer with weights a and derivatives s', s'' maps (slope, alpha, beta) to (s' a slope, s' a alpha, s' a beta + s'' a^2 slope^2).
With the sign of a that makes s' a > 0 and with s'' of the sign of alpha (or 0), H keeps that sign. A first activation with
phi'' = 0 (sin at 0) gets its curvature from the second layer, whose unit k then looks at unit k mod width only.
(After Ding, Li, Sun, arXiv 1911.01413; survey of Sun et al. 2020, Proposition IV.2 and the paragraph on arbitrary depth.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from explorer.certify.certificate import Instance
from explorer.certify.recipes.layers import ONE, ZERO, Layer, Layers, plus, point_of, spurious, times, total
from explorer.certify.recipes.linear import Row
from explorer.certify.recipes.moments import Quadric, definite_residual
from explorer.certify.recipes.residual import dot
from explorer.certify.recipes.sites import MULTIPLES, Site, curved_site, field_of, site
from explorer.certify.recipes.spare import lowered
from explorer.errors import Invalid, NotCertifiable
from explorer.point import Element
from explorer.problem import Activation, Problem


@dataclass(frozen=True)
class Shape:
    """What is asked for: hidden ``widths`` and ``activations`` (one each), inputs, number of outputs, output bias."""

    inputs: tuple[Row, ...]
    widths: tuple[int, ...]
    activations: tuple[Activation, ...]
    outputs: int = 1
    output_bias: bool = False

    def name(self) -> str:
        kinds = [a.kind.replace("piecewise-polynomial", "piecewise") for a in self.activations]
        kind = kinds[0] if len(set(kinds)) == 1 else "-".join(kinds)
        extra = f"{f'-k{self.outputs}' if self.outputs > 1 else ''}{'-outbias' if self.output_bias else ''}"
        return f"{kind}-d{len(self.inputs[0])}-n{len(self.inputs)}-w{'-'.join(map(str, self.widths))}{extra}"


def bad_minimum(shape: Shape, *, seed: int = 0, source: str) -> Instance:
    """A network with hidden biases, a certified sub-optimal local minimum at W = 0 and a lower point (squared loss).

    ``seed`` varies the output weights and the site. `NotCertifiable` where the inputs lie on a quadric (it is named), or the
    activations have no exact place with curvature.
    """
    residual = residual_for(shape.inputs)
    layers, sign = constant_network(shape, seed)
    values = constant_outputs(layers, shape)
    if any(len(v) > 1 for v in values):
        raise NotCertifiable(
            f"activation {shape.activations[-1].kind}", expected="rational outputs", remedy="use an output bias"
        )
    slug = f"flat-{shape.name()}{f'-seed{seed}' if seed else ''}"[:60].rstrip("-")
    for scale in (2**k for k in range(12)):
        rows = [[sign * scale * (k + 1) * r for r in residual] for k in range(shape.outputs)]
        problem = Problem.dense(
            widths=[len(shape.inputs[0]), *shape.widths, shape.outputs],
            activation=[*shape.activations],
            bias=[True] * len(shape.widths) + [shape.output_bias],
            inputs=[list(x) for x in shape.inputs],
            targets=[[v[0] - row[i] for v, row in zip(values, rows, strict=True)] for i in range(len(residual))],
            slug=slug,
            source=source,
        )
        level = sum((dot(row, row) for row in rows), Fraction(0))
        found = lowered(problem, layers, [2 * r for r in rows[0]], values, last_site(layers, shape))
        if found is None:
            continue
        field = field_of(*shape.activations)
        try:
            bad = spurious(
                problem, point_of(layers, field), point_of(found, field), proof="first-layer-zero", value=level
            )
        except NotCertifiable as error:
            if error.subject == "lower point" and shape.widths[-1] == 1 and not shape.output_bias:
                continue  # a single unit cannot be spared: enlarge the residual
            raise
        return Instance(slug, problem, (("spurious-local-minimum", bad),))
    raise NotCertifiable("lower point", expected="a lower point", remedy="use two units in the last hidden layer")


def residual_for(inputs: Sequence[Row], *, affine: bool = True) -> Row:
    """`definite_residual`, its refusals as answers: equal inputs, the quadric, or not decided."""
    if len(set(inputs)) < 2:
        raise NotCertifiable(
            "inputs", expected="inputs that vary", remedy="no point with W = 0 is a bad minimum: f is constant"
        )
    found = definite_residual(inputs, affine=affine)
    if isinstance(found, Quadric):
        raise NotCertifiable(
            "inputs",
            expected="a residual with definite second moments, which exists unless all inputs lie on one quadric "
            "x^T A x + b^T x + c = 0 with A positive semidefinite and not 0",
            got=f"inputs on the quadric {found}"[:200],
            remedy="the construction at W = 0 has no such point; use other inputs or more of them",
        )
    if found is None:
        raise NotCertifiable(
            "inputs",
            expected="a residual with definite second moments",
            got="neither it nor a quadric within the search",
        )
    return found


def constant_network(shape: Shape, seed: int) -> tuple[Layers, int]:
    """The layers at W = 0 with all pre-activations at sites, and the sign of H; weights of the last layer are positive."""
    if len(shape.widths) != len(shape.activations) or not shape.widths:
        raise Invalid("activations", expected="one activation per hidden layer", got=str(len(shape.activations)))
    last = len(shape.widths) - 1
    first, layers, looks = shape.activations[0], [], False
    try:
        here = curved_site(first, any_value=last > 0 or shape.output_bias, start=seed)
    except NotCertifiable:
        bare = site(first, Fraction(0), signs=True)
        if last == 0 or bare is None or not bare.slope or shape.widths[1] < shape.widths[0]:
            raise
        here, looks = bare, True  # curvature from the second layer
    sign = (here.bend > 0) - (here.bend < 0)
    layers.append(Layer(((ZERO,) * len(shape.inputs[0]),) * shape.widths[0], (here.at,) * shape.widths[0]))
    for k in range(1, last + 1):
        before, here = here, _next_site(shape.activations[k], sign, rational=k == last and not shape.output_bias)
        a = 1 if here.slope > 0 else -1
        width = shape.widths[k - 1]
        if k == 1 and looks:
            sign = (here.bend > 0) - (here.bend < 0)
            rows = tuple(tuple((Fraction(a * (j % width == i)),) for i in range(width)) for j in range(shape.widths[k]))
            reach: Element = times(before.value, a)
        else:
            rows = ((((Fraction(a),),) * width),) * shape.widths[k]
            reach = times(before.value, a * width)
        layers.append(Layer(rows, (plus(here.at, times(reach, -1)),) * shape.widths[k]))
    weights = tuple((Fraction(1 + seed if j == 0 else 1),) for j in range(shape.widths[-1]))
    bias = None
    if shape.output_bias:
        cancel = (
            ZERO if here.rational_value is not None else times(total([times(here.value, w[0]) for w in weights]), -1)
        )
        bias = (cancel,) * shape.outputs
    return (*layers, Layer((weights,) * shape.outputs, bias)), sign


def _next_site(activation: Activation, sign: int, *, rational: bool) -> Site:
    """A site of a later layer: slope not 0, curvature of the ``sign`` (or any, not 0, for sign 0)."""
    for k in MULTIPLES:
        found = site(activation, k, signs=True)
        if found is None or not found.slope or (rational and found.rational_value is None):
            continue
        if found.bend * sign > 0 or (sign == 0 and found.bend) or (sign and not found.bend):
            return found
    raise NotCertifiable(
        f"activation {activation.kind}",
        expected="an exact place with a slope and a fitting curvature",
        remedy="use another",
    )


def constant_outputs(layers: Layers, shape: Shape) -> list[Element]:
    """The constant outputs of the network at W = 0."""
    value = _last_value(layers, shape)
    bias = layers[-1].bias or (ZERO,) * shape.outputs
    return [
        plus(times(value, sum((w[0] for w in row), Fraction(0))), c)
        for row, c in zip(layers[-1].rows, bias, strict=True)
    ]


def last_site(layers: Layers, shape: Shape) -> Element:
    """The pre-activation of the last hidden units."""
    if len(layers) == 2:
        assert layers[0].bias is not None  # hidden biases
        return layers[0].bias[0]
    assert layers[-2].bias is not None
    assert layers[-3].bias is not None
    below = _last_value(
        (*layers[:-2], Layer(((ONE,),))), Shape(shape.inputs, shape.widths[:-1], shape.activations[:-1])
    )
    return total([layers[-2].bias[0], *(times(below, w[0]) for w in layers[-2].rows[0])])


def _last_value(layers: Layers, shape: Shape) -> Element:
    """phi at the (common) pre-activation of the last hidden units."""
    at = last_site(layers, shape)
    multiple = at[1] if len(at) == 2 else at[0]
    found = site(shape.activations[-1], multiple, signs=True)
    assert found is not None  # constant_network chose a site
    return found.value
