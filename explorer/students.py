"""Student-teacher problems: a ReLU network with fixed output weights learns another one from Gaussian inputs.

Plain data, exact numbers, no SymPy. The closed form of the loss and of its derivatives: docs/certificate.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from explorer.errors import Invalid, Unsupported, described
from explorer.exact import exact_row, text

MAX_SIZE = 10**100  #: inputs and students of a problem that is given by numbers alone
MAX_VECTORS = (
    20_000  #: parameters of a problem whose teacher is given by vectors, and of one whose parameters are listed
)

LATEX = r"F(W) = \tfrac12\, \mathbb{E}_{x \sim N(0, I)} \Bigl(\sum_i [w_i^\top x]_+ - \sum_j [v_j^\top x]_+\Bigr)^2"


@dataclass(frozen=True)
class StudentTeacher:
    """F(W) = 1/2 E (sum_i relu(w_i.x) - sum_j relu(v_j.x))^2, x standard normal in R^inputs, W with ``students`` rows w_i.

    ``teacher`` is the number k of orthonormal vectors v_j = e_j, or a tuple of rational vectors (none of them zero).
    The order of the parameters is W row by row, ``w1_<row>_<column>``. Safran, Shamir (2018), equation (1): there the
    students are n, the teachers k, and the same factor 1/2 stands before the expectation.
    """

    inputs: int
    students: int
    teacher: int | tuple[tuple[Fraction, ...], ...]

    def __post_init__(self) -> None:
        for name in ("inputs", "students"):
            _whole(getattr(self, name), f"network.{name}", MAX_SIZE)
        if isinstance(self.teacher, int):
            _whole(self.teacher, "network.teacher.orthonormal", self.inputs)
            return
        where = "network.teacher.vectors"
        if not isinstance(self.teacher, list | tuple) or not self.teacher:
            raise Invalid(
                where, expected="a list of vectors", got=described(self.teacher), remedy="or give orthonormal: k"
            )
        if max(self.parameter_count, len(self.teacher) * self.inputs) > MAX_VECTORS:
            raise Invalid(
                where,
                expected=f"at most {MAX_VECTORS} parameters and teacher coordinates",
                got=f"{self.parameter_count} parameters, {len(self.teacher)} vectors",
                remedy="use fewer units or inputs",
            )
        rows = []
        for j, row in enumerate(self.teacher):
            if not isinstance(row, list | tuple) or len(row) != self.inputs:
                raise Invalid(f"{where}[{j}]", expected=f"a list of {self.inputs} numbers", got=described(row))
            rows.append(exact_row(row, f"{where}[{j}]"))
            if not any(rows[-1]):
                raise Invalid(
                    f"{where}[{j}]", expected="a vector that is not zero", got="zero", remedy="leave the unit out"
                )
        object.__setattr__(self, "teacher", tuple(rows))

    @property
    def units(self) -> int:
        """Number of teacher units."""
        return self.teacher if isinstance(self.teacher, int) else len(self.teacher)

    @property
    def parameter_count(self) -> int:
        return self.inputs * self.students

    @property
    def parameters(self) -> tuple[str, ...]:
        """Parameter names, row by row. `Unsupported` for problems too large to list them."""
        if self.parameter_count > MAX_VECTORS:
            raise Unsupported(
                "network.students",
                expected=f"at most {MAX_VECTORS} parameters where each is listed",
                got=described(self.parameter_count),
                remedy="such problems are handled by their symmetry",
            )
        return tuple(f"w1_{i}_{j}" for i in range(1, self.students + 1) for j in range(1, self.inputs + 1))

    def vectors(self) -> tuple[tuple[Fraction, ...], ...]:
        """The teacher's vectors, one row each."""
        if not isinstance(self.teacher, int):
            return self.teacher
        return tuple(tuple(Fraction(i == j) for j in range(self.inputs)) for i in range(self.teacher))

    def to_json(self) -> dict[str, Any]:
        """The normalised JSON object."""
        teacher: dict[str, Any] = {"orthonormal": self.teacher}
        if not isinstance(self.teacher, int):
            teacher = {"vectors": [[text(v) for v in row] for row in self.teacher]}
        return {
            "kind": "student-teacher-relu",
            "inputs": self.inputs,
            "students": self.students,
            "teacher": teacher,
        }


@dataclass(frozen=True)
class StudentTeacherFamily:
    """The losses F_k, k = first, ..., last (None: and so on), of k students of k orthonormal teacher units in R^k. It has no parameters
    of its own: it is what a certificate for every k speaks about."""

    first: int
    last: int | None

    def __post_init__(self) -> None:
        _whole(self.first, "network.from", MAX_SIZE)
        if self.last is None:
            return
        _whole(self.last, "network.to", MAX_SIZE)
        if self.last < self.first:
            raise Invalid("network.to", expected=f"at least {self.first}", got=described(self.last))

    @property
    def parameters(self) -> tuple[str, ...]:
        return ()

    @property
    def parameter_count(self) -> int:
        return 0

    def to_json(self) -> dict[str, Any]:
        """The normalised JSON object."""
        last = "infinity" if self.last is None else self.last
        return {"kind": "student-teacher-relu-family", "from": self.first, "to": last}


def _whole(value: object, where: str, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise Invalid(
            where,
            expected=f"an integer from 1 to {described(most)}",
            got=described(value),
            remedy="an orthonormal teacher has at most as many units as inputs" if "orthonormal" in where else "",
        )
