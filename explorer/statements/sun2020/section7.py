"""Section VII: algorithms. Limits of deterministic algorithms, one sample in closed form, saddles."""

from __future__ import annotations

from fractions import Fraction

from explorer.errors import Unsupported
from explorer.induced.features import gradient_features
from explorer.point import AnyPoint, Point
from explorer.probes.descent import limit_inferior
from explorer.probes.flat import flat_line, with_limit
from explorer.probes.near import value_at
from explorer.problem import DenseNetwork, Problem
from explorer.solve.results import Component, Kind
from explorer.statements.nouns import (
    Concept,
    Edge,
    Example,
    Fairness,
    Ground,
    Judgement,
    NotCheckable,
    Outcome,
    Predicate,
    Relation,
    Sort,
    Statement,
    Subject,
    Verdict,
    Witness,
)
from explorer.statements.predicates import on_data
from explorer.statements.sun2020.conditions import (
    CRITICAL,
    LINEAR_OUTPUT,
    NO_REGULARIZER,
    ONE_HIDDEN,
    everywhere,
    look,
    on_problem,
)
from explorer.statements.sun2020.instances import ln2, neuron, on, sigmoid, vw, xyz
from explorer.statements.sun2020.kernels import LOCAL_MINIMUM, at_point, exact_point
from explorer.statements.sun2020.section6 import narrow

F = Fraction
USES, RELATED = Relation.USES, Relation.RELATED
RATES = (F(1, 4), F(1, 2), F(1))
STEPS = 6

# -- Definition VII.1 -----------------------------------------------------------------------------------------------------


def _asymptotic(subject: Subject) -> Judgement:
    point, known = exact_point(subject), []
    for rate in RATES:
        value = limit_inferior(subject.problem, point, rate, STEPS)
        if value is not None:
            known.append(f"{value} for the step {rate}")
    if not known:
        return Judgement.unknown(
            f"no orbit of gradient descent with step {', '.join(map(str, RATES))} is periodic within {STEPS} steps"
        )
    return Judgement(True, f"phi_A(theta) = {', '.join(known)} (periodic orbits)")


def parabola() -> Problem:
    return Problem.monomial(["x"], {(2,): 1}, slug="parabola")


LIMIT = Statement(
    id="sun2020.def-VII.1",
    sort=Sort.DEFINITION,
    section="VII-A",
    title="The value that an algorithm reaches",
    text="For a deterministic algorithm A the number phi_A(theta) is the limit inferior of F along the iterates from theta.",
    latex=r"\phi_{\mathcal A}(\theta)=\liminf_{k\to\infty}F(\mathcal A^k(\theta))",
    quantifiers="definition",
    hypotheses=(),
    conclusion=Predicate(
        "limit-inferior", "phi_A is known exactly for gradient descent with step 1/4, 1/2 or 1", _asymptotic
    ),
    verdict=Verdict.TRUE,
    ground=Ground.ARGUED,
    because="a definition; exact where an orbit becomes periodic",
    remarks=(
        "The limit inferior asks for no convergence: for x^2 and step 1 the orbit is x, -x, x, ... and phi_A = x^2.",
        "Stochastic gradient descent is not covered.",
    ),
    concepts=(Concept.DYNAMICS,),
    examples=(
        Example(
            "parabola",
            True,
            Outcome.HOLDS,
            on(parabola, 1),
            smallest=True,
            source="by hand: 0 for step 1/2, 1 for step 1",
        ),
        Example(
            "vw from (2, 2)", True, Outcome.HOLDS, on(vw, 2, 2), source="by hand: one step of 1/4 leads to (-1, -1)"
        ),
        Example("a sigmoid unit", False, Outcome.UNDECIDED, on(lambda: neuron("sigmoid"), 1, 1)),
    ),
)

CONJECTURE = Statement(
    id="sun2020.conj-VII.1",
    sort=Sort.CONJECTURE,
    section="VII-A",
    title="Gradient descent from random weights reaches small loss with O(n) parameters",
    text="With O(n) parameters, generic inputs, a proper constant step and random initial weights, gradient descent reaches a loss below epsilon with probability above 1 - delta.",
    latex=r"P=O(n),\ \theta\sim\text{Xavier}\;\Rightarrow\;\Pr(\phi_{\mathcal A}(\theta)<\epsilon)>1-\delta",
    quantifiers="there are constants; for generic inputs; labels not specified",
    hypotheses=(),
    conclusion=NotCheckable(
        "constants, labels, step and initial law are left open, and it speaks of families of growing networks: no single problem decides it"
    ),
    verdict=Verdict.OPEN,
    ground=Ground.ARGUED,
    fairness=Fairness.PEDANTIC,
    because="informal in the survey; one solvable case is known exactly",
    remarks=(
        "O(n) includes P < n, where the loss cannot be small for generic labels: read P >= C n, or epsilon relative to the minimum.",
        "Solvable case: one ReLU unit on one sample succeeds with probability 3/8, m units with 1 - (5/8)^m.",
    ),
    edges=(
        Edge(USES, "sun2020.def-VII.1"),
        Edge(RELATED, "aud.lemma-relu-n1-probability"),
        Edge(RELATED, "sun2020.hyp-I-2"),
    ),
    concepts=(Concept.DYNAMICS, Concept.WIDTH),
)

# -- one sample, ReLU units -----------------------------------------------------------------------------------------------


def _one_sample(p: Problem) -> bool:
    net, data, one = p.network, p.data, (F(1),)
    return (
        isinstance(net, DenseNetwork) and data is not None and p.loss is not None and net.depth == 2 and net.widths[0] == net.widths[2] == 1
        and net.activations[0].kind == "relu" and net.output.kind == "linear" and not any(net.bias) and p.loss.kind == "squared"
        and p.regularizer is None and data.inputs == (one,) and data.targets == (one,) and p.loss.weights == one
    )  # fmt: skip


def units(point: Point) -> list[tuple[Fraction, Fraction]]:
    """(v_j, w_j) of a rational point."""
    if not point.is_rational:
        raise Unsupported("the point", expected="rational coordinates", got="another field")
    flat = [c[0] for c in point.coordinates]
    m = len(flat) // 2
    return list(zip(flat[m:], flat[:m], strict=True))


def _generic(subject: Subject, point: Point) -> tuple[bool, str]:
    if not _one_sample(subject.problem):
        return False, "not ReLU units on one sample"
    holds = all(w != 0 and v + w != 0 for v, w in units(point))
    return holds, "w and v + w differ from 0" if holds else "a unit with w = 0 or v = -w (a null set)"


def _sector(subject: Subject, point: Point) -> tuple[bool, str]:
    """The identities on which the argument rests, from the network's own derivatives."""
    if not _one_sample(subject.problem):
        raise Unsupported("the flow", expected="ReLU units on the sample x = y = 1", got="another problem")
    pairs, found = units(point), gradient_features(subject.problem, point)
    m, columns = len(pairs), [c[0][0] if any(c[0]) else F(0) for c in found.columns]
    for j, (v, w) in enumerate(pairs):
        dw, dv = columns[j], columns[m + j]  # df/dw_j, df/dv_j: the flow moves by 2 (1 - f) times these
        if (w > 0 and (dv + dw != v + w or dw - dv != v - w)) or (w < 0 and (dv or dw)):
            return False, f"unit {j + 1} does not move as said"
    good = sum(w > 0 and v > -w for v, w in pairs)
    end = "F tends to 0" if good else "all units die and F tends to 1"
    return True, f"{good} of {m} units lie in the sector w > 0, v > -w: {end}; probability of success 1 - (5/8)^{m}"


def relus(width: int) -> Problem:
    return Problem.dense(widths=[1, width, 1], activation="relu", inputs=[1], targets=[1], slug=f"relus-{width}")


ONE_SAMPLE = Statement(
    id="aud.lemma-relu-n1-probability",
    sort=Sort.AUDIT,
    section="VII-A",
    title="Exact success probability 1 - (5/8)^m",
    text="For m ReLU units without biases on one sample x = y = 1 and rotation-invariant independent (v_j, w_j), gradient flow fits the sample with probability 1 - (5/8)^m: exactly if some unit has w > 0 and v > -w.",
    latex=r"F=\big(1-\textstyle\sum_jv_j\max(w_j,0)\big)^2:\quad\Pr(F(\theta(t))\to0)=1-(5/8)^m",
    quantifiers="for almost every start; probability over the start",
    hypotheses=(on_problem("one-relu-sample", "ReLU units without biases on the sample x = y = 1, squared loss", _one_sample), at_point("generic", "no unit has w = 0 or v = -w", _generic)),
    conclusion=at_point("sector", "on w > 0 the flow scales v + w by 2(1 - f) and w - v by -2(1 - f); units with w < 0 stand still", _sector),
    verdict=Verdict.TRUE,
    ground=Ground.ARGUED,
    because="while f < 1 the sum v + w of a unit in the sector (angle 3 pi/4 of 2 pi) grows until f = 1; without such a unit all active ones lose w",
    edges=(
        Edge(Relation.RELATED, "sun2020.hyp-I-2"),
        Edge(Relation.RELATED, "du2019.n1"),
    ),
    concepts=(Concept.DYNAMICS, Concept.RELU),
    examples=(
        Example("a good unit", True, Outcome.HOLDS, on(lambda: relus(1), 1, "-1/2"), smallest=True, source="by hand: v > -w"),
        Example("a bad unit", True, Outcome.HOLDS, on(lambda: relus(1), 1, -2), source="by hand: v < -w"),
        Example("two units", True, Outcome.HOLDS, on(lambda: relus(2), -1, 2, 3, -1)),
        Example("on the border", False, Outcome.VACUOUS, on(lambda: relus(1), 1, -1)),
    ),
)  # fmt: skip

# -- footnote 6 -----------------------------------------------------------------------------------------------------------


def _flat(subject: Subject) -> Judgement:
    point = exact_point(subject)
    curve = flat_line(subject.problem, point)
    if curve is None:
        return Judgement.unknown("no line of constant F is seen: the features could not be shown to be dependent")
    value = value_at(subject.problem, point).as_fraction
    shows = () if value is None else (Witness("not-coercive", options={"curve": with_limit(curve, value)}),)
    return Judgement(
        True,
        f"F is constant on a line through the point ({curve.because}), and near it the line consists of local minima, which are equilibria",
        shows=shows,
    )


WIDER = on_data(
    "wider-than-samples",
    "the hidden layer has more units than there are samples",
    lambda net, data: net.depth == 2 and net.widths[1] > len(data),
    latex="m>n",
)

FOOTNOTE = Statement(
    id="sun2020.fn-VII-6",
    sort=Sort.CONJECTURE,
    section="VII-A, footnote 6",
    title="Local minima of wide networks are not asymptotically stable",
    text="The local minima of wide networks are not asymptotically stable for noisy gradient descent.",
    latex=r"m>n:\ \theta^*\text{ local min}\;\Rightarrow\;\theta^*\text{ not asymptotically stable}",
    quantifiers="for all local minima",
    hypotheses=(ONE_HIDDEN, WIDER, LINEAR_OUTPUT, NO_REGULARIZER, LOCAL_MINIMUM),
    conclusion=Predicate("not-asymptotically-stable", "arbitrarily near the local minimum there are other equilibria", _flat),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="with more units than samples the features are dependent, so F is constant on a line; noise is not even needed. The version for whole plateaus is open",
    edges=(
        Edge(USES, "aud.lemma-flatline"),
        Edge(Relation.RELATED, "sun2020.conj-VII.1"),
    ),
    concepts=(Concept.DYNAMICS, Concept.WIDTH, Concept.LOCAL_MINIMA),
    examples=(
        Example("two sigmoid units, one sample", True, Outcome.HOLDS, lambda: Subject(sigmoid([1], [0], 2), ln2((0, 1), (0, 2), 0, 0)), smallest=True, source="by hand: F = 0"),
        Example("three sigmoid units, two samples", True, Outcome.HOLDS, lambda: Subject(sigmoid([1, 3], [0, 0], 3), ln2((0, 1), (0, 2), (0, 3), 0, 0, 0)), source="by hand: one relation among three features"),
        Example("one unit, two samples", False, Outcome.VACUOUS, on(narrow, 1, 0, 1), source="by hand: the Hessian is definite there"),
    ),
)  # fmt: skip

# -- saddles --------------------------------------------------------------------------------------------------------------


def _classify(subject: Subject, point: AnyPoint, component: Component | None) -> Judgement:
    found = look(subject, point)
    if found.kind is None:
        return Judgement(True, "not critical")
    if found.inertia is None:
        return Judgement.unknown(found.because)
    exact = isinstance(point, Point) and component is None
    if found.inertia.negative:
        shows = (Witness("not-local-minimum", point),) if exact else ()
        return Judgement(
            True,
            f"strict in the survey's sense: {found.inertia.negative} negative eigenvalues, no local minimum",
            shows=shows,
        )
    if found.kind is Kind.UNDECIDED:
        return Judgement.unknown(found.because)
    shows = (Witness("saddle", point),) if exact and found.kind.is_saddle else ()
    return Judgement(
        True,
        f"no negative eigenvalue: {'a high-order saddle' if found.kind.is_saddle else found.kind.value}",
        shows=shows,
    )


SADDLES = Statement(
    id="sun2020.def-VII-strict-saddle",
    sort=Sort.DEFINITION,
    section="VII-B",
    title="Strict and high-order saddles",
    text="A critical point with a negative Hessian eigenvalue is a strict saddle; other saddles are of high order. Without bad local minima and high-order saddles noisy gradient descent reaches a global minimum.",
    latex=r"\nabla F=0,\ \lambda_{\min}(\nabla^2F)<0",
    quantifiers="definition, for C^2 functions",
    hypotheses=(CRITICAL,),
    conclusion=Predicate("strict-or-high-order", "a negative eigenvalue means no local minimum; a saddle without one is of high order", everywhere(_classify)),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    fairness=Fairness.PEDANTIC,
    because="a definition; examples of both kinds are certified",
    remarks=("By this definition a strict local maximum is a strict saddle, though no saddle of section II.", "Linear networks with three layers have high-order saddles: (xyz - 1)^2 has zero Hessian at 0. The pipeline also needs bounded trajectories."),
    edges=(
        Edge(USES, "sun2020.def-II-minima"),
        Edge(Relation.RELATED, "sun2020.def-III.1"),
        Edge(RELATED, "sun2020.toy-VI-xyz"),),
    concepts=(Concept.SADDLES, Concept.DYNAMICS),
    examples=(
        Example("vw at 0", True, Outcome.HOLDS, on(vw, 0, 0), smallest=True, source="by hand: Hessian with entries -2 off the diagonal"),
        Example("xyz at 0", True, Outcome.HOLDS, on(xyz, 0, 0, 0), source="by hand: the Hessian is 0"),
        Example("a maximum", True, Outcome.HOLDS, on(lambda: Problem.monomial(["x"], {(2,): -1}), 0), source="by hand"),
        Example("not critical", False, Outcome.VACUOUS, on(vw, 2, 2)),
    ),
)  # fmt: skip

STATEMENTS = (LIMIT, CONJECTURE, ONE_SAMPLE, FOOTNOTE, SADDLES)
