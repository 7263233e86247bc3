"""Shared by the tests of the numerical layer: devices, one thread, exact random points."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

torch = pytest.importorskip("torch", reason="the extra 'torch' is not installed")
torch.set_num_threads(1)  # the same bits on every machine, and no waiting for threads on busy ones

DEVICES = [
    "cpu",
    pytest.param(
        "cuda",
        marks=[
            pytest.mark.gpu,
            pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine"),
        ],
    ),
]


def rational_point(size: int, seed: int) -> list[Fraction]:
    """Dyadic numbers: floats hold them exactly, so both sides see the same point."""
    draw = random.Random(seed)
    return [Fraction(draw.randint(-24, 24) * 2 + 1, 16) for _ in range(size)]
