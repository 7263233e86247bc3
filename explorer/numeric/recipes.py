"""Families of problems of any size with points whose value is known by a formula (in float64; nothing here is a proof)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any, TypeAlias

import torch

from explorer.certify.recipes.sigmoid import bad_minimum
from explorer.network import LINEAR, Activation
from explorer.numeric.backend import generator, normal
from explorer.numeric.dynamics import adam
from explorer.numeric.spec import Spec, spec_of
from explorer.numeric.twin import Twin

Tensor: TypeAlias = torch.Tensor


@dataclass(frozen=True, eq=False)
class KnownPoint:
    """A critical point with its value by a formula; ``minimum``: it is a local one (no perturbation lies below)."""

    name: str
    theta: Tensor
    value: float | None
    minimum: bool


@dataclass(frozen=True, eq=False)
class Instance:
    """A spec, its known points, why they are known, and how many random starts are trained for comparison."""

    spec: Spec
    points: tuple[KnownPoint, ...]
    because: str
    starts: int = 0

    def descents(self, twin: Twin, seed: int) -> dict[str, Any] | None:
        """Losses that Adam reaches from random starts (None where the recipe asks for none)."""
        if not self.starts:
            return None
        scale = max(self.spec.widths) ** -0.5
        start = normal((self.starts, twin.size), generator(seed + 1), twin.device, scale=scale)
        run = adam(twin, start, steps=400, rate=0.02)
        ends = run.losses[-1].tolist()
        return {"method": "adam", "steps": 400, "rate": 0.02, "starts": self.starts, "initial": run.losses[0].tolist(), "losses": ends}  # fmt: skip


def sigmoid(width: int, samples: int, depth: int, seed: int, device: torch.device) -> Instance:
    """The spurious local minimum of the exact recipe, at any width >= samples."""
    from explorer.numeric.widths import split

    n = max(2, min(samples, 100))
    made = bad_minimum(n, n, seed=seed)
    body = made.certificates[0][1].to_json()
    ln2 = torch.log(torch.tensor(2.0, dtype=torch.float64))
    theta = torch.stack(
        [
            sum(float(Fraction(c)) * ln2**k for k, c in enumerate(e)) + 0 * ln2
            for e in body["points"]["p"]["coordinates"]
        ]
    )
    narrow = spec_of(made.problem, device)
    assert isinstance(narrow, Spec)
    value = float(Twin(narrow).values(theta[None].to(device))[0])
    from dataclasses import replace

    spec = replace(narrow, widths=(1, max(width, n), 1))
    wide = split(narrow, theta.to(device), spec.widths[1], generator(seed))
    point = KnownPoint("spurious minimum", wide, value, minimum=True)
    return Instance(
        spec, (point,), "all input weights are equal and all output weights positive: the proof `units` holds at every width"
    )  # fmt: skip


def deep_linear(width: int, samples: int, depth: int, seed: int, device: torch.device) -> Instance:
    """Critical points of a deep linear network by rank (Baldi and Hornik 1989; Kawaguchi 2016).

    With A = Y X^T (X X^T)^-1 and the eigenvectors U of A X Y^T, the product U_r U_r^T A is critical, and F there is
    |Y|^2 minus the sum of the chosen eigenvalues.
    """
    d, depth = 3, max(2, depth)
    source = generator(seed)
    x = normal((samples + d, d), source, torch.device("cpu"))
    y = normal((samples + d, d), source, torch.device("cpu"))
    a = torch.linalg.lstsq(x, y).solution.T
    eigenvalues, u = torch.linalg.eigh(a @ x.T @ y)
    spec = _plain((d, *[max(width, d)] * (depth - 1), d), Activation("linear"), x, y, device)
    points = []
    for rank in range(d + 1):
        kept = u[:, d - rank :]
        theta = _factors(kept @ kept.T @ a, kept, spec.widths)
        value = float((y * y).sum() - eigenvalues[d - rank :].sum())
        points.append(KnownPoint(f"rank {rank}", theta.to(device), value, minimum=rank == d))
    return Instance(spec, tuple(points), "the product is the best linear map on the leading eigenvectors of A X Y^T")


def _factors(product: Tensor, kept: Tensor, widths: tuple[int, ...]) -> Tensor:
    """W_1 = (U^T product; 0), W_l = (I, 0; 0, 0), W_L = (U, 0), flattened."""
    rank, parts = kept.shape[1], []
    for layer, (columns, rows) in enumerate(pairwise(widths)):
        w = torch.zeros(rows, columns, dtype=torch.float64)
        if layer == 0:
            w[:rank] = kept.T @ product
        elif layer + 2 == len(widths):
            w[:, :rank] = kept
        else:
            w[:rank, :rank] = torch.eye(rank, dtype=torch.float64)
        parts.append(w.flatten())
    return torch.cat(parts)


def dead_relu(width: int, samples: int, depth: int, seed: int, device: torch.device) -> Instance:
    """All units inactive on all samples: F is the constant sum y^2 in a neighbourhood."""
    source = generator(seed)
    x = normal((samples, 3), source, torch.device("cpu"))
    y = normal((samples, 1), source, torch.device("cpu"))
    spec = _plain((3, width, 1), Activation("relu"), x, y, device, bias=(True, False))
    w = normal((width, 3), source, torch.device("cpu"))
    b = -1 - (x @ w.T).amax(0)  # every pre-activation is at most -1
    v = normal((width,), source, torch.device("cpu"))
    theta = torch.cat([w.flatten(), b, v]).to(device)
    point = KnownPoint("dead region", theta, float((y * y).sum()), minimum=True)
    return Instance(spec, (point,), "no unit is active, so the output is 0 near this point")


def requ(width: int, samples: int, depth: int, seed: int, device: torch.device) -> Instance:
    """ReQU with a small cubic regularizer: the origin is critical, and random starts say how low F gets."""
    source = generator(seed)
    x = normal((samples, 2), source, torch.device("cpu"))
    y = torch.sign(normal((samples, 1), source, torch.device("cpu")))
    spec = _plain((2, width, 1), Activation("requ"), x, y, device)
    penalty = torch.full((spec.size,), 1e-3, dtype=torch.float64, device=device)
    from dataclasses import replace

    spec = replace(spec, power=3, penalty=penalty)
    origin = KnownPoint("origin", torch.zeros(spec.size, dtype=torch.float64, device=device), float(samples), minimum=False)  # fmt: skip
    return Instance(spec, (origin,), "F has no terms of order 1 or 2 at the origin; labels are +-1", starts=8)


def student_teacher(width: int, samples: int, depth: int, seed: int, device: torch.device) -> Instance:
    """Targets from a ReLU network of 3 orthonormal units; the teacher, padded with zero units, has F = 0."""
    source = generator(seed)
    d, k = 3, min(3, width)
    x = normal((samples, d), source, torch.device("cpu"))
    y = torch.relu(x[:, :k]).sum(1, keepdim=True)
    spec = _plain((d, width, 1), Activation("relu"), x, y, device)
    w, v = torch.zeros(width, d, dtype=torch.float64), torch.zeros(width, dtype=torch.float64)
    w[:k, :k], v[:k] = torch.eye(k, dtype=torch.float64), 1.0
    w[k:] = -torch.sign(x).sum(0)  # idle units with output weight 0, away from the kink
    point = KnownPoint("teacher", torch.cat([w.flatten(), v]).to(device), 0.0, minimum=True)
    return Instance(spec, (point,), "the student contains the teacher", starts=8)


def _plain(
    widths: tuple[int, ...], a: Activation, x: Tensor, y: Tensor, device: torch.device, bias: tuple[bool, ...] = ()
) -> Spec:
    return Spec(
        widths=widths,
        activations=(a,) * (len(widths) - 2),
        bias=bias or (False,) * (len(widths) - 1),
        inputs=x.to(device),
        targets=y.to(device),
        weights=torch.ones(len(x), dtype=torch.float64, device=device),
        output=LINEAR,
    )


RECIPES: dict[str, Callable[[int, int, int, int, torch.device], Instance]] = {
    "sigmoid": sigmoid,
    "deep-linear": deep_linear,
    "dead-relu": dead_relu,
    "requ": requ,
    "student-teacher": student_teacher,
}
