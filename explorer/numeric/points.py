"""The twin at exact points: value, gradient, Hessian entry by entry, and inertia, each against the exact side.

Errors are measured on the scale 1 + the largest entry, so that a wrong sign of one entry of a Hessian is seen as long as
that entry is above `TOLERANCE` times the scale. Eigenvalues below their own rounding error (`eigenvalue_error`) have no
sign here: an exact inertia contradicts the twin only through eigenvalues that float64 resolves.
"""

from __future__ import annotations

from typing import TypeAlias

import torch

from explorer.numeric.exact_points import Claim, ExactJet, exact_jet, floats
from explorer.numeric.report import Compared, Discrepancy
from explorer.numeric.twin import Twin
from explorer.problem import Problem

Tensor: TypeAlias = torch.Tensor
TOLERANCE = 1e-9
#: the exact layer is asked for derivatives up to this many parameters (a whole Hessian takes P^2 exact numbers)
MAX_EXACT = 130


def compare(problem: Problem, twin: Twin, claim: Claim) -> tuple[Compared, list[Discrepancy]]:
    """One claim beside the twin."""
    at = floats(claim.point)
    theta = torch.tensor([at], dtype=torch.float64, device=twin.device)
    f, g, h = (x[0].cpu() for x in twin.quadratics(theta))
    scale_g = 1 + float(h.abs().max()) * (1 + float(theta.abs().max()))
    wrong: list[str] = []
    value_error = _value(claim, float(f), scale_g, wrong)
    exact = exact_jet(problem, claim.point) if claim.smooth and twin.size <= MAX_EXACT else None
    gradient_error = hessian_error = stationarity = eigenvalues = None
    if exact is not None:
        gradient_error, hessian_error = _derivatives(problem, twin, exact, wrong)
    kinked = claim.smooth and exact is None and twin.size <= MAX_EXACT  # the exact side has no derivatives here
    if claim.critical and not kinked:
        stationarity = float(g.abs().max()) / scale_g
        if stationarity > TOLERANCE:
            wrong.append(f"the gradient at the exact critical point has the entry {float(g.abs().max()):.3g}")
    resolved = "not compared"
    if claim.smooth and not kinked:
        spectrum = torch.linalg.eigvalsh(h)
        eigenvalues = (float(spectrum[0]), float(spectrum[-1]))
        resolved = _inertia(claim, spectrum, eigenvalue_error(h), wrong)
    where = tuple(at)
    compared = Compared(claim.name, value_error, gradient_error, hessian_error, stationarity, eigenvalues, resolved)
    return compared, [Discrepancy(claim.name, text, theta=where) for text in wrong]


def eigenvalue_error(h: Tensor) -> float:
    """Below this an eigenvalue of ``h`` (P, P) may be rounding: coordinates and entries are rounded, then the solver."""
    return 4e-14 * len(h) * (1e-30 + float(h.abs().max())) + 1e-12 * float(h.abs().max())


def _value(claim: Claim, f: float, scale: float, wrong: list[str]) -> float | None:
    if claim.value is None:
        return None
    low, high = float(claim.value.lower), float(claim.value.upper)
    error = max(low - f, f - high, 0.0) / (1 + abs(low))
    if error > TOLERANCE + 1e-14 * scale:
        wrong.append(f"F is {f:.17g} here, the exact value is {claim.value.approx}")
    return error


def _derivatives(problem: Problem, twin: Twin, exact: ExactJet, wrong: list[str]) -> tuple[float, float | None]:
    f, g, h = (x[0].cpu() for x in twin.quadratics(exact.theta[None].to(twin.device)))
    scale = 1 + float(h.abs().max())
    if exact.value is not None and abs(exact.value - float(f)) > TOLERANCE * (1 + abs(float(f)) + scale * 1e-5):
        wrong.append(f"F is {float(f):.17g}, exact arithmetic says {exact.value:.17g}")
    gap = (g - exact.gradient).abs() / (scale * (1 + float(exact.theta.abs().max())))
    if float(gap.max()) > TOLERANCE:
        k = int(gap.argmax())
        wrong.append(f"dF/d{problem.parameters[k]} is {float(g[k]):.17g}, exact arithmetic says {float(exact.gradient[k]):.17g}")  # fmt: skip
    if exact.hessian is None:
        return float(gap.max()), None
    gaps = (h - exact.hessian).abs() / scale
    if float(gaps.max()) > TOLERANCE:
        i, j = divmod(int(gaps.argmax()), len(h))
        names = problem.parameters
        wrong.append(f"d2F/d{names[i]} d{names[j]} is {float(h[i, j]):.17g}, exact arithmetic says {float(exact.hessian[i, j]):.17g}")  # fmt: skip
    return float(gap.max()), float(gaps.max())


def _inertia(claim: Claim, spectrum: Tensor, error: float, wrong: list[str]) -> str:
    positive, negative = int((spectrum > error).sum()), int((spectrum < -error).sum())
    unclear = len(spectrum) - positive - negative
    said = f"{positive} positive, {negative} negative, {unclear} below the rounding error"
    exact = claim.inertia
    if exact is not None and (positive > exact.positive or negative > exact.negative):
        wrong.append(f"the eigenvalues are {said}; the exact inertia is (+{exact.positive}, {exact.zero} zero, -{exact.negative})")  # fmt: skip
    if claim.kind is not None:
        if claim.kind.is_minimum and negative:
            wrong.append(f"called a {claim.kind.value}, but an eigenvalue is {float(spectrum[0]):.6g}")
        if claim.kind.is_maximum and positive:
            wrong.append(f"called a {claim.kind.value}, but an eigenvalue is {float(spectrum[-1]):.6g}")
    if exact is None:
        return f"{said} (no exact inertia)"
    return f"{said}; agrees" if not wrong else said
