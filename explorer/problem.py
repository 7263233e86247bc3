"""What a loss landscape is about: network, data, loss, regularizer. Plain data, exact numbers, no SymPy.

Normalisation: the squared loss is sum_i c_i |y_i - f(x_i)|^2 and the logistic loss sum_i c_i log(1 + exp(-y_i f(x_i)));
no hidden 1/n and no 1/2. Parameters are ordered layer by layer: ``w<layer>_<row>_<column>`` row-major, then
``b<layer>_<row>``; layers count from 1.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeAlias

from explorer.errors import Invalid
from explorer.exact import exact, text

MAX_PARAMETERS = 20_000
MAX_SAMPLES = 5_000

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


@dataclass(frozen=True)
class Activation:
    """An activation function by name, with its exact parameters.

    ``coefficients`` (polynomial) and each of ``pieces`` (piecewise-polynomial) run from low to high degree;
    piece k holds on [breaks[k-1], breaks[k]], and neighbours must agree at their break (networks are continuous).
    ``slope`` is leaky_relu's slope on z < 0, ``alpha`` the factor in elu(z) = alpha (e^z - 1) on z < 0.
    """

    kind: str
    coefficients: tuple[Fraction, ...] = ()
    slope: Fraction | None = None
    alpha: Fraction | None = None
    breaks: tuple[Fraction, ...] = ()
    pieces: tuple[tuple[Fraction, ...], ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in ACTIVATION_KEYS:
            raise Invalid(
                "activation",
                expected=f"one of {', '.join(ACTIVATION_KEYS)}",
                got=repr(self.kind)[:60],
                remedy="see the list in docs/certificate.md",
            )
        for key in ("coefficients", "slope", "alpha", "breaks", "pieces"):
            given = getattr(self, key) not in (None, ())
            if given != (key in ACTIVATION_KEYS[self.kind]):
                verb = "needs" if not given else "does not take"
                raise Invalid(
                    f"activation {self.kind}",
                    got=f"{'no' if not given else 'a'} {key}",
                    remedy=f"{self.kind} {verb} {key}",
                )
        if len(self.coefficients) > 65:
            raise Invalid("activation.coefficients", expected="degree at most 64", got=f"{len(self.coefficients) - 1}")
        if self.kind == "piecewise-polynomial":
            self._check_pieces()

    def _check_pieces(self) -> None:
        if len(self.pieces) != len(self.breaks) + 1:
            raise Invalid(
                "activation.pieces",
                expected=f"{len(self.breaks) + 1} pieces for {len(self.breaks)} breaks",
                got=f"{len(self.pieces)}",
            )
        if len(self.breaks) > 64 or any(len(p) > 65 or not p for p in self.pieces):
            raise Invalid("activation.pieces", expected="at most 64 breaks and 1 to 65 coefficients each")
        if any(a >= b for a, b in zip(self.breaks, self.breaks[1:], strict=False)):
            raise Invalid(
                "activation.breaks", expected="strictly increasing breaks", got=str([text(b) for b in self.breaks])
            )
        for b, left, right in zip(self.breaks, self.pieces, self.pieces[1:], strict=False):
            if sum((c * b**k for k, c in enumerate(left)), Fraction(0)) != sum(
                (c * b**k for k, c in enumerate(right)), Fraction(0)
            ):
                raise Invalid(
                    "activation.pieces",
                    expected=f"neighbours that agree at {text(b)}",
                    got="a jump",
                    remedy="activations must be continuous",
                )

    def to_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {"kind": self.kind}
        for key in ACTIVATION_KEYS[self.kind]:
            value = getattr(self, key)
            out[key] = (
                [[text(c) for c in p] for p in value]
                if key == "pieces"
                else text(value)
                if isinstance(value, Fraction)
                else [text(c) for c in value]
            )
        return out


LINEAR = Activation("linear")


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
        w = self.widths
        if (
            len(w) < 2
            or len(w) > 65
            or any(isinstance(k, bool) or not isinstance(k, int) or k < 1 or k > MAX_PARAMETERS for k in w)
        ):
            raise Invalid(
                "network.widths", expected="2 to 65 positive integers (input, hidden..., output)", got=str(list(w))[:80]
            )
        if len(self.activations) != len(w) - 2:
            raise Invalid(
                "network.activation",
                expected=f"{len(w) - 2} entries, one per hidden layer",
                got=f"{len(self.activations)}",
            )
        if len(self.bias) != len(w) - 1 or any(not isinstance(b, bool) for b in self.bias):
            raise Invalid(
                "network.bias",
                expected=f"true, false, or {len(w) - 1} truth values, one per layer",
                got=str(list(self.bias))[:80],
            )
        if self.parameter_count > MAX_PARAMETERS:
            raise Invalid(
                "network.widths", expected=f"at most {MAX_PARAMETERS} parameters", got=f"{self.parameter_count}"
            )

    @property
    def depth(self) -> int:
        """Number of weight layers L."""
        return len(self.widths) - 1

    @property
    def parameter_count(self) -> int:
        return sum(
            a * b + (b if bias else 0) for a, b, bias in zip(self.widths, self.widths[1:], self.bias, strict=False)
        )

    @property
    def parameters(self) -> tuple[str, ...]:
        names = []
        for layer, (cols, rows, bias) in enumerate(zip(self.widths, self.widths[1:], self.bias, strict=False), start=1):
            names += [f"w{layer}_{i}_{j}" for i in range(1, rows + 1) for j in range(1, cols + 1)]
            names += [f"b{layer}_{i}" for i in range(1, rows + 1)] if bias else []
        return tuple(names)

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": "dense",
            "widths": list(self.widths),
            "activation": [a.to_json() for a in self.activations],
            "bias": list(self.bias),
            "output_activation": self.output.to_json(),
        }


@dataclass(frozen=True)
class MonomialLoss:
    """A loss given directly as a polynomial of named parameters, for toy functions: sum_k coefficient_k * theta^exponents_k."""

    names: tuple[str, ...]
    terms: tuple[tuple[Fraction, tuple[int, ...]], ...]

    def __post_init__(self) -> None:
        d = len(self.names)
        if not 1 <= d <= 64 or len(set(self.names)) != d or any(not _is_name(n) for n in self.names):
            raise Invalid(
                "network.parameters",
                expected="1 to 64 distinct names like 'x' or 'w1' (lower-case letters, digits, _)",
                got=str(list(self.names))[:80],
            )
        if not 1 <= len(self.terms) <= 10_000:
            raise Invalid("network.terms", expected="1 to 10000 terms", got=f"{len(self.terms)}")
        for k, (_, e) in enumerate(self.terms):
            if len(e) != d or any(isinstance(x, bool) or not isinstance(x, int) or not 0 <= x <= 64 for x in e):
                raise Invalid(
                    f"network.terms[{k}].exponents", expected=f"{d} integers from 0 to 64", got=str(list(e))[:80]
                )
        if len({e for _, e in self.terms}) != len(self.terms):
            raise Invalid(
                "network.terms",
                expected="each monomial once",
                got="a repeated exponent vector",
                remedy="add the coefficients up",
            )

    @property
    def parameters(self) -> tuple[str, ...]:
        return self.names

    @property
    def parameter_count(self) -> int:
        return len(self.names)

    def to_json(self) -> dict[str, Any]:
        terms = sorted((e, c) for c, e in self.terms)
        return {
            "kind": "monomial",
            "parameters": list(self.names),
            "terms": [{"coefficient": text(c), "exponents": list(e)} for e, c in terms],
        }


Network: TypeAlias = DenseNetwork | MonomialLoss


@dataclass(frozen=True)
class Dataset:
    """Inputs (n rows of length d_0) and targets (n rows of length d_L), exact."""

    inputs: tuple[tuple[Fraction, ...], ...]
    targets: tuple[tuple[Fraction, ...], ...]

    def __post_init__(self) -> None:
        n = len(self.inputs)
        if not 1 <= n <= MAX_SAMPLES:
            raise Invalid(
                "data.inputs",
                expected=f"1 to {MAX_SAMPLES} samples",
                got=f"{n}",
                remedy="a loss needs at least one sample" if n == 0 else "",
            )
        if len(self.targets) != n:
            raise Invalid("data.targets", expected=f"{n} rows, one per input", got=f"{len(self.targets)}")

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
            raise Invalid("loss.kind", expected="'squared' or 'logistic'", got=repr(self.kind)[:60])
        if any(c <= 0 for c in self.weights):
            raise Invalid("loss.weights", expected="positive weights", got=str([text(c) for c in self.weights])[:80])

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
            raise Invalid("regularizer.kind", expected="'l2', 'power' or 'neuron-cubic'", got=repr(self.kind)[:60])
        if any(c < 0 for c in self.weights):
            raise Invalid("regularizer.weights", expected="weights >= 0", got=str([text(c) for c in self.weights])[:80])
        if (self.exponent is not None) != (self.kind == "power"):
            raise Invalid(
                "regularizer.exponent", expected="an integer from 1 to 64 exactly for 'power'", got=repr(self.exponent)
            )
        if self.exponent is not None and (
            isinstance(self.exponent, bool) or not isinstance(self.exponent, int) or not 1 <= self.exponent <= 64
        ):
            raise Invalid("regularizer.exponent", expected="an integer from 1 to 64", got=repr(self.exponent)[:60])

    def to_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {"kind": self.kind, "weights": [text(c) for c in self.weights]}
        return out | {"exponent": self.exponent} if self.exponent is not None else out


@dataclass(frozen=True)
class Problem:
    """One loss landscape F(theta): network, data, loss and regularizer (data and loss are None for a `MonomialLoss`).

    ``slug`` and ``source`` are labels for people; they are not part of the mathematics and not of the digest.
    """

    network: Network
    data: Dataset | None
    loss: Loss | None
    regularizer: Regularizer | None = None
    slug: str = field(default="problem", compare=False)
    source: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if isinstance(self.network, MonomialLoss):
            if self.data is not None or self.loss is not None or self.regularizer is not None:
                raise Invalid(
                    "problem", expected="data, loss and regularizer null for a monomial loss", got="one of them"
                )
            return
        if self.data is None or self.loss is None:
            raise Invalid("problem", expected="data and a loss for a network", got="null")
        self._check_shapes(self.network, self.data, self.loss)

    def _check_shapes(self, net: DenseNetwork, data: Dataset, loss: Loss) -> None:
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
            raise Invalid("loss.weights", expected=f"{len(data)} weights, one per sample", got=f"{len(loss.weights)}")
        if loss.kind == "logistic" and net.widths[-1] != 1:
            raise Invalid("loss", expected="a scalar output for the logistic loss", got=f"{net.widths[-1]} outputs")
        if self.regularizer is not None:
            cubic = self.regularizer.kind == "neuron-cubic"
            if cubic and (net.depth != 2 or net.widths[-1] != 1 or net.bias[1]):
                raise Invalid(
                    "regularizer",
                    expected="one hidden layer, scalar output, no output bias for 'neuron-cubic'",
                    got=f"widths {list(net.widths)}",
                )
            count = net.widths[1] if cubic else net.parameter_count
            if len(self.regularizer.weights) != count:
                raise Invalid(
                    "regularizer.weights",
                    expected=f"one number or {count} numbers",
                    got=f"{len(self.regularizer.weights)}",
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
        **activation_parameters: Any,
    ) -> Problem:
        """A dense network on data. Rows may be lists or, for width 1, plain numbers; numbers are exact (int, Fraction, "p/q").

        ``activation`` is a name, an `Activation`, a dict, or a list of these (one per hidden layer); parameters of a
        named activation come as keywords (``coefficients=``, ``slope=``, ``alpha=``, ``breaks=``, ``pieces=``).
        ``regularizer`` is None or a dict such as {"kind": "l2", "weights": "1/4"} (a scalar weight is repeated).
        """
        from explorer.reading import network_from_json, problem_from_parts

        net = network_from_json(
            {
                "kind": "dense",
                "widths": list(widths),
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
        cls, names: Sequence[str], terms: dict[tuple[int, ...], Any], *, slug: str = "problem", source: str = ""
    ) -> Problem:
        """A toy loss given as a polynomial: ``terms`` maps exponent vectors to exact coefficients."""
        loss = MonomialLoss(tuple(names), tuple((exact(c, f"terms[{e}]"), tuple(e)) for e, c in sorted(terms.items())))
        return cls(loss, None, None, None, slug, source)

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


def _is_name(name: object) -> bool:
    import re

    return isinstance(name, str) and re.fullmatch(r"[a-z][a-z0-9_]{0,63}", name, re.ASCII) is not None
