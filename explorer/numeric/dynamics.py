"""Training as a dynamical system, many starts at once: gradient descent, SGD, noisy GD, Adam and gradient flow.

Every method takes starts (B, P) and returns the whole batch; loss values are kept at chosen times only. The updates are
written out here, not taken from torch.optim, so that a batch costs one backward pass per step and seeds are explicit.
Gradient flow is theta' = -grad F, integrated by the pair of Dormand and Prince (1980), order 5 with an error estimate of
order 4, with a step of its own for every row of the batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch

from explorer.errors import Invalid
from explorer.numeric.backend import generator, normal
from explorer.numeric.spec import Spec
from explorer.numeric.twin import Twin

Tensor: TypeAlias = torch.Tensor


@dataclass(frozen=True, eq=False)
class Run:
    """``theta`` (B, P) at the end; ``times`` (T,), steps or flow time; ``losses`` (T, B), the first at the start.
    ``unfinished``: rows that did not reach the last time within the allowed rounds (their last state is kept)."""

    method: str
    theta: Tensor
    times: tuple[float, ...]
    losses: Tensor
    unfinished: int = 0


Update = Callable[[int, Tensor, Tensor], Tensor]


def gradient_descent(twin: Twin, start: Tensor, *, steps: int, rate: float, keep: int = 2) -> Run:
    """theta <- theta - rate * grad F."""
    return _loop("gradient descent", twin, start, steps, keep, lambda k, x, g: x - rate * g)


def noisy_descent(twin: Twin, start: Tensor, *, steps: int, rate: float, noise: float, seed: int, keep: int = 2) -> Run:
    """theta <- theta - rate * grad F + sqrt(2 rate) noise * N(0, I) (Langevin at temperature noise^2)."""
    source, size = generator(seed), math.sqrt(2 * rate) * noise
    move = lambda k, x, g: x - rate * g + normal(tuple(x.shape), source, x.device, scale=size)  # noqa: E731
    return _loop("noisy gradient descent", twin, start, steps, keep, move)


def adam(
    twin: Twin, start: Tensor, *, steps: int, rate: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
    epsilon: float = 1e-8, keep: int = 2,
) -> Run:  # fmt: skip
    """Adam (Kingma and Ba 2015, algorithm 1), the moments of every start apart."""
    first, second = torch.zeros_like(start), torch.zeros_like(start)

    def move(k: int, x: Tensor, g: Tensor) -> Tensor:
        first.mul_(betas[0]).add_(g, alpha=1 - betas[0])
        second.mul_(betas[1]).addcmul_(g, g, value=1 - betas[1])
        corrected = second.div(1 - betas[1] ** (k + 1)).sqrt_().add_(epsilon)
        return x.addcdiv(first, corrected, value=-rate / (1 - betas[0] ** (k + 1)))

    return _loop("adam", twin, start, steps, keep, move)


def stochastic_descent(
    twin: Twin, start: Tensor, *, steps: int, rate: float, batch: int, seed: int, keep: int = 2
) -> Run:
    """SGD without replacement inside an epoch; each step uses ``batch`` samples, scaled by n / batch (unbiased)."""
    from dataclasses import replace

    spec = twin.spec
    if not isinstance(spec, Spec) or not 1 <= batch <= len(spec.inputs):
        raise Invalid("batch", expected="from 1 to the number of samples of a network", got=str(batch))
    n, source = len(spec.inputs), generator(seed)
    order: list[int] = []
    x, times, losses = start, [0.0], [twin.values(start)]
    marks = _marks(steps, keep)
    for k in range(steps):
        if len(order) < batch:
            order = torch.randperm(n, generator=source).tolist()
        chosen, order = order[:batch], order[batch:]
        part = replace(spec, inputs=spec.inputs[chosen], targets=spec.targets[chosen], weights=spec.weights[chosen] * (n / batch))  # fmt: skip
        x = x - rate * Twin(part, twin.kink).gradients(x)[1]
        if k + 1 in marks:
            times.append(float(k + 1))
            losses.append(twin.values(x))
    return Run("stochastic gradient descent", x, tuple(times), torch.stack(losses))


def _marks(steps: int, keep: int) -> set[int]:
    """The step numbers whose loss is kept, besides 0."""
    return {round(steps * k / max(1, keep - 1)) for k in range(1, max(2, keep))}


def _loop(method: str, twin: Twin, start: Tensor, steps: int, keep: int, move: Update) -> Run:
    x, marks = start.detach().clone(), _marks(steps, keep)
    times, losses = [0.0], [twin.values(x)]
    for k in range(steps):
        x = move(k, x, twin.gradients(x)[1])
        if k + 1 in marks:
            times.append(float(k + 1))
            losses.append(twin.values(x))
    return Run(method, x, tuple(times), torch.stack(losses))


_A = (
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
_E = (71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)


def gradient_flow(
    twin: Twin, start: Tensor, *, time: float, relative: float = 1e-7, absolute: float = 1e-9, most: int = 20_000
) -> Run:
    """theta' = -grad F from 0 to ``time``. At most ``most`` rounds; a row that is not done then has its last state."""
    x = start.detach().clone()
    now = torch.zeros(len(x), dtype=x.dtype, device=x.device)
    step = torch.full_like(now, 1e-3 * time if time < 10 else 1e-2)
    first = twin.values(x)
    alive = torch.arange(len(x), device=x.device)
    for _ in range(most):
        if len(alive) == 0:
            break
        y, h = x[alive], torch.minimum(step[alive], time - now[alive])
        k = [-twin.gradients(y)[1]]
        for row in _A:
            k.append(-twin.gradients(y + h[:, None] * _weighted(row, k))[1])
        new = y + h[:, None] * _weighted(_A[-1], k)
        error = h[:, None] * _weighted(_E, k)
        size = ((error / (absolute + relative * torch.maximum(y.abs(), new.abs()))) ** 2).mean(1).sqrt()
        good = size <= 1
        x[alive[good]] = new[good]
        now[alive[good]] += h[good]
        step[alive] = h * (0.9 * size.clamp_min(1e-10) ** -0.2).clamp(0.2, 5.0)
        alive = alive[(now[alive] < time * (1 - 1e-12)) & torch.isfinite(x[alive]).all(1)]
    unfinished = int((now < time * (1 - 1e-12)).sum())
    return Run("gradient flow", x, (0.0, time), torch.stack([first, twin.values(x)]), unfinished)


def _weighted(weights: tuple[float, ...], k: list[Tensor]) -> Tensor:
    total = weights[0] * k[0]
    for w, slope in zip(weights[1:], k[1:], strict=False):
        if w:
            total = total + w * slope
    return total


def conserved(twin: Twin, theta: Tensor) -> Tensor:
    """Quantities that gradient flow of homogeneous activations without regularizer conserves: for every hidden unit the
    squared incoming weights and bias minus k times the squared outgoing ones, k the degree of homogeneity of the layer
    (Du, Hu and Lee 2018, Theorem 2.1). (B, hidden units). `Invalid` for other networks.
    """
    s = twin.spec
    degrees = {"linear": 1, "relu": 1, "leaky_relu": 1, "requ": 2, "square": 2, "cubic": 3}
    if not isinstance(s, Spec) or s.penalty is not None or any(a.kind not in degrees for a in s.activations):
        raise Invalid("conserved", expected="homogeneous activations and no regularizer", got="another problem")
    out, at, layers = [], 0, []
    for columns, rows, bias in zip(s.widths, s.widths[1:], s.bias, strict=False):
        w = theta[:, at : at + rows * columns].reshape(-1, rows, columns)
        at += rows * columns
        b = theta[:, at : at + rows] if bias else torch.zeros_like(theta[:, :rows])
        at += rows if bias else 0
        layers.append((w, b))
    for (w, b), (v, _), a in zip(layers, layers[1:], s.activations, strict=False):
        out.append((w**2).sum(2) + b**2 - (v**2).sum(1) * degrees[a.kind])
    return torch.cat(out, dim=1)
