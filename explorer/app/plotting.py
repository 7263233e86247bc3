"""``explorer plot``: one picture in a file, and on standard output what it shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from explorer.app.given import read_given_problem
from explorer.app.output import emit, working
from explorer.budget import Budget
from explorer.errors import Invalid


def plot_command(
    given: str, *, out: Path, kinds: dict[str, bool], axes: str, as_json: bool, budget: Budget, **options: Any
) -> int:
    """Draw, write, and say what was drawn. 0: the picture shows all that was asked; 2: a tree or list that is not complete."""
    asked = [k for k, on in kinds.items() if on]
    if len(asked) > 1:
        raise Invalid(
            "plot",
            expected="one of --slice, --surface, --tree",
            got=" and ".join(f"--{k}" for k in asked),
            remedy="leave the others out",
        )
    problem = read_given_problem(given)
    from explorer.app.pictures import SUFFIXES, plot
    from explorer.solve.critical import critical_set

    if out.suffix.lower() not in SUFFIXES:  # before the work, not after it
        raise Invalid(
            str(out)[:200],
            expected=f"a file name that ends with {', '.join(SUFFIXES)}",
            got=out.suffix or "none",
            remedy="the ending chooses the format",
        )
    clock = budget.start()
    with working(f"drawing {problem.slug}"):
        found = critical_set(problem, budget=budget)
        names = tuple(a.strip() for a in axes.split(",")) if axes else ()
        picture = plot(
            problem, asked[0] if asked else "slice", critical_set=found, axes=names,
            budget=Budget(clock.remaining), **options,
        )  # fmt: skip
        picture.save(out)
    document = picture.document
    answer: dict[str, Any] = {
        k: document[k] for k in ("format", "title", "problem", "trust", "settings") if k in document
    }
    answer |= {k: document[k] for k in ("complete", "because", "valleys") if k in document}
    answer |= {"marks": document.get("marks", []), "coverage": found.coverage.to_json(), "picture": str(out)}
    if as_json:
        emit(answer)
    else:
        print("\n".join([f"{out}: {document['title']} ({document['trust']})", *_lines(answer)]))
    return 0 if answer.get("complete", True) else 2


def _lines(answer: dict[str, Any]) -> list[str]:
    lines = []
    for m in answer["marks"]:
        index = "" if m["index"] is None else f", index {m['index']}"
        lines.append(f"  {m['name']}: F = {m['value']:.9g}" + (f", {m['kind']}{index}" if m["kind"] else ""))
    for v in answer.get("valleys", []):
        merges = "never merges" if v["merges"] is None else f"merges at {v['merges']:.12g}"
        word = {True: ", global", False: "", None: ""}[v["is_global"]] + (", SPURIOUS valley" if v["spurious"] else "")
        lines.append(f"  valley {v['name']}: born at {v['birth']:.12g}, {merges}{word}")
    if "because" in answer:
        lines.append(f"  {answer['because']}")
    return lines
