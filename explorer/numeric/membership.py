"""Does a float point lie on an exact component? Boxes and points by distance, families by their equations.

The equations of a component are texts such as ``w1_1_1^2*w2_1_1 - 2*w1_1_1 + 8 = 0`` or ``w1_1_1 < 1``. They are read
by a small parser (sums, products, powers, parentheses, rational numbers) into functions of a batch; nothing is evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import TypeAlias

import torch

from explorer.errors import Invalid
from explorer.numeric.exact_points import floats
from explorer.solve.results import Component

Tensor: TypeAlias = torch.Tensor
_TOKEN = re.compile(r"\s*(?:([0-9]+(?:/[0-9]+)?)|([a-z][a-z0-9_]*)|(\^|\*|\+|-|\(|\)))", re.ASCII)
_SIGNS = ("!=", "<=", ">=", "=", "<", ">")


def belongs(
    component: Component, names: Sequence[str], theta: Tensor, value: Tensor, slack: Tensor, value_slack: Tensor
) -> Tensor:
    """Whether each row of ``theta`` (B, P) lies on ``component`` within its ``slack`` (B,), and F agrees."""
    low, high = float(component.value.lower), float(component.value.upper)
    agrees = (value >= low - value_slack) & (value <= high + value_slack)
    if not component.is_family:
        points = component.points or (component.sample,)
        known = torch.tensor([floats(p) for p in points], dtype=theta.dtype, device=theta.device)
        near = torch.cdist(theta, known, compute_mode="donot_use_mm_for_euclid_dist").amin(1) <= slack
        return agrees & near
    inside = agrees.clone()
    for text in component.equations:
        inside &= _holds(text, names, theta, slack)
    return inside


def _holds(text: str, names: Sequence[str], theta: Tensor, slack: Tensor) -> Tensor:
    sign = next((s for s in _SIGNS if f" {s} " in text), None)
    if sign is None:
        raise Invalid("equation", expected="an equation or an inequality", got=repr(text)[:80])
    left, right = text.split(f" {sign} ")
    x = theta.detach().requires_grad_(True)
    difference = polynomial(left, names, x) - polynomial(right, names, x)
    if difference.requires_grad:
        (slope,) = torch.autograd.grad(difference.sum(), x)
    else:  # a comparison of constants
        slope = torch.zeros_like(x)
    # |e| <= slack * |grad e| means: within slack of the zero set, to first order; the last term covers double zeros
    room = slack * slope.norm(dim=1) + slack**2 * (1 + theta.abs().amax(1))
    e = difference.detach()
    if sign == "=":
        return e.abs() <= room
    if sign == "!=":
        return torch.ones_like(e, dtype=torch.bool)  # its complement is lower-dimensional: no float can tell
    return e <= room if sign in ("<", "<=") else e >= -room


def polynomial(text: str, names: Sequence[str], theta: Tensor) -> Tensor:
    """The polynomial ``text`` in the parameters ``names`` on a batch (B, P)."""
    tokens, at = [], 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None:
            raise Invalid("polynomial", expected="numbers, parameters and + - * ^ ( )", got=repr(text)[:80])
        tokens.append(match.group(match.lastindex or 0))
        at = match.end()
    columns = {name: theta[:, k] for k, name in enumerate(names)}
    reader = _Reader(tokens, columns, torch.ones_like(theta[:, 0]))
    out = reader.sum()
    if reader.rest:
        raise Invalid("polynomial", expected="the end", got=repr(" ".join(reader.rest))[:80])
    return out


class _Reader:
    """Recursive descent over the tokens; the state of one call of `polynomial`."""

    def __init__(self, tokens: list[str], columns: dict[str, Tensor], one: Tensor) -> None:
        self.rest, self.columns, self.one = tokens, columns, one

    def _take(self, *wanted: str) -> str:
        return self.rest.pop(0) if self.rest and self.rest[0] in wanted else ""

    def sum(self) -> Tensor:
        total = self._signed()
        while sign := self._take("+", "-"):
            term = self._signed()
            total = total + term if sign == "+" else total - term
        return total

    def _signed(self) -> Tensor:
        if self._take("-"):
            return -self._signed()
        product = self._power()
        while self._take("*"):
            product = product * self._power()
        return product

    def _power(self) -> Tensor:
        base = self._atom()
        return base ** int(self.rest.pop(0)) if self._take("^") else base

    def _atom(self) -> Tensor:
        if not self.rest:
            raise Invalid("polynomial", expected="a number, a parameter or (", got="the end")
        token = self.rest.pop(0)
        if token == "(":
            inside = self.sum()
            if not self._take(")"):
                raise Invalid("polynomial", expected=")", got="none")
            return inside
        if token in self.columns:
            return self.columns[token]
        if token[0].isdigit():
            return self.one * float(Fraction(token))
        raise Invalid("polynomial", expected="a parameter of the problem", got=repr(token)[:60])
