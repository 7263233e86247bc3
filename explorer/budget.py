"""Budgets: how long a computation may take, passed down and checked where the time goes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from explorer.errors import BudgetExceeded


@dataclass(frozen=True)
class Budget:
    """Seconds of wall-clock time for one question; None means no limit. Immutable: `start` makes the running clock."""

    seconds: float | None = 60.0

    def start(self) -> Deadline:
        return Deadline(self.seconds)


@dataclass(frozen=True)
class Deadline:
    """A running clock. Pass it down; call `check` in loops and give `remaining` to subprocesses as their time-out."""

    seconds: float | None
    started: float = field(default_factory=time.monotonic)

    @property
    def spent(self) -> float:
        return time.monotonic() - self.started

    @property
    def remaining(self) -> float | None:
        return None if self.seconds is None else max(0.0, self.seconds - self.spent)

    @property
    def over(self) -> bool:
        return self.seconds is not None and self.spent >= self.seconds

    def check(self, doing: str) -> None:
        """Raise `BudgetExceeded` when the time is spent; ``doing`` says what was interrupted."""
        if self.over:
            raise BudgetExceeded(
                "budget", got=f"{self.seconds:g} s spent while {doing}", remedy="give more with --budget SECONDS"
            )
