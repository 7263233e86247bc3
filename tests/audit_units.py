"""Random small problems of relu-like units with partial regularizers, and of chains of single units (see audit_problems)."""

from __future__ import annotations

import random
from fractions import Fraction as Q
from typing import Any

from explorer.problem import Problem

HARD_TANH = {"kind": "piecewise-polynomial", "breaks": ["-1", "1"], "pieces": [["-1"], ["0", "1"], ["1"]]}
CLIPPED = {"kind": "piecewise-polynomial", "breaks": ["0", "1"], "pieces": [["0"], ["0", "1"], ["1"]]}
ABSOLUTE = {"kind": "leaky_relu", "slope": -1}
LEAKY = {"kind": "leaky_relu", "slope": "1/4"}


def _special(rng: random.Random, activation: Any, weights: list[str]) -> Problem:
    """One or two units on one to three scalar inputs, a third of them in special position (equal, opposite or zero inputs, zero
    targets). ``weights``: for each unit which of w, b, v are regularized (cyclically); 'c' in the first: the output bias."""
    units, n = rng.choice([1, 2]), rng.randint(1, 3)
    bias = [rng.random() < 0.5, rng.random() < 0.5]
    xs = [rng.choice([-2, -1, 1, 2, 3]) for _ in range(n)]
    ys = [Q(rng.randint(-4, 4), rng.choice([1, 1, 2])) for _ in range(n)]
    match rng.randint(0, 11):
        case 0:
            xs[-1] = xs[0]
        case 1:
            xs[-1] = -xs[0]
        case 2:
            xs[-1] = 0
        case 3:
            ys = [Q(0)] * n
    parts = ["w"] * units + ["b"] * (units * bias[0]) + ["v"] * units
    own = [weights[k % units % len(weights)] for k in range(len(parts))]
    factors = [Q(rng.choice([1, 2, 5]), 10) if part in w else Q(0) for part, w in zip(parts, own, strict=True)]
    factors += [Q(1, 10) if "c" in weights[0] else Q(0)] * bias[1]
    return Problem.dense(
        widths=[1, units, 1],
        inputs=[[x] for x in xs],
        targets=ys,
        activation=activation,
        bias=bias,
        regularizer={"kind": "l2", "weights": factors} if any(factors) else None,
    )


def random_partial_ridge(rng: random.Random) -> Problem:
    """Relu-like units with l2 on one side of their products: incoming weights (some or all) or the output weight."""
    sides = ["w", "v", "wb", "b", ""]
    return _special(
        rng, rng.choice(["relu", "relu", LEAKY, ABSOLUTE]), [rng.choice([*sides, "vc", "wc"]), rng.choice(sides)]
    )


def random_clipped(rng: random.Random) -> Problem:
    """Hard tanh and clipped relu, without ridge or with one on the output weights."""
    return _special(rng, rng.choice([HARD_TANH, CLIPPED]), [rng.choice(["", "", "v", "vc"])])


def random_free_bias(rng: random.Random) -> Problem:
    """One relu-like unit, or two with different weights, regularized on both sides of its product, the hidden bias free."""
    while True:
        problem = _special(rng, rng.choice(["relu", "relu", LEAKY, ABSOLUTE]), [rng.choice(["wv", "wvc"]), "wv"])
        units, r = problem.network.widths[1], problem.regularizer
        if problem.network.bias[0] and (units == 1 or (r.weights[0], r.weights[4]) != (r.weights[1], r.weights[5])):
            return problem


def random_relu_ridge(rng: random.Random) -> Problem:
    """One or two relu units on two or three scalar inputs, every weight of the ridge one of 0, 1/2, 1/10; a half in special position
    (zero, equal or opposite inputs, equal, zero or exactly fitted targets)."""
    units, n = rng.choice([1, 2, 2, 2]), rng.choice([2, 3])
    bias = [rng.random() < 0.5, rng.random() < 0.5]
    xs = rng.sample([-3, -2, -1, 1, 2, 3], n)
    ys = [Q(rng.randint(-4, 4), rng.choice([1, 1, 2])) for _ in range(n)]
    match rng.randint(0, 11):
        case 0:
            xs[-1] = 0
        case 1:
            xs[-1] = xs[0]
        case 2:
            xs[-1] = -xs[0]
        case 3:
            ys = [ys[0]] * n
        case 4:
            ys = [Q(0)] * n
        case 5:
            ys = [Q(2 * max(x, 0) + max(-x, 0)) for x in xs]
    values = [Q(0), Q(1, 2), Q(1, 10)]
    groups = [rng.choice(values) for _ in range(4)]
    weights = [groups[0]] * units + [groups[1]] * (units * bias[0]) + [groups[2]] * units + [groups[3]] * bias[1]
    if rng.random() < 0.6:
        weights = [rng.choice(values) for _ in weights]
    return Problem.dense(
        widths=[1, units, 1],
        inputs=[[x] for x in xs],
        targets=ys,
        activation="relu",
        bias=bias,
        regularizer={"kind": "l2", "weights": weights} if any(weights) else None,
    )


def random_chain(rng: random.Random) -> Problem:
    """Two or three single units in a row, homogeneous but for the last, both losses, no, partial, equal and unequal regularizers."""
    hidden = ["linear", "relu", "requ", "square", "cubic", LEAKY, ABSOLUTE]
    depth, n = rng.choice([2, 2, 2, 3]), rng.randint(1, 3)
    loss = rng.choice(["squared", "logistic"])
    outputs = ["linear"] * 6 + [
        "relu",
        "requ",
        LEAKY,
        "square",
        "sigmoid",
        "tanh",
        "softplus",
        "swish",
        "exp",
        "erf",
        "gelu",
    ]
    xs = [rng.choice([-2, -1, 1, 2, 3]) for _ in range(n)]
    ys = [Q(rng.randint(-4, 4), 2) if loss == "squared" else Q(rng.choice([-1, 1])) for _ in range(n)]
    match rng.randint(0, 9):
        case 0:
            xs[-1] = -xs[0]
        case 1:
            xs[-1] = 0
    weights: Any = rng.choice(
        [
            None,
            None,
            "1/20",
            "1/4",
            [Q(rng.randint(1, 9), 20) for _ in range(depth)],
            [Q(rng.choice([0, 1]), 4) for _ in range(depth)],
        ]
    )
    regularizer: Any = None
    if weights is not None:
        full = isinstance(weights, str) or all(weights)
        power = rng.choice([1, 2, 2, 2, 3, 4]) if full else rng.choice([2, 2, 4])
        regularizer = {"kind": "power", "exponent": power, "weights": weights}
    return Problem.dense(
        widths=[1] * (depth + 1),
        inputs=[[x] for x in xs],
        targets=ys,
        activation=[rng.choice(hidden) for _ in range(depth - 1)],
        output_activation=rng.choice(outputs),
        loss=loss,
        regularizer=regularizer,
    )


def random_neuron(rng: random.Random) -> Problem:
    """One neuron with a bias, or with two inputs, without a regularizer, smooth increasing outputs."""
    two, n = rng.random() < 0.4, rng.randint(2, 4)
    loss = rng.choice(["squared", "squared", "logistic"])
    output = rng.choice(["sigmoid", "tanh", "softplus", "erf", "exp", {"kind": "elu", "alpha": 1}, "swish", "gelu"])
    return Problem.dense(
        widths=[1 + two, 1],
        bias=[not two],
        inputs=[[rng.randint(-3, 3) for _ in range(1 + two)] for _ in range(n)],
        targets=[Q(rng.randint(-4, 8), 4) if loss == "squared" else Q(rng.choice([-1, 1])) for _ in range(n)],
        output_activation=output,
        loss=loss,
    )
