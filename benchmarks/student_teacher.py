"""The table of Safran and Shamir (2018) re-made: descents from 1,000 starts, every distinct limit certified.

    python benchmarks/student_teacher.py [--starts 1000] [--from 6] [--to 20] [--more 0|1] [--json FILE] [--full 30,40,50] [--transitions 5]

For k students of k orthonormal units (``--more 1``: k + 1 students): the share of the runs that ended in a spurious minimum,
the runs that had not come to rest (counted apart, never as minima), and over the spurious runs the mean value and the mean
least Hessian eigenvalue. Runs whose values agree to 1e-6 form a cluster; of each cluster one limit gets a certificate of the
whole Hessian that the independent checker verifies. ``--full`` writes and checks such certificates for the symmetric
minimum of more units and prints CPU seconds and bytes instead; ``--transitions Q`` follows the families with q = 0, ..., Q
units apart down to the number of units where they turn into saddles. One CPU core suffices: about ten minutes for 6 to 20.
"""

from __future__ import annotations

import argparse
import json
import time
from fractions import Fraction
from typing import Any

import numpy as np

from explorer import checker
from explorer.certify.convexity import around, rounded
from explorer.certify.recipes.students import full, symmetries
from explorer.certify.tied import Symmetry
from explorer.errors import NotCertifiable
from explorer.problem import Problem
from explorer.propose.continuation import downward
from explorer.propose.definite import symmetric
from explorer.propose.students import clusters, descend


def row(students: int, units: int, *, starts: int, seed: int) -> dict[str, Any]:
    """One line of the table."""
    begun = time.process_time()
    runs = descend(students, units, starts=starts, seed=seed)
    descent = time.process_time() - begun
    problem = Problem.student_teacher(students, teacher=units)
    found: list[dict[str, Any]] = []
    for value, members in clusters(runs):
        if value < 1e-7:
            continue
        centre = [Fraction(float(v)) for v in runs.points[members[0]].ravel()]
        entry: dict[str, Any] = {"value": value, "runs": len(members)}
        try:
            certificate = full(problem, centre)
            clock = time.process_time()
            entry["status"] = certificate.check().status
            entry["seconds"] = time.process_time() - clock
            entry["bytes"] = len(certificate.to_bytes())
            centre = [Fraction(v) for v in certificate.body["points"]["p"]["centre"]]
        except NotCertifiable as error:
            entry["status"] = f"not certified: {error}"
        _, _, _, (rows, _) = around(problem, rounded(centre), Fraction(1, 2**36))
        entry["least eigenvalue"] = float(np.linalg.eigvalsh(symmetric(rows, checker.ULP))[0])
        found.append(entry)
    spurious = [e for e in found if e["status"] == "verified"]
    count = sum(e["runs"] for e in spurious)
    return {
        "students": students,
        "units": units,
        "starts": starts,
        "spurious": count,
        "stalled": int(runs.stalled.sum()),
        "uncertified": sum(e["runs"] for e in found) - count,
        "clusters": len(found),
        "certified": len(spurious),
        "least eigenvalue": sum(e["runs"] * e["least eigenvalue"] for e in spurious) / max(count, 1),
        "value": sum(e["runs"] * e["value"] for e in spurious) / max(count, 1),
        "steps": runs.steps,
        "seconds of descent": descent,
        "seconds in all": time.process_time() - begun,
        "limits": found,
    }


def whole(k: int) -> dict[str, Any]:
    """The certificate of the whole Hessian at the symmetric minimum of k units."""
    shape = next(symmetries(k, k))
    point = shape.polished(next(shape.minima()))
    clock = time.process_time()
    certificate = full(Problem.student_teacher(k), [v for line in shape.matrix(point.centre) for v in line])
    raw, body = json.dumps(certificate.problem.to_json()).encode(), certificate.to_bytes()
    written = time.process_time() - clock
    clock = time.process_time()
    verdict = checker.check(raw, body)
    checked = time.process_time() - clock
    return {"k": k, "status": verdict.line[:60], "bytes": len(body), "written": written, "checked": checked}


def transition(q: int) -> dict[str, Any]:
    """Where the family that permutes all units but q, and those q, turns from saddles into minima as k grows: certified on both sides."""

    def shape(k: int) -> Symmetry:
        return Symmetry((k - q, q), (0, 1), (0, 1)) if q else Symmetry((k,), (0,), (0,))

    start = next(shape(30).minima(starts=60))
    k, found = 29, {}
    while k - q > 3:
        entries = downward(shape(k), 30 - q, start)
        if entries is None:
            break
        certificate = shape(k).inertia_certificate(Problem.student_teacher(k), shape(k).polished(entries))
        if certificate.check().status != "verified":
            break
        found[k] = certificate.body["steps"][0]["inertia"][2]
        if found[k]:
            break
        k -= 1
    return {"q": q, "saddle": k, "negative": found.get(k), "minima": f"{k + 1} to 29"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=1000)
    parser.add_argument("--from", dest="first", type=int, default=6)
    parser.add_argument("--to", dest="last", type=int, default=20)
    parser.add_argument("--more", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json")
    parser.add_argument("--full")
    parser.add_argument("--transitions", type=int)
    given = parser.parse_args()
    if given.transitions is not None:
        for q in range(given.transitions + 1):
            print(transition(q), flush=True)
        return
    if given.full:
        for k in map(int, given.full.split(",")):
            print(whole(k), flush=True)
        return
    out = []
    print(
        "| k | students | spurious | stalled | uncertified | limits certified | least eigenvalue | mean value | CPU s |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for k in range(given.first, given.last + 1):
        line = row(k + given.more, k, starts=given.starts, seed=given.seed)
        out.append(line)
        share = f"{100 * line['spurious'] / line['starts']:.1f} %"
        limits = f"{line['certified']} of {line['clusters']}"
        cells = [k, line["students"], share, line["stalled"], line["uncertified"], limits]
        tail = [f"{line['least eigenvalue']:.4f}", f"{line['value']:.4f}", f"{line['seconds in all']:.0f}"]
        print("| " + " | ".join(map(str, [*cells, *tail])) + " |", flush=True)
        if given.json:
            with open(given.json, "w", encoding="ascii") as stream:
                json.dump(out, stream, indent=1)


if __name__ == "__main__":
    main()
