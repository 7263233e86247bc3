"""The twin of a loss: values, gradients, Hessians and Hessian-vector products of B parameter vectors at once.

`Twin.value` maps (..., P) to (...): it is batched by itself and may also be wrapped in `torch.func.vmap`, `grad`, `jvp`
and `hessian`. Everything is float64. (TF32 concerns float32 only; nothing here is float32 and no global switch of torch
is touched.) On one machine with one number of threads the same input gives the same bits on the CPU.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import torch

from explorer.budget import Deadline
from explorer.errors import Invalid
from explorer.numeric import onelayer
from explorer.numeric.functions import absolute_power, activation, outer
from explorer.numeric.spec import MonomialSpec, Spec

Tensor: TypeAlias = torch.Tensor
#: doubles that one chunk of a batched Hessian may hold
CHUNK = 6_000_000
#: |z| beyond which an activation is a constant or its limit line to all digits of float64
SATURATED = {
    "sigmoid": 36.0,
    "tanh": 18.5,
    "erf": 5.8,
    "softplus": 36.0,
    "swish": 36.0,
    "gelu": 8.2,
    "elu": 36.0,
    "exp": 600.0,
}


@dataclass(frozen=True, eq=False)
class Twin:
    """F of one spec. ``kink`` is the convention at kinks (see `explorer.numeric.functions`)."""

    spec: Spec | MonomialSpec
    kink: float = 0.0

    @property
    def size(self) -> int:
        """P, the number of parameters."""
        return self.spec.size

    @property
    def device(self) -> torch.device:
        return self.spec.device

    def outputs(self, theta: Tensor, inputs: Tensor | None = None) -> Tensor:
        """f(x_i) for parameter vectors (..., P): shape (..., n, d_L), after the output activation."""
        s = self._dense()
        return activation(s.output, kink=self.kink)(self.before_output(theta, inputs))

    def before_output(self, theta: Tensor, inputs: Tensor | None = None) -> Tensor:
        """The last pre-activations, (..., n, d_L)."""
        return self.preactivations(theta, inputs)[-1]

    def preactivations(self, theta: Tensor, inputs: Tensor | None = None) -> list[Tensor]:
        """The pre-activations of every layer, (..., n, d_l)."""
        s = self._dense()
        h = s.inputs if inputs is None else inputs
        h = h.expand(*theta.shape[:-1], *h.shape)
        out, at = [], 0
        for layer, (columns, rows, bias) in enumerate(zip(s.widths, s.widths[1:], s.bias, strict=False)):
            w = theta[..., at : at + rows * columns].reshape(*theta.shape[:-1], rows, columns)
            at += rows * columns
            z = h @ w.mT
            if bias:
                z = z + theta[..., None, at : at + rows]
                at += rows
            out.append(z)
            if layer + 1 < s.depth:
                h = activation(s.activations[layer], kink=self.kink)(z)
        return out

    def saturated(self, theta: Tensor) -> Tensor:
        """Rows of (B, P) at which some activation lies so far out that float64 sees a constant (its derivative rounds to 0)."""
        s = self.spec
        out = torch.zeros(len(theta), dtype=torch.bool, device=theta.device)
        if isinstance(s, MonomialSpec):
            return out
        with torch.no_grad():
            for a, z in zip((*s.activations, s.output), self.preactivations(theta), strict=True):
                if a.kind in SATURATED:
                    out |= (z.abs() > SATURATED[a.kind]).flatten(1).any(1)
        return out

    def value(self, theta: Tensor) -> Tensor:
        """F of (..., P) parameters, shape (...)."""
        s = self.spec
        if isinstance(s, MonomialSpec):
            return _monomial(s, theta)
        each = outer(s.loss, self.outputs(theta), s.targets).sum(-1)
        return (each * s.weights).sum(-1) + self.penalty(theta)

    def penalty(self, theta: Tensor) -> Tensor:
        """The regularizer of (..., P) parameters."""
        s = self._dense()
        if s.penalty is None:
            return torch.zeros(theta.shape[:-1], dtype=theta.dtype, device=theta.device)
        if not s.cubic:
            assert s.power is not None
            return (s.penalty * absolute_power(theta, s.power)).sum(-1)
        d, m = s.widths[0], s.widths[1]
        w = theta[..., : m * d].reshape(*theta.shape[:-1], m, d)
        a = theta[..., m * (d + s.bias[0]) :][..., :m]
        square = (w * w).sum(-1)
        if s.bias[0]:
            square = square + theta[..., m * d : m * d + m] ** 2
        there = (square > 0).to(theta.dtype)
        cubed = there * square * torch.sqrt(square + (1 - there))  # |v|^3: at v = 0 all derivatives 0, not nan
        return (s.penalty * (absolute_power(a, 3) + 2 * cubed)).sum(-1) / 3

    def values(self, batch: Tensor) -> Tensor:
        """F of a batch (B, P), without derivatives."""
        with torch.no_grad():
            return self.value(batch)

    def gradients(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """F (B,) and its gradients (B, P): one backward pass for the whole batch."""
        theta = batch.detach().requires_grad_(True)
        f = self.value(theta)
        (g,) = torch.autograd.grad(f.sum(), theta)
        return f.detach(), g

    def quadratics(self, batch: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """F (B,), gradients (B, P) and symmetric Hessians (B, P, P), in chunks of bounded memory."""
        f, g = torch.empty_like(batch[:, 0]), torch.empty_like(batch)
        h = batch.new_empty(*batch.shape, batch.shape[1])
        step = max(1, CHUNK // self._room())
        for at in range(0, len(batch), step):
            part = slice(at, at + step)
            f[part], g[part] = self._quadratic(batch[part], h[part])
        return f, g, h

    def hessians(self, batch: Tensor) -> Tensor:
        """Symmetric Hessians (B, P, P)."""
        return self.quadratics(batch)[2]

    def gradient(self, theta: Tensor) -> Tensor:
        """The gradient at one point (P,), a pure function for further transforms."""
        return torch.func.grad(self.value)(theta)

    def hvp(self, theta: Tensor) -> Callable[[Tensor], Tensor]:
        """v -> H(theta) v at one point (P,); for a block (k, P) every row. The graph of the gradient is built once and
        kept, so that one product costs one backward pass through it (see `generic_hvp` for the version of torch.func).
        """
        t = theta.detach().requires_grad_(True)
        (g,) = torch.autograd.grad(self.value(t), t, create_graph=True)

        def single(v: Tensor) -> Tensor:
            if not g.requires_grad:
                return torch.zeros_like(v)
            (out,) = torch.autograd.grad(g, t, grad_outputs=v, retain_graph=True, allow_unused=True)
            return torch.zeros_like(v) if out is None else out

        def product(v: Tensor) -> Tensor:
            return single(v) if v.ndim == 1 else torch.stack([single(row) for row in v])

        return product

    def generic_hvp(self, theta: Tensor) -> Callable[[Tensor], Tensor]:
        """v -> H(theta) v by torch.func, forward over reverse: composable with vmap, and the oracle of `hvp`."""
        return lambda v: torch.func.jvp(torch.func.grad(self.value), (theta,), (v,))[1]

    def generic_hessians(self, batch: Tensor) -> Tensor:
        """Hessians by torch.func alone (any depth): the oracle of the closed form of `onelayer`."""
        return torch.func.vmap(torch.func.hessian(self.value))(batch)

    def _quadratic(self, batch: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """F and the gradients of one chunk; the Hessians are written to ``h``."""
        s = self.spec
        if isinstance(s, Spec) and s.depth == 2:
            with torch.no_grad():
                return onelayer.quadratic(s, self.kink, self.penalty, batch, h)
        theta = batch.detach().requires_grad_(True)
        f = self.value(theta)
        (g,) = torch.autograd.grad(f.sum(), theta, create_graph=True)
        with torch.no_grad():
            h.zero_()
        for k in range(theta.shape[1] if g.requires_grad else 0):  # one backward pass per row, for the whole batch
            (row,) = torch.autograd.grad(g[:, k].sum(), theta, retain_graph=True, allow_unused=True)
            if row is not None:
                h[:, k] = row
        h.copy_((h + h.mT) / 2)
        return f.detach(), g.detach()

    def _room(self) -> int:
        s, p = self.spec, self.size
        if isinstance(s, MonomialSpec):
            return p * p * max(1, len(s.coefficients))
        return p * p + len(s.inputs) * (s.widths[-1] * p * 3 if s.depth == 2 else p * 4 * sum(s.widths))

    def _dense(self) -> Spec:
        if not isinstance(self.spec, Spec):
            raise Invalid("network", expected="a dense network", got="a monomial loss")
        return self.spec


@dataclass(frozen=True, eq=False)
class TimedTwin(Twin):
    """A twin that raises `BudgetExceeded` when ``clock`` is over, at every evaluation: loops over it really stop."""

    clock: Deadline = field(default_factory=lambda: Deadline(None))

    def values(self, batch: Tensor) -> Tensor:
        self.clock.check("computing values")
        return super().values(batch)

    def gradients(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        self.clock.check("computing gradients")
        return super().gradients(batch)

    def hvp(self, theta: Tensor) -> Callable[[Tensor], Tensor]:
        product = super().hvp(theta)

        def timed(v: Tensor) -> Tensor:
            self.clock.check("computing products with the Hessian")
            return product(v)

        return timed


def _monomial(s: MonomialSpec, theta: Tensor) -> Tensor:
    """By tables of powers and products: no 0^0, and exact zeros stay harmless under every derivative."""
    powers = [torch.ones_like(theta)]
    for _ in range(int(s.exponents.max())):
        powers.append(powers[-1] * theta)
    table = torch.stack(powers, dim=-2)  # (..., degree + 1, P)
    total = s.coefficients.expand(*theta.shape[:-1], len(s.coefficients))
    for k in range(s.size):
        total = total * table[..., k][..., s.exponents[:, k]]
    return total.sum(-1)
