"""Pictures of a landscape as data: segments, planes, filter-normalised slices, and curves that connect two minima.

Sources: Goodfellow, Vinyals and Saxe (2015) for interpolation; Li, Xu, Taylor, Studer and Goldstein (2018) for filter
normalisation; Garipov, Izmailov, Podoprikhin, Vetrov and Wilson (2018) for connecting curves. Every result carries what
is needed to make it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import torch

from explorer.errors import Invalid
from explorer.numeric.backend import generator, normal
from explorer.numeric.spec import Spec
from explorer.numeric.twin import Twin

Tensor: TypeAlias = torch.Tensor


@dataclass(frozen=True, eq=False)
class Slice:
    """``axes``: one or two vectors of coordinates; ``values``: F on their grid, (n,) or (n_0, n_1); ``marks``: named points
    in these coordinates; ``settings``: kind, seed and everything else that was chosen."""

    axes: tuple[Tensor, ...]
    values: Tensor
    marks: tuple[tuple[str, tuple[float, ...]], ...]
    settings: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        return {
            "format": "explorer.slice/1",
            "trust": "numerical",
            "settings": self.settings,
            "axes": [a.tolist() for a in self.axes],
            "values": self.values.tolist(),
            "marks": [[name, list(at)] for name, at in self.marks],
        }


def segment(twin: Twin, a: Tensor, b: Tensor, *, count: int = 101) -> Slice:
    """F((1 - t) a + t b) for t from 0 to 1; ``settings`` says whether it never rises (the monotone-interpolation test)."""
    t = torch.linspace(0, 1, count, dtype=a.dtype, device=a.device)
    values = twin.values(a + t[:, None] * (b - a))
    rises = values[1:] - values[:-1] > 1e-12 * (1 + values[1:].abs())
    settings = {
        "kind": "segment",
        "count": count,
        "never_rises": not bool(rises.any()),
        "barrier": float(values.max() - torch.maximum(values[0], values[-1])),
    }
    return Slice((t,), values, (("a", (0.0,)), ("b", (1.0,))), settings)


def plane(twin: Twin, a: Tensor, b: Tensor, c: Tensor, *, count: int = 41, margin: float = 0.25) -> Slice:
    """F on the plane through three points, in orthonormal coordinates with a at the origin and b on the first axis."""
    first = b - a
    e0 = first / first.norm()
    second = (c - a) - ((c - a) @ e0) * e0
    if float(second.norm()) <= 1e-12 * (1 + float(first.norm())):
        raise Invalid("plane", expected="three points that are not on a line", got="points on a line")
    e1 = second / second.norm()
    at = [(0.0, 0.0), (float(first @ e0), 0.0), (float((c - a) @ e0), float((c - a) @ e1))]
    axes = []
    for k in (0, 1):
        low, high = min(p[k] for p in at), max(p[k] for p in at)
        room = margin * (high - low)
        axes.append(torch.linspace(low - room, high + room, count, dtype=a.dtype, device=a.device))
    values = _grid(twin, a, e0, e1, axes[0], axes[1])
    settings = {"kind": "plane", "count": count, "margin": margin}
    return Slice((axes[0], axes[1]), values, tuple(zip("abc", at, strict=True)), settings)


def random_slice(twin: Twin, theta: Tensor, *, seed: int = 0, extent: float = 1.0, count: int = 41) -> Slice:
    """F(theta + s d_0 + t d_1) for |s|, |t| <= extent; d_0, d_1 random and filter-normalised (see `filter_normalised`)."""
    source = generator(seed)
    d0, d1 = (filter_normalised(twin, theta, normal((twin.size,), source, twin.device)) for _ in range(2))
    axis = torch.linspace(-extent, extent, count, dtype=theta.dtype, device=theta.device)
    settings = {"kind": "filter-normalised slice", "seed": seed, "extent": extent, "count": count}
    return Slice((axis, axis), _grid(twin, theta, d0, d1, axis, axis), (("theta", (0.0, 0.0)),), settings)


def filter_normalised(twin: Twin, theta: Tensor, direction: Tensor) -> Tensor:
    """``direction`` with every filter (the incoming weights of a unit) as long as that of ``theta``, biases likewise one by
    one, so that units of different scale are disturbed alike. Monomial losses: parameter by parameter.
    """
    out, s = direction.clone(), twin.spec
    if not isinstance(s, Spec):
        return torch.sign(direction) * theta.abs()
    at = 0
    for columns, rows, bias in zip(s.widths, s.widths[1:], s.bias, strict=False):
        d = out[at : at + rows * columns].view(rows, columns)
        w = theta[at : at + rows * columns].view(rows, columns)
        d *= (w.norm(dim=1) / d.norm(dim=1).clamp_min(1e-300))[:, None]
        at += rows * columns
        if bias:
            out[at : at + rows] = torch.sign(out[at : at + rows]) * theta[at : at + rows].abs()
            at += rows
    return out


def _grid(twin: Twin, origin: Tensor, e0: Tensor, e1: Tensor, s: Tensor, t: Tensor) -> Tensor:
    rows = [twin.values(origin + x * e0 + t[:, None] * e1) for x in s]
    return torch.stack(rows)


@dataclass(frozen=True, eq=False)
class Connection:
    """A curve between two points: its control points (rows), F along it, and how high it goes above its ends."""

    control: Tensor
    slice: Slice
    barrier: float
    straight_barrier: float


def connect(
    twin: Twin, a: Tensor, b: Tensor, *, kind: str = "bezier", steps: int = 500, rate: float = 0.05, count: int = 61,
    seed: int = 0,
) -> Connection:  # fmt: skip
    """A curve from a to b with one free control point that is trained (Adam) to lower the mean and the maximum of F.

    ``bezier``: (1-t)^2 a + 2 t (1-t) c + t^2 b; ``polygonal``: a to c to b. The objective is the mean of F over a grid that
    is shifted at random (``seed``) in every step, as in Garipov et al., plus a log-sum-exp of F against single peaks.
    """
    if kind not in ("bezier", "polygonal"):
        raise Invalid("kind", expected="'bezier' or 'polygonal'", got=repr(kind))
    source = generator(seed)
    c = ((a + b) / 2 + 0.01 * normal((twin.size,), source, twin.device)).requires_grad_(True)
    first, second = torch.zeros_like(a), torch.zeros_like(a)
    best, lowest = c.detach().clone(), float("inf")
    for k in range(steps):
        shift = torch.rand((), generator=source, dtype=torch.float64).to(a)
        t = (torch.arange(count - 1, dtype=a.dtype, device=a.device) + shift) / (count - 1)
        f = twin.value(_curve(kind, a, b, c, t))
        peak = float(f.detach().max())
        if peak < lowest:
            best, lowest = c.detach().clone(), peak
        scale = max(peak, 1e-12) / 8
        loss = f.mean() + scale * torch.logsumexp(f / scale, 0)
        (g,) = torch.autograd.grad(loss, c)
        first = 0.9 * first + 0.1 * g
        second = 0.999 * second + 0.001 * g * g
        move = first / (1 - 0.9 ** (k + 1)) / ((second / (1 - 0.999 ** (k + 1))).sqrt() + 1e-12)
        c = (c - rate * (1 - k / steps) * move).detach().requires_grad_(True)
    t = torch.linspace(0, 1, count, dtype=a.dtype, device=a.device)
    values = twin.values(_curve(kind, a, b, best, t))
    top = torch.maximum(values[0], values[-1])
    settings = {"kind": f"{kind} curve", "seed": seed, "steps": steps, "rate": rate, "count": count}
    data = Slice((t,), values, (("a", (0.0,)), ("b", (1.0,))), settings)
    straight = segment(twin, a, b, count=count).settings["barrier"]
    return Connection(torch.stack([a, best, b]), data, float(values.max() - top), straight)


def _curve(kind: str, a: Tensor, b: Tensor, c: Tensor, t: Tensor) -> Tensor:
    s = t[:, None]
    if kind == "bezier":
        return (1 - s) ** 2 * a + 2 * s * (1 - s) * c + s**2 * b
    return torch.where(s <= 0.5, a + 2 * s * (c - a), c + (2 * s - 1) * (b - c))
