"""Dense networks in NumPy: F, gradient and whole Hessian of smooth activations, layer by layer.

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
        """F, its gradient and its Hessian, by layers: docs/certificate.md, "The Hessian of a network", has the formulas."""
        layers, samples = self._layers(theta), len(self.inputs)
        signal, entering, slopes, bends, moved = self.inputs, [], [], [], []
        moves = np.zeros((samples, self.widths[0], 0))  # in the pre-activations of all units so far
        for (_, w, b), phi in zip(layers, self.curves, strict=True):
            z = signal @ w.T
            entering.append(signal if b is None else np.hstack([signal, np.ones((samples, 1))]))
            moved.append(moves)  # of the signals that enter the layer
            signal, slope, bend = phi(z if b is None else z + b)
            slopes.append(slope)
            bends.append(bend)
            own = np.broadcast_to(np.eye(len(w)), (samples, len(w), len(w)))
            moves = slope[:, :, None] * np.concatenate([w @ moves, own], axis=2)
        value, pull, stiff = self._outer(signal)
        second = np.swapaxes(moves, 1, 2) @ (stiff[:, :, None] * moves)  # of the loss in the pre-activations
        drives = []
        for layer in range(len(layers) - 1, -1, -1):
            drives.append(slopes[layer] * pull)
            curved = bends[layer] * pull
            rows, below = curved.shape[1], moved[layer].shape[2]
            if curved.any():
                part = layers[layer][1] @ moved[layer]
                second[:, :below, :below] += np.swapaxes(part, 1, 2) @ (curved[:, :, None] * part)
                mixed = curved[:, :, None] * part
                second[:, below : below + rows, :below] += mixed
                second[:, :below, below : below + rows] += np.swapaxes(mixed, 1, 2)
                second[:, range(below, below + rows), range(below, below + rows)] += curved
            pull = drives[-1] @ layers[layer][1]
        drives.reverse()
        gradient, hessian = np.zeros(self.size), np.zeros((self.size, self.size))
        places = self._places()
        for high, (drive, a) in enumerate(zip(drives, entering, strict=True)):
            gradient[places[high]] = drive.T @ a
            rows, start = drive.shape[1], moved[high].shape[2]
            for low in range(high + 1):
                units, first, b = drives[low].shape[1], moved[low].shape[2], entering[low]
                products = (a[:, :, None] * b[:, None, :]).reshape(samples, -1)
                block = second[:, start : start + rows, first : first + units].reshape(samples, -1).T @ products
                block = block.reshape(rows, units, a.shape[1], -1).swapaxes(1, 2)
                if low < high:
                    turned = (moved[high][:, :, first : first + units, None] * b[:, None, None, :]).reshape(samples, -1)
                    block[:, : self.widths[high]] += (drive.T @ turned).reshape(rows, self.widths[high], units, -1)
                block = block.reshape(places[high].size, -1)
                hessian[np.ix_(places[high].ravel(), places[low].ravel())] = block
                hessian[np.ix_(places[low].ravel(), places[high].ravel())] = block.T
        gradient += 2 * self.penalties * theta
        hessian[range(self.size), range(self.size)] += 2 * self.penalties
        return value + float(self.penalties @ theta**2), gradient, (hessian + hessian.T) / 2

    def _places(self) -> list[NDArray[np.intp]]:
        """Per layer and unit: the numbers of its parameters, the bias last."""
        out, at = [], 0
        for cols, rows, biased in zip(self.widths, self.widths[1:], self.bias, strict=False):
            own, at = np.arange(at, at + rows * cols).reshape(rows, cols), at + rows * cols
            if biased:
                own, at = np.hstack([own, np.arange(at, at + rows)[:, None]]), at + rows
            out.append(own)
        return out


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
        within = _steps(hessian, gradient)
        while radius > 1e-12:
            move = within(radius)
            new = f.value(theta + move)
            if new < value:
                break
            radius = min(radius, float(np.linalg.norm(move))) / 4
        else:
            break
        predicted = -float(gradient @ move + move @ hessian @ move / 2)
        if value - new > 0.7 * predicted:
            radius *= 2
        elif value - new < 0.2 * predicted:
            radius /= 2
        theta = theta + move
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


def _steps(hessian: Array, gradient: Array) -> Callable[[float], Array]:
    """radius -> a step: Newton's where it is short enough and the Hessian positive definite (which Cholesky tells ten times faster than
    eigenvalues), otherwise the best one of that length for eigenvalues taken by absolute value."""
    newton: Array | None = None
    spectrum: tuple[Array, Array] | None = None
    try:
        np.linalg.cholesky(hessian)
        newton = np.asarray(-np.linalg.solve(hessian, gradient), dtype=np.float64)
    except np.linalg.LinAlgError:
        pass

    def within(radius: float) -> Array:
        nonlocal spectrum
        if newton is not None and np.linalg.norm(newton) <= radius:
            return newton
        if spectrum is None:
            values, vectors = np.linalg.eigh(hessian)
            spectrum = values, vectors
        curvatures, axes = spectrum
        return axes @ _within(np.abs(curvatures), axes.T @ gradient, radius)

    return within


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
