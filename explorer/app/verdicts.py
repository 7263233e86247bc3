"""``explorer check``: the checker's verdicts on one or several certificates. Imports nothing heavy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from explorer.app.checking import check, read_bytes
from explorer.app.output import emit, note
from explorer.app.places import problem_path
from explorer.errors import Invalid

EXIT = {"verified": 0, "rejected": 1, "malformed": 2}


def check_files(problem: str, certificates: list[Path], *, as_json: bool) -> int:
    """Print one verdict line per certificate (or one JSON document); the worst verdict is the exit code."""
    verdicts = [_verdict(problem, path) for path in certificates]
    worst = max((v["status"] for v in verdicts), key=EXIT.__getitem__)
    if as_json:
        emit(
            verdicts[0]
            if len(verdicts) == 1
            else {
                "status": worst,
                "verdicts": [{"certificate": str(p), **v} for p, v in zip(certificates, verdicts, strict=True)],
            }
        )
        return EXIT[worst]
    for path, v in zip(certificates, verdicts, strict=True):
        if len(verdicts) > 1:
            note(f"{path}:")
        said = v["fact"] if v["status"] == "verified" else f"{v['where']} {v['why']}"
        print(f"{v['status'].upper()} {said}")
    return EXIT[worst]


def _verdict(problem: str, certificate: Path) -> dict[str, Any]:
    try:
        verdict = check(read_bytes(problem_path(problem)), read_bytes(certificate))
    except Invalid as error:  # a file that cannot be read is no certificate, as the checker says of it too
        return {"status": "malformed", "fact": "", "goal": "", "rules": [], "where": "file", "why": error.sentence()}
    return {
        "status": verdict.status,
        "fact": verdict.fact,
        "goal": verdict.goal,
        "rules": list(verdict.rules),
        "where": verdict.where,
        "why": verdict.why,
    }
