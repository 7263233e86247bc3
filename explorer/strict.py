"""Strict JSON: no floats, no NaN, no duplicate keys, bounded bytes, depth and digits. The text layer of every reader.

What the grammar of JSON allows and this project does not (0.1, NaN, a key twice) is replaced by a mark while parsing,
and then found again in the finished tree, so that the message can say where it stands.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from explorer.errors import Invalid, described
from explorer.exact import MAX_DIGITS

MAX_BYTES = 8_000_000
MAX_DEPTH = 16
#: lists and objects, and values, in one file: they bound memory and time long before the bytes do. Bytes, depth, digits, lists
#: and objects are bounded as in the checker, so that each reads what the other does; the bound on values is of this reader
MAX_GROUPS = 300_000
MAX_VALUES = 1_000_000
#: refused values after which the search for the first one's place is not worth its memory
MAX_MARKS = 1_000
#: strings (possessively: linear time on any input) and brackets; everything between them does not matter for depth
_TOKENS = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)


@dataclass(frozen=True)
class _Mark:
    """Something in the text that JSON allows and we refuse."""

    expected: str
    got: str
    remedy: str


def strict_json(raw: bytes | str) -> dict[str, Any]:
    """The JSON object in ``raw`` without floats, NaN, duplicate keys, deep nesting or non-UTF-8 bytes.

    `Invalid` otherwise, with the path of the offending value (``data.inputs[0][1]``) or its line and column.
    """
    if len(raw) > MAX_BYTES:
        raise Invalid(
            "file", expected=f"at most {MAX_BYTES} bytes", got=f"{len(raw)} or more", remedy="use a smaller problem"
        )
    try:
        source = raw.decode("utf-8") if isinstance(raw, bytes) else raw
    except UnicodeDecodeError as error:
        raise Invalid(
            "file", expected="UTF-8 text", got=f"a wrong byte at position {error.start}", remedy="save it as UTF-8"
        ) from None
    if source.startswith("\ufeff"):
        raise Invalid("file", expected="UTF-8 text", got="a byte order mark", remedy="save it as UTF-8 without BOM")
    _check_shape(source)
    marks: list[_Mark] = []

    def mark(expected: str, got: str, remedy: str) -> _Mark:
        marks.append(_Mark(expected, got, remedy))
        if len(marks) > MAX_MARKS:
            raise Invalid("file", expected=marks[0].expected, got=f"{marks[0].got}, and many more", remedy=remedy)
        return marks[-1]

    def decimal(token: str) -> _Mark:
        return mark("an exact number", f"the decimal {token[:40]}", "write '1/10' for 0.1, as a string")

    def constant(token: str) -> _Mark:
        return mark("an exact number", token, "NaN and Infinity are not data")

    def integer(token: str) -> int | _Mark:
        if len(token.lstrip("-")) > MAX_DIGITS:
            return mark(f"at most {MAX_DIGITS} digits", f"{len(token)}", "use a smaller number")
        return int(token)

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _Mark:
        out = dict(pairs)
        if len(out) == len(pairs):
            return out
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        return mark("each key once", f"the key {described(twice)} twice", "remove one")

    try:
        body = json.loads(
            source, parse_float=decimal, parse_constant=constant, parse_int=integer, object_pairs_hook=unique
        )
    except json.JSONDecodeError as error:
        raise Invalid(
            f"line {error.lineno}, column {error.colno}",
            expected="JSON",
            got=_reason(error),
            remedy="compare with a file shown by 'explorer cases SLUG'",
        ) from None
    if marks:
        _complain(body)
    if not isinstance(body, dict):
        raise Invalid(
            "file", expected="a JSON object {...}", got=described(body), remedy="put everything into one object"
        )
    return body


def _reason(error: json.JSONDecodeError) -> str:
    if error.msg == "Extra data":
        return "more text after the end"
    if not error.doc.strip():
        return "an empty file"
    return f"a fault ({error.msg})"


def _complain(body: object) -> NoReturn:
    """Raise for the first mark in the tree, with its path. Marks can only be lost under another mark."""
    stack: list[tuple[str, object]] = [("", body)]
    while stack:
        path, node = stack.pop()
        if isinstance(node, _Mark):
            raise Invalid(path or "file", expected=node.expected, got=node.got, remedy=node.remedy)
        if isinstance(node, dict):
            children = [(f"{path}.{k}" if path else str(k), v) for k, v in node.items()]
            stack += [(_plain(p), v) for p, v in reversed(children)]
        elif isinstance(node, list):
            stack += [(f"{path}[{k}]", v) for k, v in reversed(list(enumerate(node)))]
    raise AssertionError("a mark without a place")


def _plain(path: str) -> str:
    """The path in printable ASCII and of bounded length (keys come from the file)."""
    return path if path.isascii() and path.isprintable() and len(path) <= 200 else ascii(path[:200])[1:-1]


def _check_shape(source: str) -> None:
    """Bound the depth and the number of values before anything is built from the text."""
    values = max(source.count(","), source.count('"') // 3)
    if values > MAX_VALUES:
        raise Invalid("file", expected=f"at most {MAX_VALUES} values", got="more", remedy="use a smaller problem")
    depth = groups = 0
    for token in _TOKENS.finditer(source):
        first = token.group()[0]
        if first in "[{":
            depth, groups = depth + 1, groups + 1
            if depth > MAX_DEPTH:
                raise Invalid(
                    "file", expected=f"nesting of at most {MAX_DEPTH}", got="deeper nesting", remedy="flatten the data"
                )
            if groups > MAX_GROUPS:
                raise Invalid(
                    "file", expected=f"at most {MAX_GROUPS} lists and objects", got="more", remedy="use fewer samples"
                )
        elif first in "]}":
            depth -= 1


def check_keys(body: object, where: str, *, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> None:
    """Raise unless ``body`` is an object with every required key and none but these and the optional ones."""
    if not isinstance(body, Mapping):
        raise Invalid(where, expected="an object {...}", got=described(body), remedy=f"it holds {', '.join(required)}")
    for key in body:
        if key not in required and key not in optional:
            raise Invalid(
                where,
                expected=f"keys among {', '.join((*required, *optional))}",
                got=described(key),
                remedy="remove or rename it",
            )
    for key in required:
        if key not in body:
            raise Invalid(where, expected=f"the key {key!r}", got="none", remedy="add it")
