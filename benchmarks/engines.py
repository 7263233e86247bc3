"""Time critical_set against SymPy's own solvers on the gradient systems of the polynomial cases, in one run.

    python benchmarks/engines.py [--budget SECONDS] [SLUG ...] > table.md

Every cell is a fresh process with a limit on its processor time; the figure is the processor time (its children
included) of the call alone, after a warm-up on x^2 - 1 and after the problem was read. Like is compared with like:
``critical_set`` (all points and families, with value, inertia, kind, orbit and a claim about completeness) with
``sympy.solve`` and ``sympy.solve_poly_system`` (points by way of ``sympy.groebner``; finitely many or an error), which
make no such claim; and bare bases, which list no points, with each other: ``our basis`` is the reduced grevlex basis that
the exact engine starts from, ``sympy.groebner`` has its default order, lex. The table says what came back.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

CASES = Path(__file__).resolve().parents[1] / "cases"
ENGINES = ("critical_set", "sympy.solve", "sympy.solve_poly_system", "our basis", "sympy.groebner")


def polynomial_cases() -> list[str]:
    """Slugs whose gradient is polynomial, smallest number of parameters first."""
    sizes = {}
    for path in CASES.glob("*/problem.json"):
        net = json.loads(path.read_text(encoding="ascii"))["network"]
        if {a["kind"] for a in net["activation"]} <= {"linear", "square", "cubic", "polynomial"}:
            sizes[path.parent.name] = (sum(a * b for a, b in zip(net["widths"], net["widths"][1:], strict=False)), path)
    return sorted(sizes, key=lambda slug: (sizes[slug][0], slug))


def call(engine: str, slug: str) -> dict[str, object]:
    """Run one engine here and now: what it found and what it cost."""
    import sympy

    from explorer.algebra.quotient import reduced_basis
    from explorer.algebra.systems import PolynomialSystem
    from explorer.model.landscape import landscape
    from explorer.model.polynomial import loss_polynomial
    from explorer.problem import Problem
    from explorer.reading import read_problem
    from explorer.solve.critical import critical_set

    x = sympy.Symbol("x")
    critical_set(Problem.monomial(["x"], {(3,): 1, (1,): -3}))  # its gradient is 3 (x^2 - 1)
    sympy.solve([x**2 - 1], [x], dict=True)
    sympy.groebner([x**2 - 1], x)

    problem = read_problem(CASES / slug / "problem.json")
    model = landscape(problem)
    system, unknowns = list(model.gradient), list(model.parameters)
    before = cpu()
    if engine == "critical_set":
        found = critical_set(problem)
        spent = cpu() - before
        said = f"{found.real_points} points, {len(found.families)} families"
        return {"seconds": spent, "said": said + ("" if found.coverage.complete else ", incomplete")}
    if engine == "sympy.solve":
        solutions = sympy.solve(system, unknowns, dict=True)
        spent = cpu() - before
        points = [s for s in solutions if len(s) == len(unknowns) and not any(v.free_symbols for v in s.values())]
        real = [s for s in points if all(abs(sympy.im(v.evalf(30))) < 1e-20 for v in s.values())]
        return {
            "seconds": spent,
            "said": f"{len(real)} real of {len(points)} points, {len(solutions) - len(points)} families",
        }
    if engine == "sympy.solve_poly_system":
        try:
            solutions = sympy.solve_poly_system(system, *unknowns) or []
        except NotImplementedError:
            return {"seconds": cpu() - before, "said": "error: not finitely many"}
        return {"seconds": cpu() - before, "said": f"{len(solutions)} points"}
    if engine == "our basis":
        before = cpu()
        equations = PolynomialSystem.gradient(
            problem.parameters, dict(loss_polynomial(problem).terms)
        ).integer_equations()
        basis = reduced_basis(equations, len(unknowns))
        return {"seconds": cpu() - before, "said": f"{len(basis)} polynomials"}
    basis = sympy.groebner(system, *unknowns)
    return {"seconds": cpu() - before, "said": f"{len(basis.exprs)} polynomials"}


def cpu() -> float:
    """Processor time so far, of this process and of the children that have ended."""
    spent = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(r.ru_utime + r.ru_stime for r in spent)


def measure(engine: str, slug: str, budget: int) -> str:
    """One cell: seconds and what came back, or that the budget was spent."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (budget + 10, budget + 15))  # imports are not charged

    command = [sys.executable, __file__, "--one", engine, slug]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, preexec_fn=limit)
    try:
        output, _ = process.communicate(timeout=4 * budget + 60)  # waiting for a busy machine is not charged
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return "stopped (waited too long)"
    if process.returncode == -signal.SIGXCPU:
        return f"> {budget} (stopped)"
    if process.returncode != 0:  # SIGKILL: out of memory
        return f"failed ({process.returncode})"
    result = json.loads(output)
    if result["seconds"] > budget:
        return f"> {budget} (stopped)"
    return f"{result['seconds']:.3f} ({result['said']})"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("slugs", nargs="*")
    parser.add_argument("--budget", type=int, default=120, help="seconds of processor time for each cell")
    parser.add_argument("--one", choices=ENGINES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(call(arguments.one, arguments.slugs[0])))
        return 0
    import sympy

    started = time.strftime("%Y-%m-%d")
    print(f"{started}, Python {platform.python_version()}, SymPy {sympy.__version__}, {os.cpu_count()} cores, ", end="")
    print(f"budget {arguments.budget} s of processor time for each cell\n")
    print(f"| case | unknowns | {' | '.join(ENGINES)} |\n|---|---|{'---|' * len(ENGINES)}", flush=True)
    for slug in arguments.slugs or polynomial_cases():
        net = json.loads((CASES / slug / "problem.json").read_text(encoding="ascii"))["network"]
        unknowns = sum(a * b for a, b in zip(net["widths"], net["widths"][1:], strict=False))
        cells = [measure(engine, slug, arguments.budget) for engine in ENGINES]
        print(f"| {slug} | {unknowns} | {' | '.join(cells)} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
