"""Numbers, points and problems as short text and as LaTeX, for people. Approximations are marked with "~" and never read back."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from explorer.exact import text
from explorer.point import AnyPoint, Element, EnclosedPoint, Field, Ln2Ring
from explorer.problem import (
    Activation,
    AddedExponential,
    DenseNetwork,
    MonomialLoss,
    Problem,
    StudentTeacher,
    StudentTeacherFamily,
)
from explorer.students import LATEX

#: longest exact number that a table shows; longer ones are shown as approximations
LONGEST = 24


def short(value: Fraction) -> str:
    """A rational number: exact when it fits into a table, else "~" and six digits."""
    exact = text(value)
    return exact if len(exact) <= LONGEST else "~" + approximate(value)


def approximate(value: Fraction) -> str:
    """Six significant digits of a rational number of any size; more, up to 15, where six would look like an integer."""
    try:
        near = float(value)
    except OverflowError:
        digits = str(abs(value.numerator) // value.denominator)
        return f"{'-' if value < 0 else ''}{digits[0]}.{digits[1:6]}e+{len(digits) - 1}"
    return next((s for s in (f"{near:.{k}g}" for k in (6, 9, 12, 15)) if "." in s or "e" in s), f"{near:.6g}")


def element(value: Element, field: Field) -> str:
    """One coordinate: a rational, a polynomial in ln 2, or an approximation of an algebraic number."""
    if not any(value[1:]):
        return short(value[0])
    if isinstance(field, Ln2Ring):
        shown = _polynomial(value, "ln2")
        if len(shown) <= 2 * LONGEST:
            return shown
    from explorer.solve.scalars import enclosure

    lo, hi = enclosure(value, field)
    return "~" + approximate((lo + hi) / 2)


def coordinates(point: AnyPoint) -> tuple[str, ...]:
    """The coordinates of a point, in parameter order."""
    if isinstance(point, EnclosedPoint):
        ends = zip(point.lower, point.upper, strict=True)
        return tuple(text(a) if a == b else "~" + approximate((a + b) / 2) for a, b in ends)
    return tuple(element(c, point.field) for c in point.coordinates)


def point(where: AnyPoint, names: tuple[str, ...], *, most: int = 12) -> str:
    """``w = 1, v = ~0.618034``; long points are cut, saying how many coordinates are left out."""
    pairs = [f"{n} = {c}" for n, c in zip(names, coordinates(where), strict=True)]
    return ", ".join(pairs if len(pairs) <= most else [*pairs[:most], f"... ({len(pairs) - most} more)"])


def _polynomial(coefficients: tuple[Fraction, ...], variable: str) -> str:
    terms = []
    for k, c in enumerate(coefficients):
        if not c:
            continue
        power = "" if k == 0 else variable if k == 1 else f"{variable}^{k}"
        size = text(abs(c)) if not power or abs(c) != 1 else ""
        terms.append(("-" if c < 0 else "+", f"{size} {power}".strip()))
    if not terms:
        return "0"
    head = ("-" if terms[0][0] == "-" else "") + terms[0][1]
    return " ".join([head, *(f"{sign} {term}" for sign, term in terms[1:])])


# -- problems ---------------------------------------------------------------------------------------------------


def activation(a: Activation) -> str:
    """``sigmoid``, ``leaky_relu(1/10)``, ``polynomial(-1/8, 1/4, -1/8)``."""
    body = a.to_json()
    inside = [v if isinstance(v, str) else ", ".join(map(str, v)) for k, v in body.items() if k != "kind"]
    return a.kind + (f"({'; '.join(inside)})" if inside else "")


def network(problem: Problem) -> str:
    """One line that says which function of the parameters the network is."""
    net = problem.network
    if isinstance(net, MonomialLoss):
        return f"polynomial in {', '.join(net.names)} with {len(net.terms)} terms"
    if isinstance(net, StudentTeacher):
        kind = "orthonormal" if isinstance(net.teacher, int) else "given"
        return f"{net.students} ReLU students of {net.units} {kind} teacher vectors, normal inputs in R^{net.inputs}"
    net, added = (net.base, ["one exponential unit added"]) if isinstance(net, AddedExponential) else (net, [])
    if isinstance(net, StudentTeacherFamily):
        return f"k ReLU students of k orthonormal teacher vectors, normal inputs in R^k, k = {net.first} to {net.last}"
    shape = "-".join(map(str, net.widths))
    kinds = list(dict.fromkeys(activation(a) for a in net.activations))
    parts = [f"dense {shape}", " / ".join(kinds) if kinds else "linear"]
    parts.append(
        "biases in layers " + ", ".join(str(k) for k, b in enumerate(net.bias, 1) if b)
        if any(net.bias)
        else "no biases"
    )
    if net.output.kind != "linear":
        parts.append(f"output {activation(net.output)}")
    return ", ".join([*parts, *added])


def loss(problem: Problem) -> str:
    """One line that says which loss and regularizer are meant."""
    if problem.loss is None or problem.data is None:
        return "F is given directly"
    weighted = any(w != 1 for w in problem.loss.weights)
    line = f"{problem.loss.kind} on {len(problem.data)} sample{'s' if len(problem.data) > 1 else ''}" + (
        ", weighted" if weighted else ""
    )
    if problem.regularizer is not None:
        weights = sorted(set(problem.regularizer.weights))
        line += f" + {problem.regularizer.kind} ({', '.join(text(w) for w in weights[:4])}{', ...' if len(weights) > 4 else ''})"
    return line


# -- LaTeX ------------------------------------------------------------------------------------------------------


def latex_number(shown: str) -> str:
    """The LaTeX of a number as `element` shows it."""
    if shown.startswith("~"):
        mantissa, _, exponent = shown[1:].partition("e")
        return rf"\approx {mantissa}" + (rf" \cdot 10^{{{int(exponent)}}}" if exponent else "")
    words = []
    for word in shown.split():
        numerator, slash, denominator = word.partition("/")
        sign = "-" if numerator.startswith("-") else ""
        if slash:
            words.append(rf"{sign}\tfrac{{{numerator.lstrip('-')}}}{{{denominator}}}")
        else:
            words.append(word.replace("ln2", r"\ln 2"))
    return " ".join(words)


def latex_name(name: str) -> str:
    """``w1_2_3`` as w^{(1)}_{2,3}, ``b1_2`` as b^{(1)}_{2}; other names upright."""
    letter, rest = name[:1], name[1:].split("_")
    if letter in ("w", "b") and len(rest) == (3 if letter == "w" else 2) and all(r.isdigit() for r in rest):
        return rf"{letter}^{{({rest[0]})}}_{{{','.join(rest[1:])}}}"
    if len(name) == 1:
        return name
    return rf"\mathrm{{{name.replace('_', chr(92) + '_')}}}"


def latex_loss(problem: Problem) -> str:
    """F(theta) in the field's usual symbols, with the sizes of this problem."""
    net = problem.network
    if isinstance(net, MonomialLoss):
        terms = []
        for c, exponents in net.terms:
            powers = " ".join(
                latex_name(n) + (f"^{{{e}}}" if e > 1 else "") for n, e in zip(net.names, exponents, strict=True) if e
            )
            size = latex_number(text(abs(c))) if not powers or abs(c) != 1 else ""
            terms.append(("-" if c < 0 else "+") + f" {size} {powers}".rstrip())
        joined = " ".join(terms).removeprefix("+ ")
        return rf"F({', '.join(map(latex_name, net.names))}) = {joined}"
    if isinstance(net, StudentTeacher | StudentTeacherFamily):
        return LATEX
    assert isinstance(net, DenseNetwork | AddedExponential)
    assert problem.loss is not None
    assert problem.data is not None
    n, weight = len(problem.data), "c_i " if any(w != 1 for w in problem.loss.weights) else ""
    inside = (
        r"\lvert y_i - f_\theta(x_i) \rvert^2"
        if problem.loss.kind == "squared"
        else r"\ln\left(1 + e^{-y_i f_\theta(x_i)}\right)"
    )
    extra = {
        None: "",
        "l2": r" + \sum_k \lambda_k \theta_k^2",
        "power": r" + \sum_k \lambda_k \lvert\theta_k\rvert^{p}",
        "neuron-cubic": r" + \tfrac13 \sum_j \lambda_j \left(\lvert a_j\rvert^3 + 2 (\lvert w_j\rvert^2 + b_j^2)^{3/2}\right)",
    }[problem.regularizer.kind if problem.regularizer else None]
    if problem.regularizer is not None and problem.regularizer.exponent is not None:
        extra = extra.replace("{p}", f"{{{problem.regularizer.exponent}}}")
    return rf"F(\theta) = \sum_{{i=1}}^{{{n}}} {weight}{inside}{extra}, \qquad \theta \in \mathbb{{R}}^{{{net.parameter_count}}}"


def latex_point(where: AnyPoint, names: tuple[str, ...], *, most: int = 6) -> str:
    """A point as equations, cut after ``most`` coordinates."""
    pairs = [
        f"{latex_name(n)} " + (s if s.startswith(r"\approx") else f"= {s}")
        for n, s in zip(names, map(latex_number, coordinates(where)), strict=True)
    ]
    return r",\; ".join(pairs if len(pairs) <= most else [*pairs[:most], r"\dots"])


def mapping_text(body: Any) -> str:
    """Small JSON data on one line: ``kind=global-minimum, point=p``; what is empty is left out."""
    said = {k: "/".join(map(str, v)) if isinstance(v, (list, tuple)) else str(v) for k, v in body.items()}
    return ", ".join(f"{k}={v}" for k, v in said.items() if v)
