"""Section IV-D, wide networks: no spurious valley with one hidden layer, or with a wide last one."""

from __future__ import annotations

from explorer.problem import DenseNetwork
from explorer.statements.nouns import (
    Concept,
    Edge,
    Example,
    Fairness,
    Ground,
    Judgement,
    Outcome,
    Predicate,
    Recipe,
    Relation,
    Repair,
    Sort,
    Statement,
    Subject,
    Verdict,
)
from explorer.statements.predicates import DISTINCT_INPUTS, on_data
from explorer.statements.sun2020 import instances
from explorer.statements.sun2020.conditions import (
    CONVEX_LOSS,
    INTRINSIC,
    LINEAR_OUTPUT,
    NO_REGULARIZER,
    ONE_HIDDEN,
    WIDE_LAST,
)
from explorer.statements.sun2020.instances import ln2, on
from explorer.statements.sun2020.section4b import N3
from explorer.statements.sun2020.section4c import output_valley
from explorer.statements.sun2020.sets import (
    NO_VALLEY_HERE,
)

LAYER = (ONE_HIDDEN, CONVEX_LOSS, LINEAR_OUTPUT, NO_REGULARIZER)

VENTURI = Statement(
    id="sun2020.quote-IV-venturi",
    sort=Sort.QUOTE,
    section="IV-D",
    title="Wide one-hidden-layer networks have no spurious valley",
    text="Quoted: if the hidden layer has at least as many units as the dimension of the functions that one unit can realise, "
    "the loss has no spurious valley. On n samples that dimension is at most n.",
    latex=r"\text{width}\ge\text{intrinsic dimension}\Rightarrow\text{no spurious valley}",
    quantifiers="for all data; on n samples width n suffices",
    hypotheses=(*LAYER, INTRINSIC),
    conclusion=NO_VALLEY_HERE,
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="explicit paths on the instances; in general the argument of the lemma that follows",
    remarks=("For phi = z^2 with biases on numbers the dimension is 3, so three units suffice for every n.",),
    edges=(Edge(Relation.SPECIAL_CASE_OF, "aud.lemma-one-hidden"),),
    concepts=(Concept.VALLEYS, Concept.WIDTH),
    examples=(
        Example(
            "three sigmoid units at a bad minimum",
            True,
            Outcome.HOLDS,
            on(lambda: instances.sigmoid(*N3, 3), ln2((0, 1), (0, 1), (0, 1), 1, 1, 1)),
            source="by hand: see the fact before",
        ),
        Example(
            "one unit, one sample: Figure 2",
            True,
            Outcome.HOLDS,
            on(instances.fig2, 1, 1),
            smallest=True,
            source="by hand",
        ),
        Example(
            "one ReLU unit on two samples",
            False,
            Outcome.VACUOUS,
            on(instances.relu_pair, 1, 1),
            source="by hand: width 1 < 2, and a spurious valley exists",
        ),
        Example(
            "three squared units with biases on five samples",
            True,
            Outcome.HOLDS,
            on(instances.parabola_fit, *[1, 0, 2, 0, 1, 0], 1, 0, 0),
            source="by hand: the dimension is 3 (1, x, x^2), and the targets x^2 + 1 are fitted",
        ),
        Example(
            "constant paths and paths down", True, Outcome.HOLDS, recipe=Recipe("exhibit", "sun2020.quote-IV-venturi")
        ),
    ),
)

ONE_HIDDEN_LEMMA = Statement(
    id="aud.lemma-one-hidden",
    sort=Sort.AUDIT,
    section="IV-D",
    title="One hidden layer: no spurious valley for any activation",
    text="One hidden layer, convex loss, attained minimum, at least q units, where q <= n is the dimension of the span of the "
    "activation vectors of one unit on the samples: no spurious valley. With q + 1 units every sub-level set is connected.",
    latex=r"m\ge q=\dim\operatorname{span}\{(\phi(\langle w,x_i\rangle+b))_i\}\le n\Rightarrow\text{no spurious valley}",
    quantifiers="for all activations, continuous or not, all data, duplicates allowed",
    hypotheses=(*LAYER, INTRINSIC),
    conclusion=NO_VALLEY_HERE,
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="shift the weight of dependent units, move the freed ones until the features span, go straight in the output weights",
    remarks=(
        "For one hidden layer it settles the survey's question after a result that covers Theorems IV.1 and IV.2.",
        "q units are not enough for connected minima: two sigmoid units on two samples with y = (1, -1) have a disconnected set of minima.",
    ),
    edges=(
        Edge(Relation.REPAIRS, "sun2020.claim-IV.1"),
        Edge(Relation.REPAIRS, "sun2020.conj-V.4"),
        Edge(Relation.CONTRASTS, "sun2020.prop-IV.2"),
        Edge(Relation.RELATED, "sun2020.thm-IV.1"),
        Edge(Relation.RELATED, "sun2020.thm-IV.2"),
    ),
    concepts=(Concept.VALLEYS, Concept.WIDTH, Concept.PATHS),
    examples=(
        Example(
            "three sigmoid units at a bad minimum",
            True,
            Outcome.HOLDS,
            on(lambda: instances.sigmoid(*N3, 3), ln2((0, 1), (0, 1), (0, 1), 1, 1, 1)),
            source="by hand",
        ),
        Example(
            "one linear unit, one sample, from 0",
            True,
            Outcome.HOLDS,
            on(instances.vw, 0, 0),
            smallest=True,
            source="by hand: w to 1, then v to 1",
        ),
        Example(
            "one ReLU unit on two samples",
            False,
            Outcome.VACUOUS,
            on(instances.relu_pair, 1, 1),
            source="by hand: width 1 < q = 2, a valley at level 9/2",
        ),
        Example(
            "two sigmoid units on three samples, two of them equal",
            True,
            Outcome.HOLDS,
            on(lambda: instances.sigmoid([1, 1, 3], [0, 2, 5], 2), ln2(0, 0, 1, 1)),
            source="by hand: q = 2, the least loss is that of the two different targets at x = 1: 2",
        ),
        Example("spare units connect minima", True, Outcome.HOLDS, recipe=Recipe("exhibit", "aud.lemma-one-hidden")),
    ),
)


def _onto(net: DenseNetwork) -> bool:
    """Leaky ReLU: strictly monotone, onto, and with its only kink at 0, so no combination of its own translates."""
    return net.depth >= 2 and all(
        a.kind == "leaky_relu" and a.slope is not None and a.slope > 0 and a.slope != 1 for a in net.activations
    )


LEAKY = on_data(
    "leaky-activations",
    "every activation is strictly monotone, onto, and no combination of its own translates (leaky ReLU of slope > 0)",
    lambda net, data: _onto(net),
    latex=r"\sigma\uparrow,\ \sigma(\mathbb R)=\mathbb R,\ \sigma\ne\sum\lambda_i\sigma(\cdot-a_i)",
)


def _valley_or_path(subject: Subject) -> Judgement:
    walled = output_valley(subject)
    return walled if walled is not None else NO_VALLEY_HERE.test(subject)


NO_VALLEY_OR_PATH = Predicate(
    "no-valley-here", "the point (a listed bad minimum, 0) lies in no spurious valley", _valley_or_path
)

NGUYEN = Statement(
    id="sun2020.thm-IV.1",
    sort=Sort.THEOREM,
    section="IV-D",
    title="A wide last hidden layer: no spurious valley",
    text="If the activation is strictly monotone, onto and no combination of its own translates, the last hidden layer has at "
    "least n units and the inputs are distinct, then the loss has no spurious valley.",
    latex=r"d_{L-1}\ge n,\ x_i\text{ distinct},\ \sigma\text{ monotone onto}\Rightarrow\text{no spurious valley}",
    quantifiers="for all such networks and data, all levels; as printed any loss of target and output",
    hypotheses=(LEAKY, WIDE_LAST, DISTINCT_INPUTS, NO_REGULARIZER),
    conclusion=NO_VALLEY_OR_PATH,
    verdict=Verdict.NEEDS_REPAIR,
    ground=Ground.VERIFIED,
    because="without convexity of the loss one sample and one unit give a spurious valley",
    fairness=Fairness.PEDANTIC,
    finding="The loss has to be convex, which the next theorem states and this one leaves out. One leaky unit, one sample, "
    "loss (3 - z^3 + 3z)^2 of the output z: the outputs near -1, where the loss is 1, are fenced in by 25 at z = 1.",
    repair=Repair(
        "Add: the loss is convex in the output.",
        (LEAKY, WIDE_LAST, DISTINCT_INPUTS, NO_REGULARIZER, CONVEX_LOSS),
        NO_VALLEY_OR_PATH,
    ),
    remarks=(
        "Distinct inputs are not needed: equal ones merge into one convex loss. With one hidden layer no condition on the activation is needed.",
        "A global minimum has to exist (Remark 3).",
        "Leaky ReLU satisfies the conditions; sigmoid, tanh, ReLU, softplus and all polynomials do not.",
    ),
    edges=(
        Edge(Relation.USES, "sun2020.def-IV.2"),
        Edge(Relation.USES, "sun2020.rem-IV-3"),
        Edge(Relation.REPAIRS, "sun2020.claim-IV.1"),
    ),
    concepts=(Concept.VALLEYS, Concept.WIDTH, Concept.RELU),
    examples=(
        Example(
            "a loss with two wells",
            False,
            Outcome.REFUTED,
            on(instances.two_wells, -2, 1, points=((1, "17/8"),)),
            repaired=Outcome.VACUOUS,
            smallest=True,
            source="by hand: g(z) = z^3 - 3z has g(-1) = 2, g(1) = -2, so (3 - g)^2 is 1 at -1, 25 at 1 and below 1/8 at 17/8",
        ),
        Example(
            "three leaky units on three samples, from 0",
            True,
            Outcome.HOLDS,
            on(instances.leaky_three, *[0] * 9),
            repaired=Outcome.HOLDS,
            source="by hand: move the units, then the output weights",
        ),
        Example(
            "one leaky unit on two samples",
            False,
            Outcome.VACUOUS,
            on(lambda: instances.leaky([1, -1], [1, 2], 1), 1, 1),
            repaired=Outcome.VACUOUS,
            source="width 1 < 2",
        ),
    ),
)

STATEMENTS: tuple[Statement, ...] = (VENTURI, ONE_HIDDEN_LEMMA, NGUYEN)
