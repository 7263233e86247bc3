"""Networks that classify every sample: features of the last hidden layer, and a perceptron on them, in exact arithmetic."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from explorer.budget import Deadline
from explorer.errors import Unsupported
from explorer.model.activations import pieces_of
from explorer.model.jets import outputs
from explorer.model.rings import ExactRing
from explorer.paths.features import Layer
from explorer.paths.walks import enriched
from explorer.point import Element, Field, Point, RationalField
from explorer.problem import DenseNetwork, Problem

Row = tuple[Fraction, ...]
#: (field, parameters before the last layer, last layer): rational last-layer weights, then its bias if it has one
Classifier = tuple[Field, tuple[Element, ...], Row]
STEPS = 5_000
TRIALS = 200


def classifiers(problem: Problem, *, seed: int, deadline: Deadline) -> Iterator[Classifier]:
    """Parameters with y_i f(x_i) > 0 for every sample; the search gives up after `TRIALS` hidden layers."""
    net, data = problem.network, problem.data
    assert isinstance(net, DenseNetwork)
    assert data is not None
    assert problem.loss is not None
    labels = [y[0] for y in data.targets]
    if 0 in labels:
        return
    for field, prefix, rows in _features(problem, seed, deadline):
        deadline.check("looking for a classifying network")
        columns = [*rows, *([(Fraction(1),) * len(labels)] if net.bias[-1] else [])]
        last = perceptron(columns, labels, deadline)
        if last is not None:
            yield field, prefix, last


def perceptron(columns: Sequence[Row], labels: Sequence[Fraction], deadline: Deadline | None = None) -> Row | None:
    """v with y_i sum_j v_j columns[j][i] > 0 for every i (Rosenblatt); None after `STEPS` corrections."""
    v = [Fraction(0)] * len(columns)
    signs = [1 if y > 0 else -1 for y in labels]
    for _ in range(STEPS):
        if deadline is not None:
            deadline.check("looking for a classifying last layer")
        wrong = next((i for i, s in enumerate(signs) if s * sum(a * c[i] for a, c in zip(v, columns, strict=True)) <= 0), None)  # fmt: skip
        if wrong is None:
            return tuple(v)
        v = [a + signs[wrong] * c[wrong] for a, c in zip(v, columns, strict=True)]
    return None


def _features(
    problem: Problem, seed: int, deadline: Deadline
) -> Iterator[tuple[Field, tuple[Element, ...], list[Row]]]:
    """Hidden parameters with their exact features."""
    net, data = problem.network, problem.data
    assert isinstance(net, DenseNetwork)
    assert data is not None
    assert problem.loss is not None
    if net.depth == 1:
        yield RationalField(), (), [tuple(row[k] for row in data.inputs) for k in range(net.widths[0])]
        return
    if net.depth == 2:
        squared = replace(problem, loss=replace(problem.loss, kind="squared"))
        origin = Layer.of(squared, Point.rational([0] * len(problem.parameters)))
        layer, _ = enriched(origin, [], deadline)
        point = layer.point()
        size = len(point.coordinates) - layer.units - (1 if net.bias[1] else 0)
        yield point.field, point.coordinates[:size], list(layer.table())
        return
    if any(pieces_of(a) is None for a in net.activations):
        raise Unsupported(
            "the network", expected="one hidden layer, or piecewise polynomial activations", got="another"
        )
    pick, ring = random.Random(seed), ExactRing(RationalField())
    hidden, last = len(problem.parameters) - net.widths[-2] - net.bias[-1], net.widths[-2]
    for _ in range(TRIALS):
        prefix = [Fraction(pick.choice((-2, -1, 1, 2))) for _ in range(hidden)]
        rows = []
        for j in range(last):  # the j-th feature is the output with the last layer e_j
            theta = [*prefix, *(Fraction(int(k == j)) for k in range(last)), *([Fraction(0)] if net.bias[-1] else [])]
            elements = [ring.from_element((v,)) for v in theta]
            rows.append(tuple(_value(problem, ring, elements, i) for i in range(len(data))))
        yield RationalField(), tuple((v,) for v in prefix), rows


def _value(problem: Problem, ring: ExactRing, theta: Sequence[object], sample: int) -> Fraction:
    value = outputs(problem, ring, theta, sample, 0)[0].value
    return Fraction(0) if value is None else ring.to_element(value)[0]
