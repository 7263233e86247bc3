"""What a cross-check says, as plain data. The word for everything here is *numerical*."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

FORMAT = "explorer.crosscheck/1"


@dataclass(frozen=True)
class Discrepancy:
    """Exact and numerical side disagree: ``what`` in one sentence, and what is needed to see it again.

    ``start``: the starting point (with ``merit`` and the report's seed), None when it is about an exact point.
    """

    where: str
    what: str
    theta: tuple[float, ...] | None = None
    start: tuple[float, ...] | None = None
    start_index: int | None = None
    merit: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {k: (list(v) if isinstance(v, tuple) else v) for k, v in vars(self).items() if v is not None}


@dataclass(frozen=True)
class Compared:
    """One exact point beside the twin: relative errors of value, gradient and Hessian (None: not compared)."""

    name: str
    value_error: float | None
    gradient_error: float | None
    hessian_error: float | None
    stationarity: float | None
    eigenvalues: tuple[float, float] | None
    inertia: str

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "eigenvalues": list(self.eigenvalues) if self.eigenvalues else None}


@dataclass(frozen=True)
class Limit:
    """A class of limits with the same function (modulo symmetries): one representative and how often it was reached."""

    value: float
    theta: tuple[float, ...]
    positive: int
    flat: int
    negative: int
    descents: int
    searches: int
    component: str | None

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "theta": list(self.theta), "index": self.negative, "trust": "numerical"}


@dataclass(frozen=True)
class CrossCheck:
    """The answer of `crosscheck`. ``agrees``: something exact was compared and nothing disagrees."""

    problem: dict[str, Any]
    digest: str
    backend: str
    seed: int
    settings: dict[str, Any]
    compared: tuple[Compared, ...]
    limits: tuple[Limit, ...]
    found: tuple[dict[str, Any], ...]
    missed: tuple[str, ...]
    not_visited: tuple[str, ...]
    starts: dict[str, dict[str, int]]
    discrepancies: tuple[Discrepancy, ...]
    beyond: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    larger: dict[str, Any] | None = field(default=None)

    @property
    def agrees(self) -> bool:
        return bool(self.compared) and not self.discrepancies

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "trust": "numerical",
            "problem": self.digest,
            "problem_json": self.problem,
            "backend": self.backend,
            "seed": self.seed,
            "settings": self.settings,
            "agrees": self.agrees,
            "discrepancies": [d.to_json() for d in self.discrepancies],
            "compared": [c.to_json() for c in self.compared],
            "found": list(self.found),
            "missed": list(self.missed),
            "not_visited": list(self.not_visited),
            "starts": self.starts,
            "limits": [c.to_json() for c in self.limits],
            "beyond": list(self.beyond),
            "notes": list(self.notes),
            "larger": self.larger,
        }
