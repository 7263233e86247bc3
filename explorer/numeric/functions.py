"""Activations and losses as elementwise float64 functions, written from docs/certificate.md and nothing else.

Kinks: at a break where the derivatives from both sides differ, the derivative is
(1 - kink) * left + kink * right with the ``kink`` of the caller; ``kink`` = 0 gives relu'(0) = 0. The value is the
same for every choice (activations are continuous). The odd powers |t|^p of regularizers take the derivative 0 at 0.
The choice acts through weights that are constant under differentiation, so it holds at every order, under every
transform of torch.func, and costs no branch.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TypeAlias

import torch

from explorer.problem import Activation

Tensor: TypeAlias = torch.Tensor
Elementwise: TypeAlias = Callable[[Tensor], Tensor]

# The first forward derivative makes torch load tables of its own, through functions that it has itself deprecated.
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    torch.func.jvp(torch.sin, (torch.zeros(1),), (torch.ones(1),))

_SQRT_HALF = math.sqrt(0.5)


def activation(a: Activation, *, kink: float = 0.0) -> Elementwise:
    """The function of ``a`` on tensors of any shape."""
    if a.kind in _SMOOTH:
        return _SMOOTH[a.kind]
    if a.kind == "polynomial":
        return _polynomial(a.coefficients)
    if a.kind == "elu":
        alpha = float(a.alpha or 0)
        return lambda z: _elu(z, alpha, kink)
    return _piecewise(*_pieces(a), kink)


def absolute_power(t: Tensor, exponent: int) -> Tensor:
    """|t|^exponent, with derivative 0 at 0 also for exponent 1."""
    power = t
    for _ in range(exponent - 1):  # products, not pow: forward derivatives of pow go through Python
        power = power * t
    return power if exponent % 2 == 0 else power * torch.sign(t).detach()


def outer(kind: str, f: Tensor, y: Tensor) -> Tensor:
    """The loss of single outputs: (y - f)^2, or ln(1 + e^(-y f)) without overflow."""
    if kind == "squared":
        return (f - y) * (f - y)
    return softplus(-y * f)


def softplus(z: Tensor) -> Tensor:
    """ln(1 + e^z) to full precision (torch's own softplus becomes the identity at 20, which is wrong by 2e-9)."""
    return torch.logaddexp(z, torch.zeros_like(z))


def second_order(phi: Elementwise, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """phi(z), phi'(z), phi''(z) elementwise for plain tensors, by two backward passes.

    (Nested forward derivatives give the same numbers, but torch routes them through Python: 30 times slower.)
    """
    with torch.enable_grad():
        t = z.detach().requires_grad_(True)
        value = phi(t)
        (slope,) = torch.autograd.grad(value.sum(), t, create_graph=True)
        if not slope.requires_grad:  # phi is affine
            return value.detach(), slope.detach(), torch.zeros_like(slope)
        (curvature,) = torch.autograd.grad(slope.sum(), t, allow_unused=True)
    return value.detach(), slope.detach(), torch.zeros_like(z) if curvature is None else curvature


_SMOOTH: dict[str, Elementwise] = {
    "linear": lambda z: z,
    "square": lambda z: z * z,
    "cubic": lambda z: z * z * z,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "softplus": softplus,
    "swish": lambda z: z * torch.sigmoid(z),
    "exp": torch.exp,
    "sin": torch.sin,
    "erf": torch.erf,
    "gelu": lambda z: 0.5 * z * torch.erfc(-z * _SQRT_HALF),  # 1 + erf would cancel far to the left
}


def _polynomial(coefficients: Sequence[Fraction]) -> Elementwise:
    c = [float(x) for x in coefficients]

    def horner(z: Tensor) -> Tensor:
        total = torch.full_like(z, c[-1])
        for x in reversed(c[:-1]):
            total = total * z + x
        return total

    return horner


def _elu(z: Tensor, alpha: float, kink: float) -> Tensor:
    left = (z < 0).to(z.dtype) + (1 - kink) * (z == 0).to(z.dtype)
    below = torch.where(z <= 0, z, torch.zeros_like(z))  # keeps e^z finite on the branch that is not taken
    return left * alpha * torch.expm1(below) + (1 - left) * z


def _pieces(a: Activation) -> tuple[tuple[Fraction, ...], tuple[tuple[Fraction, ...], ...]]:
    zero, one = Fraction(0), Fraction(1)
    if a.kind == "relu":
        return (zero,), ((zero,), (zero, one))
    if a.kind == "requ":
        return (zero,), ((zero,), (zero, zero, one))
    if a.kind == "leaky_relu":
        return ((), ((zero, one),)) if a.slope == 1 else ((zero,), ((zero, a.slope or zero), (zero, one)))
    return a.breaks, a.pieces


def _piecewise(breaks: Sequence[Fraction], pieces: Sequence[Sequence[Fraction]], kink: float) -> Elementwise:
    at = [float(b) for b in breaks]
    functions = [_polynomial(p) for p in pieces]

    def glued(z: Tensor) -> Tensor:
        # right[k]: how much of the piece right of break k counts at z (0, 1, or kink on the break itself)
        right = [(z > b).to(z.dtype) for b in at]
        if kink:
            right = [r + kink * (z == b).to(z.dtype) for r, b in zip(right, at, strict=True)]
        total = functions[0](z) * (1 - right[0]) if at else functions[0](z)
        for k, f in enumerate(functions[1:]):
            inside = right[k] * (1 - right[k + 1]) if k + 1 < len(at) else right[k]
            total = total + f(z) * inside
        return total

    return glued
