"""Backends: who computes the twin. One protocol, one implementation (torch), one way to name a device and to draw numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import torch

from explorer.errors import Invalid, Unsupported, described
from explorer.numeric.spec import spec_of
from explorer.numeric.twin import Twin
from explorer.problem import Problem

Tensor: TypeAlias = torch.Tensor


class Backend(Protocol):
    """What the numerical verbs need: compile a problem, draw reproducible numbers, say what it is."""

    def compile(self, problem: Problem, *, kink: float = 0.0) -> Twin: ...

    def normal(self, shape: tuple[int, ...], *, seed: int, scale: float = 1.0) -> Tensor: ...

    @property
    def description(self) -> str: ...


@dataclass(frozen=True)
class TorchBackend:
    """float64 torch on ``device``: ``auto`` (CUDA where there is one), ``cpu``, ``cuda`` or ``cuda:k``."""

    device: str = "auto"

    def __post_init__(self) -> None:
        found = self.torch_device  # refuses early
        if found.type not in ("cpu", "cuda"):
            raise Unsupported("device", expected="cpu or cuda", got=str(found), remedy="the twin needs float64")

    @property
    def torch_device(self) -> torch.device:
        if self.device == "auto":
            return torch.device("cuda" if torch.cuda.is_available() else "cpu")
        try:
            found = torch.device(self.device)
        except (RuntimeError, TypeError):
            raise Invalid(
                "device", expected="auto, cpu, cuda or cuda:k", got=described(self.device), remedy="write cpu"
            ) from None
        if found.type == "cuda" and not torch.cuda.is_available():
            raise Unsupported("device", expected="a CUDA device", got="none on this machine", remedy="use cpu")
        return found

    @property
    def description(self) -> str:
        where = self.torch_device
        name = torch.cuda.get_device_name(where) if where.type == "cuda" else f"{torch.get_num_threads()} threads"
        return f"torch {torch.__version__}, float64, {where.type} ({name})"

    def compile(self, problem: Problem, *, kink: float = 0.0) -> Twin:
        return Twin(spec_of(problem, self.torch_device), kink)

    def normal(self, shape: tuple[int, ...], *, seed: int, scale: float = 1.0) -> Tensor:
        return normal(shape, generator(seed), self.torch_device, scale=scale)


def compiled(problem: Problem, *, device: str = "auto", kink: float = 0.0) -> Twin:
    """The twin of ``problem``: F in float64 on ``device``; ``kink`` = 0 takes the left derivative at kinks (relu'(0) = 0)."""
    return TorchBackend(device).compile(problem, kink=kink)


def generator(seed: int) -> torch.Generator:
    """A generator of its own for one run. It lives on the CPU, so that every device sees the same numbers."""
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise Invalid("seed", expected="an integer from 0 to 2^63 - 1", got=described(seed), remedy="write 0")
    return torch.Generator(device="cpu").manual_seed(seed)


def normal(shape: tuple[int, ...], source: torch.Generator, device: torch.device, *, scale: float = 1.0) -> Tensor:
    """Independent normal numbers of standard deviation ``scale``, drawn on the CPU and moved once."""
    return (scale * torch.randn(shape, generator=source, dtype=torch.float64)).to(device)
