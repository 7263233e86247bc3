"""Signed permutations of the parameters: linear maps that permute coordinates and change signs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class SignedPermutation:
    """The linear map g with (g theta)[images[k]] = signs[k] * theta[k]; signs are +1 or -1."""

    images: tuple[int, ...]
    signs: tuple[int, ...]

    @classmethod
    def identity(cls, size: int) -> SignedPermutation:
        return cls(tuple(range(size)), (1,) * size)

    def __matmul__(self, other: SignedPermutation) -> SignedPermutation:
        """The composition: (g @ h) theta = g (h theta)."""
        images = tuple(self.images[k] for k in other.images)
        signs = tuple(s * self.signs[k] for s, k in zip(other.signs, other.images, strict=True))
        return SignedPermutation(images, signs)

    @property
    def is_identity(self) -> bool:
        return self == SignedPermutation.identity(len(self.images))

    def preserves(self, terms: Mapping[tuple[int, ...], Fraction | int]) -> bool:
        """Whether the polynomial with these terms is unchanged: F(g theta) = F(theta)."""
        if self.images == tuple(range(len(self.images))):
            flipped = [k for k, s in enumerate(self.signs) if s < 0]
            return not any(c and sum(e[k] for k in flipped) % 2 for e, c in terms.items())
        for e, c in terms.items():
            pulled = tuple(e[k] for k in self.images)
            odd = sum(k for k, s in zip(pulled, self.signs, strict=True) if s < 0) % 2
            if terms.get(pulled) != (-c if odd else c):
                return False
        return True
