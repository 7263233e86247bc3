"""Section I: the three errors of learning, and the two hypotheses that the survey starts from."""

from __future__ import annotations

from explorer.point import AnyPoint, Point
from explorer.probes.near import is_zero, value_at
from explorer.problem import DenseNetwork
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
    Repair,
    Sort,
    Statement,
    Subject,
    Verdict,
    Witness,
)
from explorer.statements.predicates import NO_BAD_MINIMUM, WIDE, squared_loss
from explorer.statements.sun2020 import instances
from explorer.statements.sun2020.conditions import (
    LINEAR,
    LINEAR_MINIMA,
    MINIMA_ARE_GLOBAL,
    NO_REGULARIZER,
    everywhere,
    look,
)
from explorer.statements.sun2020.instances import on


def _limit_is_minimum(subject: Subject, point: AnyPoint, component: Component | None) -> Judgement:
    if component is not None:
        known = None if component.kind is Kind.UNDECIDED else component.kind.is_minimum
        return Judgement(known, component.because)
    found = look(subject, point)
    if found.kind is Kind.UNDECIDED:
        return Judgement.unknown(found.because)
    return Judgement(found.kind is not None and found.kind.is_minimum, found.because)


def _limit_is_lowest(subject: Subject, point: AnyPoint, component: Component | None) -> Judgement:
    if component is not None:
        return Judgement(component.is_global, "by the solver's list")
    if not isinstance(point, Point):
        return Judgement.unknown("the point is known by a box only")
    if is_zero(value_at(subject.problem, point)) and isinstance(subject.problem.network, DenseNetwork):
        return Judgement(True, "F = 0 there, the floor of F", shows=(Witness("global-minimum", point),))
    least = subject.critical.global_value
    if least is None:
        return Judgement.unknown(subject.critical.global_because or "min F is not known")
    return Judgement(value_at(subject.problem, point).as_fraction == least.as_fraction, "compared with min F")


LIMIT_IS_MINIMUM = Predicate(
    "limit-is-local-minimum", "the limit is a local minimum", everywhere(_limit_is_minimum, only="local minimum")
)
LIMIT_IS_LOWEST = Predicate(
    "limit-has-least-value",
    "F at the limit is min F",
    everywhere(_limit_is_lowest, only="local minimum"),
    r"F(w^\infty)=F^*",
)

ERROR_DECOMPOSITION = Statement(
    id="sun2020.fact-I-error-decomposition",
    sort=Sort.FACT,
    section="I-B",
    title="The optimisation error in two parts",
    text="What optimisation leaves over is the error of stopping early plus the error at the limit. The second part is "
    "zero if the limit is a local minimum and every local minimum is global.",
    latex=r"F(\hat w)-F^*=[F(\hat w)-F(w^\infty)]+[F(w^\infty)-F^*];\quad "
    r"\text{local minima global},\ w^\infty\text{ local min}\Rightarrow F(w^\infty)=F^*",
    quantifiers="an identity for all F; the implication for every F whose minimum is attained",
    hypotheses=(LIMIT_IS_MINIMUM, NO_BAD_MINIMUM),
    conclusion=LIMIT_IS_LOWEST,
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="the identity cancels, and the implication is the definition of its hypotheses",
    remarks=(
        "Convergence alone does not make the limit a local minimum: (xyz - 1)^2 has the critical point 0 with Hessian 0 "
        "and F = 1, which is a saddle.",
        "Where the minimum is not attained (logistic loss, separable data) the identity holds with the infimum, but no "
        "limit reaches it.",
    ),
    edges=(Edge(Relation.USES, "sun2020.def-II-minima"), Edge(Relation.RELATED, "sun2020.hyp-I-1")),
    concepts=(Concept.LOCAL_MINIMA, Concept.DYNAMICS),
    examples=(
        Example(
            "(vw-1)^2 at (2, 1/2)",
            True,
            Outcome.HOLDS,
            on(instances.vw, 2, "1/2"),
            smallest=True,
            source="by hand: 2 * 1/2 = 1, so F = 0",
        ),
        Example(
            "the function of Figure 2 at (1, 1)",
            False,
            Outcome.VACUOUS,
            on(instances.fig2, 1, 1),
            source="by hand: F = 1 on the ray w = 1, v > 0, a local minimum; F(2, -8) = 0",
        ),
    ),
)

HYPOTHESIS_1 = Statement(
    id="sun2020.hyp-I-1",
    sort=Sort.ASSUMPTION,
    section="I-A",
    title="Hypothesis 1: every local minimum is global",
    text="A first informal explanation of why wide networks can be trained: their loss has no local minimum that is not "
    "global. The survey itself goes on to refute it for nonlinear networks.",
    latex=r"\theta\text{ local min of }F\Rightarrow F(\theta)=\min F\quad\text{for wide networks}",
    quantifiers="for all practical (read: wide) networks and all local minima; informal in the source",
    hypotheses=(WIDE, NO_REGULARIZER),
    conclusion=MINIMA_ARE_GLOBAL,
    verdict=Verdict.FALSE,
    ground=Ground.VERIFIED,
    because="ReLU units that are inactive on all data form an open set of local minima, at every width",
    fairness=Fairness.IN_CONTEXT,
    finding="With biases, ReLU networks of every width have sub-optimal local minima for every data set whose targets no "
    "constant fits; sigmoid networks have them too (claim IV.1). The survey states the hypothesis in order to examine it.",
    repair=Repair(
        "Linear networks with the squared loss: there it is Theorem III.1.",
        (LINEAR, squared_loss(), NO_REGULARIZER),
        LINEAR_MINIMA,
    ),
    edges=(Edge(Relation.RELATED, "sun2020.thm-III.1"),),
    concepts=(Concept.LOCAL_MINIMA, Concept.WIDTH),
    examples=(
        Example(
            "three inactive ReLU units, n = 3",
            False,
            Outcome.REFUTED,
            on(lambda: instances.dead_relu([1, -2, 5]), instances.DEAD),
            repaired=Outcome.VACUOUS,
            source="by hand: all pre-activations are at most -1, so F = 1 + 4 + 25 near the point",
        ),
        Example(
            "one inactive ReLU unit, n = 1",
            False,
            Outcome.REFUTED,
            on(lambda: instances.neuron("relu"), -1, -1),
            repaired=Outcome.VACUOUS,
            smallest=True,
            source="by hand: F = 1 on w < 0 and F(1, 1) = 0",
        ),
        Example(
            "(vw-1)^2",
            True,
            Outcome.HOLDS,
            on(instances.vw),
            repaired=Outcome.HOLDS,
            source="by hand: the only critical point off vw = 1 is 0, with Hessian eigenvalues -2 and 2",
        ),
    ),
)

HYPOTHESIS_2 = Statement(
    id="sun2020.hyp-I-2",
    sort=Sort.ASSUMPTION,
    section="I-A",
    title="Hypothesis 2: descent from random starts avoids bad minima",
    text="A second informal explanation: whatever bad minima there are, local descent from a random start does not end "
    "in them.",
    latex=r"\Pr\big(\lim F(\theta^k)>\min F\big)\ \text{is small}",
    quantifiers="informal: no distribution, no algorithm and no width are named",
    hypotheses=(),
    conclusion=NotCheckable(
        "a probability over random starts, without the distribution, the algorithm or the size of the network; its "
        "quantified form is Conjecture VII.1"
    ),
    verdict=Verdict.OPEN,
    ground=Ground.ARGUED,
    because="what is known of it is about its quantified form",
    remarks=(
        "One bias-free ReLU unit on one sample is stuck at a flat minimum with probability 5/8: see Section VII.",
    ),
    edges=(
        Edge(Relation.RELATED, "sun2020.conj-VII.1"),
        Edge(Relation.RELATED, "aud.lemma-relu-n1-probability"),
        Edge(Relation.RELATED, "sun2020.hyp-I-1"),
    ),
    concepts=(Concept.DYNAMICS, Concept.LOCAL_MINIMA),
)

STATEMENTS: tuple[Statement, ...] = (ERROR_DECOMPOSITION, HYPOTHESIS_1, HYPOTHESIS_2)
