"""Reading problem files: strict JSON in, nouns out. Nothing that is read is ever evaluated.

Strict means: ASCII numbers only, no floats, no duplicate keys, no unknown keys, bounded size, depth and digits; every
violation is one `Invalid` that says where, what was expected, what came and the remedy. The text layer (JSON itself)
is `explorer.strict`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from explorer.errors import Invalid, described, named
from explorer.exact import exact
from explorer.problem import (
    ACTIVATION_KEYS,
    ACTIVATION_PARAMETERS,
    MAX_SAMPLES,
    Activation,
    AddedExponential,
    Dataset,
    DenseNetwork,
    Loss,
    MonomialLoss,
    Network,
    Problem,
    Regularizer,
    StudentTeacher,
    StudentTeacherFamily,
    canonical,
)
from explorer.strict import MAX_BYTES, check_keys, strict_json

FORMAT = "explorer.problem/1"


def read_problem(path: str | Path) -> Problem:
    """The problem in a JSON file (see docs/certificate.md, section "Problem file")."""
    try:
        with open(path, "rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
        raise Invalid(
            named(path),
            expected="a readable problem file",
            got=getattr(error, "strerror", None) or str(error),
            remedy="check the path, or name a case (explorer cases)",
        ) from None
    try:
        return parse_problem(raw)
    except Invalid as error:
        raise error.inside(named(path)) from None


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
    if body.get("format") != FORMAT:
        raise Invalid(
            "format",
            expected=repr(FORMAT),
            got=described(body["format"]) if "format" in body else "none",
            remedy="this version reads that format only",
        )
    check_keys(
        body, "problem", required=("format", "network"), optional=("slug", "data", "loss", "regularizer", "source")
    )
    net = network_from_json(body["network"])
    return problem_from_parts(
        net,
        body.get("data"),
        body.get("loss"),
        body.get("regularizer"),
        slug=body.get("slug", "problem"),
        source=body.get("source", ""),
    )


# -- parts ------------------------------------------------------------------------------------------------------


def activation_from_json(
    body: object, where: str = "network.activation", extra: Mapping[str, Any] | None = None
) -> Activation:
    """An activation from its name, from {"kind": ..., parameters} or from an `Activation`; ``extra`` holds loose parameters."""
    if isinstance(body, Activation) and not extra:
        return body
    if isinstance(body, str):
        body = {"kind": body, **(extra or {})}
    elif extra:
        raise Invalid(
            where,
            expected="parameters inside the activation object",
            got=f"{', '.join(extra)} beside it",
            remedy="move them into the object",
        )
    if not isinstance(body, Mapping):
        raise Invalid(
            where,
            expected="a name or an object {'kind': ...}",
            got=described(body),
            remedy="for example 'sigmoid'",
        )
    check_keys(body, where, required=("kind",), optional=ACTIVATION_PARAMETERS)
    kind = body["kind"]
    if not isinstance(kind, str) or kind not in ACTIVATION_KEYS:
        raise Invalid(
            where,
            expected=f"one of {', '.join(ACTIVATION_KEYS)}",
            got=described(kind),
            remedy="see the list in docs/certificate.md",
        )
    for key in body:
        if key != "kind" and key not in ACTIVATION_KEYS[kind]:  # also when empty, which the noun cannot see
            remedy = f"{kind} takes {', '.join(ACTIVATION_KEYS[kind]) or 'no parameters'}"
            raise Invalid(where, expected=f"no key {key!r}", got="one", remedy=remedy)
    given: dict[str, Any] = {}
    for key in (k for k in ACTIVATION_PARAMETERS if k in body):
        if key in ("slope", "alpha"):
            given[key] = exact(body[key], f"{where}.{key}")
        elif key == "pieces":
            rows = enumerate(_list(body[key], f"{where}.pieces"))
            given[key] = tuple(_numbers(row, f"{where}.pieces[{k}]") for k, row in rows)
        else:
            given[key] = _numbers(body[key], f"{where}.{key}")
    try:
        return Activation(kind, **given)
    except Invalid as error:  # the noun does not know where it stands in the file
        subject = error.subject.replace(f"activation {kind}", where).replace("activation.", f"{where}.")
        raise Invalid(subject, expected=error.expected, got=error.got, remedy=error.remedy) from None


def network_from_json(body: object) -> Network:
    """A network from its JSON object."""
    if isinstance(body, Mapping) and body.get("kind") == "monomial":
        return _monomial_from_json(body)
    if isinstance(body, Mapping) and body.get("kind") == "student-teacher-relu":
        return _students_from_json(body)
    if isinstance(body, Mapping) and body.get("kind") == "student-teacher-relu-family":
        check_keys(body, "network", required=("kind", "from", "to"))
        return StudentTeacherFamily(body["from"], None if body["to"] == "infinity" else body["to"])
    if isinstance(body, Mapping) and body.get("kind", "dense") not in ("dense", "dense+exp"):
        raise Invalid(
            "network.kind",
            expected="'dense', 'dense+exp', 'monomial', 'student-teacher-relu' or 'student-teacher-relu-family'",
            got=described(body["kind"]),
            remedy="see docs/certificate.md",
        )
    optional = ("activation", "bias", "output_activation", *ACTIVATION_PARAMETERS)
    check_keys(body, "network", required=("kind", "widths"), optional=optional)
    assert isinstance(body, Mapping)
    widths = _list(body["widths"], "network.widths")
    hidden = max(len(widths) - 2, 0)
    extra = {key: body[key] for key in ACTIVATION_PARAMETERS if key in body}
    given = body.get("activation", "linear")
    if isinstance(given, list | tuple):
        activations = tuple(activation_from_json(a, f"network.activation[{k}]", extra) for k, a in enumerate(given))
    else:
        activations = (activation_from_json(given, extra=extra),) * hidden
    bias = body.get("bias", False)
    if isinstance(bias, bool):
        bias = [bias] * hidden + [False] * (len(widths) - 1 - hidden)
    dense = DenseNetwork(
        tuple(widths),
        activations,
        tuple(_list(bias, "network.bias", "write true, false, or a list of these")),
        activation_from_json(body.get("output_activation", "linear"), "network.output_activation"),
    )
    return dense if body["kind"] == "dense" else AddedExponential(dense)


def _monomial_from_json(body: Mapping[str, Any]) -> MonomialLoss:
    check_keys(body, "network", required=("kind", "parameters", "terms"))
    terms = []
    for k, term in enumerate(_list(body["terms"], "network.terms")):
        where = f"network.terms[{k}]"
        check_keys(term, where, required=("coefficient", "exponents"))
        coefficient = exact(term["coefficient"], f"{where}.coefficient")
        terms.append((coefficient, tuple(_list(term["exponents"], f"{where}.exponents"))))
    return MonomialLoss(tuple(_list(body["parameters"], "network.parameters", "write ['x', 'y']")), tuple(terms))


def _students_from_json(body: Mapping[str, Any]) -> StudentTeacher:
    check_keys(body, "network", required=("kind", "inputs", "students", "teacher"))
    teacher = body["teacher"]
    if isinstance(teacher, Mapping) and "orthonormal" in teacher:
        check_keys(teacher, "network.teacher", required=("orthonormal",))
        if not isinstance(teacher["orthonormal"], int):
            raise Invalid("network.teacher.orthonormal", expected="an integer", got=described(teacher["orthonormal"]))
        return StudentTeacher(body["inputs"], body["students"], teacher["orthonormal"])
    check_keys(teacher, "network.teacher", required=("vectors",))
    assert isinstance(teacher, Mapping)
    return StudentTeacher(body["inputs"], body["students"], tuple(_list(teacher["vectors"], "network.teacher.vectors")))


def problem_from_parts(
    net: Network, data: object, loss: object, regularizer: object, *, slug: object, source: object
) -> Problem:
    """Assemble and check a problem from JSON-like parts; scalar weights are repeated."""
    if isinstance(net, MonomialLoss | StudentTeacher | StudentTeacherFamily):
        kind = "monomial" if isinstance(net, MonomialLoss) else "student-teacher"
        for what, part in (("data", data), ("loss", loss), ("regularizer", regularizer)):
            if part is not None:
                raise Invalid(what, expected=f"null for a {kind} loss", got=described(part), remedy="remove it")
        return Problem(net, None, None, None, slug, source)  # type: ignore[arg-type]
    check_keys(data, "data", required=("inputs", "targets"))
    assert isinstance(data, Mapping)
    dataset = Dataset(
        _block(data["inputs"], "data.inputs", net.widths[0]), _block(data["targets"], "data.targets", net.widths[-1])
    )
    check_keys(loss, "loss", required=("kind",), optional=("weights",))
    assert isinstance(loss, Mapping)
    chosen = Loss(loss["kind"], _weights(loss.get("weights", 1), "loss.weights", len(dataset), "sample"))
    return Problem(net, dataset, chosen, _regularizer(regularizer, net), slug, source)  # type: ignore[arg-type]


def _block(body: object, where: str, width: int) -> tuple[tuple[Any, ...], ...]:
    """Rows of ``width`` numbers. The shape is checked before any number is read: it bounds the work."""
    rows = _list(body, where)
    if len(rows) > MAX_SAMPLES:
        raise Invalid(where, expected=f"1 to {MAX_SAMPLES} samples", got=f"{len(rows)}", remedy="use fewer samples")
    for i, row in enumerate(rows):
        if len(_list(row, f"{where}[{i}]")) != width:
            raise Invalid(
                f"{where}[{i}]",
                expected=f"{width} number{'s' if width > 1 else ''}",
                got=described(row),
                remedy="every row is a list, as wide as network.widths says",
            )
    return tuple(_numbers(row, f"{where}[{i}]") for i, row in enumerate(rows))


def _regularizer(body: object, net: DenseNetwork | AddedExponential) -> Regularizer | None:
    if body is None or isinstance(body, Regularizer):
        return body
    check_keys(body, "regularizer", required=("kind", "weights"), optional=("exponent",))
    assert isinstance(body, Mapping)
    if "exponent" in body and body["exponent"] is None:
        raise Invalid("regularizer.exponent", expected="an integer or no such key", got="null", remedy="remove it")
    cubic = body["kind"] == "neuron-cubic" and len(net.widths) == 3
    count, each = (net.widths[1], "hidden unit") if cubic else (net.parameter_count, "parameter")
    weights = _weights(body["weights"], "regularizer.weights", count, each)
    return Regularizer(body["kind"], weights, body.get("exponent"))


def _weights(body: object, where: str, count: int, each: str) -> tuple[Any, ...]:
    if not isinstance(body, list | tuple):
        return (exact(body, where),) * count
    if len(body) != count:
        raise Invalid(
            where,
            expected=f"one number or {count} numbers, one per {each}",
            got=described(body),
            remedy="parameters are ordered layer by layer: weights by rows, then biases"
            if each == "parameter"
            else "one number stands for all",
        )
    return _numbers(body, where)


def _numbers(body: object, where: str) -> tuple[Any, ...]:
    return tuple(exact(v, f"{where}[{k}]") for k, v in enumerate(_list(body, where)))


def _list(
    body: object, where: str, remedy: str = 'rows are lists, even of one number: [["1"], ["2"]]'
) -> list[Any] | tuple[Any, ...]:
    if isinstance(body, list | tuple):
        return body
    raise Invalid(where, expected="a list [...]", got=described(body), remedy=remedy)


__all__ = [
    "FORMAT",
    "MAX_BYTES",
    "activation_from_json",
    "canonical",
    "check_keys",
    "network_from_json",
    "parse_problem",
    "problem_from_parts",
    "read_problem",
    "strict_json",
    "write_problem",
]
