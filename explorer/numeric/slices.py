"""Sections of the twin, and curves that connect two of its minima. The geometry is that of `explorer.paths.sections`.

Source of the curves: Garipov, Izmailov, Podoprikhin, Vetrov and Wilson (2018). Every result carries what is needed to make
it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch

from explorer.errors import Invalid
from explorer.numeric.backend import compiled, generator, normal
from explorer.numeric.spec import Spec
from explorer.numeric.twin import Twin
from explorer.paths import sections
from explorer.paths.floating import Array
from explorer.paths.sections import Mark, Section, Values
from explorer.problem import Problem

Tensor: TypeAlias = torch.Tensor


def values_of(twin: Twin) -> Values:
    """F of the twin as a function of NumPy batches (one transfer each way per call)."""
    return lambda batch: np.asarray(twin.values(torch.from_numpy(batch).to(twin.device)).cpu())


def _array(theta: Tensor) -> Array:
    return np.asarray(theta.detach().cpu())


def segment(twin: Twin, a: Tensor, b: Tensor, *, count: int = 101) -> Section:
    """F on the straight line from a to b (the monotone-interpolation test): `explorer.paths.sections.segment`."""
    return sections.segment(values_of(twin), _array(a), _array(b), count=count)


def plane(twin: Twin, a: Tensor, b: Tensor, c: Tensor, *, count: int = 41, margin: float = 0.25) -> Section:
    """F on the plane through three points: `explorer.paths.sections.plane`."""
    return sections.plane(values_of(twin), _array(a), _array(b), _array(c), count=count, margin=margin)


def random_slice(twin: Twin, theta: Tensor, *, seed: int = 0, extent: float = 1.0, count: int = 41) -> Section:
    """F around theta in two random filter-normalised directions: `explorer.paths.sections.random_slice`."""
    return sections.random_slice(values_of(twin), _array(theta), blocks(twin), seed=seed, extent=extent, count=count)


def blocks(twin: Twin) -> list[range]:
    """The filters of the twin's network; for a monomial loss every parameter is one."""
    s = twin.spec
    return list(sections.filters(s.widths, s.bias)) if isinstance(s, Spec) else [range(k, k + 1) for k in range(s.size)]


@dataclass(frozen=True, eq=False)
class Connection:
    """A curve between two points: its control points (rows), F along it, and how high it goes above its ends."""

    control: Tensor
    section: Section
    straight: Section
    barrier: float

    @property
    def straight_barrier(self) -> float:
        return float(self.straight.settings["barrier"])

    def to_json(self) -> dict[str, Any]:
        """The section along the curve, with the control points and F on the straight line beside it."""
        return {**self.section.to_json(), "control": self.control.tolist(), "straight": self.straight.values.tolist()}


def connection(
    problem: Problem, a: Array, b: Array, *, kind: str, seed: int = 0, count: int = 61, device: str = "auto"
) -> dict[str, Any]:
    """`connect` between two points of ``problem``, as the document of the curve."""
    twin = compiled(problem, device=device)
    first, second = (torch.from_numpy(x).to(twin.device) for x in (a, b))
    return connect(twin, first, second, kind=kind, seed=seed, count=count).to_json()


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
    ends = float(values[0]), float(values[-1])
    straight = segment(twin, a, b, count=count)
    barrier = float(values.max()) - max(ends)
    settings = {"kind": f"{kind} curve", "seed": seed, "steps": steps, "rate": rate, "count": count, "barrier": barrier, "straight_barrier": straight.settings["barrier"]}  # fmt: skip
    marks = (Mark("a", (0.0,), ends[0]), Mark("b", (1.0,), ends[1]))
    data = Section((_array(t),), _array(values), _array(a), _array(b - a)[None], marks, settings)
    return Connection(torch.stack([a, best, b]), data, straight, barrier)


def _curve(kind: str, a: Tensor, b: Tensor, c: Tensor, t: Tensor) -> Tensor:
    s = t[:, None]
    if kind == "bezier":
        return (1 - s) ** 2 * a + 2 * s * (1 - s) * c + s**2 * b
    return torch.where(s <= 0.5, a + 2 * s * (c - a), c + (2 * s - 1) * (b - c))
