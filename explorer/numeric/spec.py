"""A problem as float64 tensors: what the twin is compiled from. Recipes build specs larger than any Problem may be."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import torch

from explorer.errors import Unsupported
from explorer.network import LINEAR, Activation
from explorer.problem import DenseNetwork, MonomialLoss, Problem, Regularizer

Tensor: TypeAlias = torch.Tensor


@dataclass(frozen=True, eq=False)
class Spec:
    """A dense network with data, loss and regularizer. ``inputs`` (n, d_0), ``targets`` (n, d_L), ``weights`` (n,).

    Parameters in the project's order: layer by layer, weights by rows, then biases. ``power`` is the exponent of a
    separable regularizer sum_k lambda_k |theta_k|^power (None: none, or neuron-cubic when ``cubic``).
    """

    widths: tuple[int, ...]
    activations: tuple[Activation, ...]
    bias: tuple[bool, ...]
    inputs: Tensor
    targets: Tensor
    weights: Tensor
    output: Activation = LINEAR
    loss: str = "squared"
    power: int | None = None
    cubic: bool = False
    penalty: Tensor | None = None

    @property
    def depth(self) -> int:
        return len(self.widths) - 1

    @property
    def size(self) -> int:
        """Number of parameters."""
        shapes = zip(self.widths, self.widths[1:], self.bias, strict=False)
        return sum(rows * (columns + bias) for columns, rows, bias in shapes)

    @property
    def device(self) -> torch.device:
        return self.inputs.device


@dataclass(frozen=True, eq=False)
class MonomialSpec:
    """A polynomial loss: ``coefficients`` (terms,), ``exponents`` (terms, parameters) as integers."""

    coefficients: Tensor
    exponents: Tensor

    @property
    def size(self) -> int:
        return int(self.exponents.shape[1])

    @property
    def device(self) -> torch.device:
        return self.coefficients.device


def spec_of(problem: Problem, device: torch.device) -> Spec | MonomialSpec:
    """The tensors of ``problem``: every exact number rounded once to the nearest float64."""
    net = problem.network
    if isinstance(net, MonomialLoss):
        return MonomialSpec(
            column([c for c, _ in net.terms], device), torch.tensor([e for _, e in net.terms], device=device)
        )
    if not isinstance(net, DenseNetwork):
        raise Unsupported(
            "numerical twin",
            expected="a dense network on data or a polynomial",
            got="a student-teacher loss or an added unit",
            remedy="explorer.numeric.students has a twin for students",
        )
    assert problem.data is not None
    assert problem.loss is not None
    power, cubic, penalty = _penalty(problem.regularizer, device)
    return Spec(
        widths=net.widths,
        activations=net.activations,
        bias=net.bias,
        output=net.output,
        inputs=torch.stack([column(row, device) for row in problem.data.inputs]),
        targets=torch.stack([column(row, device) for row in problem.data.targets]),
        weights=column(problem.loss.weights, device),
        loss=problem.loss.kind,
        power=power,
        cubic=cubic,
        penalty=penalty,
    )


def _penalty(r: Regularizer | None, device: torch.device) -> tuple[int | None, bool, Tensor | None]:
    if r is None:
        return None, False, None
    if r.kind == "neuron-cubic":
        return None, True, column(r.weights, device)
    return (2 if r.kind == "l2" else r.exponent), False, column(r.weights, device)


def column(values: object, device: torch.device | None = None) -> Tensor:
    """Exact numbers as a float64 vector."""
    return torch.tensor([float(Fraction(v)) for v in values], dtype=torch.float64, device=device)  # type: ignore[attr-defined]
