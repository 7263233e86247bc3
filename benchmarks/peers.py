"""Complex and real critical points of the regularised families: explorer beside msolve and other programs.

    python benchmarks/peers.py [--budget SECONDS] [--peers SECONDS] [--factor 5] [--bertini PYTHON] [--engine ENGINE ...] [NAME ...] > table.md

One process for each cell, with a limit on its processor time; the figure is processor time (user and system, children
included): of the call alone for what runs inside Python (explorer, SymPy: after imports and reading), of the whole program for
the others. In brackets the number of complex solutions that came back, where the engine counts them, and after a slash the
number of real ones. Programs that are not installed are left out.

- ``critical_set``: the whole answer from nothing: every real point proved, with value, index, kind, orbit and coverage;
- ``count``: `explorer.solve.count.complex_count`: a number and no points, to be compared with Singular's and Macaulay2's; behind the number
  "exact" over Q or "mod p", modulo one random prime of 30 bits;
- ``monodromy``: explorer.homotopy from nothing, every complex solution certified, numerical completeness;
- ``known family``: the same with the family's generic solutions given;
- ``msolve``: -P 2, parametrisation over Q; ``Singular``: std over Q and vdim (a number, no points); ``Singular points``: the same and
  ``solve`` of its library solve.lib (floating point, 16 digits, nothing proved); ``Macaulay2``: degree over Q; ``phc``: phc -b
  (blackbox, floating point); ``bertini2``: ZeroDimSolver of its Python interface (finite solutions; ``--bertini`` names the
  Python that has it, the figure is that of the whole process); ``SymPy``: groebner in grevlex, fglm to lex, and the real roots of the
  univariate polynomial isolated (`Poly.intervals`: real values of one unknown, the least that finds all real points); ``SymPy basis``:
  the grevlex basis alone.

- ``msolve modulo``, ``Singular modulo`` (only when asked for): the number of solutions with multiplicity modulo a prime of 30 bits,
  and modulo 32003.

msolve gets ``--factor`` times the seconds of ``critical_set`` where that is more than its budget, so that "> n" shows the factor.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import platform
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

from explorer.problem import Problem

#: name -> widths, activation, samples, hidden bias, published number of complex critical points (None: none)
FAMILIES: dict[str, tuple[tuple[int, ...], str, int, bool, int]] = {
    "A3": ((1, 1, 1, 1), "linear", 1, False, 17),
    "A4": ((1,) * 5, "linear", 1, False, 49),
    "A5": ((1,) * 6, "linear", 1, False, 129),
    "A6": ((1,) * 7, "linear", 1, False, 321),
    "2-1-2": ((2, 1, 2), "linear", 5, False, 17),
    "2-2-1": ((2, 2, 1), "linear", 5, False, 33),
    "3-1-3": ((3, 1, 3), "linear", 5, False, 37),
    "2-2-2": ((2, 2, 2), "linear", 5, False, 225),
    "2-1-1-2": ((2, 1, 1, 2), "linear", 5, False, 81),
    "1-2-2-1": ((1, 2, 2, 1), "linear", 5, False, 129),
    "2-2-2-1": ((2, 2, 2, 1), "linear", 5, False, 641),
    "3-2-3": ((3, 2, 3), "linear", 5, False, 2537),
    "C d1 w3": ((1, 3, 1), "square", 3, False, 105),
    "Cg d2 w2": ((2, 2, 1), "square", 3, False, 481),
    "Cg d2 w3": ((2, 3, 1), "square", 3, False, 4929),
    "D d1 w2": ((1, 2, 1), "cubic", 3, False, 73),
    "Db d1 w1": ((1, 1, 1), "cubic", 3, True, 73),
    "Db d1 w2": ((1, 2, 1), "cubic", 3, True, 2977),
    "Db d1 w2 equal": ((1, 2, 1), "cubic", 3, True, 2673),
    "2-2-2-2": ((2, 2, 2, 2), "linear", 5, False, 13441),
}
EQUAL = " equal"  #: the same data with all ridge weights 1/10
OURS = ("critical_set", "count", "monodromy", "known family")
MODULO = ("msolve modulo", "Singular modulo")  #: only when asked for
PEERS = ("Singular", "Singular points", "Macaulay2", "phc", "bertini2", "SymPy", "SymPy basis")
ENGINES = (*OURS, "msolve", *PEERS)
BERTINI = """
import bertini
{names} = (bertini.Variable(name) for name in {names!r}.split(", "))
system = bertini.System()
system.add_variable_group(bertini.VariableGroup([{names}]))
{functions}
solver = bertini.ZeroDimSolver(system)
solver.solve()
print(len(solver.finite_solutions()))
"""


def problem_of(name: str) -> Problem:
    """The member of the family that is timed: small integers for A (x = y = 1), else random data with one decimal."""
    widths, activation, samples, bias, _ = FAMILIES[name]
    rng = random.Random(name.removesuffix(EQUAL))
    count = sum(a * b for a, b in itertools.pairwise(widths)) + (sum(widths[1:-1]) if bias else 0)

    def row(n: int) -> list[Fraction]:
        return [Fraction(round(10 * rng.gauss(0, 1)), 10) for _ in range(n)]

    alone = samples == 1
    return Problem.dense(
        widths=list(widths),
        activation=activation,
        inputs=[[1]] if alone else [row(widths[0]) for _ in range(samples)],
        targets=[[1]] if alone else [row(widths[-1]) for _ in range(samples)],
        bias=[bias] * (len(widths) - 2) + [False],
        regularizer={
            "kind": "l2",
            "weights": Fraction(1, 10)
            if name.endswith(EQUAL)
            else [Fraction(k, 100) for k in rng.sample(range(1, 100), count)],
        },
    )


def system_text(name: str, variable: str = "x") -> tuple[list[str], list[str]]:
    """The gradient system with integer coefficients: names and equations with ^ for powers."""
    from explorer.algebra.systems import PolynomialSystem
    from explorer.model.polynomial import loss_polynomial

    problem = problem_of(name)
    system = PolynomialSystem.gradient(problem.parameters, loss_polynomial(problem).terms)
    names = [f"{variable}{k + 1}" for k in range(len(system.names))]
    lines = []
    for equation in system.integer_equations():
        terms = []
        for exponents, c in equation:
            powers = [f"{n}^{e}" if e > 1 else n for n, e in zip(names, exponents, strict=True) if e]
            terms.append("*".join([str(c), *powers]))
        lines.append("+".join(terms).replace("+-", "-"))
    return names, lines


# -- engines inside Python -----------------------------------------------------------------------------------------------


def inside(engine: str, name: str, budget: int) -> dict[str, Any]:
    """Run one of our engines or SymPy here and now."""
    problem = problem_of(name)
    if engine == "msolve modulo":
        from explorer.algebra.msolve import find_msolve, multiplicity
        from explorer.algebra.systems import PolynomialSystem
        from explorer.budget import Deadline
        from explorer.model.polynomial import loss_polynomial

        system = PolynomialSystem.gradient(problem.parameters, loss_polynomial(problem).terms)
        before = cpu()
        count = multiplicity(system, str(find_msolve()), Deadline(None))
        return {"seconds": cpu() - before, "said": str(count)}
    if engine.startswith("SymPy"):
        return by_sympy(name, points=engine == "SymPy")
    from explorer.budget import Budget, Deadline
    from explorer.homotopy.family import solve_family
    from explorer.homotopy.solutions import solutions
    from explorer.solve.count import complex_count
    from explorer.solve.critical import critical_set

    critical_set(Problem.monomial(["x"], {(3,): 1, (1,): -3}))
    clock = Deadline(None)
    if engine == "count":
        before = cpu()
        number = complex_count(
            problem, budget=Budget(3 * budget)
        )  # of wall time; the limit on processor time is the process's
        return {"seconds": cpu() - before, "said": f"{number.number}, {'exact' if number.exact else 'mod p'}"}
    if engine == "critical_set":
        before = cpu()
        answer = critical_set(problem, budget=Budget(budget))
        spent = cpu() - before
        number = re.search(r"(\d+) (?:complex|certified distinct complex) solutions", answer.coverage.reason)
        said = f"{number.group(1) if number else '?'}/{sum(c.orbit or 1 for c in answer.components)}"
        return {"seconds": spent, "said": said + ("" if answer.coverage.complete else ", incomplete")}
    before = cpu()
    family = solve_family(problem, clock)
    if engine == "known family":
        before = cpu()
    (got,) = solutions(family, [problem], clock)
    spent = cpu() - before
    real = sum(o.copies for o in got.real)
    return {"seconds": spent, "said": f"{got.count}/{real}" + (", incomplete" if got.complaints else "")}


def by_sympy(name: str, *, points: bool) -> dict[str, Any]:
    """The grevlex basis, or from it the real values of the last unknown."""
    import sympy

    names, lines = system_text(name)
    ring, *_ = sympy.ring(names, sympy.QQ, sympy.grevlex)
    expressions = [sympy.sympify(line.replace("^", "**")) for line in lines]
    equations = [ring.from_expr(e) for e in expressions]
    warm = sympy.groebner([sympy.Symbol("x") ** 2 - 1], order="grevlex").fglm("lex")
    warm.polys[-1].intervals()
    before = cpu()
    if not points:
        basis = sympy.polys.groebnertools.groebner(equations, ring)
        return {"seconds": cpu() - before, "said": f"{len(basis)} polynomials"}
    last = sympy.groebner(expressions, *sympy.symbols(names), order="grevlex").fglm("lex").polys[-1]
    univariate = sympy.Poly(last.as_expr(), sympy.Symbol(names[-1]))
    values = univariate.intervals()
    return {
        "seconds": cpu() - before,
        "said": f"{len(values)} real values of {names[-1]}, degree {univariate.degree()}",
    }


def cpu() -> float:
    """Processor time so far, of this process and of the children that have ended."""
    spent = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(r.ru_utime + r.ru_stime for r in spent)


# -- other programs ----------------------------------------------------------------------------------------------------


def outside(engine: str, name: str, folder: Path, bertini: str) -> tuple[list[str], str]:
    """The command and its standard input; files lie in ``folder``."""
    names, lines = system_text(name)
    if engine == "msolve":
        from explorer.algebra.msolve import find_msolve

        (folder / "in.ms").write_text(",".join(names) + "\n0\n" + ",\n".join(lines) + "\n", encoding="ascii")
        return [str(find_msolve()), "-f", str(folder / "in.ms"), "-o", str(folder / "out.ms"), "-P", "2"], ""
    if engine.startswith("Singular"):
        answer = "print(vdim(s));"
        if engine == "Singular points":
            answer = 'LIB "solve.lib";\ndef t=solve(s,16,0,"nodisplay");\nsetring t;\nprint(size(SOL));'
        field = 32003 if engine.endswith("modulo") else 0
        program = (
            f"ring r={field},({','.join(names)}),dp;\nideal i={','.join(lines)};\nideal s=std(i);\n{answer}\nexit;\n"
        )
        return ["Singular", "-q"], program
    if engine == "Macaulay2":
        program = f"R=QQ[{','.join(names)}];\nI=ideal({','.join(lines)});\nprint degree I;\nexit 0;\n"
        (folder / "in.m2").write_text(program, encoding="ascii")
        return ["M2", "--script", str(folder / "in.m2")], ""
    if engine == "bertini2":
        functions = "\n".join(f"system.add_function({line.replace('^', '**')})" for line in lines)
        (folder / "in.py").write_text(BERTINI.format(names=", ".join(names), functions=functions), encoding="ascii")
        return [bertini, str(folder / "in.py")], ""
    text = f"{len(lines)}\n" + ";\n".join(lines) + ";\n"
    (folder / "in").write_text(text, encoding="ascii")
    return ["phc", "-b", str(folder / "in"), str(folder / "out")], ""


def read_count(engine: str, folder: Path, output: str) -> str:
    """What the program says it found."""
    if engine == "msolve":
        from explorer.algebra.msolve import parse

        text = (folder / "out.ms").read_text(encoding="ascii", errors="replace")
        return str(parse(text, text.count("'x") or 1).multiplicity or _msolve_degree(text))
    if engine == "phc":
        text = (folder / "in").read_text(encoding="ascii", errors="replace")  # phc appends the solutions to its input
        return str(len(re.findall(r"^solution \d+ :", text, re.MULTILINE)))
    numbers = re.findall(r"^\s*(-?\d+)\s*$", output, re.MULTILINE)
    return numbers[-1] if numbers else "?"


def _msolve_degree(text: str) -> str:
    found = re.match(r"\[0,\s*\[0,\s*\d+,\s*(\d+)", text)
    return found.group(1) if found else "?"


def cell(engine: str, name: str, budget: int, bertini: str) -> str:
    """Seconds and what came back, or why nothing did."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (budget + 3, budget + 5))

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        inner = engine in (*OURS, "SymPy", "SymPy basis", "msolve modulo")
        if inner:
            command, fed = [sys.executable, __file__, "--one", engine, "--budget", str(budget), name], ""
        else:
            command, fed = outside(engine, name, folder, bertini)
            if shutil.which(command[0]) is None:
                return "not installed"
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            preexec_fn=limit, start_new_session=True, cwd=folder,
        )  # fmt: skip
        try:
            output, _ = process.communicate(fed, timeout=4 * budget + 60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return f"> {budget}"
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        if process.returncode == -signal.SIGXCPU or spent > budget + 2:
            return f"> {budget}"
        if inner:
            if process.returncode:
                return f"> {budget}" if spent > budget - 3 else f"failed ({process.returncode})"
            result = json.loads(output)
            return f"{_figure(result['seconds'])} ({result['said']})"
        try:
            return f"{_figure(spent)} ({read_count(engine, folder, output)})"
        except (OSError, ValueError):
            return f"failed after {spent:.0f} s"


def _figure(seconds: float) -> str:
    return f"{seconds:.3f}" if seconds < 0.1 else f"{seconds:.2f}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--budget", type=int, default=60, help="seconds of processor time for each cell")
    parser.add_argument("--peers", type=int, help="another budget for all other programs but msolve")
    parser.add_argument("--monodromy", type=int, help="another budget for monodromy and known family")
    parser.add_argument(
        "--factor", type=int, default=5, help="msolve's budget in seconds of critical_set, if that is more"
    )
    parser.add_argument("--bertini", default="python-with-bertini2", help="a Python that has the package bertini2")
    parser.add_argument("--engine", action="append", choices=[*ENGINES, *MODULO])
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(inside(arguments.one, arguments.names[0], arguments.budget)))
        return 0
    engines = arguments.engine or ENGINES
    budgets = dict.fromkeys(PEERS, arguments.peers) | dict.fromkeys(("monodromy", "known family"), arguments.monodromy)
    print(f"{time.strftime('%Y-%m-%d')}, Python {platform.python_version()}, {os.cpu_count()} cores, ", end="")
    print(f"budget {arguments.budget} s of processor time for each cell\n")
    print(f"| family | unknowns | expected | {' | '.join(engines)} |\n|---|---|---|{'---|' * len(engines)}", flush=True)
    for name in arguments.names or FAMILIES:
        size = len(problem_of(name).parameters)
        cells, own = [], 0.0
        for engine in engines:
            budget = budgets.get(engine) or arguments.budget
            if engine == "msolve":
                budget = max(budget, math.ceil(arguments.factor * own))
            cells.append(cell(engine, name, budget, arguments.bertini))
            if engine == "critical_set" and (spent := re.match(r"[\d.]+", cells[-1])):
                own = float(spent.group())
        print(f"| {name} | {size} | {FAMILIES[name][-1]} | {' | '.join(cells)} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
