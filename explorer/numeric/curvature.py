"""Spectra of large Hessians from products H v alone: extreme eigenvalues, spectral density, trace. All numerical.

* `lanczos`: Lanczos with full reorthogonalisation. For every Ritz pair (t, y) some eigenvalue of H lies within
  |H y - t y| of t (Parlett, The Symmetric Eigenvalue Problem, section 4.5); that residual is reported as ``bound``.
* `density`: stochastic Lanczos quadrature (Ubaru, Chen and Saad, SIAM J. Matrix Anal. Appl. 38, 2017).
* `hutchinson` (1990) and `hutch_pp` (Meyer, Musco, Musco and Woodruff, 2021) for the trace.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch

from explorer.errors import Invalid

Tensor: TypeAlias = torch.Tensor
EPSILON = torch.finfo(torch.float64).eps
Product = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Ritz:
    """Ritz values in increasing order, a residual ``bounds`` for each, and the vectors as rows (only those asked for)."""

    values: Tensor
    bounds: Tensor
    vectors: Tensor
    steps: int


@dataclass(frozen=True)
class Estimate:
    """A mean of independent samples and its standard error."""

    mean: float
    standard_error: float
    samples: int


def lanczos(
    product: Product, start: Tensor, *, ends: int = 1, steps: int = 200, tolerance: float = 1e-10, deflate: int = 3
) -> Ritz:
    """The ``ends`` smallest and the ``ends`` largest eigenvalues of the symmetric operator ``product`` on R^P.

    ``start`` (P,) is any vector with a part in every eigenspace (a random one). Stops when the wanted residuals are below
    ``tolerance`` relative to the largest |Ritz value|, or after ``steps`` products. When the Krylov space is invariant
    (the residual vanishes early), the run goes on in its orthogonal complement, up to ``deflate`` times, with fixed
    pseudo-random vectors, so that repeated eigenvalues and a start without a part in some eigenspace do not end it.
    """
    p = len(start)
    if ends < 1 or steps < 1:
        raise Invalid("lanczos", expected="ends >= 1 and steps >= 1", got=f"{ends} and {steps}")
    steps = min(steps, p)
    basis = torch.empty(min(steps, 32), p, dtype=start.dtype, device=start.device)
    alphas: list[float] = []
    betas: list[float] = []
    q, restarts = start / start.norm(), 0
    while True:
        k = len(alphas)
        if k == len(basis):
            basis = torch.cat([basis, torch.empty(min(len(basis), steps - k), p, dtype=q.dtype, device=q.device)])
        basis[k] = q
        w = product(q)
        alphas.append(float(w @ q))
        used = basis[: k + 1]
        w = w - used.T @ (used @ w)
        w = w - used.T @ (used @ w)  # twice is enough (Kahan and Parlett)
        beta = float(w.norm())
        t = _tridiagonal(alphas, betas)
        values, s = torch.linalg.eigh(t)
        scale = max(float(values.abs().max()), 1e-300)
        bounds = beta * s[-1].abs() + 4 * EPSILON * scale * (k + 1) ** 0.5  # the products and the basis are rounded
        wanted = sorted({*range(min(ends, k + 1)), *range(max(0, k + 1 - ends), k + 1)})
        exhausted = beta <= 1e-13 * scale
        settled = k + 1 >= 2 * ends and float(bounds[wanted].max()) <= tolerance * scale
        if k + 1 == steps or (settled and (restarts >= 1 or not exhausted)):
            break
        if exhausted:
            restarts += 1
            fresh = torch.Generator(device="cpu").manual_seed(restarts)
            w = torch.randn(p, generator=fresh, dtype=torch.float64).to(q)
            for _ in range(2):
                w = w - used.T @ (used @ w)
            if restarts > deflate or float(w.norm()) == 0:
                break
            betas.append(0.0)
            q = w / w.norm()
        else:
            betas.append(beta)
            q = w / beta
    vectors = s[:, wanted].to(basis).T @ basis[: len(alphas)]
    return Ritz(values[wanted], bounds[wanted], vectors, len(alphas))


def _tridiagonal(alphas: list[float], betas: list[float]) -> Tensor:
    t = torch.diag(torch.tensor(alphas, dtype=torch.float64))
    if betas:
        off = torch.tensor(betas, dtype=torch.float64)
        t = t + torch.diag(off, 1) + torch.diag(off, -1)
    return t


def density(
    product: Product, size: int, source: torch.Generator, device: torch.device, *, vectors: int = 8, steps: int = 60
) -> tuple[Tensor, Tensor]:
    """Nodes and weights (each sums to 1 per probe) of the spectral density: sum_k weight_k g(node_k) ~ tr g(H) / P."""
    nodes, weights = [], []
    for _ in range(vectors):
        start = _signs(1, size, source, device)[0]
        alphas, betas = _plain_lanczos(product, start / start.norm(), min(steps, size))
        values, s = torch.linalg.eigh(_tridiagonal(alphas, betas))
        nodes.append(values)
        weights.append(s[0] ** 2 / vectors)
    return torch.cat(nodes), torch.cat(weights)


def _plain_lanczos(product: Product, q: Tensor, steps: int) -> tuple[list[float], list[float]]:
    basis, alphas, betas = [q], [], []
    for k in range(steps):
        w = product(q)
        alphas.append(float(w @ q))
        for _ in range(2):
            stack = torch.stack(basis)
            w = w - stack.T @ (stack @ w)
        beta = float(w.norm())
        if k + 1 == steps or beta <= 1e-12 * max(map(abs, alphas)):
            break
        betas.append(beta)
        q = w / beta
        basis.append(q)
    return alphas, betas


def hutchinson(
    product: Product, size: int, source: torch.Generator, device: torch.device, *, samples: int = 64
) -> Estimate:
    """tr H as the mean of z . H z over random signs z."""
    z = _signs(samples, size, source, device)
    return _mean((z * product(z)).sum(1))


def hutch_pp(
    product: Product, size: int, source: torch.Generator, device: torch.device, *, products: int = 60
) -> Estimate:
    """tr H with ``products`` products: exactly on a sketched range of H, by Hutchinson on its complement."""
    third = max(1, min(products // 3, size))
    q, _ = torch.linalg.qr(product(_signs(third, size, source, device)).T)
    exact = float((q.T * product(q.T)).sum())
    z = _signs(third, size, source, device)
    z = z - (z @ q) @ q.T
    rest = _mean((z * product(z)).sum(1))
    return Estimate(exact + rest.mean, rest.standard_error, products)


def _signs(count: int, size: int, source: torch.Generator, device: torch.device) -> Tensor:
    return (2.0 * torch.randint(0, 2, (count, size), generator=source) - 1).to(dtype=torch.float64, device=device)


def _mean(x: Tensor) -> Estimate:
    spread = float(x.std() / len(x) ** 0.5) if len(x) > 1 else float("inf")
    return Estimate(float(x.mean()), spread, len(x))
