"""The floating-point twin of student-teacher problems: closed form, autograd, Monte Carlo. It decides nothing.

Three ways to the same number: `loss` is the closed form of docs/certificate.md, `sampled_loss` an average over Gaussian
inputs that shares nothing with it, and gradients come from automatic differentiation of either.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.numeric.spec import column
from explorer.problem import Problem, StudentTeacher


@dataclass(frozen=True)
class Students:
    """``teacher`` is a (k, n) tensor, ``students`` the number m of rows of W."""

    teacher: Tensor
    students: int

    @classmethod
    def of(cls, problem: Problem, device: torch.device | None = None) -> Students:
        """The twin of a student-teacher ``problem``."""
        net = problem.network
        assert isinstance(net, StudentTeacher)
        return cls(torch.stack([column(row, device) for row in net.vectors()]), net.students)

    def loss(self, w: Tensor) -> Tensor:
        """F at w of shape (..., m, n), by the closed form."""
        teacher = self.teacher.expand(*w.shape[:-2], *self.teacher.shape)
        z = torch.cat([w, teacher], dim=-2)
        sign = torch.ones(z.shape[-2], dtype=z.dtype, device=z.device)
        sign[self.students :] = -1
        sizes = z.norm(dim=-1)
        scale = sizes.unsqueeze(-1) * sizes.unsqueeze(-2)
        off = ~torch.eye(z.shape[-2], dtype=torch.bool, device=z.device)
        cosine = torch.where(off, (z @ z.transpose(-1, -2)) / scale, 0.0).clamp(-1, 1)
        angle = torch.arccos(cosine)
        kernel = scale * ((1 - cosine**2).clamp(min=0).sqrt() + (torch.pi - angle) * cosine) / (2 * torch.pi)
        pairs = torch.where(off, kernel * sign * sign.unsqueeze(-1), 0.0).sum(dim=(-1, -2)) / 2
        return pairs + (sizes**2).sum(dim=-1) / 4

    def sampled_loss(self, w: Tensor, samples: int, *, seed: int = 0) -> tuple[Tensor, Tensor]:
        """(mean, standard error) of the squared difference of the networks / 2 over normal inputs, for one w (m, n)."""
        generator = torch.Generator(device=w.device).manual_seed(seed)
        x = torch.randn(samples, w.shape[-1], dtype=w.dtype, device=w.device, generator=generator)
        terms = (torch.relu(x @ w.T).sum(dim=1) - torch.relu(x @ self.teacher.T).sum(dim=1)) ** 2 / 2
        return terms.mean(), terms.std() / samples**0.5
