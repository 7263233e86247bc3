"""Bad local minima of the logistic loss where the first weight matrix vanishes: a network that says the same to every input.

With f(x_i) = t for all i the loss slopes are g_i = -c_i (1 - sigma(t)) for label +1 and c_i sigma(t) for label -1. Any residual r
without zero entries is matched by the labels y_i = -sign r_i and the sample weights c_i = |r_i| / (sigma(t) or 1 - sigma(t)); at t = k ln 2
they are rational. Then the argument of `zero_layer` applies: sum g_i = 0, sum g_i x_i = 0, sum g_i x_i x_i^T definite. For the inputs
-1, 0, 1, labels -, +, - and t = -ln 2 all weights are 1: a third of the samples is misclassified at a local minimum of value
ln(27/4), at every width and depth.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from explorer.certify.certificate import Instance
from explorer.certify.recipes.cones import is_definite
from explorer.certify.recipes.layers import Layer, Layers, plus, point_of, spurious, times
from explorer.certify.recipes.linear import Row, independent_columns, kernel
from explorer.certify.recipes.moments import second_moments
from explorer.certify.recipes.spare import lowered
from explorer.certify.recipes.units import sigmoid
from explorer.certify.recipes.zero_layer import Shape, constant_network, constant_outputs, last_site, residual_for
from explorer.errors import NotCertifiable
from explorer.point import Element, Ln2Ring
from explorer.problem import Problem


def bad_minimum(shape: Shape, *, seed: int = 0, source: str) -> Instance:
    """The logistic counterpart of `zero_layer.bad_minimum`; labels and sample weights are part of the construction."""
    if shape.outputs != 1:
        raise NotCertifiable("logistic loss", expected="one output")
    residual = full_support(residual_for(shape.inputs), shape.inputs)
    layers, sign = constant_network(shape, seed)
    size = 1 + seed % 3
    layers, labels, weights, slopes = min(
        (_matched(layers, shape, residual, sign, k) for k in (-size, size)), key=_plainness
    )
    slug = f"logistic-{shape.name()}{f'-seed{seed}' if seed else ''}"[:60].rstrip("-")
    problem = Problem.dense(
        widths=[len(shape.inputs[0]), *shape.widths, 1],
        activation=[*shape.activations],
        bias=[True] * len(shape.widths) + [shape.output_bias],
        inputs=[list(x) for x in shape.inputs],
        targets=labels,
        loss="logistic",
        loss_weights=weights,
        slug=slug,
        source=source,
    )
    found = lowered(problem, layers, slopes, constant_outputs(layers, shape), last_site(layers, shape))
    assert found is not None  # the logistic loss is never refitted
    points = [point_of(each, Ln2Ring()) for each in (layers, found)]
    return Instance(slug, problem, (("spurious-local-minimum", spurious(problem, *points, proof="first-layer-zero")),))


def _matched(
    layers: Layers, shape: Shape, residual: Row, sign: int, k: int
) -> tuple[Layers, list[Fraction], list[Fraction], list[Fraction]]:
    """At the constant output k ln 2: the layers, labels, sample weights (the first one 1) and loss slopes."""
    made, turn = _constant(layers, shape, (Fraction(0), Fraction(k)))
    s = sigmoid(k)
    wanted = [sign * turn * r for r in residual]
    weights = [abs(r) / (s if r > 0 else 1 - s) for r in wanted]
    labels = [Fraction(-1 if r > 0 else 1) for r in wanted]
    return made, labels, [c / weights[0] for c in weights], [r / weights[0] for r in wanted]


def _plainness(made: tuple[Layers, list[Fraction], list[Fraction], list[Fraction]]) -> int:
    return len(set(made[2]))


def _constant(layers: Layers, shape: Shape, t: Element) -> tuple[Layers, int]:
    """The network with constant output t, by the output bias or by scaling the output weights; and the sign of that scaling."""
    [value] = constant_outputs(layers, shape)
    last = layers[-1]
    if last.bias is not None:
        return (*layers[:-1], Layer(last.rows, (plus(last.bias[0], plus(t, times(value, -1))),))), 1
    if len(value) > 1 or not value[0]:
        raise NotCertifiable(
            "logistic loss",
            expected="an activation with a rational value that is not 0 there",
            remedy="use an output bias",
        )
    rows = tuple(tuple(times(t, w[0] / value[0]) for w in row) for row in last.rows)
    return (*layers[:-1], Layer(rows)), 1 if t[1] / value[0] > 0 else -1


def full_support(residual: Row, inputs: Sequence[Row]) -> Row:
    """``residual`` plus small admissible vectors, so that no entry is 0 and the second moments stay definite."""
    features = [[Fraction(1)] * len(inputs), *map(list, zip(*inputs, strict=True))]
    current = residual
    for extra in kernel(features, len(inputs)):
        if all(current[i] for i, v in enumerate(extra) if v):
            continue
        for n in range(1, 60):
            moved = tuple(a + b / n for a, b in zip(current, extra, strict=True))
            if not any(a and not b for a, b in zip(current, moved, strict=True)) and _still_definite(moved, inputs):
                current = moved
                break
    if not all(current):
        raise NotCertifiable(
            "inputs",
            expected="every input in some affine dependence with the others",
            got=f"input {next(i for i, v in enumerate(current) if not v) + 1}, which has none",
            remedy="its loss slope could not vanish: leave it out",
        )
    return current


def _still_definite(residual: Row, inputs: Sequence[Row]) -> bool:
    shifted = [tuple(a - b for a, b in zip(x, inputs[0], strict=True)) for x in inputs]
    columns = independent_columns(shifted)
    return is_definite(second_moments(residual, [tuple(x[k] for k in columns) for x in shifted]))
