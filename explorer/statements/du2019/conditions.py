"""Conditions that the statements of this paper share, and the constants that they leave open.

A subject's point holds W(0) in the first layer and a_r/sqrt(m) in the second. Where the paper says "eta = O(lambda_0/n^2)" the
step is lambda_0/(4 n^2), where it says "R = c lambda_0/n^2" it is lambda_0/(8 n^2); where it says "with high probability" the
failure probability of each event is 1/10. An irrational lambda_0 is replaced by a short lower or upper bound, on the safe side.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from explorer.errors import Unsupported
from explorer.gram import antipodal, chances
from explorer.gram.limit import is_unit, lambda_0, short_lower
from explorer.gram.training import Hidden, is_model, keeps_patterns
from explorer.problem import DenseNetwork
from explorer.statements.nouns import Judgement, Predicate, Subject

DELTA = Fraction(1, 10)
STEPS = 16


def hidden(subject: Subject) -> Hidden:
    """The model at the subject's point; `Unsupported` where no rational point is given."""
    if subject.point is None:
        raise Unsupported("W(0) and the signs", expected="a point", got="none", remedy="give one with at=")
    return Hidden.of(subject.problem, subject.point)


def inputs(subject: Subject) -> tuple[tuple[Fraction, ...], ...]:
    if subject.problem.data is None:
        raise Unsupported("inputs", expected="a network on data", got="a loss without data")
    return subject.problem.data.inputs


def least(subject: Subject) -> Fraction:
    """A rational number not above lambda_0, equal to it where it is rational."""
    found = lambda_0(inputs(subject))
    return found.exact if found.exact is not None else short_lower(found.lower)


def most(subject: Subject) -> Fraction:
    """A rational number not below lambda_0."""
    found = lambda_0(inputs(subject))
    return found.exact if found.exact is not None else found.upper


def rate(subject: Subject) -> Fraction:
    """The step eta = lambda_0/(4 n^2) on L."""
    return least(subject) / (4 * len(inputs(subject)) ** 2)


def radius(subject: Subject) -> Fraction:
    """R = lambda_0/(8 n^2)."""
    return least(subject) / (8 * len(inputs(subject)) ** 2)


def reach(subject: Subject, *, factor: int, largest: bool) -> Fraction:
    """The square of R' = factor sqrt(n) |y - u(0)| / (sqrt(m) lambda_0); factor 4 for descent, 2 for the flow.

    For an irrational lambda_0 a bound from above (``largest``) or from below.
    """
    start, bottom = hidden(subject), least(subject) if largest else most(subject)
    if bottom <= 0:
        raise Unsupported("R'", expected="a positive lambda_0", got="no positive lower bound")
    return factor**2 * len(start.inputs) * start.squared_error / (len(start.rows) * bottom**2)


def decided(holds: bool, because: str) -> Judgement:
    return Judgement(holds, because)


def predicate(name: str, text: str, test: Callable[[Subject], Judgement], latex: str = "") -> Predicate:
    return Predicate(name, text, test, latex)


def _model(subject: Subject) -> Judgement:
    why = is_model(subject.problem)
    return decided(not why, why or "read off the problem")


def _data(subject: Subject) -> Judgement:
    known = isinstance(subject.problem.network, DenseNetwork) and subject.problem.data is not None
    return decided(known, "read off the problem" if known else "the problem is not a dense network on data")


def _unit(subject: Subject) -> Judgement:
    holds = is_unit(inputs(subject))
    return decided(holds, "every x_i.x_i is 1" if holds else "an input has another length")


def _signs(subject: Subject) -> Judgement:
    holds = hidden(subject).has_signs
    return decided(holds, "m v_r^2 = 1 for every unit" if holds else "an output weight is not +1/sqrt(m) or -1/sqrt(m)")


def _no_ties(subject: Subject) -> Judgement:
    holds = all(z for row in hidden(subject).reach for z in row)
    return decided(holds, "every w_r.x_i differs from 0" if holds else "some w_r.x_i is 0")


def _positive(subject: Subject) -> Judgement:
    found = lambda_0(inputs(subject))
    if found.lower > 0:
        return decided(True, f"lambda_0 is {found.text}")
    if found.exact is not None or antipodal.kernel(inputs(subject)):
        return decided(False, "the limit Gram matrix is singular")
    return Judgement.unknown(f"lambda_0 is {found.text}")


def _distinct(subject: Subject) -> Judgement:
    again = antipodal.duplicates(inputs(subject))
    return decided(not again, "no input is repeated" if not again else f"{len(again)} inputs are repeated")


def _non_parallel(subject: Subject) -> Judgement:
    holds = not antipodal.parallel(inputs(subject))
    return decided(holds, "no two inputs are equal or opposite" if holds else "two inputs are equal or opposite")


def _independent(subject: Subject) -> Judgement:
    found = antipodal.kernel(inputs(subject))
    text = "no input is repeated and the directions of antipodal pairs are linearly independent"
    return decided(not found, text if not found else f"{len(found)} relations among repeated or antipodal inputs")


def _wide(subject: Subject, *, descent: bool) -> Judgement:
    net, data = subject.problem.network, subject.problem.data
    if not isinstance(net, DenseNetwork) or data is None or net.depth < 2:
        raise Unsupported("the width", expected="a dense network with a hidden layer", got="another problem")
    low = least(subject)
    if low <= 0:
        return Judgement.unknown("no positive lower bound of lambda_0 is known")
    label = max(abs(y[0]) for y in data.targets)
    asked = chances.explicit_width(len(data), low, DELTA, label, descent=descent)
    if net.widths[1] >= asked:
        return decided(True, "the width is at least the explicit one")
    digits = str(asked.mid().floor().unique_fmpz() or "a number")
    return decided(
        False, f"width {net.widths[1]} is below the explicit sufficient width, which has {len(digits)} digits"
    )


def _margin(subject: Subject) -> Judgement:
    holds = keeps_patterns(hidden(subject))
    return decided(holds, "every |w_r.x_i| exceeds sqrt(n) |y - u(0)| / (sqrt(m) lambda_min(H(0)))" if holds else "H(0) is singular, or some |w_r.x_i| is too small")  # fmt: skip


def _gram_event(subject: Subject) -> Judgement:
    found, bound = hidden(subject).least, most(subject)
    if found.lower >= Fraction(3, 4) * bound:
        return decided(True, f"lambda_min(H(0)) is {found.text}")
    if found.upper < Fraction(3, 4) * least(subject):
        return decided(False, f"lambda_min(H(0)) is {found.text}, below 3/4 of lambda_0")
    return Judgement.unknown("the bounds of the two eigenvalues overlap")


MODEL = predicate(
    "model",
    "the problem is the model (1)-(2): one hidden ReLU layer, scalar output, no biases, plain squared loss",
    _model,
)
DATA = predicate("network-data", "the problem is a dense network on data", _data)
UNIT = predicate("unit-inputs", "every input has length 1", _unit, r"\|x_i\|=1")
SIGNS = predicate("signs", "the output weights are +1/sqrt(m) or -1/sqrt(m)", _signs, r"a_r\in\{\pm1\}")
NO_TIES = predicate("no-ties", "no hidden unit has a sample on its kink", _no_ties, r"w_r^\top x_i\ne0")
POSITIVE = predicate("lambda-positive", "the limit Gram matrix is positive definite", _positive, r"\lambda_0>0")
DISTINCT = predicate("distinct", "no two inputs are equal", _distinct)
NON_PARALLEL = predicate("non-parallel", "no two inputs are parallel", _non_parallel, r"x_i\nparallel x_j")
INDEPENDENT = predicate(
    "independent-pairs", "no input is repeated and antipodal directions are linearly independent", _independent
)
WIDE_FOR_FLOW = predicate("width-flow", "the width is at least (512/pi)(C^2+1/2) n^6/(lambda_0^4 delta^3), delta = 1/10", lambda s: _wide(s, descent=False), r"m=\Omega(n^6/\lambda_0^4)")  # fmt: skip
WIDE_FOR_DESCENT = predicate("width-descent", "the width is at least (8192/pi)(C^2+1/2) n^6/(lambda_0^4 delta^3), delta = 1/10", lambda s: _wide(s, descent=True), r"m=\Omega(n^6/\lambda_0^4)")  # fmt: skip
MARGIN = predicate("margin", "every pre-activation is farther from 0 than its weights can move in total", _margin, r"\min|w_r(0)^\top x_i|>\tfrac{\sqrt n\|y-u(0)\|}{\sqrt m\lambda_{\min}(H(0))}")  # fmt: skip
GRAM_EVENT = predicate("gram-event", "the smallest eigenvalue of H(0) is at least 3/4 of lambda_0", _gram_event, r"\lambda_{\min}(H(0))\ge\tfrac34\lambda_0")  # fmt: skip
