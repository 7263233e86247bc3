"""Statement id -> recipe, for the witnesses that are searched for. Each loads its own search and nothing else."""

from __future__ import annotations

from collections.abc import Callable

from explorer.certify.certificate import Instance
from explorer.certify.requests import Request

Recipe = Callable[[Request], tuple[Instance, ...]]


def _students(request: Request) -> tuple[Instance, ...]:
    from explorer.certify.recipes.students import spurious_minima

    return spurious_minima(request)


def _every_width(request: Request) -> tuple[Instance, ...]:
    from explorer.certify.recipes.students import every_width

    return every_width(request)


SEARCHES: dict[str, Recipe] = {
    "safran2018.thm-1": _students,
    "explorer.spurious-every-width": _every_width,
}
