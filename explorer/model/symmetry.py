"""Symmetries of the loss: signed permutations of the parameters that leave F unchanged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from explorer.point import EnclosedPoint, Point
from explorer.problem import Problem


@dataclass(frozen=True)
class SignedPermutation:
    """The linear map g with (g theta)[images[k]] = signs[k] * theta[k]; signs are +1 or -1."""

    images: tuple[int, ...]
    signs: tuple[int, ...]


def symmetry_generators(problem: Problem) -> tuple[SignedPermutation, ...]:
    """Generators of the signed permutations that preserve F and that this module finds (hidden units, signs, data)."""
    raise NotImplementedError


def group_order(generators: Sequence[SignedPermutation]) -> int:
    """The order of the group that the generators generate (1 for no generators)."""
    raise NotImplementedError


def orbit(
    point: Point | EnclosedPoint, generators: Sequence[SignedPermutation], *, limit: int = 10_000
) -> tuple[Point | EnclosedPoint, ...]:
    """The orbit of an exact point or a box, sorted, each once. More than ``limit`` images: `BudgetExceeded`."""
    raise NotImplementedError
