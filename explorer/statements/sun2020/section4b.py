"""Section IV-C: the claim for wide sigmoid networks, Property PT, and labels that make bad minima."""

from __future__ import annotations

from fractions import Fraction

from explorer.probes.labels import generic, residual
from explorer.probes.monotone import curved
from explorer.problem import Dataset, DenseNetwork
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
from explorer.statements.predicates import DISTINCT_INPUTS, WIDE, on_data, squared_loss
from explorer.statements.sun2020 import instances
from explorer.statements.sun2020.conditions import (
    BAD_MINIMUM,
    HIDDEN_BIAS,
    LINEAR_OUTPUT,
    MINIMA_ARE_GLOBAL,
    NETWORK,
    NO_HIDDEN_BIAS,
    NO_REGULARIZER,
    ONE_HIDDEN,
    SCALAR_INPUTS,
    SCALAR_OUTPUT,
    SEPARATED,
    activation,
    at_least_samples,
    minimum_here_is_global,
)
from explorer.statements.sun2020.instances import ln2, on
from explorer.statements.sun2020.sets import NO_BASIN, NO_VALLEY_HERE, PT_HERE, decided, witnessed

SIGMOID_NETWORK = (ONE_HIDDEN, activation("sigmoid"), LINEAR_OUTPUT, SCALAR_OUTPUT, squared_loss(), NO_REGULARIZER)
#: x = (1, 3), w = ln 2: sigma = (2/3, 8/9); e = (-4, 3) is orthogonal to sigma and to x sigma' = (2/9, 24/81)
N2 = ([1, 3], ["1/3", "91/36"])
N3 = ([1, 2, 3], [1, "12/5", "41/12"])

CLAIM = Statement(
    id="sun2020.claim-IV.1",
    sort=Sort.CLAIM,
    section="IV-C",
    title="A classical claim about wide sigmoid networks",
    text="Claimed in early work and refuted by the survey: a bias-free sigmoid network with at least as many hidden units as "
    "samples, on inputs that some coordinate separates, has only global local minima.",
    latex=r"p\ge n,\ \exists k\,\forall i\ne j:x_{ik}\ne x_{jk}\Rightarrow\text{local minima of }\sum_i(y_i-v\sigma(Wx_i))^2\text{ are global}",
    quantifiers="for all data with that property, all p >= n, all local minima",
    hypotheses=(*SIGMOID_NETWORK, NO_HIDDEN_BIAS, WIDE, SEPARATED),
    conclusion=MINIMA_ARE_GLOBAL,
    verdict=Verdict.FALSE,
    ground=Ground.VERIFIED,
    because="sub-optimal local minima with equal hidden weights ln 2, from two samples on and at every width",
    fairness=Fairness.SOLID,
    finding="The survey states the claim in order to refute it, with at least three samples; two are enough without biases: "
    "x = (1, 3), y = (1/3, 91/36), both hidden weights ln 2, both output weights 1, F = 25/16, while another choice gives 0.",
    repair=Repair(
        "There is no spurious valley: from such a point a path on which F never rises leads to F = 0.",
        (*SIGMOID_NETWORK, NO_HIDDEN_BIAS, WIDE, SEPARATED),
        NO_VALLEY_HERE,
    ),
    edges=(Edge(Relation.USES, "sun2020.def-IV.1"), Edge(Relation.CONTRASTS, "sun2020.hyp-I-1")),
    concepts=(Concept.LOCAL_MINIMA, Concept.WIDTH, Concept.SMOOTH),
    examples=(
        Example(
            "two samples, two units",
            False,
            Outcome.REFUTED,
            on(lambda: instances.sigmoid(*N2, 2), ln2((0, 1), (0, 1), 1, 1)),
            repaired=Outcome.HOLDS,
            source="by hand: f - y = (1, -3/4) is orthogonal to sigma = (2/3, 8/9) and to x sigma' = (2/9, 8/27)",
        ),
        Example(
            "three samples, three units",
            False,
            Outcome.REFUTED,
            on(lambda: instances.sigmoid(*N3, 3), ln2((0, 1), (0, 1), (0, 1), 1, 1, 1)),
            repaired=Outcome.HOLDS,
            source="by hand: f - y = (1, 0, -3/4), orthogonal to sigma = (2/3, 4/5, 8/9) and to x sigma' = (2/9, 8/25, 8/27)",
        ),
        Example(
            "one sample, one unit",
            True,
            Outcome.HOLDS,
            on(lambda: instances.sigmoid([1], [1], 1)),
            repaired=Outcome.HOLDS,
            smallest=True,
            source="by hand: the sigmoid has no zero, so dF/dv = 0 forces F = 0",
        ),
        Example("counterexamples of any size", False, Outcome.REFUTED, recipe=Recipe("refute", "sun2020.claim-IV.1")),
    ),
)

PROPERTY_PT = Statement(
    id="sun2020.def-IV.1",
    sort=Sort.DEFINITION,
    section="IV-C",
    title="Property PT: perturb, then descend",
    text="Arbitrarily near every point there is one from which a path leads to a global minimum along which the loss falls "
    "strictly.",
    latex=r"\forall\theta,\epsilon\ \exists\hat\theta,|\hat\theta-\theta|<\epsilon:\ \hat\theta\text{ is joined to a global minimum by a strictly decreasing path}",
    quantifiers="for all points and all eps, there are a near point and a path; decided here for one eps at the given point",
    hypotheses=(NETWORK,),
    conclusion=decided(
        PT_HERE,
        name="property-pt-decided",
        text="whether Property PT fails or a strictly falling path starts near the point",
        yes="such a path",
        no="no such path",
    ),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="a definition; decided with certificates on the instances",
    fairness=Fairness.PEDANTIC,
    remarks=(
        "At a global minimum the constant path has to be allowed, otherwise a constant F would not have the property.",
        "It excludes strict bad minima and compact basins, but neither flat bad minima nor unbounded valleys.",
    ),
    edges=(Edge(Relation.RELATED, "sun2020.def-IV.2"),),
    concepts=(Concept.PATHS, Concept.VALLEYS),
    examples=(
        Example(
            "Figure 2 at its bad minimum",
            True,
            Outcome.HOLDS,
            on(instances.fig2, 1, 1),
            smallest=True,
            source="by hand: from (1, 1 + e) the line v = 1 - s(1 + 8/e^2) gives F = (1 + e^2/8)^2 (1 - s)^2",
        ),
        Example(
            "a narrow sigmoid network at a strict bad minimum",
            True,
            Outcome.HOLDS,
            on(
                lambda: instances.sigmoid([1, 3], ["-10/3", "35/9"], 1), ln2((0, 1), 1), points=(ln2((0, -1), "-11/2"),)
            ),
            source="by hand: F = 25 inside a wall, 45/2 at (-ln 2, -11/2), so the property fails",
        ),
        Example("a polynomial loss", False, Outcome.VACUOUS, on(instances.double_well), source="it is no network"),
    ),
)

PT_GAP = Statement(
    id="sun2020.fact-IV-PT-gap",
    sort=Sort.FACT,
    section="IV-C",
    title="Property PT does not exclude bad local minima",
    text="There are losses with Property PT and with a sub-optimal local minimum, so the first does not prove that the second "
    "is absent.",
    latex=r"\text{PT}(F)\not\Rightarrow\text{no bad local minima}",
    quantifiers="there is a loss",
    hypotheses=(BAD_MINIMUM,),
    conclusion=witnessed(PT_HERE),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="the function of Figure 2, and sigmoid networks with two units on two samples",
    edges=(Edge(Relation.USES, "sun2020.toy-IV-fig2"), Edge(Relation.USES, "sun2020.def-IV.1")),
    concepts=(Concept.LOCAL_MINIMA, Concept.PATHS),
    examples=(
        Example("Figure 2 at (1, 1)", True, Outcome.HOLDS, on(instances.fig2, 1, 1), smallest=True, source="by hand"),
        Example(
            "two sigmoid units on x = (1, 3)",
            True,
            Outcome.UNDECIDED,
            on(lambda: instances.sigmoid(*N2, 2), ln2((0, 1), (0, 1), 1, 1)),
            source="it has the property, since features of rank 2 are dense (analytic), but exact values near ln 2 are not known",
        ),
        Example("(vw-1)^2, without a bad minimum", False, Outcome.VACUOUS, on(instances.vw), source="by hand"),
    ),
)

PT_BASIN = Statement(
    id="sun2020.fact-IV-PT-basin",
    sort=Sort.AUDIT,
    section="IV-C",
    title="Property PT excludes sub-optimal basins",
    text="A continuous loss with Property PT has no sub-optimal basin except the empty set: a component of a sub-level set "
    "inside a compact basin is fenced in by higher values, which no falling path crosses.",
    latex=r"\text{PT}(F)\Rightarrow\text{no non-empty sub-optimal basin}",
    quantifiers="for all continuous F",
    hypotheses=(PT_HERE,),
    conclusion=NO_BASIN,
    verdict=Verdict.TRUE,
    ground=Ground.ARGUED,
    because="at the least value m on the basin the component of {F <= m} is compact and fenced in by a shell of values above m",
    edges=(
        Edge(Relation.RELATED, "sun2020.thm-IV.2"),
        Edge(Relation.USES, "sun2020.def-IV.1"),
        Edge(Relation.USES, "sun2020.def-IV.4"),
    ),
    concepts=(Concept.VALLEYS, Concept.PATHS),
    examples=(
        Example(
            "Figure 2 at (1, 1)",
            True,
            Outcome.HOLDS,
            on(instances.fig2, 1, 1),
            smallest=True,
            source="by hand: the flat ray leaves every compact set",
        ),
        Example(
            "the double well (x^2-1)^2 + x/4",
            False,
            Outcome.VACUOUS,
            on(instances.double_well),
            source="by hand: the right well is a basin, so PT fails near it",
        ),
    ),
)


def bad_labels(subject: Subject) -> Judgement:
    """A residual e orthogonal to affine functions whose quadratic moments are the identity: labels y = c + e do it."""
    data = subject.problem.data
    assert isinstance(data, Dataset)
    if subject.point is not None:
        own = minimum_here_is_global(subject, subject.point, None)
        if own.holds is False:
            return Judgement(True, f"these labels: {own.because}", shows=own.shows)
    e = residual(data.inputs)
    if e is None:
        return Judgement.unknown("no residual of this shape: the inputs lie on a quadric")
    return Judgement(True, f"labels c + kappa e with e = ({', '.join(map(str, e))}) and kappa large, at W = 0")


LABELS = Predicate(
    "bad-labels-exist",
    "some labels give a sub-optimal local minimum",
    bad_labels,
    r"\exists y:\ F\text{ has a bad local min}",
)

SIGMOID_LABELS = Statement(
    id="sun2020.prop-IV.2",
    sort=Sort.PROPOSITION,
    section="IV-C",
    title="Labels that give sigmoid networks bad minima",
    text="For at least three distinct real inputs there are labels for which the loss of a sigmoid network has a sub-optimal "
    "local minimum.",
    latex=r"n\ge3,\ x_i\in\mathbb R\text{ distinct}\Rightarrow\exists y:\ F\text{ has a bad local min}",
    quantifiers="for all distinct real inputs, there are labels; every width",
    hypotheses=(*SIGMOID_NETWORK, HIDDEN_BIAS, SCALAR_INPUTS, at_least_samples(3), DISTINCT_INPUTS),
    conclusion=LABELS,
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="W = 0 and a residual orthogonal to 1 and x but not to x^2; certified on the instances",
    fairness=Fairness.IN_CONTEXT,
    remarks=(
        "Hidden biases belong to the network of Section II. A biased network on numbers is a bias-free one on (x, 1), so it does refute Claim IV.1.",
        "For bias-free networks on three numbers 0, a, -a there is no bad local minimum, whatever the labels and the width.",
        "With biases and two samples there is none either; without biases two inputs of the same sign suffice.",
    ),
    edges=(Edge(Relation.REFUTES, "sun2020.claim-IV.1"), Edge(Relation.REFUTES, "sun2020.hyp-I-1")),
    concepts=(Concept.LOCAL_MINIMA, Concept.SMOOTH, Concept.WIDTH),
    examples=(
        Example(
            "x = (0, 1, -1) with bad labels",
            True,
            Outcome.HOLDS,
            on(
                lambda: instances.sigmoid([0, 1, -1], ["-10/3", "8/3", "8/3"], 1, bias=True),
                ln2(0, (0, 1), 1),
                points=(ln2((0, 1), (0, -1), 2),),
            ),
            smallest=True,
            source="by hand: y = 2/3 + 2e with e = (-2, 1, 1), F = 24; at w = ln 2, b = -ln 2, v = 2 it is 16 + 25/9 + (34/15)^2",
        ),
        Example(
            "x = (-3, 1/2, 7): labels exist",
            True,
            Outcome.HOLDS,
            on(lambda: instances.sigmoid([-3, "1/2", 7], [0, 0, 0], 2, bias=True)),
            source="by hand: three distinct numbers lie on no quadric",
        ),
        Example(
            "two samples",
            False,
            Outcome.VACUOUS,
            on(lambda: instances.sigmoid([1, 2], [0, 1], 1, bias=True)),
            source="n = 2",
        ),
        Example(
            "no biases, x = (0, 1, -1)",
            False,
            Outcome.VACUOUS,
            on(lambda: instances.sigmoid([0, 1, -1], [0, 1, 2], 1)),
            source="no hidden bias",
        ),
        Example("certified instances", True, Outcome.HOLDS, recipe=Recipe("exhibit", "sun2020.prop-IV.2")),
    ),
)

CURVED = on_data(
    "curved-activation",
    "the hidden activations are smooth and curved somewhere",
    lambda net, data: net.depth >= 2 and all(map(curved, net.activations)),
    latex=r"\phi''(b)\ne0",
)
GENERIC = on_data(
    "inputs-generic",
    "no quadric contains all inputs (monomials of degree at most 2 are independent on them)",
    lambda net, data: generic(data.inputs),
)


def _enough(net: DenseNetwork, data: Dataset) -> bool:
    d = net.widths[0]
    return d * d + Fraction(3 * d, 2) < len(data)


ENOUGH = on_data("samples-above-printed-bound", "d_x^2 + 3 d_x/2 < n", _enough, latex=r"d_x^2+\tfrac{3d_x}2<n")
CIRCLE = [[1, 0], [0, 1], [-1, 0], [0, -1], ["3/5", "4/5"], ["4/5", "3/5"], ["-3/5", "4/5"], ["5/13", "12/13"]]
PLANE = [[0, 0], [1, 0], [0, 1], [2, 1], [1, 3], [-1, 2]]

GENERIC_LABELS = Statement(
    id="sun2020.quote-IV-ding",
    sort=Sort.QUOTE,
    section="IV-C",
    title="Labels that give smooth networks bad minima, any dimension",
    text="Quoted: for generic inputs, enough of them for the dimension, and smooth curved activations, there are labels with "
    "a sub-optimal local minimum, at any width and depth.",
    latex=r"d_x^2+\tfrac{3d_x}{2}<n\ \text{(as printed)},\ x_i\text{ generic}\Rightarrow\exists y:\ \text{bad local min}",
    quantifiers="for generic inputs, there are labels",
    hypotheses=(CURVED, LINEAR_OUTPUT, HIDDEN_BIAS, squared_loss(), NO_REGULARIZER, ENOUGH, GENERIC),
    conclusion=LABELS,
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="the quadratic moments of the residual can be made the identity; certified on the instances",
    fairness=Fairness.IN_CONTEXT,
    remarks=(
        "The construction needs 1 + d_x + d_x(d_x + 1)/2 samples, that is (d_x^2 + 3 d_x)/2 < n; the printed bound asks for more "
        "(8 instead of 6 in the plane), so the statement is true with it.",
        "Generic means that no quadric contains all inputs: on a circle the construction fails for any number of them.",
    ),
    edges=(Edge(Relation.RELATED, "sun2020.prop-IV.2"),),
    concepts=(Concept.LOCAL_MINIMA, Concept.SMOOTH, Concept.WIDTH),
    examples=(
        Example(
            "eight points in the plane",
            True,
            Outcome.HOLDS,
            on(lambda: instances.sigmoid_plane([*PLANE, [3, -2], [-2, -3]])),
            source="by hand: six of them lie on no conic",
        ),
        Example(
            "three numbers",
            True,
            Outcome.HOLDS,
            on(lambda: instances.sigmoid([0, 1, -1], [0, 0, 0], 1, bias=True)),
            smallest=True,
            source="by hand: 1 + 3/2 < 3",
        ),
        Example(
            "eight points on the unit circle",
            False,
            Outcome.VACUOUS,
            on(lambda: instances.sigmoid_plane(CIRCLE)),
            source="by hand: x^2 + y^2 = 1 is a conic through all",
        ),
        Example("certified instances", True, Outcome.HOLDS, recipe=Recipe("exhibit", "sun2020.quote-IV-ding")),
    ),
)

STATEMENTS: tuple[Statement, ...] = (CLAIM, PROPERTY_PT, PT_GAP, PT_BASIN, SIGMOID_LABELS, GENERIC_LABELS)
