"""Tangent kernels: of any twin, and the Gram matrices and the training of Du, Zhai, Poczos and Singh (2019). Numerical.

Their model is f(W, a, x) = (1/sqrt m) sum_r a_r relu(w_r . x) with a_r = +-1 fixed, w_r(0) standard normal, unit inputs,
and the loss (1/2)|f - y|^2. H_ij(W) = (1/m) x_i . x_j #{r : w_r . x_i >= 0 and w_r . x_j >= 0}; its expectation at
initialisation is H_ij = x_i . x_j (pi - arccos(x_i . x_j)) / (2 pi), with least eigenvalue lambda_0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import torch

from explorer.budget import Deadline
from explorer.errors import Invalid
from explorer.gram.chances import explicit_width as exact_width
from explorer.numeric.backend import generator, normal
from explorer.numeric.spec import Spec
from explorer.numeric.twin import Twin

Tensor: TypeAlias = torch.Tensor
#: units that are in memory at once (times samples and inputs)
CHUNK = 2_000_000


def tangent_kernel(twin: Twin, theta: Tensor) -> Tensor:
    """K(theta) = J J^T of the outputs before any output activation, (n d_L, n d_L), one row block of J per output."""
    if not isinstance(twin.spec, Spec):
        raise Invalid("network", expected="a dense network", got="a monomial loss")
    rows = torch.func.jacrev(lambda t: twin.before_output(t).flatten())(theta)
    return rows @ rows.T


def layer_kernels(twin: Twin, theta: Tensor) -> tuple[Tensor, ...]:
    """The summands of the tangent kernel that come from each layer (its weights and bias)."""
    s = twin.spec
    if not isinstance(s, Spec):
        raise Invalid("network", expected="a dense network", got="a monomial loss")
    rows = torch.func.jacrev(lambda t: twin.before_output(t).flatten())(theta)
    out, at = [], 0
    for columns, height, bias in zip(s.widths, s.widths[1:], s.bias, strict=False):
        size = height * (columns + bias)
        part = rows[:, at : at + size]
        out.append(part @ part.T)
        at += size
    return tuple(out)


def gram(w: Tensor, x: Tensor) -> Tensor:
    """H(W) for W (m, d) and x (n, d), in chunks of units."""
    active = torch.zeros(len(x), len(x), dtype=w.dtype, device=w.device)
    for part in w.split(max(1, CHUNK // len(x))):
        on = (part @ x.T >= 0).to(w.dtype)
        active += on.T @ on
    return (x @ x.T) * active / len(w)


def gram_limit(x: Tensor) -> Tensor:
    """H at infinite width for unit inputs x (n, d)."""
    _require_unit(x)
    cosine = (x @ x.T).clamp(-1, 1)
    return cosine * (math.pi - torch.arccos(cosine)) / (2 * math.pi)


def explicit_width(samples: int, lambda_0: float, delta: float, label_bound: float = 1.0) -> float:
    """The width that Theorem 4.1 asks for once its constants are written out:
    (8192 / pi) (C^2 + 1/2) n^6 / (lambda_0^4 delta^3), |y_i| <= C, failure probability delta for each of its three events.
    (The paper says Omega(n^6 / (lambda_0^4 delta^3)); the constant is this project's reading of the proof.)
    """
    return float(exact_width(samples, Fraction(lambda_0), Fraction(delta), Fraction(label_bound), descent=True))


@dataclass(frozen=True, eq=False)
class KernelRun:
    """Gradient descent of the model, one entry per kept step.

    ``residual``: |y - u(k)|^2; ``discrete_bound`` (1 - eta lambda_0 / 2)^k and ``flow_bound`` exp(-lambda_0 eta k), both times
    the first residual; ``below`` says where the run obeys the discrete bound (None under the float floor). ``least``:
    lambda_min(H(k)); ``flips``: share of (unit, sample) activation patterns that differ from the start; ``moved``: largest
    |w_r(k) - w_r(0)|; ``drift``: spectral norm of H(k) - H(0).
    """

    steps: tuple[int, ...]
    residual: tuple[float, ...]
    discrete_bound: tuple[float, ...]
    flow_bound: tuple[float, ...]
    below: tuple[bool | None, ...]
    least: tuple[float, ...]
    flips: tuple[float, ...]
    moved: tuple[float, ...]
    drift: tuple[float, ...]
    lambda_0: float
    explicit_width: float
    width: int
    seed: int


def train(
    x: Tensor, y: Tensor, *, width: int, rate: float, steps: int, seed: int = 0, keep: int = 11, delta: float = 0.1,
    floor: float = 1e-24, deadline: Deadline | None = None,
) -> KernelRun:  # fmt: skip
    """Train W by gradient descent with step ``rate`` and keep ``keep`` snapshots. Memory O(width (d + n))."""
    _require_unit(x)
    source = generator(seed)
    w0 = normal((width, x.shape[1]), source, x.device)
    a = (2.0 * torch.randint(0, 2, (width,), generator=source) - 1).to(x)
    root = math.sqrt(width)
    limit = gram_limit(x)
    lambda_0 = float(torch.linalg.eigvalsh(limit)[0])
    first_gram, first_pattern = gram(w0, x), w0 @ x.T >= 0
    w, marks = w0.clone(), {round(steps * k / max(1, keep - 1)) for k in range(keep)}
    rows: list[tuple[float, ...]] = []
    kept: list[int] = []
    for k in range(steps + 1):
        if deadline is not None:
            deadline.check("training the model of Du et al.")
        z = w @ x.T
        u = a @ z.clamp_min(0) / root
        if k in marks:
            h = gram(w, x)
            kept.append(k)
            rows.append(
                (
                    float(((y - u) ** 2).sum()),
                    float(torch.linalg.eigvalsh(h)[0]),
                    float(((z >= 0) != first_pattern).to(x.dtype).mean()),
                    float((w - w0).norm(dim=1).max()),
                    float(torch.linalg.matrix_norm(h - first_gram, ord=2)),
                )
            )
        if k < steps:
            w = w - rate / root * (((z >= 0).to(x.dtype) * (u - y)) @ x) * a[:, None]
    residual, least, flips, moved, drift = (tuple(c) for c in zip(*rows, strict=True))
    discrete = tuple(residual[0] * max(0.0, 1 - rate * lambda_0 / 2) ** k for k in kept)
    flow = tuple(residual[0] * math.exp(-lambda_0 * rate * k) for k in kept)
    below = tuple(None if r <= floor or b <= floor else r <= b * (1 + 1e-12) for r, b in zip(residual, discrete, strict=True))  # fmt: skip
    asked = explicit_width(len(x), lambda_0, delta, float(y.abs().max())) if lambda_0 > 0 else math.inf
    return KernelRun(tuple(kept), residual, discrete, flow, below, least, flips, moved, drift, lambda_0, asked, width, seed)  # fmt: skip


def _require_unit(x: Tensor) -> None:
    if float((x.norm(dim=1) - 1).abs().max()) > 1e-12:
        raise Invalid("inputs", expected="unit vectors", got="other lengths", remedy="divide each by its norm")
