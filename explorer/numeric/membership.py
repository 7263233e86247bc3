"""Does a float point lie on an exact component? Boxes and points by distance, families by their equations.

The equations of a component are texts such as ``w1_1_1^2*w2_1_1 - 2*w1_1_1 + 8 = 0``, ``w1_1_1 < 1``, ``w1_1_1 = 1*log(2)`` or
``f(1, 2) = 3`` (an output of the network). They are read by a small parser into functions of a batch; nothing is evaluated.
A component with an equation that the parser cannot read is recognised by its value and dimension only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import torch

from explorer.errors import Invalid
from explorer.numeric.exact_points import floats
from explorer.numeric.spec import Spec, column
from explorer.numeric.twin import Twin
from explorer.solve.results import Component

Tensor: TypeAlias = torch.Tensor
_TOKEN = re.compile(r"\s*(?:([0-9]+(?:\.[0-9]+(?:\.\.\.)?|/[0-9]+)?)|([a-z][a-z0-9_]*)|(\^|\*|\+|-|\(|\)))", re.ASCII)
_OUTPUT = re.compile(r"f\(([-0-9/, ]+)\)")
_SIGNS = ("!=", "<=", ">=", "=", "<", ">")


@dataclass(frozen=True, eq=False)
class Located:
    """Limits (B, P) with F (B,), how far each may be from where it belongs (B,), and its number of flat directions (B,)."""

    theta: Tensor
    value: Tensor
    slack: Tensor
    flat: Tensor


def belongs(twin: Twin, component: Component, names: Sequence[str], at: Located) -> Tensor:
    """Whether each row of ``at.theta`` (B, P) lies on ``component`` within its slack, and F agrees."""
    theta, value, slack = at.theta, at.value, at.slack
    low, high = float(component.value.lower), float(component.value.upper)
    value_slack = 1e-7 * (1 + value.abs())
    agrees = (value >= low - value_slack) & (value <= high + value_slack)
    if not component.is_family:
        points = component.points or (component.sample,)
        known = torch.tensor([floats(p) for p in points], dtype=theta.dtype, device=theta.device)
        near = torch.cdist(theta, known, compute_mode="donot_use_mm_for_euclid_dist").amin(1) <= slack
        return agrees & near
    inside = agrees.clone()
    for text in component.equations:
        try:
            inside &= _holds(twin, text, names, theta, slack)
        except Invalid:  # words that are not an equation: the dimension must do
            inside &= at.flat >= component.dimension
    return inside


def _holds(twin: Twin, text: str, names: Sequence[str], theta: Tensor, slack: Tensor) -> Tensor:
    sign = next((s for s in _SIGNS if f" {s} " in text), None)
    if sign is None:
        raise Invalid("equation", expected="an equation or an inequality", got=repr(text)[:80])
    left, right = text.split(f" {sign} ")
    x = theta.detach().requires_grad_(True)
    difference = _side(twin, left, names, x) - _side(twin, right, names, x)
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


def _side(twin: Twin, text: str, names: Sequence[str], theta: Tensor) -> Tensor:
    """One side of an equation: an output of the network, or a polynomial."""
    output = _OUTPUT.fullmatch(text.strip())
    if output is None or not isinstance(twin.spec, Spec) or twin.spec.widths[-1] != 1:
        return polynomial(text, names, theta)
    x = column(output.group(1).split(","), theta.device)
    if len(x) != twin.spec.widths[0]:
        raise Invalid("equation", expected=f"{twin.spec.widths[0]} inputs", got=repr(text)[:80])
    return twin.outputs(theta, x[None])[:, 0, 0]


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
        if token == "log" and self._take("("):
            inside = self.sum()
            if not self._take(")"):
                raise Invalid("polynomial", expected=")", got="none")
            return torch.log(inside)
        if token in self.columns:
            return self.columns[token]
        if token[0].isdigit():
            return self.one * float(Fraction(token.removesuffix("...")))
        raise Invalid("polynomial", expected="a parameter of the problem", got=repr(token)[:60])
