"""Section II: the network, the loss, and kinds of points."""

from __future__ import annotations

from explorer.point import AnyPoint, Point
from explorer.probes.near import value_at
from explorer.solve.results import Component, Kind
from explorer.statements.nouns import (
    Concept,
    Edge,
    Example,
    Ground,
    Judgement,
    Outcome,
    Predicate,
    Relation,
    Sort,
    Statement,
    Subject,
    Verdict,
    Witness,
)
from explorer.statements.sun2020 import instances
from explorer.statements.sun2020.conditions import CRITICAL, LINEAR_OUTPUT, NETWORK, NO_OUTPUT_BIAS, everywhere, look
from explorer.statements.sun2020.instances import ln2, on

#: kind of a point -> the goal that shows it
GOAL_OF = {
    Kind.STRICT_MINIMUM: "strict-local-minimum",
    Kind.MINIMUM: "local-minimum",
    Kind.STRICT_SADDLE: "strict-saddle",
    Kind.SADDLE: "saddle",
    Kind.MAXIMUM: "local-maximum",
    Kind.STRICT_MAXIMUM: "strict-local-maximum",
}


def _value_is_defined(subject: Subject) -> Judgement:
    """F at the point, or at the origin."""
    point = subject.point if subject.point is not None else Point.rational([0] * len(subject.problem.parameters))
    if not isinstance(point, Point):
        return Judgement.unknown("the point is known by a box only")
    value = value_at(subject.problem, point)
    shown = value.as_fraction if value.as_fraction is not None else f"about {value.approx:.6g}"
    return Judgement(True, f"F = {shown} there, by exact evaluation", shows=(Witness("value", point),))


VALUE_DEFINED = Predicate(
    "value-defined",
    "the outputs and the loss are exact numbers, the same at every evaluation (at the point, else at 0)",
    _value_is_defined,
)


def _kind_is_decided(subject: Subject, point: AnyPoint, component: Component | None) -> Judgement:
    if component is not None:
        if component.kind is Kind.UNDECIDED:
            return Judgement.unknown(component.because)
        return Judgement(True, f"{component.kind.value}: {component.because}")
    found = look(subject, point)
    if found.kind is None or found.kind is Kind.UNDECIDED:
        return Judgement.unknown(found.because)
    return Judgement(True, f"{found.kind.value}: {found.because}", shows=(Witness(GOAL_OF[found.kind], point),))


KIND_DECIDED = Predicate(
    "kind-decided", "the point is a local minimum, a local maximum or a saddle, and which", everywhere(_kind_is_decided)
)

NETWORK_DEFINITION = Statement(
    id="sun2020.def-II-network",
    sort=Sort.DEFINITION,
    section="II",
    title="Fully connected network",
    text="A network alternates affine maps and one activation applied to every coordinate; the last map is linear. Every "
    "hidden layer has a bias, the output has none. The activation may be any function of one variable.",
    latex=r"f_\theta(x)=W_L\phi(W_{L-1}\cdots\phi(W_1x+b_1)\cdots+b_{L-1})",
    quantifiers="a definition, for all widths and activations",
    hypotheses=(NETWORK, LINEAR_OUTPUT, NO_OUTPUT_BIAS),
    conclusion=VALUE_DEFINED,
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="a definition; evaluated exactly on the instances",
    remarks=(
        "Later parts leave the biases out (Claim IV.1, Section IV-A) or number the layers differently (Section VI-A). "
        "Whether there are biases decides some statements, so every problem here says which layers have them.",
        "Without biases and with x = 0 every sigmoid unit gives 1/2, whatever its weight.",
        "Continuity of the activation is not part of the definition; Proposition IV.1 needs it.",
    ),
    concepts=(Concept.SMOOTH, Concept.RELU),
    examples=(
        Example(
            "one sigmoid unit at w = ln 2, v = 1, b = 0, x = 1",
            True,
            Outcome.HOLDS,
            on(lambda: instances.sigmoid([1], ["2/3"], 1, bias=True), ln2((0, 1), 0, 1)),
            smallest=True,
            source="by hand: 2/(1 + 2) = 2/3, so the loss with target 2/3 is 0",
        ),
        Example(
            "a bias-free sigmoid unit at x = 0",
            True,
            Outcome.HOLDS,
            on(lambda: instances.sigmoid([0], [1], 1), ln2((0, 5), 4)),
            source="by hand: 4/2 - 1 = 1, so F = 1",
        ),
        Example("a polynomial loss", False, Outcome.VACUOUS, on(instances.double_well), source="it is no network"),
    ),
)

LOSS_DEFINITION = Statement(
    id="sun2020.def-II-loss",
    sort=Sort.DEFINITION,
    section="II",
    title="Training loss: squared or logistic",
    text="The training loss is the average over the samples of a loss of target and output: the squared distance, or "
    "log(1 + exp(-yz)) for labels.",
    latex=r"F(\theta)=\frac1n\sum_{i=1}^n\ell(y_i,f_\theta(x_i)),\quad \ell(y,z)=|y-z|^2\text{ or }\log(1+e^{-yz})",
    quantifiers="a definition",
    hypotheses=(NETWORK,),
    conclusion=VALUE_DEFINED,
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="a definition; evaluated exactly on the instances",
    remarks=(
        "Here F is the sum, without the factor 1/n: minima, saddles and paths are the same.",
        "The derivative of the logistic loss in z never vanishes; on separable data its infimum 0 is not attained, and "
        "whatever speaks of global minima then rests on the convention of Remark 3.",
    ),
    edges=(Edge(Relation.USES, "sun2020.def-II-network"),),
    concepts=(Concept.LOSS,),
    examples=(
        Example(
            "f = w, y = (0, 1), squared loss, at 1/2",
            True,
            Outcome.HOLDS,
            on(lambda: instances.linear([1, 1], [1, 1], [0, 1]), "1/2"),
            source="by hand: 1/4 + 1/4 = 1/2, the mean is 1/4",
        ),
        Example(
            "f = w, x = y = 1, logistic loss, at 0",
            True,
            Outcome.HOLDS,
            on(lambda: instances.separable_line(), 0),
            smallest=True,
            source="by hand: log(1 + e^0) = ln 2",
        ),
        Example("a polynomial loss", False, Outcome.VACUOUS, on(instances.double_well), source="it is no network"),
    ),
)

MINIMA_DEFINITION = Statement(
    id="sun2020.def-II-minima",
    sort=Sort.DEFINITION,
    section="II",
    title="Minima, critical points, saddles",
    text="Global, local and strict local minima as usual; a critical point that is neither a local minimum nor a local "
    "maximum is a saddle.",
    latex=r"\theta\text{ saddle}\iff\nabla F(\theta)=0,\ \theta\text{ neither local min nor local max}",
    quantifiers="a definition; F differentiable at the point",
    hypotheses=(CRITICAL,),
    conclusion=KIND_DECIDED,
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="a definition; decided with certificates on the instances",
    remarks=(
        "At kinks of ReLU networks criticality and saddles are not defined.",
        "A linear network with X != 0 has no critical local maximum, so there a saddle is any critical point that is not a "
        "local minimum.",
    ),
    concepts=(Concept.LOCAL_MINIMA, Concept.SADDLES),
    examples=(
        Example(
            "(vw-1)^2 at 0",
            True,
            Outcome.HOLDS,
            on(instances.vw, 0, 0),
            smallest=True,
            source="by hand: (e, e) gives (1 - e^2)^2 < 1, (e, -e) gives (1 + e^2)^2 > 1",
        ),
        Example(
            "(xyz-1)^2 at 0",
            True,
            Outcome.HOLDS,
            on(instances.xyz, 0, 0, 0),
            source="by hand: the Hessian is 0; along (s, s, s) F = 1 - 2 s^3 + ..., along (-s, s, s) 1 + 2 s^3 + ...",
        ),
        Example(
            "(vw-1)^2 at (1, 0)",
            False,
            Outcome.VACUOUS,
            on(instances.vw, 1, 0),
            source="by hand: dF/dw = 2 (vw - 1) v is -2 or 0, dF/dv = -2 or 0, not both 0",
        ),
    ),
)

STATEMENTS: tuple[Statement, ...] = (NETWORK_DEFINITION, LOSS_DEFINITION, MINIMA_DEFINITION)
