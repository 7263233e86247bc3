"""The table of Safran and Shamir (2018) re-made: descents from 1,000 starts, every distinct limit certified.

    python benchmarks/student_teacher.py [--starts 1000] [--from 6] [--to 20] [--more 0|1] [--out DIR] [--json FILE]
    python benchmarks/student_teacher.py --verify DIR | --full 30,40,50 | --families 2,3,4,5 | --transitions 5 | --series 4

For k students of k orthonormal units (``--more 1``: k + 1 students): the share of the runs that ended in a spurious minimum,
the runs that had not come to rest (counted apart, never as minima), and over the spurious runs the mean value and the mean
least Hessian eigenvalue. Runs whose values agree to 1e-6 form a cluster; of each cluster one limit gets a certificate of the
whole Hessian, at a centre to which Newton's method moved it, that the independent checker verifies. Runs whose limit looks like a saddle are pushed off (by 0.05 along the eigenvector of the least
eigenvalue, downhill) and descend again. With k + 1 students a run
ends as global when its value is below 1e-6: global minima are not isolated there, and gradients near them die out slowly.
``--out`` writes problems and certificates to a folder and has each of them checked in a process of its own (``python -I``);
``--verify`` does that again for such a folder. ``--families`` writes and checks those
of the families with q units apart at k = 20, 100, 1000, 10^6. ``--full`` writes and checks certificates for the symmetric minimum of more units
and prints CPU seconds and bytes; ``--transitions Q`` follows the families with q = 0, ..., Q units apart down to the number of
units where they turn into saddles; ``--series N`` prints the expansion for many units in closed form. One CPU core suffices: a few minutes for 6 to 20.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from explorer import checker
from explorer.app.checking import check_apart
from explorer.certify.certificate import Certificate, Instance
from explorer.certify.convexity import around, rounded
from explorer.certify.limit import NAMES, formal
from explorer.certify.recipes.students import MANY, continued, full, symmetries
from explorer.certify.tied import Symmetry
from explorer.errors import NotCertifiable
from explorer.problem import Problem
from explorer.propose.continuation import downward
from explorer.propose.definite import symmetric
from explorer.propose.students import clusters, descend, least_curvature, pushed, xavier

ROUNDS, SADDLE = 8, 1e-4  #: descents after a push at most; least eigenvalues of a Hessian below which a limit gets one
FLOOR = 1e-6  #: of values: below it a run has found a global minimum (the certified spurious values are above 0.01)


def row(students: int, units: int, *, starts: int, seed: int, out: Path | None) -> dict[str, Any]:
    """One line of the table."""
    begun = time.process_time()
    floor = FLOOR if students > units else 0.0
    runs, left = descend(xavier(students, units, starts=starts, seed=seed), floor=floor), set()
    for _ in range(ROUNDS):  # gradients are short near saddles, too
        saddles = [m for v, m in clusters(runs) if v >= FLOOR and least_curvature(runs.points[m[0]])[0] < SADDLE]
        if not saddles:
            break
        again = np.concatenate(saddles)
        left |= {int(i) for i in again}
        on = descend(np.stack([pushed(runs.points[i]) for i in again]), floor=floor)
        for old, new in zip(
            (runs.points, runs.values, runs.norms, runs.low, runs.stalled),
            (on.points, on.values, on.norms, on.low, on.stalled),
            strict=True,
        ):
            old[again] = new
    descent = time.process_time() - begun
    problem = Problem.student_teacher(students, teacher=units, slug=f"students-{students}-teacher-{units}")
    found: list[dict[str, Any]] = []
    certificates: dict[str, Certificate] = {}
    for value, members in clusters(runs):
        if value < FLOOR:
            continue
        centre = [Fraction(float(v)) for v in runs.points[members[0]].ravel()]
        entry: dict[str, Any] = {"value": value, "runs": len(members)}
        try:
            clock = time.process_time()
            certificate = full(problem, centre)
            entry["written"] = time.process_time() - clock
            clock = time.process_time()
            entry["status"] = certificate.check().status
            entry["checked"] = time.process_time() - clock
            entry["bytes"] = len(certificate.to_bytes())
            centre = [Fraction(v) for v in certificate.body["points"]["p"]["centre"]]
            certificates[f"limit-{len(certificates) + 1}"] = certificate
        except NotCertifiable as error:
            entry["status"] = f"not certified: {error}"
        _, _, _, (rows, _) = around(problem, rounded(centre), Fraction(1, 2**36))
        entry["least eigenvalue"] = float(np.linalg.eigvalsh(symmetric(rows, checker.ULP))[0])
        found.append(entry)
    if out is not None and certificates:
        Instance(problem.slug, problem, tuple(certificates.items())).save(out / problem.slug)
        verify(out / problem.slug)
    spurious = [e for e in found if e["status"] == "verified"]
    count = sum(e["runs"] for e in spurious)
    lowest = min((e["value"] for e in spurious), default=None)
    return {
        "students": students,
        "units": units,
        "starts": starts,
        "spurious": count,
        "stalled": int(runs.stalled.sum()),
        "pushed": len(left),
        "uncertified": sum(e["runs"] for e in found) - count,
        "clusters": len(found),
        "certified": len(spurious),
        "least eigenvalue": sum(e["runs"] * e["least eigenvalue"] for e in spurious) / count if count else None,
        "value": sum(e["runs"] * e["value"] for e in spurious) / count if count else None,
        "lowest": lowest,
        "steps": runs.steps,
        "seconds of descent": descent,
        "seconds in all": time.process_time() - begun,
        "bytes": sum(e.get("bytes", 0) for e in found),
        "limits": found,
    }


def verify(folder: Path) -> bool:
    """Have every certificate below ``folder`` checked by the checker alone, in a process of its own; print what was found."""
    paths, spent = sorted(folder.rglob("*.certificate.json")), os.times().children_user
    refused = [path for path in paths if not check_apart(path.parent / "problem.json", path).verified]
    for path in refused:
        print(f"NOT VERIFIED {path}", file=sys.stderr)
    total = sum(path.stat().st_size for path in paths)
    spent = os.times().children_user - spent
    print(
        f"{len(paths) - len(refused)} of {len(paths)} certificates verified alone, {total} bytes, {spent:.1f} s",
        file=sys.stderr,
    )
    return bool(paths) and not refused


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


def family(q: int, k: int) -> dict[str, Any]:
    """The symmetric certificate of the family that permutes all k units but q, and those q."""
    clock = time.process_time()
    shape = Symmetry((k - q, q), (0, 1), (0, 1))
    start = continued(shape, seed=0) if k > MANY else next(iter(shape.minima(seed=0)), None)
    if start is None:
        return {"q": q, "k": k, "status": "no minimum found"}
    point = shape.polished(start, bits=min(64 + 2 * k.bit_length(), 100))
    certificate = shape.certificate(Problem.student_teacher(k), point)
    written, clock = time.process_time() - clock, time.process_time()
    line = certificate.check().line
    return {
        "q": q, "k": k, "bytes": len(certificate.to_bytes()), "written": written, "checked": time.process_time() - clock,
        "status": line[:60],
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=1000)
    parser.add_argument("--from", dest="first", type=int, default=6)
    parser.add_argument("--to", dest="last", type=int, default=20)
    parser.add_argument("--more", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--verify", type=Path)
    parser.add_argument("--full")
    parser.add_argument("--families")
    parser.add_argument("--transitions", type=int)
    parser.add_argument("--series", type=int)
    given = parser.parse_args()
    if given.verify is not None:
        sys.exit(0 if verify(given.verify) else 1)
    if given.series is not None:
        series = formal(given.series)
        for name, row in zip((*NAMES, "F"), (*series.entries, series.value(2 * given.series + 3)), strict=True):
            for e, c in enumerate(row):
                if c:
                    print(f"{name}_{e} = {c.text()} = {float(c.at_pi(100)):.12g}")
        return
    if given.transitions is not None:
        for q in range(given.transitions + 1):
            print(transition(q), flush=True)
        return
    if given.families:
        for q in map(int, given.families.split(",")):
            for k in (20, 100, 1000, 10**6):
                print(family(q, k), flush=True)
        return
    if given.full:
        for k in map(int, given.full.split(",")):
            print(whole(k), flush=True)
        return
    out = []
    head = [
        "k",
        "students",
        "spurious",
        "stalled",
        "pushed",
        "uncertified",
        "limits certified",
        "least eigenvalue",
        "mean value",
    ]
    head += ["lowest value", "KB", "CPU s"]
    print("| " + " | ".join(head) + " |\n" + "|---" * len(head) + "|")
    for k in range(given.first, given.last + 1):
        line = row(k + given.more, k, starts=given.starts, seed=given.seed, out=given.out)
        out.append(line)
        share = f"{100 * line['spurious'] / line['starts']:.1f} %"
        limits = f"{line['certified']} of {line['clusters']}"
        cells = [k, line["students"], share, line["stalled"], line["pushed"], line["uncertified"], limits]
        cells += ["-" if line[key] is None else f"{line[key]:.4f}" for key in ("least eigenvalue", "value", "lowest")]
        cells += [f"{line['bytes'] / 1000:.0f}", f"{line['seconds in all']:.0f}"]
        print("| " + " | ".join(map(str, cells)) + " |", flush=True)
        if given.json:
            with open(given.json, "w", encoding="ascii") as stream:
                json.dump(out, stream, indent=1)


if __name__ == "__main__":
    main()
