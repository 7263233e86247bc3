"""Reading problem files: strict JSON in, nouns out. Nothing that is read is ever evaluated.

Strict means: ASCII numbers only, no floats, no duplicate keys, no unknown keys, bounded size, depth and digits; every
violation is one `Invalid` that says where, what was expected, what came and the remedy.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from explorer.errors import Invalid
from explorer.exact import exact
from explorer.problem import (
    ACTIVATION_KEYS,
    Activation,
    Dataset,
    DenseNetwork,
    Loss,
    MonomialLoss,
    Network,
    Problem,
    Regularizer,
    canonical,
)

MAX_BYTES = 16_000_000
MAX_DEPTH = 16
FORMAT = "explorer.problem/1"


def read_problem(path: str | Path) -> Problem:
    """The problem in a JSON file (see docs/certificate.md, section "Problem file")."""
    try:
        with open(path, "rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise Invalid(
            str(path),
            expected="a readable problem file",
            got=error.strerror or str(error),
            remedy="check the path, or name a case (explorer cases)",
        ) from None
    return parse_problem(raw)


def write_problem(problem: Problem, path: str | Path) -> None:
    """Write ``problem`` as JSON, one key per line at the top level, the same bytes every time."""
    body = problem.to_json()
    lines = [
        f"{json.dumps(key)}: {json.dumps(body[key], sort_keys=True)}"
        for key in ("format", "slug", "network", "data", "loss", "regularizer", "source")
        if key in body
    ]
    Path(path).write_text("{" + ",\n ".join(lines) + "}\n", encoding="ascii")


def parse_problem(raw: bytes | str) -> Problem:
    """The problem in JSON text or bytes."""
    body = strict_json(raw)
    check_keys(
        body, "problem", required=("format", "network"), optional=("slug", "data", "loss", "regularizer", "source")
    )
    if body["format"] != FORMAT:
        raise Invalid("format", expected=repr(FORMAT), got=repr(body["format"])[:60])
    net = network_from_json(body["network"])
    return problem_from_parts(
        net,
        body.get("data"),
        body.get("loss"),
        body.get("regularizer"),
        slug=body.get("slug", "problem"),
        source=body.get("source", ""),
    )


# -- strict JSON ------------------------------------------------------------------------------------------------


def strict_json(raw: bytes | str) -> dict[str, Any]:
    """A JSON object without floats, NaN, duplicate keys, deep nesting or non-UTF-8 bytes."""
    if len(raw) > MAX_BYTES:
        raise Invalid(
            "file", expected=f"at most {MAX_BYTES} bytes", got=f"{len(raw)} or more", remedy="use a smaller problem"
        )
    try:
        source = raw.decode("utf-8") if isinstance(raw, bytes) else raw
    except UnicodeDecodeError as error:
        raise Invalid(
            "file", expected="UTF-8 text", got=f"byte {error.start} that is not", remedy="save it as UTF-8"
        ) from None
    _check_depth(source)
    try:
        body = json.loads(
            source,
            parse_float=_refuse_float,
            parse_constant=_refuse_constant,
            parse_int=_bounded_int,
            object_pairs_hook=_unique_keys,
        )
    except json.JSONDecodeError as error:
        raise Invalid(
            f"line {error.lineno}, column {error.colno}",
            expected="JSON",
            got=error.msg,
            remedy="compare with a file shown by 'explorer cases SLUG'",
        ) from None
    if not isinstance(body, dict):
        raise Invalid("file", expected="a JSON object {...}", got=type(body).__name__)
    return body


def _check_depth(source: str) -> None:
    depth, quoted, escaped = 0, False, False
    for ch in source:
        if quoted:
            quoted = escaped or ch != '"'
            escaped = ch == "\\" and not escaped
        elif ch == '"':
            quoted = True
        elif ch in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise Invalid("file", expected=f"nesting of at most {MAX_DEPTH}", got="deeper nesting")
        elif ch in "]}":
            depth -= 1


def _refuse_float(token: str) -> NoReturn:
    raise Invalid(
        "number",
        expected="an exact number",
        got=f"the decimal {token[:40]}",
        remedy="write '1/10' for 0.1, as a string",
    )


def _refuse_constant(token: str) -> NoReturn:
    raise Invalid("number", expected="an exact number", got=token, remedy="NaN and Infinity are not data")


def _bounded_int(token: str) -> int:
    if len(token) > 2_000:
        raise Invalid("number", expected="at most 2000 digits", got=f"{len(token)}")
    return int(token)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, value in pairs:
        if key in out:
            raise Invalid(
                f"key {key[:40]!r}", expected="each key once", got="it twice in one object", remedy="remove one"
            )
        out[key] = value
    return out


def check_keys(body: object, where: str, *, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> None:
    if not isinstance(body, Mapping):
        raise Invalid(where, expected="an object {...}", got=type(body).__name__)
    for key in required:
        if key not in body:
            raise Invalid(where, expected=f"the key {key!r}", got="none", remedy="add it")
    for key in body:
        if key not in required and key not in optional:
            raise Invalid(
                where,
                expected=f"keys among {', '.join((*required, *optional))}",
                got=repr(key)[:60],
                remedy="remove or rename it",
            )


# -- parts ------------------------------------------------------------------------------------------------------


def activation_from_json(
    body: object, where: str = "network.activation", extra: Mapping[str, Any] | None = None
) -> Activation:
    """An activation from its name, from {"kind": ..., parameters} or from an `Activation`; ``extra`` holds loose parameters."""
    if isinstance(body, Activation):
        return body
    if isinstance(body, str):
        body = {"kind": body, **(extra or {})}
    elif extra:
        raise Invalid(where, expected="parameters inside the activation object", got=", ".join(extra))
    check_keys(body, where, required=("kind",), optional=("coefficients", "slope", "alpha", "breaks", "pieces"))
    assert isinstance(body, Mapping)
    kind = body["kind"]
    if not isinstance(kind, str) or kind not in ACTIVATION_KEYS:
        raise Invalid(where, expected=f"one of {', '.join(ACTIVATION_KEYS)}", got=repr(kind)[:60])
    given: dict[str, Any] = {}
    for key in body:
        if key == "pieces":
            given[key] = tuple(
                tuple(exact(c, f"{where}.pieces[{k}]") for c in _list(p, f"{where}.pieces[{k}]"))
                for k, p in enumerate(_list(body[key], f"{where}.pieces"))
            )
        elif key in ("coefficients", "breaks"):
            given[key] = tuple(
                exact(c, f"{where}.{key}[{k}]") for k, c in enumerate(_list(body[key], f"{where}.{key}"))
            )
        elif key != "kind":
            given[key] = exact(body[key], f"{where}.{key}")
    if kind == "piecewise-polynomial" and not given.get("breaks"):
        raise Invalid(where, expected="at least one break", got="none", remedy="use 'polynomial'")
    return Activation(kind, **given)


def network_from_json(body: object) -> Network:
    """A network from its JSON object."""
    if isinstance(body, Mapping) and body.get("kind") == "monomial":
        return _monomial_from_json(body)
    loose = ("coefficients", "slope", "alpha", "breaks", "pieces")
    check_keys(
        body, "network", required=("kind", "widths"), optional=("activation", "bias", "output_activation", *loose)
    )
    assert isinstance(body, Mapping)
    if body["kind"] != "dense":
        raise Invalid("network.kind", expected="'dense' or 'monomial'", got=repr(body["kind"])[:60])
    widths = _list(body["widths"], "network.widths")
    for k in widths:
        if isinstance(k, bool) or not isinstance(k, int) or k < 1:
            raise Invalid("network.widths", expected="positive integers", got=repr(k)[:60])
    hidden = max(len(widths) - 2, 0)
    extra = {key: body[key] for key in loose if key in body}
    given = body.get("activation", "linear")
    if isinstance(given, (list, tuple)):
        activations = tuple(activation_from_json(a, f"network.activation[{k}]", extra) for k, a in enumerate(given))
    else:
        activations = (activation_from_json(given, extra=extra),) * hidden
    bias = body.get("bias", False)
    if isinstance(bias, bool):
        bias = [bias] * hidden + [False] * (len(widths) - 1 - hidden)
    return DenseNetwork(
        tuple(widths),
        activations,
        tuple(_list(bias, "network.bias")),
        activation_from_json(body.get("output_activation", "linear"), "network.output_activation"),
    )


def _monomial_from_json(body: Mapping[str, Any]) -> MonomialLoss:
    check_keys(body, "network", required=("kind", "parameters", "terms"))
    names = _list(body["parameters"], "network.parameters")
    if not all(isinstance(n, str) for n in names):
        raise Invalid("network.parameters", expected="names", got=str(names)[:60])
    terms = []
    for k, term in enumerate(_list(body["terms"], "network.terms")):
        check_keys(term, f"network.terms[{k}]", required=("coefficient", "exponents"))
        terms.append(
            (
                exact(term["coefficient"], f"network.terms[{k}].coefficient"),
                tuple(_list(term["exponents"], f"network.terms[{k}].exponents")),
            )
        )
    return MonomialLoss(tuple(names), tuple(sorted(terms, key=lambda t: str(t[1]))))


def problem_from_parts(
    net: Network, data: object, loss: object, regularizer: object, *, slug: object, source: object
) -> Problem:
    """Assemble and check a problem from JSON-like parts; scalar weights are repeated."""
    for name, label in (("slug", slug), ("source", source)):
        if not isinstance(label, str) or len(label) > 200 or not label.isascii() or not label.isprintable():
            raise Invalid(name, expected="at most 200 printable ASCII characters", got=repr(label)[:60])
    if isinstance(net, MonomialLoss):
        for what, part in (("data", data), ("loss", loss), ("regularizer", regularizer)):
            if part is not None:
                raise Invalid(what, expected="null for a monomial loss", got=type(part).__name__, remedy="remove it")
        return Problem(net, None, None, None, slug, source)  # type: ignore[arg-type]
    check_keys(data, "data", required=("inputs", "targets"))
    assert isinstance(data, Mapping)
    blocks = []
    for key in ("inputs", "targets"):
        rows = [_list(row, f"data.{key}[{i}]") for i, row in enumerate(_list(data[key], f"data.{key}"))]
        blocks.append(
            tuple(tuple(exact(v, f"data.{key}[{i}][{j}]") for j, v in enumerate(row)) for i, row in enumerate(rows))
        )
    dataset = Dataset(blocks[0], blocks[1])
    check_keys(loss, "loss", required=("kind",), optional=("weights",))
    assert isinstance(loss, Mapping)
    chosen = Loss(loss["kind"], _weights(loss.get("weights", 1), "loss.weights", len(dataset)))
    return Problem(net, dataset, chosen, _regularizer(regularizer, net), slug, source)  # type: ignore[arg-type]


def _regularizer(body: object, net: DenseNetwork) -> Regularizer | None:
    if body is None or isinstance(body, Regularizer):
        return body
    check_keys(body, "regularizer", required=("kind", "weights"), optional=("exponent",))
    assert isinstance(body, Mapping)
    count = net.widths[1] if body["kind"] == "neuron-cubic" and net.depth == 2 else net.parameter_count
    return Regularizer(body["kind"], _weights(body["weights"], "regularizer.weights", count), body.get("exponent"))


def _weights(body: object, where: str, count: int) -> tuple[Any, ...]:
    if isinstance(body, (list, tuple)):
        return tuple(exact(v, f"{where}[{k}]") for k, v in enumerate(body))
    return (exact(body, where),) * count


def _list(body: object, where: str) -> list[Any]:
    if isinstance(body, (list, tuple)):
        return list(body)
    raise Invalid(
        where,
        expected="a list [...]",
        got=f"{type(body).__name__} {str(body)[:40]!r}",
        remedy='rows are lists, even of one number: [["1"], ["2"]]',
    )


__all__ = ["canonical", "check_keys", "parse_problem", "read_problem", "strict_json", "write_problem"]
