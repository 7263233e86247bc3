"""Every built-in case beside the twin, one run: `python benchmarks/agreement.py [--starts N] [--budget S] [--json FILE]`.

For each case: exact points compared, largest errors, descents and searches by outcome, minima found and missed, discrepancies,
seconds of processor time. The last line has the totals. Needs torch.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from typing import Any

import torch

from explorer.app.cases import cases
from explorer.app.numerical import claims_of_folder
from explorer.budget import Budget
from explorer.errors import ExplorerError
from explorer.numeric import crosscheck
from explorer.solve.critical import critical_set


def one(slug: str, starts: int, seconds: float) -> dict[str, Any]:
    case = cases(slug)
    started = time.process_time()
    try:
        found = critical_set(case.problem, budget=Budget(seconds))
        claims = claims_of_folder(case.folder, case.problem)
        said = crosscheck(case.problem, found, claims=claims, starts=starts, device="cpu", budget=Budget(seconds))
    except ExplorerError as refused:
        return {"case": slug, "error": refused.sentence(), "seconds": time.process_time() - started}
    errors = {
        k: max((getattr(c, k) or 0.0 for c in said.compared), default=0.0)
        for k in ("value_error", "gradient_error", "hessian_error")
    }
    return {
        "case": slug, "parameters": len(case.problem.parameters), "compared": len(said.compared), **errors,
        "descents": said.starts["descents"], "searches": said.starts["searches"], "found": len(said.found),
        "missed": len(said.missed), "complete": found.coverage.complete, "beyond": len(said.beyond),
        "discrepancies": [d.what for d in said.discrepancies], "notes": list(said.notes), "seconds": time.process_time() - started,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--starts", type=int, default=1024)
    parser.add_argument(
        "--budget", type=float, default=60.0, help="seconds per case for solving, and again for comparing"
    )
    parser.add_argument("--case", action="append", metavar="SLUG", help="only this case (repeatable)")
    parser.add_argument("--json", metavar="FILE")
    chosen = parser.parse_args()
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(1)
    rows = []
    for case in [c for c in cases() if c.slug in (chosen.case or [c.slug])]:
        rows.append(one(case.slug, chosen.starts, chosen.budget))
        print(json.dumps(rows[-1]), flush=True)
    good = [r for r in rows if "error" not in r]
    total = {
        "cases": len(rows), "errors": len(rows) - len(good), "compared": sum(r["compared"] for r in good),
        "descents": sum(r["descents"]["total"] for r in good), "searches": sum(r["searches"]["total"] for r in good),
        "limits": sum(r["descents"]["limits"] + r["searches"]["limits"] for r in good),
        "discrepancies": sum(len(r["discrepancies"]) for r in good), "missed": sum(r["missed"] for r in good),
        "seconds": sum(r["seconds"] for r in rows), "starts": chosen.starts, "load": os.getloadavg()[0],
    }  # fmt: skip
    print("total", json.dumps(total))
    if chosen.json:
        with open(chosen.json, "w", encoding="ascii") as stream:
            json.dump({"rows": rows, "total": total}, stream, indent=1)


if __name__ == "__main__":
    main()
