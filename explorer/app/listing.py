"""``explorer cases``: the list of the built-in cases and one case as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from explorer.app import formats
from explorer.app.cases import Case

if TYPE_CHECKING:
    from rich.table import Table


def cases_table(cases: tuple[Case, ...]) -> Table:
    """One line per case."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("case", "parameters", "network", "certificates", "source"):
        table.add_column(name, overflow="fold", justify="right" if name in ("parameters", "certificates") else "left")
    for case in cases:
        p = case.problem
        table.add_row(
            case.slug, str(len(p.parameters)), formats.network(p), str(len(case.certificates)), p.source, style=""
        )
    return table


def cases_json(cases: tuple[Case, ...]) -> list[dict[str, Any]]:
    """A list of objects with slug, digest, number of parameters, paths."""
    return [_head(case) for case in cases]


def case_json(case: Case) -> dict[str, Any]:
    """One case whole: its head, the problem and the expectations."""
    return _head(case) | {"problem": case.problem.to_json(), "expected": case.expected}


def _head(case: Case) -> dict[str, Any]:
    p = case.problem
    return {
        "slug": case.slug,
        "digest": p.digest,
        "source": p.source,
        "parameters": list(p.parameters),
        "network": formats.network(p),
        "problem_path": str(case.problem_path),
        "certificates": [str(path) for path in case.certificates],
    }
