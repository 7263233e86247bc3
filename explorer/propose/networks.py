"""Dense networks in NumPy: F, gradient and whole Hessian of smooth activations by forward tangents of the backward pass.

Why not the torch twin: this room serves `certify`, which works without any extra. What is found here is a guess.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.errors import Unsupported
from explorer.problem import Activation, DenseNetwork, Problem

Array = NDArray[np.float64]
Curve = Callable[[Array], tuple[Array, Array, Array]]  #: z -> phi, phi', phi''


def _sigmoid(z: Array) -> tuple[Array, Array, Array]:
    e = np.exp(-np.abs(z))
    s = np.where(z >= 0, 1 / (1 + e), e / (1 + e))
    d = e / (1 + e) ** 2
    return s, d, d * (1 - 2 * s)


def _tanh(z: Array) -> tuple[Array, Array, Array]:
    t = np.tanh(z)
    d = 1 - t * t
    return t, d, -2 * t * d


def _softplus(z: Array) -> tuple[Array, Array, Array]:
    s, d, _ = _sigmoid(z)
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))), s, d


def _swish(z: Array) -> tuple[Array, Array, Array]:
    s, d, b = _sigmoid(z)
    return z * s, s + z * d, 2 * d + z * b


def _exp(z: Array) -> tuple[Array, Array, Array]:
    e = np.exp(z)
    return e, e, e


def _sin(z: Array) -> tuple[Array, Array, Array]:
    s = np.sin(z)
    return s, np.cos(z), -s


def _erf(z: Array) -> tuple[Array, Array, Array]:
    d = 2 / math.sqrt(math.pi) * np.exp(-z * z)
    return np.vectorize(math.erf)(z), d, -2 * z * d


def _gelu(z: Array) -> tuple[Array, Array, Array]:
    cdf = (1 + np.vectorize(math.erf)(z / math.sqrt(2))) / 2
    density = np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return z * cdf, cdf + z * density, (2 - z * z) * density


#: activations without kinks that are not polynomials
SMOOTH: dict[str, Curve] = {
    "sigmoid": _sigmoid, "tanh": _tanh, "softplus": _softplus, "swish": _swish, "exp": _exp, "sin": _sin, "erf": _erf,
    "gelu": _gelu,
}  # fmt: skip
_POLYNOMIALS = {"linear": (0, 1), "square": (0, 0, 1), "cubic": (0, 0, 0, 1)}


def curve(activation: Activation) -> Curve:
    """phi and its first two derivatives; `Unsupported` for activations that have kinks."""
    if activation.kind in SMOOTH:
        return SMOOTH[activation.kind]
    given = activation.coefficients or _POLYNOMIALS.get(activation.kind)
    if not given:
        raise Unsupported(f"activation {activation.kind}", expected="a smooth one", got="one with kinks")
    p = np.polynomial.Polynomial([float(c) for c in given])
    return lambda z: (p(z), p.deriv()(z), p.deriv(2)(z))


@dataclass(frozen=True)
class Floats:
    """A dense network with a smooth loss and an l2 regularizer (or none), in floats."""

    widths: tuple[int, ...]
    bias: tuple[bool, ...]
    curves: tuple[Curve, ...]  #: of the hidden layers and the output
    inputs: Array
    targets: Array
    weights: Array
    logistic: bool
    penalties: Array

    @classmethod
    def of(cls, problem: Problem) -> Floats:
        """`Unsupported` for other networks, kinks and other regularizers."""
        net, data, loss, extra = problem.network, problem.data, problem.loss, problem.regularizer
        if not isinstance(net, DenseNetwork) or data is None or loss is None:
            raise Unsupported("descent", expected="a dense network", got="another problem")
        if extra is not None and extra.kind != "l2" and not (extra.kind == "power" and extra.exponent == 2):
            raise Unsupported("descent", expected="an l2 regularizer or none", got=extra.kind)
        inputs, targets = (
            np.array([[float(v) for v in row] for row in block]) for block in (data.inputs, data.targets)
        )
        size = len(problem.parameters)
        return cls(
            net.widths, net.bias, tuple(map(curve, (*net.activations, net.output))), inputs, targets,
            np.array([float(c) for c in loss.weights]), loss.kind == "logistic",
            np.array([float(c) for c in extra.weights]) if extra else np.zeros(size),
        )  # fmt: skip

    @property
    def size(self) -> int:
        return len(self.penalties)

    def _layers(self, theta: Array) -> list[tuple[int, Array, Array | None]]:
        """(first parameter, weights, biases) of every layer."""
        out, at = [], 0
        for cols, rows, biased in zip(self.widths, self.widths[1:], self.bias, strict=False):
            end = at + rows * cols
            out.append((at, theta[at:end].reshape(rows, cols), theta[end : end + rows] if biased else None))
            at = end + rows * biased
        return out

    def _outer(self, f: Array) -> tuple[float, Array, Array]:
        """The loss of all samples, its slopes and its bends in the outputs."""
        c = self.weights[:, None]
        if self.logistic:
            value, s, d = _softplus(-self.targets * f)
            return float((c * value).sum()), -c * self.targets * s, c * self.targets**2 * d
        r = f - self.targets
        return float((c * r * r).sum()), 2 * c * r, 2 * c * np.ones_like(r)

    def value(self, theta: Array) -> float:
        signal = self.inputs
        for (_, w, b), phi in zip(self._layers(theta), self.curves, strict=True):
            z = signal @ w.T
            signal = phi(z if b is None else z + b)[0]
        return self._outer(signal)[0] + float(self.penalties @ theta**2)

    def derivatives(self, theta: Array) -> tuple[float, Array, Array]:
        """F, its gradient and its Hessian."""
        layers, size = self._layers(theta), self.size
        signals, tangents, slopes, bends = [self.inputs], [np.zeros((size, *self.inputs.shape))], [], []
        moves = []  # of the pre-activations, one per parameter
        for (at, w, b), phi in zip(layers, self.curves, strict=True):
            z, move = signals[-1] @ w.T, tangents[-1] @ w.T
            rows, cols = w.shape
            for i in range(rows):
                move[at + i * cols : at + (i + 1) * cols, :, i] += signals[-1].T
                if b is not None:
                    move[at + rows * cols + i, :, i] += 1
            signal, slope, bend = phi(z if b is None else z + b)
            signals.append(signal)
            moves.append(move)
            slopes.append(slope)
            bends.append(bend)
            tangents.append(slope * move)
        value, pull, stiff = self._outer(signals[-1])
        gradient, hessian = np.zeros(size), np.zeros((size, size))
        pulls = stiff * tangents[-1]  # of dF/d(signal), one per parameter
        for layer in range(len(layers) - 1, -1, -1):
            (at, w, b), slope, bend = layers[layer], slopes[layer], bends[layer]
            rows, cols = w.shape
            drive = slope * pull
            drives = bend * moves[layer] * pull + slope * pulls
            end = at + rows * cols
            gradient[at:end] = (drive.T @ signals[layer]).ravel()
            block = np.einsum("kso,si->koi", drives, signals[layer], optimize=True)
            block += np.einsum("so,ksi->koi", drive, tangents[layer], optimize=True)
            hessian[:, at:end] = block.reshape(size, -1)
            if b is not None:
                gradient[end : end + rows], hessian[:, end : end + rows] = drive.sum(0), drives.sum(1)
            pull, pulls = drive @ w, drives @ w
            for i in range(rows):
                pulls[at + i * cols : at + (i + 1) * cols] += drive[None, :, i, None] * np.eye(cols)[:, None, :]
        gradient += 2 * self.penalties * theta
        hessian[range(size), range(size)] += 2 * self.penalties
        return value + float(self.penalties @ theta**2), gradient, (hessian + hessian.T) / 2


@dataclass(frozen=True)
class Limit:
    """Where a descent came to rest."""

    theta: Array
    value: float


def descend(f: Floats, start: Array, *, steps: int = 400) -> Limit | None:
    """Newton's method in a trust region, eigenvalues taken by absolute value, so that it leaves saddles; None where it does not come
    to rest in a point with a positive definite Hessian."""
    theta, radius = start, 1.0
    value, gradient, hessian = f.derivatives(theta)
    for _ in range(steps):
        if np.abs(gradient).max() < 1e-9 * (1 + abs(value)):
            break
        curvatures, axes = np.linalg.eigh(hessian)
        slopes = axes.T @ gradient
        while radius > 1e-12:
            move = _within(np.abs(curvatures), slopes, radius)
            new = f.value(theta + axes @ move)
            if new < value:
                break
            radius = min(radius, float(np.linalg.norm(move))) / 4
        else:
            break
        predicted = -float(slopes @ move + curvatures @ move**2 / 2)
        if value - new > 0.7 * predicted:
            radius *= 2
        elif value - new < 0.2 * predicted:
            radius /= 2
        theta = theta + axes @ move
        value, gradient, hessian = f.derivatives(theta)
    for _ in range(3):  # down to rounding, where F itself does not tell any more
        try:
            np.linalg.cholesky(hessian)
        except np.linalg.LinAlgError:
            return None
        better = theta - np.linalg.solve(hessian, gradient)
        value, new_gradient, hessian = f.derivatives(better)
        if np.linalg.norm(new_gradient) >= np.linalg.norm(gradient):
            break
        theta, gradient = better, new_gradient
    return Limit(theta, f.value(theta)) if np.abs(gradient).max() < 1e-8 * (1 + abs(value)) else None


def limits(f: Floats, *, starts: int, seed: int = 0) -> Iterator[Limit | None]:
    """The ends of descents from normal starts, one after another."""
    for k in range(starts):
        yield descend(f, np.random.default_rng([seed, k]).normal(size=f.size))


def _within(curvatures: Array, slopes: Array, radius: float) -> Array:
    """-slopes/(curvatures + s) with the least s >= 0 for which it is not longer than ``radius``."""
    low, high = 0.0, float(np.linalg.norm(slopes)) / radius
    if not curvatures.min() > 0 or np.linalg.norm(slopes / curvatures) > radius:
        for _ in range(40):
            middle = (low + high) / 2
            if np.linalg.norm(slopes / (curvatures + middle)) > radius:
                low = middle
            else:
                high = middle
        return -slopes / (curvatures + high)
    return -slopes / curvatures
