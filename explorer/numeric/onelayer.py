"""Closed form of value, gradient and Hessian for one hidden layer, batched: a few matrix products instead of P sweeps.

With o_k(x_i) = sum_j v_kj phi(u_j . x~_i) + c_k (x~ = x, with a 1 appended where there is a bias) and F = sum_ik g_ik(o_ik),

    H = sum_ik g''_ik J_ik J_ik^T + sum_ik g'_ik D^2 o_ik,

and D^2 o has only the blocks (u_j, u_j): v_kj phi''(z_ij) x~_i x~_i^T and (v_kj, u_j): phi'(z_ij) x~_i.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch

from explorer.numeric.functions import absolute_power, activation, outer, second_order
from explorer.numeric.spec import Spec

Tensor: TypeAlias = torch.Tensor


def quadratic(
    s: Spec, kink: float, penalty: Callable[[Tensor], Tensor], theta: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """F (B,), gradient (B, P) and Hessian (B, P, P) of a spec of depth 2."""
    jacobian, g0, g1, g2, curvature = _network(s, kink, theta)
    b, p = theta.shape
    rows = jacobian.reshape(b, -1, p)
    first, second = g1.reshape(b, -1), g2.reshape(b, -1)
    f = g0.sum((-2, -1))
    g = (first[:, None, :] @ rows)[:, 0]
    h = (rows * second[:, :, None]).mT @ rows
    curvature(h)
    if s.penalty is not None:
        f0, g_, h_ = _regularizer(s, penalty, theta)
        f, g, h = f + f0, g + g_, h + h_
    return f, g, h


def jacobian(s: Spec, kink: float, theta: Tensor) -> Tensor:
    """d o_k(x_i) / d theta before the output activation, (B, n, d_L, P)."""
    return _network(s, kink, theta)[0]


def _network(s: Spec, kink: float, theta: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Callable[[Tensor], None]]:
    b, p = theta.shape
    (d, m, k), n = s.widths, len(s.inputs)
    x = s.inputs
    w = theta[:, : m * d].reshape(b, m, d)
    at = m * (d + s.bias[0])
    v = theta[:, at : at + k * m].reshape(b, k, m)
    z = x @ w.mT
    if s.bias[0]:
        z = z + theta[:, None, m * d : at]
        x = torch.cat([x, torch.ones_like(x[:, :1])], dim=1)
    a0, a1, a2 = second_order(activation(s.activations[0], kink=kink), z)
    o = a0 @ v.mT
    if s.bias[1]:
        o = o + theta[:, None, at + k * m :]
    psi = activation(s.output, kink=kink)
    c = s.weights[:, None]
    g0, g1, g2 = second_order(lambda t: c * outer(s.loss, psi(t), s.targets), o)

    j = torch.zeros(b, n, k, p, dtype=theta.dtype, device=theta.device)
    slope = v[:, None] * a1[:, :, None]  # (b, n, k, m)
    j[..., : m * d] = (slope[..., None] * x[:, None, None, :d]).reshape(b, n, k, m * d)
    if s.bias[0]:
        j[..., m * d : at] = slope
    for o_k in range(k):
        j[:, :, o_k, at + o_k * m : at + (o_k + 1) * m] = a0
        if s.bias[1]:
            j[:, :, o_k, at + k * m + o_k] = 1

    def curvature(h: Tensor) -> None:
        unit = torch.arange(m, device=theta.device)
        u = unit[:, None] * d + torch.arange(d, device=theta.device)
        if s.bias[0]:
            u = torch.cat([u, (m * d + unit)[:, None]], dim=1)  # (m, D): where u_j lies in theta
        pairs = (x[:, :, None] * x[:, None, :]).reshape(n, -1)  # (n, D * D)
        block = ((g1 @ v) * a2).mT @ pairs
        h[:, u[:, :, None], u[:, None, :]] += block.reshape(b, m, u.shape[1], u.shape[1])
        for o_k in range(k):
            mixed = (g1[:, :, o_k, None] * a1).mT @ x  # (b, m, D)
            where = (at + o_k * m + unit)[:, None].expand_as(u)
            h[:, where, u] += mixed
            h[:, u, where] += mixed

    return j, g0, g1, g2, curvature


def _regularizer(s: Spec, penalty: Callable[[Tensor], Tensor], theta: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    if s.cubic:
        g = torch.func.vmap(torch.func.grad(penalty))(theta)
        return penalty(theta), g, torch.func.vmap(torch.func.hessian(penalty))(theta)
    assert s.power is not None
    power, weights = s.power, s.penalty
    f, g, h = second_order(lambda t: weights * absolute_power(t, power), theta)
    return f.sum(-1), g, torch.diag_embed(h)
