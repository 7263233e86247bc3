"""Outputs and gradient features of a dense network at an exact point: f_X(theta) and the columns of its Jacobian.

Kawaguchi, Huang, Kaelbling 2019, section 3: the induced model at theta is x -> sum_k a_k df(x; theta)/dtheta_k. Stacked over
the samples (sample by sample, output by output) its values are the column space of the Jacobian J(theta).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from explorer.algebra.fields import FieldArithmetic, arithmetic
from explorer.errors import Unsupported
from explorer.induced.linear import combination, dot, least_squares, rank
from explorer.model.activations import row
from explorer.model.jets import outputs
from explorer.model.rings import ExactRing
from explorer.network import LINEAR, Activation
from explorer.point import Element, Field, Ln2Ring, Point, RationalField
from explorer.problem import Dataset, DenseNetwork, Loss, Problem


@dataclass(frozen=True)
class Features:
    """At one point: ``outputs`` f_X (n d_L entries), ``columns`` df_X/dtheta_k (one per parameter), ``field`` of all entries.

    ``targets`` and ``weights`` (the c_i) are repeated to the same length, so that the squared loss is
    sum_r weights_r (outputs_r - targets_r)^2.
    """

    field: Field
    outputs: tuple[Element, ...]
    columns: tuple[tuple[Element, ...], ...]
    targets: tuple[Fraction, ...]
    weights: tuple[Fraction, ...]

    @property
    def arithmetic(self) -> FieldArithmetic:
        return arithmetic(self.field)

    @property
    def rank(self) -> int:
        """rank J."""
        return rank(self.arithmetic, self.columns)

    @property
    def combination(self) -> list[Element] | None:
        """g with J g = f_X (Assumption 2 at this point), or None."""
        return combination(self.arithmetic, self.columns, self.outputs)

    @property
    def lifted_targets(self) -> list[Element]:
        return [self.arithmetic.from_fraction(y) for y in self.targets]


def gradient_features(problem: Problem, point: Point) -> Features:
    """The features at ``point``. `Unsupported` for other losses than those of dense networks, at kinks, and off the field."""
    network, data, loss = problem.network, problem.data, problem.loss
    if not isinstance(network, DenseNetwork) or data is None or loss is None:
        raise Unsupported("gradient features", expected="a dense network on data", got="another problem")
    ring = ExactRing(_field(problem, point.field))
    theta = [ring.from_element(c) for c in point.coordinates]
    values: list[Element] = []
    rows: list[list[Element]] = []
    zero = ring.to_element(ring.constant(Fraction(0)))
    for sample in range(len(data)):
        for f in outputs(problem, ring, theta, sample, 1):
            values.append(ring.to_element(f.value))
            rows.append([ring.to_element(f.gradient[k]) if k in f.gradient else zero for k in range(len(theta))])
    repeat = [i for i, y in enumerate(data.targets) for _ in y]
    return Features(
        ring.field,
        tuple(values),
        tuple(zip(*rows, strict=True)),
        tuple(v for y in data.targets for v in y),
        tuple(loss.weights[i] for i in repeat),
    )


def induced_minimum(features: Features, more: Iterable[Sequence[Element]] = ()) -> Element:
    """min of the squared loss over linear combinations of the gradient features (and of ``more`` columns)."""
    return least_squares(features.arithmetic, [*features.columns, *more], features.lifted_targets, features.weights)


def affine_minimum(features: Features) -> Element:
    """min over a of sum_r weights_r (f_r + (J a)_r - y_r)^2: the best loss on the affine tangent space."""
    a = features.arithmetic
    rest = [a.sub(y, f) for y, f in zip(features.lifted_targets, features.outputs, strict=True)]
    return least_squares(a, features.columns, rest, features.weights)


def squared_loss(features: Features) -> Element:
    """The squared loss at the point itself, from the outputs."""
    a = features.arithmetic
    rest = [a.sub(f, y) for y, f in zip(features.lifted_targets, features.outputs, strict=True)]
    return dot(a, [a.mul(a.from_fraction(w), r) for w, r in zip(features.weights, rest, strict=True)], rest)


def squared_gradient(features: Features) -> list[Element]:
    """J^T Lambda p with p = 2 (f - y): the first-order condition of Lemma 2, by the chain rule."""
    a = features.arithmetic
    p = [
        a.mul(a.from_fraction(2 * w), a.sub(f, y))
        for w, f, y in zip(features.weights, features.outputs, features.lifted_targets, strict=True)
    ]
    return [dot(a, column, p) for column in features.columns]


def hidden_columns(problem: Problem, point: Point, layer: int) -> list[list[Element]]:
    """The columns by which a linear map acts on the representation h^(layer) (1 = first hidden layer, 0 = inputs).

    One column per unit and output: the value of the unit on the sample, in the rows of that output. The network up to
    that layer is evaluated exactly; `Unsupported` where a value is not in the field.
    """
    network, data = problem.network, problem.data
    assert isinstance(network, DenseNetwork)
    assert data is not None
    a = arithmetic(_field(problem, point.field))
    values = representation(problem, point, layer)
    out = network.widths[-1]
    columns = []
    for unit in range(len(values[0])):
        for k in range(out):
            columns.append([v[unit] if o == k else a.zero for v in values for o in range(out)])
    return columns


def representation(problem: Problem, point: Point, layer: int, *, before: bool = False) -> list[list[Element]]:
    """h^(layer)(x_i), one row per sample (layer 0: the inputs); ``before``: the pre-activations of that layer instead."""
    network, data, loss = problem.network, problem.data, problem.loss
    if not isinstance(network, DenseNetwork) or data is None or loss is None:
        raise Unsupported("representation", expected="a dense network on data", got="another problem")
    field = _field(problem, point.field)
    if layer == 0:
        a = arithmetic(field)
        return [[a.from_fraction(v) for v in x] for x in data.inputs]
    widths = network.widths[: layer + 1]
    last = network.output if layer == network.depth else network.activations[layer - 1]
    head = DenseNetwork(widths, network.activations[: layer - 1], network.bias[:layer], LINEAR if before else last)
    nothing = tuple((Fraction(0),) * widths[-1] for _ in data.inputs)
    part = Problem(head, Dataset(data.inputs, nothing), Loss("squared", loss.weights))
    ring = ExactRing(field)
    theta = [ring.from_element(c) for c in point.coordinates[: head.parameter_count]]
    return [
        [ring.to_element(f.value) for f in outputs(part, ring, theta, sample, 0)] for sample in range(len(data.inputs))
    ]


def kinks(problem: Problem, point: Point) -> list[tuple[int, int, int]]:
    """(layer, unit, sample), from 1, where a pre-activation is at a break with two different slopes."""
    network = problem.network
    if not isinstance(network, DenseNetwork):
        raise Unsupported("kinks", expected="a dense network on data", got="another problem")
    found = []
    for layer, activation in enumerate(network.activations, start=1):
        corners = slope_jumps(activation)
        if not corners:
            continue
        a = arithmetic(_field(problem, point.field))
        for sample, entries in enumerate(representation(problem, point, layer, before=True), start=1):
            for unit, z in enumerate(entries, start=1):
                if any(a.is_zero(a.sub(z, a.from_fraction(b))) for b in corners):
                    found.append((layer, unit, sample))
    return sorted(found)


def slope_jumps(activation: Activation) -> tuple[Fraction, ...]:
    """The points where the activation has two different one-sided slopes."""
    return tuple(b.at for b in row(activation).breaks(activation) if b.smoothness == 0)


def _field(problem: Problem, field: Field) -> Field:
    """Q[ln 2] instead of Q where softplus(0) = ln 2 may turn up at a rational point."""
    kinds = {a.kind for a in getattr(problem.network, "activations", ())}
    return Ln2Ring() if isinstance(field, RationalField) and "softplus" in kinds else field
