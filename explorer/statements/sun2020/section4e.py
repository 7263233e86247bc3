"""Section IV-D and IV-E: the remarks on valleys and basins, and networks with n - 1 units."""

from __future__ import annotations

from explorer.point import Point
from explorer.probes.near import is_zero, value_at
from explorer.problem import DenseNetwork
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
    Recipe,
    Relation,
    Sort,
    Statement,
    Subject,
    Verdict,
    Witness,
)
from explorer.statements.predicates import DISTINCT_INPUTS, on_data
from explorer.statements.sun2020 import instances
from explorer.statements.sun2020.conditions import (
    CONVEX_LOSS,
    LINEAR_OUTPUT,
    NO_REGULARIZER,
    ONE_HIDDEN,
    SCALAR_INPUTS,
    SOME_WIDE,
    WIDE_LAST,
    at_least_samples,
)
from explorer.statements.sun2020.instances import ln2, on
from explorer.statements.sun2020.section4b import N3
from explorer.statements.sun2020.section4d import CONTINUOUS, NARROW, PROP_3
from explorer.statements.sun2020.sets import NO_BASIN, NO_STRICT_BAD, NO_VALLEY_HERE, witnessed

ONE_WIDE_LAYER = Statement(
    id="sun2020.rem-IV-1",
    sort=Sort.REMARK,
    section="IV-D",
    title="One wide layer is enough",
    text="The two theorems on wide networks are said to extend to networks with one wide layer that need not be the last.",
    latex=r"\text{one hidden layer with }d_k\ge n\ \text{instead of}\ d_{L-1}\ge n",
    quantifiers="informal: a pointer to the originals",
    hypotheses=(),
    conclusion=NotCheckable(
        "a pointer to other work; the conditions of the extension are not stated here. Its half on basins is a statement of its own"
    ),
    verdict=Verdict.INFORMAL,
    ground=Ground.CITED,
    because="the conditions are left to the originals",
    fairness=Fairness.IN_CONTEXT,
    remarks=(
        "The half on basins holds without further conditions (aud.lemma-flatline).",
        "The half on valleys needs the activation conditions of the original: with z clipped to [0, 1] behind a wide layer, one unit and "
        "y = (1, -2), F = 5 separates a branch of least value 4 from one of least value 1.",
    ),
    edges=(
        Edge(Relation.RELATED, "aud.lemma-flatline"),
        Edge(Relation.RELATED, "sun2020.thm-IV.1"),
        Edge(Relation.RELATED, "sun2020.thm-IV.2"),
    ),
    concepts=(Concept.VALLEYS, Concept.WIDTH),
)

ONE_WIDE_LAYER_BASIN = Statement(
    id="sun2020.rem-IV-1-basin",
    sort=Sort.REMARK,
    section="IV-D",
    title="One wide layer is enough, basins",
    text="The half of the remark on basins: one hidden layer with at least n units and continuous activations suffice.",
    latex=r"d_k\ge n\text{ for some hidden layer }k\Rightarrow\text{no basin}",
    quantifiers="all data, losses and other layers",
    hypotheses=(SOME_WIDE, CONTINUOUS, NO_REGULARIZER),
    conclusion=NO_BASIN,
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="it follows from aud.lemma-flatline; certified on the instances",
    edges=(Edge(Relation.IMPLIED_BY, "aud.lemma-flatline"), Edge(Relation.RELATED, "sun2020.rem-IV-1")),
    concepts=(Concept.VALLEYS, Concept.WIDTH),
    examples=(
        Example(
            "a wide first layer of two hidden ones",
            True,
            Outcome.HOLDS,
            on(instances.two_hidden, *range(1, 8)),
            source="by hand: three units, two samples: dependent",
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
            "a narrow polynomial network",
            False,
            Outcome.VACUOUS,
            PROP_3,
            source="by hand: width 1 < 2, a strict bad minimum",
        ),
    ),
)


def _strict_bad(subject: Subject) -> Judgement:
    """The opposite of `NO_STRICT_BAD`."""
    found = NO_STRICT_BAD.test(subject)
    if found.holds is None:
        return found
    if found.holds:
        return Judgement(False, found.because, found.trust)
    return Judgement(True, found.because, found.trust, found.shows)


IN_BASIN = Predicate(
    "in-a-basin",
    "the point is a strict sub-optimal local minimum, hence a basin (or the solver lists one)",
    _strict_bad,
)


def _compact_valley(subject: Subject) -> Judgement:
    """The component of the point in a sub-level set lies in a box without a global minimum: the certificate is that very fact."""
    return _strict_bad(subject)


VALLEY_OR_BASIN = Statement(
    id="sun2020.rem-IV-2",
    sort=Sort.REMARK,
    section="IV-D",
    title="Valleys and basins compared",
    text="Every sub-optimal basin contains a spurious valley, not the other way round; so without spurious valleys there is no "
    "sub-optimal basin.",
    latex=r"\text{basin}\Rightarrow\text{spurious valley inside it};\quad\text{no spurious valley}\Rightarrow\text{no sub-optimal basin}",
    quantifiers="for all continuous F; decided here for basins that are one point",
    hypotheses=(IN_BASIN,),
    conclusion=Predicate(
        "compact-valley",
        "a small sub-level component around the point is compact and has no global minimum",
        _compact_valley,
    ),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="take the least value on the basin as the level; certified on the instances",
    fairness=Fairness.PEDANTIC,
    remarks=(
        "One sentence leaves out 'sub-optimal': x^2 has no spurious valley, and {0} is a setwise strict local minimum. The footnote has the word.",
        "The converse fails: one ReLU unit on x = (1, -1), y = (1, 2) has a spurious valley and no basin.",
        "The comparison of activations does not fit Theorem IV.1, whose conditions admit the non-smooth leaky ReLU.",
    ),
    edges=(
        Edge(Relation.USES, "sun2020.def-IV.2"),
        Edge(Relation.USES, "sun2020.def-IV.4"),
        Edge(Relation.RELATED, "sun2020.thm-IV.1"),
        Edge(Relation.RELATED, "sun2020.thm-IV.2"),
    ),
    concepts=(Concept.VALLEYS,),
    examples=(
        Example(
            "a narrow sigmoid network", True, Outcome.HOLDS, NARROW, source="by hand: F = 25 in a wall, 45/2 outside"
        ),
        Example(
            "the double well",
            True,
            Outcome.HOLDS,
            on(instances.double_well),
            smallest=True,
            source="by hand: strict minima near 1 and -1",
        ),
        Example(
            "one ReLU unit: a valley, no basin",
            False,
            Outcome.VACUOUS,
            on(instances.relu_pair, 1, 1),
            source="by hand: scaling",
        ),
    ),
)

UNIVERSAL = Statement(
    id="sun2020.rem-IV-2-open",
    sort=Sort.QUESTION,
    section="IV-D",
    title="Is there one theorem for valleys and basins?",
    text="Asked: does one theorem cover both, that is, continuous activations, a wide last hidden layer and a convex loss, no "
    "spurious valley?",
    latex=r"d_{L-1}\ge n,\ \sigma\text{ continuous},\ \ell\text{ convex}\overset{?}{\Rightarrow}\text{no spurious valley}",
    quantifiers="for all such networks and data",
    hypotheses=(WIDE_LAST, CONTINUOUS, CONVEX_LOSS, NO_REGULARIZER),
    conclusion=NO_VALLEY_HERE,
    verdict=Verdict.OPEN,
    ground=Ground.ARGUED,
    because="yes for one hidden layer and any activation (aud.lemma-one-hidden); not settled here for more",
    edges=(Edge(Relation.RELATED, "aud.lemma-one-hidden"), Edge(Relation.RELATED, "sun2020.rem-IV-2")),
    concepts=(Concept.VALLEYS, Concept.WIDTH),
    examples=(
        Example(
            "one hidden layer: sigmoid at a bad minimum",
            True,
            Outcome.HOLDS,
            on(lambda: instances.sigmoid(*N3, 3), ln2((0, 1), (0, 1), (0, 1), 1, 1, 1)),
            source="by hand: an explicit path",
        ),
        Example("one unit, one sample", True, Outcome.HOLDS, on(instances.fig2, 1, 1), smallest=True, source="by hand"),
        Example(
            "two hidden layers",
            True,
            Outcome.UNDECIDED,
            on(lambda: instances.linear([1, 1, 1, 1], [1], [1]), 0, 0, 0),
            source="these paths are for one hidden layer",
        ),
        Example("a narrow layer", False, Outcome.VACUOUS, on(instances.relu_pair, 1, 1), source="width 1 < 2"),
    ),
)


def _attained(subject: Subject) -> Judgement:
    """F = 0 at a listed point of a network loss, a known minimum, or an infimum that a path to infinity shows not to be attained."""
    if (
        subject.point is not None
        and isinstance(subject.point, Point)
        and isinstance(subject.problem.network, DenseNetwork)
        and is_zero(value_at(subject.problem, subject.point))
    ):
        return Judgement(True, "F = 0 at the point", shows=(Witness("global-minimum", subject.point),))
    if (
        subject.problem.loss is not None
        and subject.problem.loss.kind == "logistic"
        and subject.problem.regularizer is None
    ):
        return (
            Judgement(
                False,
                "the logistic loss is positive, and some path makes it as small as one likes",
                shows=(Witness("unattained-infimum"),),
            )
            if _separates(subject)
            else Judgement.unknown("it is not known whether the network separates the labels")
        )
    found = subject.critical
    if found.global_value is not None:
        return Judgement(True, found.global_because or "the solver knows the least value")
    return Judgement.unknown(found.global_because or "min F is not known")


def _separates(subject: Subject) -> bool:
    """One sample with a label that is not 0, and a linear output: scaling the last layer separates it."""
    data, net = subject.problem.data, subject.problem.network
    return (
        isinstance(net, DenseNetwork)
        and data is not None
        and len(data) == 1
        and net.depth == 1
        and any(data.inputs[0])
        and data.targets[0][0] != 0
    )


ATTAINED = Predicate("minimum-attained", "a global minimum exists", _attained, r"\arg\min F\ne\emptyset")


def _lowest(subject: Subject) -> Judgement:
    return _attained(subject)


CONVENTION = Statement(
    id="sun2020.rem-IV-3",
    sort=Sort.ASSUMPTION,
    section="IV-D",
    title="Convention: a global minimum exists",
    text="Throughout the part on valleys and basins it is understood that the loss attains its minimum.",
    latex=r"\exists\theta^*:\ F(\theta^*)=\inf F",
    quantifiers="a standing assumption",
    hypotheses=(ATTAINED,),
    conclusion=Predicate("infimum-is-minimum", "the infimum of F is its value at some point", _lowest),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="a convention; decided on the instances",
    fairness=Fairness.IN_CONTEXT,
    remarks=(
        "Logistic losses of separable data lie outside it: the results on valleys say nothing about them, and the examples of Section VI are of that kind.",
        "Without the convention: replace 'contains no global minimum' by 'has an infimum above inf F'.",
    ),
    edges=(Edge(Relation.CONTRASTS, "sun2020.thm-VI.1"),),
    concepts=(Concept.GLOBAL_MINIMA, Concept.VALLEYS),
    examples=(
        Example(
            "two sigmoid units fitting two samples",
            True,
            Outcome.HOLDS,
            on(lambda: instances.sigmoid([1, 2], [1, -1], 2), ln2((0, 1), (0, 2), "-555/4", "935/8")),
            source="by hand: v = (-555/4, 935/8) solves (2/3, 4/5; 4/5, 16/17) v = (1, -1)",
        ),
        Example(
            "(vw-1)^2 at (1, 1)", True, Outcome.HOLDS, on(instances.vw, 1, 1), smallest=True, source="by hand: F = 0"
        ),
        Example(
            "log(1 + e^-w)",
            False,
            Outcome.VACUOUS,
            on(instances.separable_line),
            source="by hand: the infimum 0 is not attained",
        ),
    ),
)

ONE_LESS = on_data(
    "one-unit-less-than-samples",
    "the hidden layer has n - 1 units",
    lambda net, data: net.depth == 2 and net.widths[1] == len(data) - 1,
    latex="m=n-1",
)


NARROW_NETWORK = Statement(
    id="sun2020.prop-IV.3",
    sort=Sort.PROPOSITION,
    section="IV-E",
    title="n - 1 units are not enough",
    text="For any distinct real inputs there are labels and a one-hidden-layer network with n - 1 units whose loss has a strict "
    "local minimum that is not global.",
    latex=r"x_i\in\mathbb R\text{ distinct}\Rightarrow\exists y,\phi:\ E\text{ has a bad strict local min, }m=n-1",
    quantifiers="for all distinct inputs there are labels and an activation",
    hypotheses=(
        ONE_HIDDEN,
        LINEAR_OUTPUT,
        NO_REGULARIZER,
        SCALAR_INPUTS,
        DISTINCT_INPUTS,
        at_least_samples(2),
        ONE_LESS,
    ),
    conclusion=witnessed(
        Predicate("strict-bad-minimum", "this loss has a strict local minimum that is not global", _strict_bad)
    ),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="certified for n = 2 to 6 by recipe; in general by a polynomial with prescribed derivatives",
    fairness=Fairness.PEDANTIC,
    remarks=(
        "n = 1 leaves no unit, so n >= 2 is understood.",
        "The activation cannot be positively homogeneous: such networks have no strict local minimum at any width.",
    ),
    edges=(
        Edge(Relation.RELATED, "sun2020.conj-V.2"),
        Edge(Relation.RELATED, "sun2020.claim-VI.1"),
        Edge(Relation.RELATED, "sun2020.thm-IV.2"),
        Edge(Relation.CONTRASTS, "aud.lemma-homogeneous"),
    ),
    concepts=(Concept.LOCAL_MINIMA, Concept.WIDTH),
    examples=(
        Example(
            "phi = t^2 + 1 on x = (1, 2)",
            True,
            Outcome.HOLDS,
            PROP_3,
            smallest=True,
            source="by hand: Hessian diag(60, 4) at (0, -1), F = 50; 7442/157 at (2, 19/157)",
        ),
        Example(
            "one sigmoid unit on x = (1, 3)", True, Outcome.HOLDS, NARROW, source="by hand: F = 25, and 45/2 elsewhere"
        ),
        Example(
            "one ReLU unit",
            False,
            Outcome.UNDECIDED,
            on(instances.relu_pair, 1, 1),
            source="by hand: homogeneous, never strict, which refutes nothing",
        ),
        Example("n = 1", False, Outcome.VACUOUS, on(instances.vw), source="n >= 2 is understood"),
        Example("n = 3, and sigmoid for n = 2", True, Outcome.HOLDS, recipe=Recipe("exhibit", "sun2020.prop-IV.3")),
    ),
)

STATEMENTS: tuple[Statement, ...] = (
    ONE_WIDE_LAYER,
    ONE_WIDE_LAYER_BASIN,
    VALLEY_OR_BASIN,
    UNIVERSAL,
    CONVENTION,
    NARROW_NETWORK,
)
