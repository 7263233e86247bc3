"""Critical points of the ridge cases by Singular and PHCpack (Debian), refined and classified with mpmath.

    apt-get install singular phcpack
    python tests/independent/run_tools.py            # writes tests/independent/recorded/

For each case: Singular counts the complex critical points with multiplicity (vector space dimension of
Q[t]/(gradient), exact arithmetic over Q); PHCpack's blackbox solver proposes complex points (with their conjugates and their
images under the sign changes that keep F); mpmath refines each by Newton's method at 50 digits and throws away what does not
converge or repeats. When as many distinct points remain as Singular counted, they are all of them and each is simple. Real
points are those whose refined imaginary part is below 1e-40; their index is the number of negative eigenvalues of the
Hessian at 50 digits. Nothing of explorer is used; the tolerances below decide only what is *recorded* here, never what
explorer says.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import mpmath
import numpy as np
from gradients import RIDGE_CASES, Polynomial, differentiate, gradient, names, show

RECORDED = Path(__file__).resolve().parent / "recorded"
ATTEMPTS = 6  # PHCpack is randomised and sometimes loses a path; the union of several runs is taken


def singular(system: list[Polynomial]) -> tuple[str, str, int]:
    """The command file, the version and dim_Q Q[t]/(system)."""
    vs = names(len(system))
    body = ",\n".join(show(p, vs) for p in system)
    source = (
        f"ring r = 0,({','.join(vs)}),dp;\nideal i = {body};\noption(redSB);\nideal g = modStd(i);\nvdim(std(g));\n"
    )
    source = 'LIB "modstd.lib";\n' + source + "exit;\n"
    run = subprocess.run(["Singular", "-q"], input=source, capture_output=True, text=True, timeout=900, check=True)
    version = subprocess.run(["Singular", "--version"], capture_output=True, text=True, check=True).stdout.split("\n")[
        0
    ]
    count = int(run.stdout.strip().split("\n")[-1])
    if count < 0:
        raise SystemExit("Singular: not zero-dimensional")
    return source, version, count


def phcpack(system: list[Polynomial]) -> tuple[str, list[list[complex]]]:
    """One blackbox run: the input file and every point that it prints (start points included: only proposals)."""
    vs = names(len(system))
    source = f"{len(system)}\n" + "\n".join(show(p, vs) + ";" for p in system) + "\n"
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "in").write_text(source, encoding="ascii")
        subprocess.run(["phc", "-b", "in", "out"], cwd=folder, capture_output=True, timeout=900, check=False)
        output = (Path(folder) / "in").read_text() + (Path(folder) / "out").read_text()
    points = []
    pattern = re.compile(r"^ *(t\d+) *: *([-+.\dE]+) +([-+.\dE]+) *$", re.MULTILINE)  # no NaN
    for block in re.split(r"the solution for t *:", output)[1:]:
        values = {n: complex(float(a), float(b)) for n, a, b in pattern.findall(block)}
        if len(values) == len(vs):
            points.append([values[v] for v in vs])
    return source, points


class System:
    """Value, gradient and Hessian of a polynomial, evaluated with mpmath (and, for a first polish, with NumPy)."""

    def __init__(self, f: Polynomial, system: list[Polynomial]) -> None:
        self.f, self.g = f, system
        self.h = [[differentiate(p, k) for k in range(len(system))] for p in system]
        flat = [*system, *(p for row in self.h for p in row)]
        monomials = sorted({e for p in flat for e in p})
        self.exponents = np.array(monomials)
        self.coefficients = np.array([[float(p.get(e, 0)) for e in monomials] for p in flat])

    def polish(self, point: list[complex]) -> np.ndarray | None:
        """Newton's method in complex128: only to bring proposals near their limit, and duplicates together."""
        x, n, top = np.array(point), len(point), int(self.exponents.max())

        def powers(z: np.ndarray) -> np.ndarray:
            return np.cumprod(np.vstack([np.ones_like(z), *[z] * top]), axis=0)

        for _ in range(30):
            every = self.coefficients @ np.prod(powers(x)[self.exponents, np.arange(n)], axis=1)
            try:
                step = np.linalg.solve(every[n:].reshape(n, n), every[:n])
            except np.linalg.LinAlgError:
                return None
            x = x - step
            if not np.all(np.isfinite(x)) or np.abs(x).max() > 1e8:
                return None
            if np.abs(step).max() < 1e-12 * (1 + np.abs(x).max()):
                return x
        return None

    def at(self, polynomials: list[Polynomial], point: list) -> list[mpmath.mpc]:
        """Values of several polynomials; every monomial is computed once."""
        monomials: dict[tuple[int, ...], mpmath.mpc] = {}
        for e in {e for p in polynomials for e in p}:
            term = mpmath.mpc(1)
            for v, k in zip(point, e, strict=True):
                for _ in range(k):
                    term *= v
            monomials[e] = term
        return [mpmath.fsum(monomials[e] * c.numerator / c.denominator for e, c in p.items()) for p in polynomials]

    def gradient(self, point: list) -> mpmath.matrix:
        return mpmath.matrix(self.at(self.g, point))

    def hessian(self, point: list) -> mpmath.matrix:
        n = len(self.g)
        every = self.at([p for row in self.h for p in row], point)
        return mpmath.matrix([every[k * n : (k + 1) * n] for k in range(n)])

    def refine(self, point: list[complex]) -> list | None:
        x = mpmath.matrix([mpmath.mpc(v) for v in point])
        for _ in range(60):
            try:
                step = mpmath.lu_solve(self.hessian(list(x)), -self.gradient(list(x)))
            except ZeroDivisionError:
                return None
            x = x + step
            if mpmath.norm(step) < mpmath.mpf(10) ** -44 * (1 + mpmath.norm(x)):
                return list(x)
        return None


def solve(slug: str, out: Path) -> dict:
    f, g = gradient(slug)
    source, version, count = singular(g)
    (out / f"{slug}.sing").write_text(source, encoding="ascii")
    print(f"{slug}: Singular counts {count}", file=sys.stderr)
    system = System(f, g)
    polished: list[np.ndarray] = []
    merged: list[list] = []
    runs = []
    # PHCpack may lose paths where F has symmetries; images of a solution under sign changes and conjugation are solutions
    signs = np.array([v for v in itertools.product((1, -1), repeat=len(g)) if keeps(f, v)])

    def known(z: np.ndarray) -> bool:
        return any(np.abs(z - q).max() < 1e-9 for q in polished)

    for _ in range(ATTEMPTS):
        phc_source, proposals = phcpack(g)
        for proposal in proposals:
            near = system.polish(proposal)
            if near is None or known(near):
                continue
            for image in (image for z in (near, near.conj()) for image in signs * z):
                if known(image):
                    continue
                polished.append(image)
                point = system.refine(list(image))
                if point is not None and all(apart(point, q) for q in merged):
                    merged.append(point)
        runs.append(len(proposals))
        print(f"{slug}: PHCpack proposed {len(proposals)}, distinct so far {len(merged)}", file=sys.stderr)
        if len(merged) == count:
            break
    (out / f"{slug}.phc").write_text(phc_source, encoding="ascii")
    real = [[z.real for z in p] for p in merged if all(abs(z.imag) < mpmath.mpf(10) ** -40 for z in p)]
    histogram: Counter[int] = Counter()
    smallest = mpmath.inf
    values = []
    for p in real:
        eigenvalues = mpmath.eigsy(system.hessian(p).apply(mpmath.re), eigvals_only=True)
        smallest = min(smallest, *(abs(v) for v in eigenvalues))
        histogram[sum(1 for v in eigenvalues if v < 0)] += 1
        values.append((system.at([f], p)[0].real, sum(1 for v in eigenvalues if v < 0), p))
    values.sort(key=lambda item: (item[0], [float(v) for v in item[2]]))
    phc_version = subprocess.run(["phc", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return {
        "case": slug,
        "tools": [f"{version} (Debian)", f"{phc_version} (Debian)", f"mpmath {mpmath.__version__}, 50 digits"],
        "complex_points_singular": count,
        "complex_points_phcpack_distinct": len(merged),
        "phcpack_proposals_per_run": runs,
        "real_points": len(real),
        "by_index": {str(k): histogram[k] for k in sorted(histogram)},
        "morse_sum": sum((-1) ** k * n for k, n in histogram.items()),
        "smallest_absolute_eigenvalue": mpmath.nstr(smallest, 8),
        "global_value": mpmath.nstr(values[0][0], 30),
        "points": [
            {"value": mpmath.nstr(v, 30), "index": k, "coordinates": [mpmath.nstr(c, 20) for c in p]}
            for v, k, p in values
        ],
    }


def keeps(f: Polynomial, signs: tuple[int, ...]) -> bool:
    """Whether F(signs * t) = F(t)."""
    odd = [k for k, v in enumerate(signs) if v < 0]
    return all(sum(e[k] for k in odd) % 2 == 0 for e in f)


def apart(p: list, q: list) -> bool:
    return max(abs(a - b) for a, b in zip(p, q, strict=True)) > mpmath.mpf(10) ** -20


def main() -> int:
    missing = [tool for tool in ("Singular", "phc") if shutil.which(tool) is None]
    if missing:
        print(f"not installed: {', '.join(missing)} (apt-get install singular phcpack)", file=sys.stderr)
        return 2
    mpmath.mp.dps = 50
    parser = argparse.ArgumentParser(description="Record the critical points of the ridge cases by independent tools.")
    parser.add_argument("slugs", nargs="*", default=RIDGE_CASES)
    parser.add_argument("--out", type=Path, default=RECORDED)
    arguments = parser.parse_args()
    for slug in arguments.slugs:
        result = solve(slug, arguments.out)
        (arguments.out / f"{slug}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="ascii")
        print(f"{slug}: {result['real_points']} real, by index {result['by_index']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
