"""What a user asks of an instance, and how options become inputs, activations and targets."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from explorer.budget import Budget, Deadline
from explorer.errors import Invalid, NotCertifiable
from explorer.exact import exact_row
from explorer.problem import Activation
from explorer.reading import activation_from_json

MAX_SAMPLES, MAX_WIDTH, MAX_DEPTH = 200, 1_000, 12
OPTIONS = ("samples", "width", "bias", "inputs", "activation", "depth", "teacher")


@dataclass(frozen=True)
class Request:
    """What the user asked of an instance; None where nothing was said. ``depth`` counts weight layers."""

    samples: int | None = None
    width: int | None = None
    bias: bool | None = None
    inputs: Sequence[Any] | None = None
    activation: Any = None
    depth: int | None = None
    seed: int = 0
    teacher: int | None = None
    budget: Budget | None = None

    def clock(self) -> Deadline:
        """The running clock of the request's budget."""
        return (self.budget or Budget()).start()

    def allow(self, statement: str, *names: str) -> None:
        """`Invalid` when an option is set that makes no sense for the statement."""
        for name in OPTIONS:
            if name not in names and getattr(self, name) is not None:
                raise Invalid(
                    f"option {name}", got=f"a value, but {statement} has no such choice", remedy="leave it out"
                )
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or self.seed < 0:
            raise Invalid("seed", expected="an integer >= 0", got=repr(self.seed)[:40], remedy="write --seed 0")

    def require_one_hidden_layer_of(self, kind: str, statement: str) -> None:
        """`NotCertifiable` unless the activation and the depth asked for are the statement's own."""
        if self.activation not in (None, kind):
            raise NotCertifiable(statement, expected=f"the activation {kind}", got=repr(self.activation)[:60])
        if self.depth not in (None, 2):
            raise NotCertifiable(statement, expected="one hidden layer (depth 2)", got=f"depth {self.depth}")

    # -- options as mathematics ------------------------------------------------------------------------------------

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        """The integer option ``name``, within its bounds."""
        value = getattr(self, name)
        value = default if value is None else value
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise Invalid(name, expected=f"an integer from {least} to {most}", got=repr(value)[:40])
        return int(value)

    def rows(self, default: int, *, centred: bool = True) -> tuple[tuple[Fraction, ...], ...]:
        """The inputs as rows; by default integers, consecutive for seed 0, around 0 if ``centred`` and else from 1 on."""
        if self.inputs is not None:
            lists = [x if isinstance(x, (list, tuple)) else [x] for x in self.inputs]
            rows = tuple(exact_row(x, f"inputs[{i}]") for i, x in enumerate(lists))
            if not rows or not rows[0] or len({len(x) for x in rows}) > 1:
                raise Invalid(
                    "inputs",
                    expected="rows of the same length",
                    got=f"{len(rows)} rows",
                    remedy="give every sample the same number of coordinates",
                )
            if self.samples not in (None, len(rows)):
                raise Invalid(
                    "inputs",
                    expected=f"{self.samples} inputs, one per sample",
                    got=str(len(rows)),
                    remedy="give one input per sample, or leave --samples out",
                )
            if len(rows) > MAX_SAMPLES:
                raise Invalid(
                    "inputs", expected=f"at most {MAX_SAMPLES} samples", got=str(len(rows)), remedy="use fewer samples"
                )
            return rows
        n = self.whole("samples", default, 1, MAX_SAMPLES)
        start = -((n - 1) // 2) if centred else 1
        chosen = range(start, start + n)
        if self.seed:
            pool = range(-n, n + 1) if centred else range(1, 2 * n + 1)
            return tuple((Fraction(x),) for x in sorted(random.Random(self.seed).sample(pool, n)))
        return tuple((Fraction(x),) for x in chosen)

    def scalars(self, default: int, *, centred: bool = True) -> tuple[Fraction, ...]:
        """Scalar inputs; `NotCertifiable` for vectors."""
        rows = self.rows(default, centred=centred)
        if len(rows[0]) != 1:
            raise NotCertifiable("inputs", expected="scalar inputs", got="vectors")
        return tuple(x[0] for x in rows)

    def targets(self, count: int) -> list[Fraction]:
        """Targets where a statement allows any: 0, ..., 0, 1 for seed 0, else small integers."""
        if self.seed:
            draw = random.Random(1_000 + self.seed)
            return [Fraction(draw.randint(-9, 9)) for _ in range(count)]
        return [Fraction(int(i == count - 1)) for i in range(count)]

    def hidden(self, default: int, kind: Any = "sigmoid") -> tuple[tuple[int, ...], tuple[Activation, ...]]:
        """Widths and activations of the hidden layers: ``width`` units each, one activation for all or one per layer."""
        given = activations(self.activation) if self.activation is not None else (activation_from_json(kind),)
        depth = self.whole("depth", len(given) + 1, 2, MAX_DEPTH)
        if len(given) not in (1, depth - 1):
            raise Invalid(
                "activation",
                expected=f"one, or {depth - 1}, one per hidden layer",
                got=str(len(given)),
                remedy="repeat --activation, once per layer",
            )
        width = self.whole("width", default, 1, MAX_WIDTH)
        return (width,) * (depth - 1), given if len(given) == depth - 1 else given * (depth - 1)

    def one_activation(self, default: Any) -> Activation:
        """The one activation of the hidden layer."""
        given = activations(self.activation if self.activation is not None else default)
        if len(given) != 1:
            raise Invalid("activation", expected="one activation", got=str(len(given)))
        return given[0]


def activations(given: Any) -> tuple[Activation, ...]:
    """An activation or several: a name, names with commas, JSON text, an `Activation`, its JSON object, or a list of these."""
    if isinstance(given, str) and given.lstrip()[:1] in ("{", "["):
        try:
            given = json.loads(given)
        except ValueError:
            raise Invalid(
                "activation",
                expected="a name or a JSON object",
                got=repr(given)[:60],
                remedy='such as \'sigmoid\' or {"kind": "leaky_relu", "slope": "1/10"}',
            ) from None
    elif isinstance(given, str) and "," in given:
        given = given.split(",")
    items = given if isinstance(given, (list, tuple)) else [given]
    if not items:
        raise Invalid("activation", expected="at least one activation", got="none")
    return tuple(a if isinstance(a, Activation) else activation_from_json(a) for a in items)
