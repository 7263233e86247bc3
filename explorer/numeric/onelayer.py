"""Closed form of value, gradient and Hessian for one hidden layer, batched: a few matrix products instead of P sweeps.

With o_k(x_i) = sum_j v_kj phi(u_j . x~_i) + c_k (x~ = x, with a 1 appended where there is a bias) and F = sum_ik g_ik(o_ik),

    H = sum_ik g''_ik J_ik J_ik^T + sum_ik g'_ik D^2 o_ik,

and D^2 o has only the blocks (u_j, u_j): v_kj phi''(z_ij) x~_i x~_i^T and (v_kj, u_j): phi'(z_ij) x~_i. What costs is
memory, not arithmetic: the result has P^2 numbers and should be written once, so the caller hands in where it goes, the
blocks of D^2 o are added through strided views of it, and chunks are small enough to stay in the cache.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch

from explorer.numeric.functions import absolute_power, activation, outer, second_order
from explorer.numeric.spec import Spec

Tensor: TypeAlias = torch.Tensor


def quadratic(
    s: Spec, kink: float, penalty: Callable[[Tensor], Tensor], theta: Tensor, out: Tensor
) -> tuple[Tensor, Tensor]:
    """F (B,) and gradient (B, P) of a spec of depth 2; the Hessian (B, P, P) is written to ``out``."""
    b, p = theta.shape
    d, k, n = s.widths[0], s.widths[2], len(s.inputs)
    x, v, o, a0, a1, a2 = _forward(s, kink, theta)
    psi, c = activation(s.output, kink=kink), s.weights[:, None]
    g0, g1, g2 = second_order(lambda t: c * outer(s.loss, psi(t), s.targets), o)
    rows = _jacobian(s, x[:, :d], v, a0, a1).view(b, n * k, p)
    f = g0.sum((-2, -1))
    g = torch.bmm(g1.reshape(b, 1, n * k), rows)[:, 0]
    torch.bmm((rows * g2.reshape(b, n * k, 1)).mT, rows, out=out)
    _add_curvature(s, out, x, (g1 @ v) * a2, g1, a1)
    if s.penalty is not None:
        f0, g_, h_ = _regularizer(s, penalty, theta)
        f, g = f + f0, g + g_
        out += h_
    return f, g


def _forward(s: Spec, kink: float, theta: Tensor) -> tuple[Tensor, ...]:
    """x~, v (B, k, m), the pre-activations o of the outputs, and phi, phi', phi'' of the units (B, n, m)."""
    b, (d, m, k) = len(theta), s.widths
    x, at = s.inputs, m * (d + s.bias[0])
    v = theta[:, at : at + k * m].reshape(b, k, m)
    z = x @ theta[:, : m * d].reshape(b, m, d).mT
    if s.bias[0]:
        z = z + theta[:, None, m * d : at]
        x = torch.cat([x, torch.ones_like(x[:, :1])], dim=1)
    a0, a1, a2 = second_order(activation(s.activations[0], kink=kink), z)
    o = a0 @ v.mT
    if s.bias[1]:
        o = o + theta[:, None, at + k * m :]
    return x, v, o, a0, a1, a2


def _jacobian(s: Spec, x: Tensor, v: Tensor, a0: Tensor, a1: Tensor) -> Tensor:
    (d, m, k), (b, n, _) = s.widths, a0.shape
    at = m * (d + s.bias[0])
    j = torch.zeros(b, n, k, s.size, dtype=a0.dtype, device=a0.device)
    slope = v[:, None] * a1[:, :, None]  # (b, n, k, m)
    torch.mul(slope[..., None], x[:, None, None, :], out=j[..., : m * d].unflatten(-1, (m, d)))
    if s.bias[0]:
        j[..., m * d : at] = slope
    for o_k in range(k):
        j[:, :, o_k, at + o_k * m : at + (o_k + 1) * m] = a0
        if s.bias[1]:
            j[:, :, o_k, at + k * m + o_k] = 1
    return j


def _add_curvature(s: Spec, h: Tensor, x: Tensor, bend: Tensor, g1: Tensor, a1: Tensor) -> None:
    """Add the blocks of D^2 o to ``h`` through views of the places (unit j, unit j): ``bend`` = sum_k g'_ik v_kj phi''_ij."""
    (d, m, k), n = s.widths, len(x)
    at, width = m * (d + s.bias[0]), x.shape[1]
    pairs = (x[:, :, None] * x[:, None, :]).reshape(n, -1)  # (n, D * D)
    block = (bend.mT @ pairs).view(-1, m, width, width)
    w, bias = slice(0, m * d), slice(m * d, at)
    _unit_pairs(h[:, w, w], (m, d), (m, d)).add_(block[..., :d, :d].permute(0, 2, 3, 1))
    if s.bias[0]:
        corner = block[..., :d, d].mT.unsqueeze(2)
        _unit_pairs(h[:, w, bias], (m, d), (m, 1)).add_(corner)
        _unit_pairs(h[:, bias, w], (m, 1), (m, d)).add_(corner.transpose(1, 2))
        torch.diagonal(h[:, bias, bias], dim1=1, dim2=2).add_(block[..., d, d])
    for o_k in range(k):
        mixed = (g1[:, :, o_k, None] * a1).mT @ x  # (b, m, D)
        here = slice(at + o_k * m, at + (o_k + 1) * m)
        inner = mixed[..., :d].mT.unsqueeze(2)  # (b, d, 1, m)
        _unit_pairs(h[:, w, here], (m, d), (m, 1)).add_(inner)
        _unit_pairs(h[:, here, w], (m, 1), (m, d)).add_(inner.transpose(1, 2))
        if s.bias[0]:
            torch.diagonal(h[:, bias, here], dim1=1, dim2=2).add_(mixed[..., d])
            torch.diagonal(h[:, here, bias], dim1=1, dim2=2).add_(mixed[..., d])


def _unit_pairs(block: Tensor, rows: tuple[int, int], columns: tuple[int, int]) -> Tensor:
    """The view (b, r, c, m) of the entries of ``block`` (b, m r, m c) whose row and column belong to the same unit."""
    (m, r), (_, c) = rows, columns
    return torch.diagonal(block.unflatten(2, (m, c)).unflatten(1, (m, r)), dim1=1, dim2=3)


def _regularizer(s: Spec, penalty: Callable[[Tensor], Tensor], theta: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    if s.cubic:
        g = torch.func.vmap(torch.func.grad(penalty))(theta)
        return penalty(theta), g, torch.func.vmap(torch.func.hessian(penalty))(theta)
    assert s.power is not None
    power, weights = s.power, s.penalty
    f, g, h = second_order(lambda t: weights * absolute_power(t, power), theta)
    return f.sum(-1), g, torch.diag_embed(h)
