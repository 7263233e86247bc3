"""The same case, larger: exact critical points carried to wide networks, and what the landscape looks like around them.

Splitting a hidden unit into copies whose outgoing weights add up to the old one leaves the network function unchanged
and maps critical points of an unregularized loss to critical points (Fukumizu and Amari, Neural Networks 13, 2000).
So F and the gradient are known at the wide point; its curvature is not, and is reported as a numerical finding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import torch

from explorer.budget import Budget, Deadline
from explorer.errors import Invalid, Unsupported, described
from explorer.numeric.backend import TorchBackend, generator, normal
from explorer.numeric.curvature import lanczos
from explorer.numeric.exact_points import Claim, floats
from explorer.numeric.recipes import RECIPES, Instance
from explorer.numeric.reports import reports
from explorer.numeric.spec import Spec
from explorer.numeric.twin import TimedTwin, Twin
from explorer.problem import Problem

Tensor: TypeAlias = torch.Tensor
#: products of Lanczos, perturbed starts, steps of gradient descent
PRODUCTS, PERTURBED, STEPS = 60, 32, 200


def widened(
    problem: Problem,
    claims: Sequence[Claim],
    *,
    width: int,
    device: str = "auto",
    seed: int = 0,
    deadline: Deadline | None = None,
) -> dict[str, Any]:
    """Every critical point of ``claims`` split to ``width`` hidden units; F and the gradient are compared there."""
    twin = TorchBackend(device).compile(problem)
    spec = twin.spec
    if not isinstance(spec, Spec) or spec.depth != 2 or spec.penalty is not None:
        raise Unsupported(
            "width", expected="one hidden layer and no regularizer", got="another problem",
            remedy="splitting keeps critical points only there; leave --width out or use --recipe",
        )  # fmt: skip
    if isinstance(width, bool) or not isinstance(width, int) or not spec.widths[1] <= width <= 2_000_000:
        raise Invalid("width", expected=f"an integer from {spec.widths[1]} to 2000000", got=described(width))
    wide = TimedTwin(
        replace(spec, widths=(spec.widths[0], width, spec.widths[2])), twin.kink, deadline or Deadline(None)
    )
    points, wrong = [], []
    for claim in [c for c in claims if c.critical and c.smooth]:
        theta = torch.tensor(floats(claim.point), dtype=torch.float64, device=twin.device)
        narrow = float(twin.values(theta[None])[0])
        there = split(spec, theta, width, generator(seed))
        said = around(wide, there, seed=seed)
        points.append({"name": claim.name, **said})
        scale = 1 + abs(narrow)
        if abs(said["value"] - narrow) > 1e-9 * scale:
            wrong.append({"where": claim.name, "what": f"at width {width} F is {said['value']:.17g} instead of {narrow:.17g}"})  # fmt: skip
        if said["gradient"] > 1e-8 * (scale + abs(said["eigenvalues"][1])):
            wrong.append(
                {"where": claim.name, "what": f"at width {width} the gradient has norm {said['gradient']:.3g}"}
            )
    return {"recipe": "splitting", "width": width, "parameters": wide.size, "points": points, "discrepancies": wrong, "trust": "numerical"}  # fmt: skip


def split(spec: Spec, theta: Tensor, width: int, source: torch.Generator) -> Tensor:
    """The parameters of ``width`` units: unit j mod m is copied, outgoing weights in random positive shares."""
    d, m, k = spec.widths
    parent = torch.arange(width, device=theta.device) % m
    share = (0.5 + torch.rand(width, generator=source, dtype=torch.float64)).to(theta.device)
    total = torch.zeros(m, dtype=theta.dtype, device=theta.device).index_add_(0, parent, share)
    share = share / total[parent]
    w = theta[: m * d].reshape(m, d)
    at = m * (d + spec.bias[0])
    v = theta[at : at + k * m].reshape(k, m)
    parts = [w[parent].flatten()]
    if spec.bias[0]:
        parts.append(theta[m * d : at][parent])
    parts.append((v[:, parent] * share).flatten())
    if spec.bias[1]:
        parts.append(theta[at + k * m :])
    return torch.cat(parts)


def around(twin: Twin, theta: Tensor, *, seed: int, radius: float = 1e-3) -> dict[str, Any]:
    """F, |gradient|, extreme Hessian eigenvalues with residual bounds, and what perturbed starts do."""
    f, g = twin.gradients(theta[None])
    value = float(f[0])
    source = generator(seed)
    ritz = lanczos(twin.hvp(theta), normal((twin.size,), source, twin.device), steps=PRODUCTS, tolerance=1e-9)
    count = max(2, min(PERTURBED, 4_000_000 // (twin.size + _activations(twin))))
    near = theta + radius * (1 + float(theta.abs().mean())) * normal((count, twin.size), source, twin.device)
    first = twin.values(near)
    ends = _downhill(twin, near, 0.5 / max(float(ritz.values.abs().max()), 1e-2))
    slack = 1e-9 * (1 + abs(value))
    return {
        "value": value,
        "gradient": float(g[0].norm()),
        "eigenvalues": [float(ritz.values[0]), float(ritz.values[-1])],
        "residual_bounds": [float(ritz.bounds[0]), float(ritz.bounds[-1])],
        "perturbed": count,
        "radius": radius,
        "below_at_once": int((first < value - slack).sum()),
        "below_after_descent": int((ends < value - slack).sum()),
        "lowest_after_descent": float(ends.min()),
        "steps": STEPS,
        "trust": "numerical",
    }


def _downhill(twin: Twin, x: Tensor, rate: float) -> Tensor:
    """F after `STEPS` trial steps of gradient descent; every row halves its rate when F would rise."""
    rates = torch.full((len(x), 1), rate, dtype=x.dtype, device=x.device)
    f, g = twin.gradients(x)
    for _ in range(STEPS):
        trial = x - rates * g
        f_new, g_new = twin.gradients(trial)
        better = f_new <= f
        x, g = torch.where(better[:, None], trial, x), torch.where(better[:, None], g_new, g)
        f = torch.where(better, f_new, f)
        rates = torch.where(better[:, None], rates * 1.2, rates * 0.5)
    return f


def _activations(twin: Twin) -> int:
    s = twin.spec
    return len(s.inputs) * sum(s.widths[1:]) if isinstance(s, Spec) else 0


def larger(
    recipe: str, *, width: int = 64, samples: int = 8, depth: int = 3, device: str = "auto", seed: int = 0,
    report: Sequence[str] = (), budget: Budget | None = None,
) -> dict[str, Any]:  # fmt: skip
    """A family of problems by ``recipe`` at any size: its known points, and what is numerically true around them.

    ``report``: names of `explorer.numeric.reports` to add. Raises `BudgetExceeded` when ``budget`` is spent."""
    if recipe not in RECIPES:
        raise Invalid(
            "recipe", expected=f"one of {', '.join(RECIPES)}", got=described(recipe), remedy="choose one of them"
        )
    for name, value, most in (("width", width, 2_000_000), ("samples", samples, 100_000), ("depth", depth, 64)):
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise Invalid(name, expected=f"an integer from 1 to {most}", got=described(value))
    backend = TorchBackend(device)
    made: Instance = RECIPES[recipe](width, samples, depth, seed, backend.torch_device)
    clock = (budget or Budget(None)).start()
    twin = TimedTwin(made.spec, clock=clock)
    points, wrong = [], []
    for p in made.points:
        said = {"name": p.name, "expected_value": p.value, **around(twin, p.theta, seed=seed)}
        points.append(said)
        if p.value is not None and abs(said["value"] - p.value) > 1e-8 * (1 + abs(p.value)):
            wrong.append({"where": p.name, "what": f"F is {said['value']:.12g}, the formula says {p.value:.12g}"})
        if said["gradient"] > 1e-7 * (1 + abs(said["value"]) + abs(said["eigenvalues"][1])):
            wrong.append({"where": p.name, "what": f"the gradient has norm {said['gradient']:.3g} at a critical point"})
        if p.minimum and said["below_at_once"]:
            wrong.append(
                {"where": p.name, "what": f"{said['below_at_once']} perturbed points lie below a local minimum"}
            )
    known = [(p.name, p.theta) for p in made.points]
    extra = {"reports": reports(report, twin, known, seed=seed, width=width, deadline=clock)} if report else {}
    return {
        "format": "explorer.larger/1", "recipe": recipe, "because": made.because, "widths": list(made.spec.widths),
        "samples": len(made.spec.inputs), "parameters": twin.size, "seed": seed, "backend": backend.description,
        "points": points, "descents": made.descents(twin, seed), "discrepancies": wrong, "trust": "numerical", **extra,
    }  # fmt: skip
