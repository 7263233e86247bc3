"""The functions whose landscapes are studied: activations, dense networks, and toy losses given as polynomials.

Parameters are ordered layer by layer: ``w<layer>_<row>_<column>`` row-major, then ``b<layer>_<row>``; layers count
from 1. Plain data, exact numbers, no SymPy. `explorer.problem` adds data, loss and regularizer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

from explorer.errors import Invalid, described
from explorer.exact import exact, exact_row, text
from explorer.students import StudentTeacher, StudentTeacherFamily

MAX_PARAMETERS = 20_000
MAX_LAYERS = 64
MAX_DEGREE = 64
MAX_TERMS = 10_000

#: activation kind -> the keys of its parameters (in JSON and in Python)
ACTIVATION_KEYS: dict[str, tuple[str, ...]] = {
    "linear": (),
    "relu": (),
    "leaky_relu": ("slope",),
    "requ": (),
    "square": (),
    "cubic": (),
    "polynomial": ("coefficients",),
    "sigmoid": (),
    "tanh": (),
    "softplus": (),
    "swish": (),
    "exp": (),
    "sin": (),
    "erf": (),
    "gelu": (),
    "elu": ("alpha",),
    "piecewise-polynomial": ("breaks", "pieces"),
}

#: every parameter that some activation takes
ACTIVATION_PARAMETERS = ("coefficients", "slope", "alpha", "breaks", "pieces")


@dataclass(frozen=True)
class Activation:
    """An activation function by name, with its exact parameters.

    ``coefficients`` (polynomial) and each of ``pieces`` (piecewise-polynomial) run from low to high degree;
    piece k holds on [breaks[k-1], breaks[k]], and neighbours must agree at their break (networks are continuous).
    ``slope`` is leaky_relu's slope on z < 0, ``alpha`` the factor in elu(z) = alpha (e^z - 1) on z < 0.
    Numbers go through `exact`; `Invalid` for an unknown kind, a missing or foreign parameter, or a jump.
    """

    kind: str
    coefficients: tuple[Fraction, ...] = ()
    slope: Fraction | None = None
    alpha: Fraction | None = None
    breaks: tuple[Fraction, ...] = ()
    pieces: tuple[tuple[Fraction, ...], ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.kind, str) or self.kind not in ACTIVATION_KEYS:
            raise Invalid(
                "activation",
                expected=f"one of {', '.join(ACTIVATION_KEYS)}",
                got=described(self.kind),
                remedy="see the list in docs/certificate.md",
            )
        self._check_which_are_given()
        for key in ("slope", "alpha"):
            if getattr(self, key) is not None:
                object.__setattr__(self, key, exact(getattr(self, key), f"activation.{key}"))
        for key in ("coefficients", "breaks"):
            object.__setattr__(self, key, exact_row(getattr(self, key), f"activation.{key}"))
        if isinstance(self.pieces, str) or not isinstance(self.pieces, Iterable):
            raise Invalid("activation.pieces", expected="a list of coefficient lists", got=described(self.pieces))
        pieces = tuple(exact_row(p, f"activation.pieces[{k}]") for k, p in enumerate(self.pieces))
        object.__setattr__(self, "pieces", pieces)
        if len(self.coefficients) > MAX_DEGREE + 1:
            raise Invalid(
                "activation.coefficients",
                expected=f"degree at most {MAX_DEGREE}",
                got=f"{len(self.coefficients) - 1}",
                remedy="use a polynomial of lower degree",
            )
        if self.kind == "piecewise-polynomial":
            self._check_pieces()

    def _check_which_are_given(self) -> None:
        for key in ACTIVATION_PARAMETERS:
            value = getattr(self, key)
            given = value is not None and value != () and value != []
            if given == (key in ACTIVATION_KEYS[self.kind]):
                continue
            raise Invalid(
                f"activation {self.kind}",
                expected=f"no key {key!r}" if given else f"the key {key!r}",
                got=f"{key} = {described(value)}" if given else "none",
                remedy=f"{self.kind} takes {', '.join(ACTIVATION_KEYS[self.kind]) or 'no parameters'}",
            )

    def _check_pieces(self) -> None:
        if len(self.pieces) != len(self.breaks) + 1:
            raise Invalid(
                "activation.pieces",
                expected=f"{len(self.breaks) + 1} pieces for {len(self.breaks)} breaks",
                got=f"{len(self.pieces)}",
                remedy="give one piece left of each break and one right of the last",
            )
        if len(self.breaks) > MAX_DEGREE or any(not 1 <= len(p) <= MAX_DEGREE + 1 for p in self.pieces):
            raise Invalid(
                "activation.pieces",
                expected=f"at most {MAX_DEGREE} breaks and 1 to {MAX_DEGREE + 1} coefficients each",
                got=f"{len(self.breaks)} breaks, pieces of lengths {sorted({len(p) for p in self.pieces})[:8]}",
                remedy="write the zero polynomial as ['0']",
            )
        if any(a >= b for a, b in zip(self.breaks, self.breaks[1:], strict=False)):
            raise Invalid(
                "activation.breaks",
                expected="strictly increasing breaks",
                got=", ".join(text(b) for b in self.breaks)[:80],
                remedy="sort them and drop repetitions",
            )
        for b, left, right in zip(self.breaks, self.pieces, self.pieces[1:], strict=False):
            if _horner(left, b) != _horner(right, b):
                raise Invalid(
                    "activation.pieces",
                    expected=f"neighbours that agree at the break {text(b)[:40]}",
                    got="a jump",
                    remedy="activations must be continuous",
                )

    def to_json(self) -> dict[str, Any]:
        """The activation as a JSON object: ``kind`` and exactly the parameters that the kind takes."""
        out: dict[str, Any] = {"kind": self.kind}
        for key in ACTIVATION_KEYS[self.kind]:
            value = getattr(self, key)
            if key == "pieces":
                out[key] = [[text(c) for c in piece] for piece in value]
            elif key in ("coefficients", "breaks"):
                out[key] = [text(c) for c in value]
            else:
                out[key] = text(value)
        return out


LINEAR = Activation("linear")


def _horner(coefficients: tuple[Fraction, ...], z: Fraction) -> Fraction:
    total = Fraction(0)
    for c in reversed(coefficients):
        total = total * z + c
    return total


@dataclass(frozen=True)
class DenseNetwork:
    """A fully connected network f(x) = psi(W_L phi(... phi(W_1 x + b_1) ...) + b_L).

    ``widths`` = (d_0, ..., d_L) counts input, hidden and output units; ``activations`` has one entry per hidden layer
    (L - 1), ``bias`` one truth value per layer (L), ``output`` is psi (linear unless stated).
    """

    widths: tuple[int, ...]
    activations: tuple[Activation, ...]
    bias: tuple[bool, ...]
    output: Activation = LINEAR

    def __post_init__(self) -> None:
        for key in ("widths", "activations", "bias"):
            object.__setattr__(self, key, as_tuple(getattr(self, key), f"network.{key}"))
        for layer in (*self.activations, self.output):
            if not isinstance(layer, Activation):
                raise Invalid(
                    "network.activation", expected="an Activation", got=described(layer), remedy="Activation('relu')"
                )
        if not 2 <= len(self.widths) <= MAX_LAYERS + 1:
            raise Invalid(
                "network.widths",
                expected=f"2 to {MAX_LAYERS + 1} integers (input, hidden..., output)",
                got=f"{len(self.widths)}",
                remedy="write [1, 3, 1] for one input, three hidden units and one output",
            )
        for k, width in enumerate(self.widths):
            if isinstance(width, bool) or not isinstance(width, int) or not 1 <= width <= MAX_PARAMETERS:
                raise Invalid(
                    f"network.widths[{k}]",
                    expected=f"an integer from 1 to {MAX_PARAMETERS}",
                    got=described(width),
                    remedy="count the units of the layer",
                )
        hidden = self.depth - 1
        if len(self.activations) != hidden:
            raise Invalid(
                "network.activation",
                expected=f"{hidden} entries, one per hidden layer",
                got=f"{len(self.activations)}",
                remedy="give one activation for all of them, or one each",
            )
        if len(self.bias) != self.depth or any(not isinstance(b, bool) for b in self.bias):
            raise Invalid(
                "network.bias",
                expected=f"true, false, or {self.depth} truth values, one per layer",
                got=f"[{', '.join(described(b) for b in self.bias[:8])}]"[:80],
                remedy="true gives every hidden layer a bias",
            )
        if self.parameter_count > MAX_PARAMETERS:
            raise Invalid(
                "network.widths",
                expected=f"at most {MAX_PARAMETERS} parameters",
                got=f"{self.parameter_count}",
                remedy="use a smaller network",
            )

    @property
    def depth(self) -> int:
        """Number of weight layers L."""
        return len(self.widths) - 1

    @property
    def parameter_count(self) -> int:
        """Number of weights and biases."""
        shapes = zip(self.widths, self.widths[1:], self.bias, strict=False)
        return sum(columns * rows + (rows if bias else 0) for columns, rows, bias in shapes)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Parameter names in the order that every vector of this project uses."""
        names = []
        for layer, (cols, rows, bias) in enumerate(zip(self.widths, self.widths[1:], self.bias, strict=False), start=1):
            names += [f"w{layer}_{i}_{j}" for i in range(1, rows + 1) for j in range(1, cols + 1)]
            names += [f"b{layer}_{i}" for i in range(1, rows + 1)] if bias else []
        return tuple(names)

    def to_json(self) -> dict[str, Any]:
        """The normalised JSON object: every activation an object, one truth value per layer."""
        return {
            "kind": "dense",
            "widths": list(self.widths),
            "activation": [a.to_json() for a in self.activations],
            "bias": list(self.bias),
            "output_activation": self.output.to_json(),
        }


@dataclass(frozen=True)
class MonomialLoss:
    """A loss given as a polynomial of named parameters, for toy functions: sum_k coefficient_k * theta^exponents_k.

    ``terms`` are pairs (coefficient, exponents), kept sorted by exponents, each monomial once.
    """

    names: tuple[str, ...]
    terms: tuple[tuple[Fraction, tuple[int, ...]], ...]

    def __post_init__(self) -> None:
        names = as_tuple(self.names, "network.parameters")
        if not 1 <= len(names) <= 64 or any(not _is_name(n) for n in names) or len(set(names)) != len(names):
            raise Invalid(
                "network.parameters",
                expected="1 to 64 distinct names like 'x' or 'w1' (a lower-case letter, then letters, digits, _)",
                got=f"[{', '.join(described(n) for n in names[:8])}]"[:80],
                remedy="rename them",
            )
        terms = tuple(
            (c, as_tuple(e, f"network.terms[{k}].exponents"))
            for k, (c, e) in enumerate(as_tuple(self.terms, "network.terms"))
        )
        if not 1 <= len(terms) <= MAX_TERMS:
            raise Invalid(
                "network.terms", expected=f"1 to {MAX_TERMS} terms", got=f"{len(terms)}", remedy="list the monomials"
            )
        for k, (_, e) in enumerate(terms):
            if len(e) != len(names) or any(not _is_exponent(x) for x in e):
                raise Invalid(
                    f"network.terms[{k}].exponents",
                    expected=f"{len(names)} integers from 0 to {MAX_DEGREE}",
                    got=f"[{', '.join(described(x) for x in e[:8])}]"[:80],
                    remedy="one exponent per parameter, in the order of network.parameters",
                )
        if len({e for _, e in terms}) != len(terms):
            raise Invalid(
                "network.terms",
                expected="each monomial once",
                got="a repeated exponent vector",
                remedy="add the coefficients up",
            )
        checked = ((exact(c, f"network.terms[{k}].coefficient"), e) for k, (c, e) in enumerate(terms))
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "terms", tuple(sorted(checked, key=lambda term: term[1])))

    @property
    def parameters(self) -> tuple[str, ...]:
        return self.names

    @property
    def parameter_count(self) -> int:
        return len(self.names)

    def to_json(self) -> dict[str, Any]:
        """The normalised JSON object: terms sorted by exponents."""
        return {
            "kind": "monomial",
            "parameters": list(self.names),
            "terms": [{"coefficient": text(c), "exponents": list(e)} for c, e in self.terms],
        }


@dataclass(frozen=True)
class AddedExponential:
    """A dense network with one exponential unit added to its scalar output: f(x) + a exp(w.x + b).

    Parameters: those of ``base``, then ``exp_a``, ``exp_w_1``, ..., ``exp_b`` (Sun et al. 2020, eq. (7), without the regularizer).
    """

    base: DenseNetwork

    def __post_init__(self) -> None:
        if not isinstance(self.base, DenseNetwork) or self.base.widths[-1] != 1:
            raise Invalid("network", expected="a dense network with one output", got=described(self.base))

    @property
    def widths(self) -> tuple[int, ...]:
        return self.base.widths

    @property
    def parameter_count(self) -> int:
        return self.base.parameter_count + self.widths[0] + 2

    @property
    def parameters(self) -> tuple[str, ...]:
        inner = tuple(f"exp_w_{k}" for k in range(1, self.widths[0] + 1))
        return (*self.base.parameters, "exp_a", *inner, "exp_b")

    def to_json(self) -> dict[str, Any]:
        """The JSON object of the dense network, with another kind."""
        return self.base.to_json() | {"kind": "dense+exp"}


Network: TypeAlias = DenseNetwork | MonomialLoss | StudentTeacher | StudentTeacherFamily | AddedExponential


def as_tuple(value: object, where: str) -> tuple[Any, ...]:
    """``value`` as a tuple; a text or a single thing is not a list of things."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise Invalid(where, expected="a list [...]", got=described(value), remedy="put it into brackets")
    return tuple(value)


def _is_name(name: object) -> bool:
    return isinstance(name, str) and re.fullmatch(r"[a-z][a-z0-9_]{0,63}", name, re.ASCII) is not None


def _is_exponent(x: object) -> bool:
    return isinstance(x, int) and not isinstance(x, bool) and 0 <= x <= MAX_DEGREE
