"""Which activations increase strictly."""

from __future__ import annotations

from explorer.model.activations import pieces_of
from explorer.model.pieces import derivative, nonnegative_on
from explorer.problem import Activation

INCREASING = ("sigmoid", "tanh", "softplus", "exp", "erf")


def strictly_increasing(activation: Activation) -> bool:
    """Exactly, for every activation of the format (all of which are continuous)."""
    p = pieces_of(activation)
    if p is None:
        return activation.kind in INCREASING or (activation.kind == "elu" and (activation.alpha or 0) > 0)
    for k, c in enumerate(p.polynomials):
        slope = derivative(c)
        if not any(slope) or not nonnegative_on(slope, *p.interval(k)):
            return False
    return True


def is_zero(activation: Activation) -> bool:
    """phi = 0."""
    p = pieces_of(activation)
    return p is not None and p.is_zero


def curved(activation: Activation) -> bool:
    """Smooth and with phi''(b) != 0 somewhere."""
    p = pieces_of(activation)
    if p is None:
        return activation.kind != "elu"
    return p.is_polynomial and len(p.polynomials[0]) >= 3
