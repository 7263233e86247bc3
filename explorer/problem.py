"""What a loss landscape is about: network, data, loss, regularizer. Plain data, exact numbers, no SymPy.

Normalisation: the squared loss is sum_i c_i |y_i - f(x_i)|^2 and the logistic loss sum_i c_i log(1 + exp(-y_i f(x_i)));
no hidden 1/n and no 1/2. Networks, activations and the order of the parameters: `explorer.network`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from explorer.errors import Invalid, described
from explorer.exact import exact, exact_row, text
from explorer.network import (
    ACTIVATION_KEYS,
    ACTIVATION_PARAMETERS,
    LINEAR,
    MAX_PARAMETERS,
    Activation,
    AddedExponential,
    DenseNetwork,
    MonomialLoss,
    Network,
    StudentTeacher,
    StudentTeacherFamily,
    as_tuple,
)
from explorer.shown import Shown

MAX_SAMPLES = 5_000


@dataclass(frozen=True)
class Dataset:
    """Inputs (n rows of length d_0) and targets (n rows of length d_L), exact."""

    inputs: tuple[tuple[Fraction, ...], ...]
    targets: tuple[tuple[Fraction, ...], ...]

    def __post_init__(self) -> None:
        for key in ("inputs", "targets"):
            rows = tuple(
                exact_row(row, f"data.{key}[{i}]") for i, row in enumerate(as_tuple(getattr(self, key), f"data.{key}"))
            )
            object.__setattr__(self, key, rows)
        n = len(self.inputs)
        if not 1 <= n <= MAX_SAMPLES:
            raise Invalid(
                "data.inputs",
                expected=f"1 to {MAX_SAMPLES} samples",
                got=f"{n}",
                remedy="use fewer samples" if n else "a loss needs at least one sample",
            )
        if len(self.targets) != n:
            raise Invalid(
                "data.targets",
                expected=f"{n} rows, one per input",
                got=f"{len(self.targets)}",
                remedy="give every input its target",
            )

    def __len__(self) -> int:
        return len(self.inputs)

    def to_json(self) -> dict[str, Any]:
        return {
            "inputs": [[text(v) for v in row] for row in self.inputs],
            "targets": [[text(v) for v in row] for row in self.targets],
        }


@dataclass(frozen=True)
class Loss:
    """``squared``: sum_i c_i |y_i - f(x_i)|^2. ``logistic``: sum_i c_i log(1 + exp(-y_i f(x_i))), scalar output. c_i > 0."""

    kind: str
    weights: tuple[Fraction, ...]

    def __post_init__(self) -> None:
        if self.kind not in ("squared", "logistic"):
            raise Invalid(
                "loss.kind",
                expected="'squared' or 'logistic'",
                got=described(self.kind),
                remedy="these two are known",
            )
        object.__setattr__(self, "weights", exact_row(self.weights, "loss.weights"))
        for k, c in enumerate(self.weights):
            if c <= 0:
                raise Invalid(
                    f"loss.weights[{k}]",
                    expected="a positive weight",
                    got=text(c)[:60],
                    remedy="leave the sample out instead of giving it weight 0",
                )

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "weights": [text(c) for c in self.weights]}


@dataclass(frozen=True)
class Regularizer:
    """``l2``: sum_k lambda_k theta_k^2. ``power``: sum_k lambda_k |theta_k|^exponent (exponent an integer >= 1).
    ``neuron-cubic``: (1/3) sum_j lambda_j (|a_j|^3 + 2 (|w_j|^2 + b_j^2)^(3/2)) over the hidden units of a
    one-hidden-layer scalar network (Sun et al. 2020, eq. (8)). lambda >= 0; one weight per parameter (per unit for
    ``neuron-cubic``).
    """

    kind: str
    weights: tuple[Fraction, ...]
    exponent: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in ("l2", "power", "neuron-cubic"):
            raise Invalid(
                "regularizer.kind",
                expected="'l2', 'power' or 'neuron-cubic'",
                got=described(self.kind),
                remedy="use null for none",
            )
        object.__setattr__(self, "weights", exact_row(self.weights, "regularizer.weights"))
        for k, c in enumerate(self.weights):
            if c < 0:
                raise Invalid(
                    f"regularizer.weights[{k}]", expected="a weight >= 0", got=text(c)[:60], remedy="use 0 for none"
                )
        e = self.exponent
        if self.kind != "power":
            if e is not None:
                raise Invalid(
                    "regularizer.exponent",
                    expected="no exponent",
                    got=described(e),
                    remedy="only 'power' takes one",
                )
        elif isinstance(e, bool) or not isinstance(e, int) or not 1 <= e <= 64:
            raise Invalid(
                "regularizer.exponent",
                expected="an integer from 1 to 64",
                got=described(e),
                remedy="'power' is the sum of lambda_k |theta_k|^exponent",
            )

    def to_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {"kind": self.kind, "weights": [text(c) for c in self.weights]}
        return out | {"exponent": self.exponent} if self.exponent is not None else out


@dataclass(frozen=True)
class Problem(Shown):
    """One loss landscape F(theta): network, data, loss and regularizer (data and loss are None for a `MonomialLoss` or a `StudentTeacher`).

    ``slug`` and ``source`` are labels for people; they are not part of the mathematics and not of the digest.
    """

    network: Network
    data: Dataset | None
    loss: Loss | None
    regularizer: Regularizer | None = None
    slug: str = field(default="problem", compare=False)
    source: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        for name, label in (("slug", self.slug), ("source", self.source)):
            if not isinstance(label, str) or len(label) > 200 or not label.isascii() or not label.isprintable():
                raise Invalid(
                    name,
                    expected="at most 200 printable ASCII characters",
                    got=described(label),
                    remedy="shorten or transliterate it",
                )
        if isinstance(self.network, MonomialLoss | StudentTeacher | StudentTeacherFamily):
            what = "monomial" if isinstance(self.network, MonomialLoss) else "student-teacher"
            for name in ("data", "loss", "regularizer"):
                if getattr(self, name) is not None:
                    raise Invalid(name, expected=f"null for a {what} loss", got="one", remedy="remove it")
            return
        if not isinstance(self.network, DenseNetwork | AddedExponential):
            raise Invalid(
                "network",
                expected="a DenseNetwork, a MonomialLoss or a StudentTeacher",
                got=described(self.network),
                remedy="build one",
            )
        if not isinstance(self.data, Dataset) or not isinstance(self.loss, Loss):
            name, part = ("data", self.data) if not isinstance(self.data, Dataset) else ("loss", self.loss)
            raise Invalid(name, expected="data and a loss for a network", got=described(part), remedy="add them")
        self._check_shapes(self.network, self.data, self.loss)

    def _check_shapes(self, net: DenseNetwork | AddedExponential, data: Dataset, loss: Loss) -> None:
        for what, rows, width in (("inputs", data.inputs, net.widths[0]), ("targets", data.targets, net.widths[-1])):
            for i, row in enumerate(rows):
                if len(row) != width:
                    raise Invalid(
                        f"data.{what}[{i}]",
                        expected=f"{width} numbers",
                        got=f"{len(row)}",
                        remedy="every row is a list, as wide as network.widths says",
                    )
        if len(loss.weights) != len(data):
            raise Invalid(
                "loss.weights",
                expected=f"{len(data)} weights, one per sample",
                got=f"{len(loss.weights)}",
                remedy="or give one number for all",
            )
        if loss.kind == "logistic" and net.widths[-1] != 1:
            raise Invalid(
                "loss.kind",
                expected="a scalar output for the logistic loss",
                got=f"{net.widths[-1]} outputs",
                remedy="make the last of network.widths 1",
            )
        if self.regularizer is not None:
            cubic = self.regularizer.kind == "neuron-cubic"
            dense = net if isinstance(net, DenseNetwork) else None
            if cubic and (dense is None or dense.depth != 2 or dense.widths[-1] != 1 or dense.bias[1]):
                shape = f", bias {[*map(described, dense.bias)]}" if dense else " and an exponential unit"
                raise Invalid(
                    "regularizer",
                    expected="one hidden layer, scalar output, no output bias for 'neuron-cubic'",
                    got=f"widths {list(net.widths)}{shape}".replace("'", "")[:120],
                    remedy="use 'l2' or 'power' on other networks",
                )
            count = net.widths[1] if cubic else net.parameter_count
            if len(self.regularizer.weights) != count:
                raise Invalid(
                    "regularizer.weights",
                    expected=f"one number or {count} numbers, one per {'hidden unit' if cubic else 'parameter'}",
                    got=f"{len(self.regularizer.weights)}",
                    remedy="the order is layer by layer, weights by rows, then biases",
                )

    # -- construction ------------------------------------------------------------------------------------------

    @classmethod
    def dense(
        cls,
        *,
        widths: Sequence[int],
        inputs: Iterable[Any],
        targets: Iterable[Any],
        activation: Any = "linear",
        bias: bool | Sequence[bool] = False,
        output_activation: Any = "linear",
        loss: str = "squared",
        loss_weights: Any = 1,
        regularizer: Any = None,
        slug: str = "problem",
        source: str = "",
        added_exponential: bool = False,
        **activation_parameters: Any,
    ) -> Problem:
        """A dense network on data. Rows may be lists or, for width 1, plain numbers; numbers are exact (int, Fraction, "p/q").

        ``activation`` is a name, an `Activation`, a dict, or a list of these (one per hidden layer); parameters of a
        named activation come as keywords (``coefficients=``, ``slope=``, ``alpha=``, ``breaks=``, ``pieces=``).
        ``added_exponential`` adds one unit a exp(w.x + b) to the output (parameters exp_a, exp_w_1, ..., exp_b at the end).
        ``regularizer`` is None or a dict such as {"kind": "l2", "weights": "1/4"} (a scalar weight is repeated).
        """
        from explorer.reading import network_from_json, problem_from_parts

        for name, block in (("data.inputs", inputs), ("data.targets", targets)):
            if isinstance(block, str) or not isinstance(block, Iterable):
                raise Invalid(
                    name, expected="a list of rows", got=described(block), remedy="write [[1], [2]] or [1, 2]"
                )
        net = network_from_json(
            {
                "kind": "dense+exp" if added_exponential else "dense",
                "widths": list(widths) if isinstance(widths, Iterable) and not isinstance(widths, str) else widths,
                "activation": activation,
                "bias": bias,
                "output_activation": output_activation,
                **activation_parameters,
            }
        )
        rows = [[list(r) if isinstance(r, (list, tuple)) else [r] for r in block] for block in (inputs, targets)]
        return problem_from_parts(
            net,
            {"inputs": rows[0], "targets": rows[1]},
            {"kind": loss, "weights": loss_weights},
            regularizer,
            slug=slug,
            source=source,
        )

    @classmethod
    def monomial(
        cls, names: Sequence[str], terms: Mapping[tuple[int, ...], Any], *, slug: str = "problem", source: str = ""
    ) -> Problem:
        """A toy loss given as a polynomial: ``terms`` maps exponent vectors to exact coefficients."""
        if not isinstance(terms, Mapping):
            raise Invalid("network.terms", expected="a dict {exponents: coefficient}", got=described(terms))
        pairs = tuple((exact(c, f"network.terms[{e!r}]"), as_tuple(e, "network.terms")) for e, c in terms.items())
        return cls(MonomialLoss(as_tuple(names, "network.parameters"), pairs), None, None, None, slug, source)

    @classmethod
    def student_teacher(
        cls, students: int, *, inputs: int | None = None, teacher: Any = None, slug: str = "problem", source: str = ""
    ) -> Problem:
        """The population loss of ReLU students: 1/2 E (sum_i relu(w_i.x) - sum_j relu(v_j.x))^2, x ~ N(0, I).

        ``teacher`` is the number of orthonormal vectors (default: as many as students) or a list of rational vectors;
        ``inputs`` defaults to the number of orthonormal vectors or to the length of the given ones.
        """
        teacher = students if teacher is None else teacher
        if inputs is None:
            first = teacher[0] if isinstance(teacher, list | tuple) and teacher else teacher
            inputs = len(first) if isinstance(first, list | tuple) else teacher
        return cls(StudentTeacher(inputs, students, teacher), None, None, None, slug, source)

    # -- views -------------------------------------------------------------------------------------------------

    @property
    def parameters(self) -> tuple[str, ...]:
        """Parameter names in the order that every vector of this project uses."""
        return self.network.parameters

    def content(self) -> dict[str, Any]:
        """The mathematics of the problem as normalised JSON data (defaults filled in, lowest terms, no labels)."""
        return {
            "format": "explorer.problem/1",
            "network": self.network.to_json(),
            "data": self.data.to_json() if self.data else None,
            "loss": self.loss.to_json() if self.loss else None,
            "regularizer": self.regularizer.to_json() if self.regularizer else None,
        }

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON of `content`: equal digests mean the same loss function, written the same way."""
        return "sha256:" + hashlib.sha256(canonical(self.content()).encode("ascii")).hexdigest()

    def to_json(self) -> dict[str, Any]:
        return self.content() | {"slug": self.slug} | ({"source": self.source} if self.source else {})


def canonical(data: Any) -> str:
    """Canonical JSON: sorted keys, no spaces, ASCII. Same data, same bytes."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


__all__ = [
    "ACTIVATION_KEYS",
    "ACTIVATION_PARAMETERS",
    "LINEAR",
    "MAX_PARAMETERS",
    "MAX_SAMPLES",
    "Activation",
    "AddedExponential",
    "Dataset",
    "DenseNetwork",
    "Loss",
    "MonomialLoss",
    "Network",
    "Problem",
    "Regularizer",
    "StudentTeacher",
    "StudentTeacherFamily",
    "canonical",
    "exact",
]
