"""Regularised networks whose critical points are counted twice: by enclosures, and by random starts in an implementation of its own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from explorer.problem import Problem
from explorer.solve.radius import radius


def ridge(activation: Any, widths: list[int], inputs: Any, targets: Any, weight: str, **more: Any) -> Problem:
    return Problem.dense(
        widths=widths,
        activation=activation,
        inputs=inputs,
        targets=targets,
        regularizer={"kind": "l2", "weights": weight},
        **more,
    )


COMPLEX = {
    "tanh": np.tanh,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "softplus": lambda z: np.log(1 + np.exp(z)),
    "swish": lambda z: z / (1 + np.exp(-z)),
    "linear": lambda z: z,
    "square": lambda z: z * z,
    "cubic": lambda z: z * z * z,
    "gelu": lambda z: z * (1 + _erf(z / np.sqrt(2))) / 2,
}


def _erf(z: Any) -> Any:
    """erf for complex steps: its value on the line, and its derivative along the imaginary axis."""
    x = np.real(z)
    return np.vectorize(math.erf)(x) + 1j * np.imag(z) * 2 / np.sqrt(np.pi) * np.exp(-x * x)


def plain_loss(problem: Problem, theta: Any) -> Any:
    """F of a dense network with scalar output at the columns of ``theta``, written down once more in complex NumPy."""
    net, data, loss = problem.network, problem.data, problem.loss
    layers, left = [], theta
    for cols, rows, bias in zip(net.widths, net.widths[1:], net.bias, strict=False):
        weights, left = left[: rows * cols].reshape(rows, cols, -1), left[rows * cols :]
        shift, left = (left[:rows], left[rows:]) if bias else (0, left)
        layers.append((weights, shift))
    total = sum(float(c) * t * t for c, t in zip(problem.regularizer.weights, theta, strict=True))
    for x, y in zip(data.inputs, data.targets, strict=True):
        signal = np.array([float(v) * np.ones(theta.shape[1]) for v in x])
        for k, (weights, shift) in enumerate(layers):
            signal = (weights * signal).sum(axis=1) + shift
            signal = COMPLEX[net.activations[k].kind](signal) if k + 1 < len(layers) else signal
        f = signal[0]
        total = total + ((f - float(y[0])) ** 2 if loss.kind == "squared" else np.log(1 + np.exp(-float(y[0]) * f)))
    return total


def found_by_chance(problem: Problem, starts: int = 400) -> int:
    """The number of different limits of Newton's method from random starts."""
    found: list[Any] = []
    for end in ends_by_chance(problem, starts):
        if not any(np.abs(end - other).max() < 1e-5 for other in found):
            found.append(end)
    return len(found)


def ends_by_chance(problem: Problem, starts: int, reach: float | None = None) -> Any:
    """Where Newton's method ends from starts in the box of the radius, or in [-reach, reach], as rows; gradients by complex steps, Hessians by their
    differences."""
    d, h = len(problem.parameters), 1e-6
    size = np.array([float(b) for b in radius(problem).bounds]) if reach is None else np.full(d, reach)
    x = np.random.default_rng(5).uniform(-1, 1, (d, starts)) * size[:, None]

    def slope(theta: Any) -> Any:
        steps = [theta + 1e-30j * (np.arange(d) == k)[:, None] for k in range(d)]
        return np.array([plain_loss(problem, step).imag / 1e-30 for step in steps])

    for _ in range(60):
        bend = [(slope(x + h * e[:, None]) - slope(x - h * e[:, None])) / (2 * h) for e in np.eye(d)]
        step = np.linalg.solve(np.moveaxis(np.array(bend), -1, 0) + 1e-12 * np.eye(d), slope(x).T[..., None])[..., 0].T
        x = np.clip(x - np.clip(step, -1, 1), -3 * size[:, None], 3 * size[:, None])
    return x[:, np.abs(slope(x)).max(axis=0) < 1e-9].T


REGULARISED = {
    "tanh 3": ridge("tanh", [2, 1, 1], [[1, 0], [0, 1], [1, 1]], [1, -1, 1], "1/10"),
    "tanh bias": ridge("tanh", [1, 1, 1], [0, 1, 2], [1, -1, 1], "1/5", bias=True),
    "sigmoid bias": ridge("sigmoid", [1, 1, 1], [0, 1, 2], [1, -1, 1], "1/20", bias=True),
    "softplus bias": ridge("softplus", [1, 1, 1], [1, -1], [1, -2], "3/4", bias=True),
    "swish bias": ridge("swish", [1, 1, 1], [1, -1], [1, -1], "3/4", bias=True),
    "tanh two units": ridge("tanh", [1, 2, 1], [1, 2], [1, -2], "1/4"),
    "logistic tanh": ridge("tanh", [2, 1, 1], [[1, 0], [0, 1]], [1, -1], "1/10", loss="logistic"),
}

#: the table of docs/enclosures.md: 4 to 6 parameters
TABLE = {
    "tanh 1-2-1": REGULARISED["tanh two units"],
    "sigmoid 1-2-1": ridge("sigmoid", [1, 2, 1], [1, -1, 2], [2, -2, 1], "1/50"),
    "gelu 1-2-1": ridge("gelu", [1, 2, 1], [1, -2], [1, "1/2"], "1/3"),
    "swish 1-2-1": ridge("swish", [1, 2, 1], [1, -1], [1, -1], "1/2"),
    "softplus 1-2-1": ridge("softplus", [1, 2, 1], [1, -1], [1, -2], "1/2"),
    "sigmoid 1-2-1, ridge 1/200": ridge("sigmoid", [1, 2, 1], [1, -1, 2], [2, -2, 1], "1/200"),
    "gelu 1-2-1, ridge 1/4": ridge("gelu", [1, 2, 1], [1, -1], [2, -2], "1/4"),
    "swish 1-2-1, ridge 1/4": ridge("swish", [1, 2, 1], [1, -1], [2, -2], "1/4"),
    "softplus 1-2-1, ridge 1/4": ridge("softplus", [1, 2, 1], [1, 2], [1, -2], "1/4"),
    "softplus 1-2-1, three samples": ridge("softplus", [1, 2, 1], [1, -1, 2], [2, -2, 1], "1/4"),
    "tanh 2-1-1 with bias": ridge("tanh", [2, 1, 1], [[1, 0], [0, 1], [1, 1]], [1, -1, 1], "1/10", bias=True),
    "sigmoid 2-1-1 with bias": ridge("sigmoid", [2, 1, 1], [[1, 0], [0, 1], [1, 1]], [1, -1, 1], "1/20", bias=True),
    "logistic loss, sigmoid 2-1-1 with bias": ridge(
        "sigmoid", [2, 1, 1], [[1, 0], [0, 1], [1, 1]], [1, -1, 1], "1/20", bias=True, loss="logistic"
    ),
    "tanh 3-1-1 with bias": ridge(
        "tanh", [3, 1, 1], [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]], [1, -1, 1, 1], "1/4", bias=True
    ),
    "linear then square 2-1-1-1": Problem.dense(
        widths=[2, 1, 1, 1],
        activation=["linear", "square"],
        inputs=[[1, 0], [1, 1], [0, 1]],
        targets=[1, -1, 2],
        regularizer={"kind": "l2", "weights": "1/4"},
    ),
    "tanh 1-3-1": ridge("tanh", [1, 3, 1], [1, -2], [1, -1], "1"),
    "softplus 1-2-1 with bias": ridge("softplus", [1, 2, 1], [1, -1], [1, -2], "1", bias=True),
}
