"""Section 2: losses, the literal space of networks, the canonical space of Fourier coefficients."""

from __future__ import annotations

from explorer.canonical.disparity import on_cells, ring_of
from explorer.canonical.fourier import tail
from explorer.canonical.interpolation import forced_breaks, interpolant
from explorer.canonical.slopes import loss_value
from explorer.canonical.truncated import ends, limit_value
from explorer.errors import Unsupported
from explorer.point import Point
from explorer.problem import DenseNetwork
from explorer.statements.jiang2019 import problems
from explorer.statements.jiang2019.conditions import (
    AT_POINT,
    CUBE,
    ON_LINE,
    at,
    given,
    inner,
    on_line,
    point_of,
    under,
    zero_loss,
)
from explorer.statements.nouns import (
    Concept,
    Example,
    Fairness,
    Ground,
    Judgement,
    Outcome,
    Predicate,
    Repair,
    Sort,
    Statement,
    Subject,
    Verdict,
    Witness,
)
from explorer.statements.predicates import squared_loss

CANONICAL = (Concept.CANONICAL,)


def _attained(s: Subject) -> Judgement:
    loss = s.problem.loss
    assert loss is not None
    if loss.kind == "squared":
        return Judgement(True, "the squared loss is 0 exactly at z = y")
    shows = (Witness("unattained-infimum", s.point),)
    return Judgement(False, "ln(1 + e^(-y z)) > 0 for every output z: the infimum 0 is not attained", shows=shows)


ATTAINED = Predicate(
    "zero-of-the-loss-attained",
    "the loss of every sample is 0 for some output",
    _attained,
    r"\ell(y,y')=0\iff y'=y",
)
EQ_1 = Statement(
    id="jiang2019.eq-1",
    sort=Sort.ASSUMPTION,
    section="2",
    title="Meaningful loss functions",
    text="A loss that is convex in the output, never negative, and 0 exactly where the output is the label. Squared error and "
    "cross-entropy are given as examples.",
    latex=r"\ell(y,y')\ge0,\quad \ell(y,y')=0\iff y=y',\quad \ell(y,\cdot)\text{ convex}",
    quantifiers="for all labels and outputs",
    hypotheses=(CUBE,),
    conclusion=ATTAINED,
    verdict=Verdict.NEEDS_REPAIR,
    ground=Ground.VERIFIED,
    because="on logits the cross-entropy is positive everywhere",
    finding="For cross-entropy as a function of logits no output has loss 0; the infimum 0 is not a minimum.",
    fairness=Fairness.IN_CONTEXT,
    repair=Repair(
        "Losses with an attained zero: the squared loss, or cross-entropy in the predicted probability with hard labels; "
        "otherwise say infimum instead of minimum.",
        (CUBE, squared_loss()),
        ATTAINED,
    ),
    remarks=("As a function of the predicted probability, with hard labels, cross-entropy has the property.",),
    concepts=(Concept.LOSS,),
    examples=(
        Example("squared loss", True, Outcome.HOLDS, at(problems.LINE), repaired=Outcome.HOLDS, source="(y - z)^2"),
        Example(
            "logistic loss, one sample",
            False,
            Outcome.REFUTED,
            at(problems.network([1, 1], "linear", [1], [1], loss="logistic"), [0]),
            repaired=Outcome.VACUOUS,
            smallest=True,
            source="by hand: ln(1 + e^-w) falls to 0 and stays positive",
        ),
    ),
)


def _represented(s: Subject) -> Judgement:
    if isinstance(s.point, Point) and s.point.is_rational and zero_loss(s):
        return Judgement(True, "the given parameters take the prescribed values", shows=(Witness("global-minimum", s.point),))  # fmt: skip
    forced, most = forced_breaks(s.problem)
    if forced > most:
        return Judgement(
            False,
            f"functions with these values need {forced} breakpoints, the network has at most {most}",
            shows=(Witness("not-interpolable"),),
        )
    found = interpolant(s.problem)
    if found is not None:
        return Judgement(True, "a point with these values was constructed", shows=(Witness("global-minimum", found),))
    return Judgement.unknown("neither a representing point nor an obstruction is known")


REPRESENTED = Predicate(
    "values-represented",
    "some parameters give the network the prescribed values (so it can equal a bounded function that has them)",
    _represented,
    r"\exists w:\ f_w(x_t)=y_t",
)


def _enough(s: Subject) -> Judgement:
    try:
        found = interpolant(s.problem)
    except Unsupported as error:
        return Judgement(False, error.sentence())
    return Judgement(found is not None, "one ReLU unit per sample (one less with an output bias)" if found else "too few units")  # fmt: skip


DEF_LITERAL_SPACE = Statement(
    id="jiang2019.def-literal-space",
    sort=Sort.DEFINITION,
    section="2.1, 2.3",
    title="The literal space maps onto the bounded functions",
    text="The networks of a fixed architecture with M parameters are called the literal space; the map from parameters to "
    "functions on the cube is said to be onto the bounded functions, and not one-to-one.",
    latex=r"w\in\mathbb R^M\mapsto f_w\in L^1(U_K)\ \text{surjective, not injective}",
    quantifiers="for every bounded f there is w, M fixed",
    hypotheses=(ON_LINE,),
    conclusion=REPRESENTED,
    verdict=Verdict.FALSE,
    ground=Ground.VERIFIED,
    because="a layer of J ReLU units on the line has at most J kinks",
    finding="For fixed M the map is not onto: functions with more breakpoints than units are missed. Universal "
    "approximation gives density as the width grows, in a norm.",
    repair=Repair(
        "Finite interpolation: with distinct inputs and one ReLU unit per sample every target vector is taken.",
        (ON_LINE, under(ON_LINE, "enough-units", "there are enough ReLU units for the samples", _enough)),
        REPRESENTED,
    ),
    remarks=("It is not injective: (w, v) and (w/c, c v), c > 0, give the same ReLU unit.",),
    concepts=(*CANONICAL, Concept.WIDTH),
    examples=(
        Example(
            "one unit, a zigzag",
            False,
            Outcome.REFUTED,
            at(problems.ZIGZAG),
            repaired=Outcome.VACUOUS,
            smallest=True,
            source="by hand: the zigzag bends in (0, 1/2) and in (1/2, 1), one unit has one kink",
        ),
        Example(
            "three cubic units, five samples",
            False,
            Outcome.REFUTED,
            at(problems.network([1, 3, 1], "cubic", [0, "1/4", "1/2", "3/4", 1], [0, 0, 0, 0, 1], bias=True)),
            source="by hand: a polynomial of degree 3 with four zeros is 0",
        ),
        Example(
            "8 relu(x - 1/8)",
            True,
            Outcome.HOLDS,
            at(problems.SILENT),
            repaired=Outcome.HOLDS,
            source="by hand: it is 0 at 1/8 and 1 at 1/4",
        ),
    ),
)


def _by_coefficients(s: Subject) -> Judgement:
    here, there = loss_value(s.problem, point_of(s)), limit_value(s.problem, point_of(s))
    if here == there:
        return Judgement(True, f"f and the limit of its Fourier series both have the loss {here}")
    because = f"f and the limit of its Fourier series have equal coefficients, but the losses {here} and {there}"
    return Judgement(False, because, shows=(Witness("truncated-loss-gap", point_of(s)),))


BY_COEFFICIENTS = Predicate(
    "loss-depends-on-coefficients-only",
    "the network function and the limit of its Fourier series, which have equal coefficients, have equal losses",
    _by_coefficients,
)
INNER = given(
    "inputs-inside",
    "all inputs lie in the open interval (0, 1)",
    lambda s: Judgement(inner(s), "read off the data" if inner(s) else "an input is 0 or 1"),
)
FACT_FOURIER_CANONICAL = Statement(
    id="jiang2019.fact-fourier-canonical",
    sort=Sort.FACT,
    section="2.2, eqs. (4)-(5)",
    title="Fourier coefficients as a one-to-one model space",
    text="Every bounded function corresponds to exactly one sequence of Fourier coefficients, a point of a Hilbert space, and "
    "every such point to exactly one function; the loss is then treated as a function of the coefficients.",
    latex=r"\theta_k=\int_{U_K}f(x)e^{-2\pi ik\cdot x}dx,\qquad f\leftrightarrow\theta\ \text{bijective}",
    quantifiers="for all bounded f, for all square-summable coefficients",
    hypotheses=(AT_POINT,),
    conclusion=BY_COEFFICIENTS,
    verdict=Verdict.FALSE,
    ground=Ground.VERIFIED,
    because="functions that differ on a null set share all coefficients, and the loss looks at finitely many points",
    finding="The loss is no function of the coefficients: a network with f(0) != f(1) and the limit of its Fourier series have "
    "the same coefficients and different losses on data at 0 or 1. Nor is the map onto: the coefficients 1/(2|k|) are "
    "square-summable, and their series -ln(2 sin pi x) is unbounded.",
    repair=Repair(
        "Functions modulo null sets correspond to square-summable coefficients (Parseval); point evaluations need a "
        "continuous representative, and data inside the cube.",
        (AT_POINT, INNER),
        BY_COEFFICIENTS,
    ),
    remarks=(
        "The indicator of the point 1/3 has all coefficients 0, and on the datum (1/3, 1) it has loss 0 where the zero function has 1.",
    ),
    concepts=CANONICAL,
    examples=(
        Example(
            "ramp, datum at the end",
            False,
            Outcome.REFUTED,
            at(problems.RAMP, [1, 1]),
            repaired=Outcome.VACUOUS,
            smallest=True,
            source="by hand: the series of x is 1/2 at 0, so the losses of (0, 0) are 0 and 1/4",
        ),
        Example("ramp, datum inside", True, Outcome.HOLDS, at(problems.RAMP_INSIDE, [1, 1]), repaired=Outcome.HOLDS),
    ),
)


def _everywhere(s: Subject) -> Judgement:
    a, b = ends(on_line(s))
    if a == b:
        return Judgement(True, "f is Lipschitz and takes the same value at 0 and 1: its series converges everywhere")
    because = f"at 0 and at 1 the series tends to {(a + b) / 2}, while f(0) = {a} and f(1) = {b}"
    return Judgement(False, because, shows=(Witness("fourier-gap", point_of(s)),))


EVERYWHERE = Predicate(
    "series-converges-everywhere",
    "the Fourier series of the network function converges to it at every point of [0, 1]",
    _everywhere,
    r"f(x)=\sum_k\theta_ke^{2\pi ik\cdot x}",
)
MATCHING = given(
    "ends-match",
    "the network function takes the same value at 0 and at 1",
    lambda s: Judgement((pair := ends(on_line(s)))[0] == pair[1], f"f(0) = {pair[0]}, f(1) = {pair[1]}"),
    r"f_w(0)=f_w(1)",
)
FACT_POINTWISE_CONVERGENCE = Statement(
    id="jiang2019.fact-pointwise-convergence",
    sort=Sort.FACT,
    section="2.2, eq. (5)",
    title="The Fourier series converges everywhere to the function",
    text="For every bounded integrable function the Fourier series is said to reconstruct the function at every point of the cube.",
    latex=r"\forall f\in L^1(U_K)\ \forall x\in U_K:\ f(x)=\sum_{k\in\mathbb Z^K}\theta_ke^{2\pi ik\cdot x}",
    quantifiers="for all bounded f, for all x of the closed cube",
    hypotheses=(AT_POINT,),
    conclusion=EVERYWHERE,
    verdict=Verdict.FALSE,
    ground=Ground.VERIFIED,
    because="at the ends of [0, 1] the series takes the mean of f(0) and f(1)",
    finding="The series is 1-periodic: for the ramp f(x) = x, one ReLU unit, every partial sum is 1/2 at 0 and at 1. So the claim "
    "fails at the faces of the cube for every network with f(0) != f(1).",
    fairness=Fairness.SOLID,
    repair=Repair(
        "f Lipschitz with matching values on opposite faces (or data inside the cube): then the partial sums converge to f.",
        (AT_POINT, MATCHING),
        EVERYWHERE,
    ),
    remarks=(
        "Even continuous periodic functions can have a divergent series at a point (du Bois-Reymond); almost everywhere "
        "convergence is Carleson's theorem.",
        "Near the ends the error does not become small uniformly (Gibbs), so small mean square errors say nothing about data there.",
    ),
    concepts=CANONICAL,
    examples=(
        Example(
            "ramp",
            False,
            Outcome.REFUTED,
            at(problems.RAMP, [1, 1]),
            repaired=Outcome.VACUOUS,
            smallest=True,
            source="by hand: the sine terms vanish at 0",
        ),
        Example(
            "a hat",
            True,
            Outcome.HOLDS,
            at(problems.network([1, 2, 1], "relu", [0], [0], bias=[True, False]), [1, 1, 0, "-1/2", 1, -2]),
            repaired=Outcome.HOLDS,
            source="by hand: relu(x) - 2 relu(x - 1/2) is 0 at 0 and at 1",
        ),
    ),
)


def _uniform(s: Subject) -> Judgement:
    a, b = ends(on_line(s))
    net = s.problem.network
    if not isinstance(net, DenseNetwork) or net.output.kind != "linear" or a == b:
        return Judgement.unknown(
            "the point shows no unbounded error: it has matching ends, or the output is not linear"
        )
    because = (
        f"f(0) = {a} != f(1) = {b}: every partial sum has a positive error, and scaling the output weights scales it"
    )
    return Judgement(False, because, shows=(Witness("truncation-unbounded", point_of(s)),))


def _single(s: Subject) -> Judgement:
    found = on_line(s)
    ring = ring_of(found)
    errors = [ring.enclose(tail(ring, on_cells(found), n)).real for n in (1, 2, 4)]
    shown = ", ".join(e.str(4, radius=False) for e in errors)
    return Judgement(True, f"Parseval: the errors fall to 0; with |k| <= 1, 2, 4 they are about {shown}")


FACT_TRUNCATION = Statement(
    id="jiang2019.fact-truncation",
    sort=Sort.FACT,
    section="2.2, eq. (6)",
    title="Truncation to finitely many coefficients",
    text="The coefficients decay, so finitely many of them approximate a function in mean square to any precision. Later one "
    "number N of coefficients is used for all networks that training visits.",
    latex=r"\forall\epsilon\ \exists N_\epsilon:\ \|f-S_{N_\epsilon}f\|_{L^2}\le\epsilon",
    quantifiers="for all f and epsilon there is N; section 3.2 uses one N for all parameters",
    hypotheses=(AT_POINT,),
    conclusion=Predicate(
        "one-truncation-for-all-parameters",
        "for every precision one number of coefficients serves all parameters",
        _uniform,
        r"\exists N\ \forall w:\ \|f_w-S_Nf_w\|\le\epsilon",
    ),
    verdict=Verdict.NEEDS_REPAIR,
    ground=Ground.VERIFIED,
    because="the error of w x is proportional to w",
    finding="True for each single function; no N serves all parameters, since scaling the output weights scales the error.",
    repair=Repair(
        "For one function, or uniformly for parameters in a compact set.",
        (AT_POINT,),
        Predicate("truncation-of-one-function", "the mean square error of this function tends to 0", _single),
    ),
    remarks=("Eq. (6) prints e^(ik.x) for e^(2 pi i k.x).",),
    concepts=CANONICAL,
    examples=(
        Example(
            "w x, w large",
            False,
            Outcome.REFUTED,
            at(problems.RAMP, [1, 1]),
            repaired=Outcome.HOLDS,
            smallest=True,
            source="by hand: the error is w^2/(2 pi^2) times the sum of 1/k^2 over k > n",
        ),
    ),
)

STATEMENTS = (
    EQ_1,
    DEF_LITERAL_SPACE,
    FACT_FOURIER_CANONICAL,
    FACT_POINTWISE_CONVERGENCE,
    FACT_TRUNCATION,
)
