"""What `crosscheck --report` adds about a twin: curvature at known points, tangent kernels, training from random starts.

Each report is plain JSON data with its settings and seed; every number is numerical. Where an exact or dense answer is within
reach it stands beside the estimate, so that the estimate can be judged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import torch

from explorer.budget import Deadline
from explorer.errors import Invalid, Unsupported, described
from explorer.numeric import kernels
from explorer.numeric.backend import compiled, generator, normal
from explorer.numeric.curvature import Estimate, density, hutch_pp, hutchinson, lanczos
from explorer.numeric.dynamics import (
    Run,
    adam,
    conserved,
    gradient_descent,
    gradient_flow,
    noisy_descent,
    stochastic_descent,
)
from explorer.numeric.points import eigenvalue_error
from explorer.numeric.spec import Spec
from explorer.numeric.success import exact_probability, one_sample_relu, wilson
from explorer.numeric.twin import TimedTwin, Twin
from explorer.problem import Problem

Tensor: TypeAlias = torch.Tensor
Points: TypeAlias = Sequence[tuple[str, Tensor]]
#: parameters up to which a dense spectrum stands beside the estimates; points that are examined; bins of a density
DENSE, MOST_POINTS, BINS = 1500, 6, 12
#: random starts (fewer for many parameters) and steps of the dynamics report; F below this counts as success
STARTS, STEPS, SUCCESS = 64, 200, 0.1
#: (outputs) x parameters up to which a tangent kernel is formed
KERNEL_ROOM = 50_000_000


def reports(
    names: Sequence[str], twin: Twin, points: Points, *, seed: int = 0, width: int | None = None, deadline: Deadline | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The reports called ``names`` (`REPORTS`) about ``twin`` and its known ``points``. Raises `BudgetExceeded`."""
    for name in names:
        if name not in REPORTS:
            raise Invalid("report", expected=f"one of {', '.join(REPORTS)}", got=described(name))
    clock = deadline or Deadline(None)
    timed = TimedTwin(twin.spec, twin.kink, clock)
    return {
        name: {"trust": "numerical", "seed": seed, **REPORTS[name](timed, points, seed, width, clock)} for name in names
    }


def problem_reports(
    names: Sequence[str], problem: Problem, points: Sequence[tuple[str, Sequence[float]]], *, seed: int = 0,
    width: int | None = None, device: str = "auto", deadline: Deadline | None = None,
) -> dict[str, Any]:  # fmt: skip
    """`reports` about the twin of ``problem`` at points given as floats; a known success probability stands beside its estimate."""
    twin = compiled(problem, device=device)
    at = [(name, torch.tensor(list(x), dtype=torch.float64, device=twin.device)) for name, x in points]
    out = reports(names, twin, at, seed=seed, width=width, deadline=deadline)
    for m in range(1, 65):
        if "dynamics" in out and len(problem.parameters) == 2 * m and one_sample_relu(m).digest == problem.digest:
            out["dynamics"]["exact_success_of_flow"] = str(exact_probability(m))
    return out


def curvature(twin: Twin, points: Points, seed: int, width: int | None, clock: Deadline) -> dict[str, Any]:
    """Top eigenpairs with residual bounds, trace and spectral density from products alone, beside dense ones."""
    return {"points": [{"name": name, **_curvature(twin, theta, seed)} for name, theta in points[:MOST_POINTS]]}


def _curvature(twin: Twin, theta: Tensor, seed: int) -> dict[str, Any]:
    p, device = twin.size, twin.device
    product, source = twin.hvp(theta), generator(seed)
    ends = max(1, min(3, p // 2))
    ritz = lanczos(product, normal((p,), source, device), ends=ends, steps=min(p, 150), tolerance=1e-10)
    nodes, weights = density(product, p, source, device, vectors=6, steps=40)
    counts, edges = _histogram(nodes, weights)
    out = {
        "eigenvalues": ritz.values.tolist(),
        "residual_bounds": ritz.bounds.tolist(),
        "products": ritz.steps,
        "trace_hutchinson": _estimate(hutchinson(product, p, source, device)),
        "trace_hutch_pp": _estimate(hutch_pp(product, p, source, device)),
        "density": {"edges": edges, "share": counts},
    }
    if p <= DENSE:
        h = twin.hessians(theta[None])[0]
        spectrum = torch.linalg.eigvalsh(h)
        error, scale = eigenvalue_error(h), max(float(spectrum.abs().max()), 1e-300)
        wanted = torch.cat([spectrum[:ends], spectrum[-ends:]]) if p > 1 else spectrum
        found = torch.tensor(out["eigenvalues"], dtype=torch.float64, device=device)
        out["dense"] = {
            "trace": float(spectrum.sum()),
            "positive": int((spectrum > error).sum()),
            "negative": int((spectrum < -error).sum()),
            "ends": wanted.tolist(),
            "largest_error_of_the_ends": float((wanted - found).abs().max()) / scale
            if len(wanted) == len(found)
            else None,
        }
    return out


def _estimate(e: Estimate) -> dict[str, float | None]:
    return {"mean": e.mean, "standard_error": e.standard_error if e.samples > 1 else None}


def _histogram(nodes: Tensor, weights: Tensor) -> tuple[list[float], list[float]]:
    low, high = float(nodes.min()), float(nodes.max())
    if not high > low:
        return [1.0], [low, high]
    at = ((nodes - low) / (high - low) * BINS).long().clamp(max=BINS - 1)
    counts = torch.zeros(BINS, dtype=weights.dtype, device=weights.device).index_add_(0, at, weights)
    return counts.tolist(), [low + (high - low) * k / BINS for k in range(BINS + 1)]


def tangent_kernels(twin: Twin, points: Points, seed: int, width: int | None, clock: Deadline) -> dict[str, Any]:
    """The spectrum of K(theta) at the known points and at a random one, and the training of Du et al. on the same inputs."""
    s = twin.spec
    if not isinstance(s, Spec):
        raise Unsupported("report kernels", expected="a dense network", got="a monomial loss")
    outputs = len(s.inputs) * s.widths[-1]
    out: dict[str, Any] = {"points": []}
    if outputs * twin.size <= KERNEL_ROOM:
        start = normal((twin.size,), generator(seed), twin.device, scale=max(s.widths) ** -0.5)
        for name, theta in [*points[:MOST_POINTS], ("random start", start)]:
            clock.check("computing tangent kernels")
            layers = kernels.layer_kernels(twin, theta)
            total = torch.stack(layers).sum(0)
            out["points"].append({"name": name, **_ends(total), "trace_by_layer": [float(k.trace()) for k in layers]})
    else:
        out["note"] = f"no kernel was formed: {outputs} outputs times {twin.size} parameters"
    length = s.inputs.norm(dim=1, keepdim=True)
    x = s.inputs / length
    if s.widths[-1] == 1 and float(length.min()) > 0 and _apart(x):
        y = s.targets[:, 0] / max(1.0, float(s.targets.abs().max()))
        out["training"] = _training(x, y, width or 4096, seed, clock)
    else:
        out["training"] = None
        out["because"] = "the model of Du et al. needs one output and inputs that are not parallel"
    return out


def _apart(x: Tensor) -> bool:
    cosine = (x @ x.T).abs() - torch.eye(len(x), dtype=x.dtype, device=x.device)
    return len(x) < 2 or float(cosine.max()) < 1 - 1e-9


def _training(x: Tensor, y: Tensor, width: int, seed: int, clock: Deadline) -> dict[str, Any]:
    gram = torch.linalg.eigvalsh(kernels.gram_limit(x))
    rate = 1.0 / float(gram[-1].clamp_min(1e-12))
    run = kernels.train(x, y, width=width, rate=rate, steps=200, seed=seed, deadline=clock)
    asked = run.explicit_width
    return {
        **{k: v for k, v in vars(run).items() if k != "explicit_width"},
        "rate": rate,
        "inputs": "divided by their lengths",
        "width_asked_by_theorem_4_1": asked if asked < float("inf") else None,
        "obeys_the_discrete_bound": all(b is not False for b in run.below),
    }


def _ends(kernel: Tensor) -> dict[str, float]:
    spectrum = torch.linalg.eigvalsh(kernel)
    return {"least": float(spectrum[0]), "largest": float(spectrum[-1])}


def dynamics(twin: Twin, points: Points, seed: int, width: int | None, clock: Deadline) -> dict[str, Any]:
    """Five methods from the same random starts; how often F gets below a threshold (Wilson interval); conserved quantities."""
    s = twin.spec
    scale = max(s.widths) ** -0.5 if isinstance(s, Spec) else 1.0
    count = max(8, min(STARTS, 16_384 // twin.size))
    start = normal((count, twin.size), generator(seed), twin.device, scale=scale)
    sharp = float(twin.hessians(start[:4]).abs().sum(-1).max()) if twin.size <= DENSE else 50.0
    rate = 0.5 / max(sharp, 1.0)
    runs: list[Run] = [
        gradient_descent(twin, start, steps=STEPS, rate=rate),
        noisy_descent(twin, start, steps=STEPS, rate=rate, noise=0.01, seed=seed),
        adam(twin, start, steps=STEPS, rate=0.02),
        gradient_flow(twin, start, time=STEPS * rate, most=150),  # as long as gradient descent went
    ]
    if isinstance(s, Spec) and len(s.inputs) > 1:
        runs.append(
            stochastic_descent(twin, start, steps=STEPS, rate=rate, batch=max(1, len(s.inputs) // 2), seed=seed)
        )
    out: dict[str, Any] = {
        "settings": {
            "starts": count,
            "steps": STEPS,
            "rate": rate,
            "flow_time": STEPS * rate,
            "scale": scale,
            "threshold": SUCCESS,
        },
        "methods": [_method(run, seed) for run in runs],
    }
    try:
        before = conserved(twin, start)
    except Invalid as refused:
        out["conserved"], out["because"] = None, refused.sentence()
        return out
    drift = {r.method: float((conserved(twin, r.theta) - before).abs().max()) for r in runs}
    out["conserved"] = {"quantities": before.shape[1], "largest": float(before.abs().max()), "drift": drift}
    return out


def _method(run: Run, seed: int) -> dict[str, Any]:
    ends = run.losses[-1]
    finite = ends[torch.isfinite(ends)]
    share = wilson(int((ends < SUCCESS).sum()), len(ends), seed=seed)
    quantiles = (
        torch.quantile(finite, torch.tensor([0.0, 0.5, 1.0], dtype=ends.dtype, device=ends.device)).tolist()
        if len(finite)
        else None
    )
    return {
        "method": run.method,
        "losses_min_median_max": quantiles,
        "diverged": len(ends) - len(finite),
        "unfinished": run.unfinished,
        "success": {"share": share.estimate, "interval": [share.low, share.high], "confidence": share.confidence},
    }


REPORTS: dict[str, Callable[[Twin, Points, int, int | None, Deadline], dict[str, Any]]] = {
    "curvature": curvature,
    "kernels": tangent_kernels,
    "dynamics": dynamics,
}
