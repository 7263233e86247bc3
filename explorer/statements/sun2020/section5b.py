"""Section V-B and V-C: mode connectivity, planes of minima, Bezier curves."""

from __future__ import annotations

from fractions import Fraction

from explorer.errors import ExplorerError
from explorer.paths.connect import connecting_path
from explorer.paths.curves import PiecewisePath
from explorer.point import Point
from explorer.probes.descents import segment
from explorer.probes.near import is_zero, value_at
from explorer.probes.planes import parabola
from explorer.probes.slices import bezier, constant_on_segment, mean_on_unit, minus, slice_problem
from explorer.problem import DenseNetwork
from explorer.solve.critical import critical_set
from explorer.solve.results import Kind
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
    Repair,
    Sort,
    Statement,
    Subject,
    Verdict,
    Witness,
)
from explorer.statements.predicates import on_data, squared_loss
from explorer.statements.sun2020 import instances
from explorer.statements.sun2020.conditions import (
    LINEAR,
    LINEAR_OUTPUT,
    NO_REGULARIZER,
    ONE_HIDDEN,
    exact_points,
    look,
    points_given,
)
from explorer.statements.sun2020.instances import on
from explorer.statements.sun2020.sets import decided

F = Fraction
PAIR, TRIPLE = points_given(2, "global minima"), points_given(3, "global minima")
BEND = points_given(3, "the two ends and the control point")


def _all_global(subject: Subject) -> Judgement:
    for p in exact_points(subject):
        if not (isinstance(subject.problem.network, DenseNetwork) and is_zero(value_at(subject.problem, p))):
            return Judgement.unknown("F is not 0 at one of the points")
    return Judgement(True, "F = 0 at all of them")


ALL_GLOBAL = Predicate("points-are-global", "the points are global minima", _all_global)


def constant_path(subject: Subject, a: Point, b: Point) -> PiecewisePath | None:
    """A path of constant loss 0: the segment, a planar parabola of a linear network, or one through spare units."""
    problem = subject.problem
    try:
        if constant_on_segment(problem, a, b):
            return segment(a, b, level=F(0))
    except ExplorerError:
        pass
    for make in (lambda: parabola(problem, a, b), lambda: connecting_path(problem, a, b, budget=subject.budget)):
        try:
            return make()
        except (ExplorerError, StopIteration):
            continue
    return None


def same_hidden(subject: Subject, a: Point, b: Point) -> bool:
    net = subject.problem.network
    if not isinstance(net, DenseNetwork):
        return False
    last = net.widths[-2] * net.widths[-1] + (net.widths[-1] if net.bias[-1] else 0)
    return a.coordinates[:-last] == b.coordinates[:-last]


def planar_path(subject: Subject, a: Point, b: Point) -> PiecewisePath | None:
    """A path of constant loss 0 in a plane through both points: the segment, or a parabola."""
    problem = subject.problem
    if same_hidden(subject, a, b):  # the loss is convex in the last layer, and 0 at both ends
        return segment(a, b, level=F(0))
    try:
        if constant_on_segment(problem, a, b):
            return segment(a, b, level=F(0))
    except ExplorerError:
        pass
    try:
        return parabola(problem, a, b)
    except (ExplorerError, StopIteration):
        return None


def barrier(subject: Subject, a: Point, b: Point) -> Witness | None:
    """What may separate the points: a wall around an isolated minimum, or a hyperplane on which F is larger."""
    if look(subject, a).kind is Kind.STRICT_MINIMUM:
        return Witness("barrier", a, b)
    level = F(1, 4)
    net = subject.problem.network
    for k, (x, y) in enumerate(zip(a.coordinates, b.coordinates, strict=True)):
        if isinstance(net, DenseNetwork) and x[0] * y[0] < 0 and not any(x[1:]) and not any(y[1:]):
            return Witness("divide", a, b, options={"level": level, "hyperplanes": (subject.problem.parameters[k],)})
    return None


def _joined(subject: Subject) -> Judgement:
    a, b = exact_points(subject)[:2]
    path = constant_path(subject, a, b)
    if path is not None:
        return Judgement(True, f"a path of {len(path.legs)} pieces on which F = 0", shows=(Witness("bounded-path", options={"path": path}),))
    wall = barrier(subject, a, b)
    if wall is None:
        return Judgement.unknown("neither a path of constant loss nor a wall between the points was found")
    return Judgement(False, "every path between them passes a point with larger loss", shows=(wall,))


JOINED = Predicate("joined-at-constant-loss", "the two points are joined by a path on which F does not rise above 0", _joined)
JOINED_DECIDED = decided(
    JOINED, name="connectivity-decided", text="whether the two minima are joined at constant loss is decided", yes="joined", no="not joined"
)

CONNECTIVITY = Statement(
    id="sun2020.def-V-modeconn",
    sort=Sort.DEFINITION,
    section="V-B",
    title="Mode connectivity, planes, energies of paths",
    text="Global minima are connected if paths of constant loss join them. The plane M of three points is introduced as their "
    "linear span, the energies of a path as the largest and the mean loss on it.",
    latex=r"\{F=F^*\}\text{ connected};\ M(v_1,v_2,v_3)=\operatorname{span};\ \min_P\max_{\theta\in P}F,\ \min_P\mathbb E_{\theta\in P}F",
    quantifiers="a definition; decided here for two given minima",
    hypotheses=(PAIR, ALL_GLOBAL),
    conclusion=JOINED_DECIDED,
    verdict=Verdict.NEEDS_REPAIR,
    ground=Ground.ARGUED,
    because="three independent vectors span three dimensions, not a plane",
    fairness=Fairness.PEDANTIC,
    finding="M is called a plane and defined as the span of three vectors; the contour plots that follow use the affine plane through them.",
    repair=Repair("M is the affine plane of the three points.", (PAIR, ALL_GLOBAL), JOINED_DECIDED),
    remarks=("The mean energy depends on the parametrisation of the path.",),
    concepts=(Concept.PATHS,),
    examples=(
        Example("the branches of vw = 1", False, Outcome.HOLDS, on(instances.vw, points=((1, 1), (-1, -1))), repaired=Outcome.HOLDS, smallest=True, source="by hand: F = 1 where v = 0: not joined"),
        Example("two linear units, one sample", True, Outcome.HOLDS, on(lambda: instances.linear([1, 2, 1], [1], [1]), points=((1, 0, 1, 0), (-1, 0, -1, 0))), repaired=Outcome.HOLDS,
                source="by hand: v = w = (cos, sin); joined"),
        Example("a point that is no minimum", False, Outcome.UNDECIDED, on(instances.relu_pair, points=((1, 1), (-1, 2))), repaired=Outcome.UNDECIDED, source="by hand: F = 4 and 1"),
    ),
)


def _rises_in_the_plane(subject: Subject) -> Judgement:
    a, b, c = exact_points(subject)
    path = segment(a, b, level=F(0)) if same_hidden(subject, a, b) else None
    try:
        if path is None and constant_on_segment(subject.problem, a, b):
            path = segment(a, b, level=F(0))
    except ExplorerError as error:
        return Judgement.unknown(error.sentence())
    if path is not None:
        return Judgement(False, "F = 0 on the whole segment, which lies in every plane through the two points", shows=(Witness("bounded-path", options={"path": path}),))
    found = critical_set(slice_problem(subject.problem, a, minus(b, a), minus(c, a)), budget=subject.budget)
    if not found.coverage.complete:
        return Judgement.unknown(found.coverage.reason)
    zeros = [q for q in found.components if q.value.lower <= 0]
    if all(q.dimension == 0 for q in zeros):
        return Judgement(True, f"F = 0 at {sum(q.orbit or 1 for q in zeros)} isolated points of the affine plane only", found.coverage.trust)
    return Judgement.unknown("F = 0 on a curve of the plane; whether it joins the two points is not decided here")


RISES = Predicate("every-planar-path-rises", "every path in the plane of the three points from the first to the second has larger loss somewhere", _rises_in_the_plane)


def _isolated_in_the_plane(subject: Subject) -> Judgement:
    found = _rises_in_the_plane(subject)
    return found if found.holds is None else Judgement(found.holds, found.because, found.trust)


ISOLATED = Predicate("finitely-many-minima-in-plane", "the affine plane of the points holds finitely many global minima", _isolated_in_the_plane)

NO_PLANAR_PATH = Statement(
    id="sun2020.conj-V.3",
    sort=Sort.CONJECTURE,
    section="V-B",
    title="Conjecture V.3: no constant path in the plane of three minima",
    text="In the plane of three global minima every path from the first to the second passes points of larger loss.",
    latex=r"\text{every path in }M(\theta_1^*,\theta_2^*,\theta_3^*)\text{ from }\theta_1^*\text{ to }\theta_2^*\text{ has }\max F>F(\theta_1^*)",
    quantifiers="as printed for all networks, all triples of global minima, all paths",
    hypotheses=(TRIPLE, ALL_GLOBAL),
    conclusion=RISES,
    verdict=Verdict.FALSE,
    ground=Ground.VERIFIED,
    because="minima that share the hidden layer are joined by a segment of constant loss",
    fairness=Fairness.SOLID,
    finding="As printed, without a condition on the triple: with more units than samples two minima can share the hidden weights and differ by "
    "output weights that change no output. Parabolas of constant loss exist with different hidden weights too. Together with Conjecture V.4, "
    "whose path passes a third minimum, it is contradictory for independent triples.",
    repair=Repair("For triples whose affine plane holds finitely many global minima, as random ones do with at least two equations.", (TRIPLE, ALL_GLOBAL, ISOLATED), RISES),
    edges=(Edge(Relation.USES, "sun2020.def-V-modeconn"), Edge(Relation.CONTRASTS, "sun2020.conj-V.4")),
    concepts=(Concept.PATHS, Concept.SLICES),
    examples=(
        Example("three sigmoid units with one hidden layer for all minima", False, Outcome.REFUTED, on(instances.shared_layer, points=instances.SHARED), repaired=Outcome.VACUOUS,
                source="by hand: (1, -2, 1) times the features is 0, so v may move along it"),
        Example("two linear units, a segment of constant loss", False, Outcome.REFUTED, on(lambda: instances.linear([1, 2, 1], [1], [1]), points=((1, 0, 1, 0), (1, 0, 1, 1), (2, 0, "1/2", 0))),
                repaired=Outcome.VACUOUS, smallest=True, source="by hand: the second unit is silent (w_2 = 0), so v_2 is free"),
        Example("three minima of a linear pair in general position", True, Outcome.HOLDS,
                on(lambda: instances.linear([2, 2, 1], [[1, 0], [0, 1]], [1, 1]), points=((1, 1, 0, 0, 1, 0), (0, 0, 1, 1, 0, 1), (2, 0, -1, 1, 1, 1))), repaired=Outcome.HOLDS,
                source="two quadrics in a plane, independent resultants: isolated zeros"),
        Example("parabolas and segments of constant loss", False, Outcome.REFUTED, recipe=Recipe("refute", "sun2020.conj-V.3")),
    ),
)


def _planar(subject: Subject) -> Judgement:
    a, b = exact_points(subject)[:2]
    path = planar_path(subject, a, b)
    if path is not None:
        return Judgement(True, path.legs[0].because, shows=(Witness("bounded-path", options={"path": path}),))
    wall = barrier(subject, a, b)
    if wall is None:
        return Judgement.unknown("neither a planar path of constant loss nor a wall was found")
    return Judgement(False, "no path of constant loss joins the points, in a plane or not", shows=(wall,))


PLANAR = Predicate("planar-constant-path", "some plane through the two points holds a path of constant loss between them", _planar)
SPARE = on_data("a-spare-unit", "the hidden layer has more units than there are samples", lambda net, data: net.depth == 2 and net.widths[1] > len(data), latex=r"m\ge n+1")

PLANAR_PATH = Statement(
    id="sun2020.conj-V.4",
    sort=Sort.CONJECTURE,
    section="V-B",
    title="Conjecture V.4: a constant path in some plane",
    text="For any two global minima there is a third point such that a path of constant loss from one to the other passes it inside "
    "the plane of the three.",
    latex=r"\forall\theta_1^*,\theta_2^*\ \exists\theta_0,\ \gamma\subset M(\theta_1^*,\theta_2^*,\theta_0):\ F\circ\gamma\text{ constant}",
    quantifiers="as printed for all networks and all pairs of global minima",
    hypotheses=(PAIR, ALL_GLOBAL),
    conclusion=PLANAR,
    verdict=Verdict.FALSE,
    ground=Ground.VERIFIED,
    because="global minima may be isolated, or lie on different components",
    fairness=Fairness.SOLID,
    finding="As printed, without a condition on width: (vw - 1)^2 has two branches of minima that no path of constant loss joins, and one unit "
    "with a suitable activation has two isolated minima.",
    repair=Repair(
        "With one hidden layer and more units than samples any two global minima are joined by a polygon of constant loss, not always a planar one.",
        (PAIR, ALL_GLOBAL, ONE_HIDDEN, LINEAR_OUTPUT, SPARE, NO_REGULARIZER),
        JOINED,
    ),
    remarks=(
        "With n units it can fail for positive activations: two sigmoid units, y = (1, -1), the sign of det Z separates the minima.",
        "For two linear layers with at least three units it holds for minima with independent output weights (aud.lemma-V4-linear).",
    ),
    edges=(Edge(Relation.USES, "sun2020.def-V-modeconn"), Edge(Relation.USES, "sun2020.def-V-bezier"), Edge(Relation.CONTRASTS, "sun2020.conj-V.3")),
    concepts=(Concept.PATHS, Concept.WIDTH),
    examples=(
        Example("two isolated minima", False, Outcome.REFUTED, on(instances.isolated, points=((1, 1), (-1, -1))), repaired=Outcome.VACUOUS,
                source="by hand: phi(1) = 0, phi(2) = 1, phi'(2) = 0 and phi odd: F = 0 at (1, 1) and (-1, -1), with definite Hessians"),
        Example("the branches of vw = 1", False, Outcome.REFUTED, on(instances.vw, points=((1, 1), (-1, -1))), repaired=Outcome.VACUOUS, smallest=True, source="by hand: F = 1 where v = 0"),
        Example("three linear units in general position", True, Outcome.HOLDS, on(instances.linear_three, points=instances.LINEAR_MINIMA), repaired=Outcome.HOLDS,
                source="by hand: both have outputs (1, 2)"),
        Example("isolated minima, certified by recipe", False, Outcome.REFUTED, recipe=Recipe("refute", "sun2020.conj-V.4")),
    ),
)


def _parabola(subject: Subject) -> Judgement:
    path = parabola(subject.problem, *exact_points(subject))
    return Judgement(True, path.legs[0].because, shows=(Witness("bounded-path", options={"path": path}),))


THREE_UNITS = on_data("three-units", "two linear layers with at least three units and one output", lambda net, data: net.depth == 2 and net.widths[1] >= 3 and net.widths[2] == 1)


def _independent(subject: Subject) -> Judgement:
    from explorer.probes.flat import rank

    net = subject.problem.network
    assert isinstance(net, DenseNetwork)
    rows = [tuple(c[0] for c in p.coordinates[-net.widths[1] :]) for p in exact_points(subject)]
    holds = rank(rows) == 2
    return Judgement(holds, "exact rank" if holds else "the output weights are parallel")


INDEPENDENT = Predicate("independent-output-weights", "the output weights of the two minima are not parallel", _independent)

PARABOLA = Statement(
    id="aud.lemma-V4-linear",
    sort=Sort.AUDIT,
    section="V-B",
    title="Two linear layers: a planar path of constant loss",
    text="For two linear layers with one output and at least three units, two global minima with independent output weights are "
    "joined by a parabola (or an arc of an ellipse) of constant loss in a plane that is found by linear equations.",
    latex=r"V_1S+pW_1=\kappa,\ \Delta VS+p\Delta W=0,\ pS=0\Rightarrow f-y=\kappa(s^2-s+t)",
    quantifiers="for all such pairs of minima",
    hypotheses=(LINEAR, squared_loss(), NO_REGULARIZER, THREE_UNITS, PAIR, ALL_GLOBAL, INDEPENDENT),
    conclusion=Predicate("parabola", "F is constant on a parabola through both minima", _parabola),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="the equations have a solution for every p independent of the output weights; certified on the instances",
    remarks=("kappa = 0 means that the segment itself is constant.",),
    edges=(Edge(Relation.RELATED, "sun2020.conj-V.4"), Edge(Relation.RELATED, "sun2020.conj-V.3")),
    concepts=(Concept.PATHS, Concept.DEEP_LINEAR),
    examples=(
        Example("three units, outputs (1, 2)", True, Outcome.HOLDS, on(instances.linear_three, points=instances.LINEAR_MINIMA), source="by hand: both have outputs (1, 2)"),
        Example("three units, one sample", True, Outcome.HOLDS, on(lambda: instances.linear([1, 3, 1], [1], [1]), points=((1, 0, 0, 1, 0, 0), (0, 1, 0, 0, 1, 0))), smallest=True, source="by hand: v.w = 1 at both"),
        Example("one unit", False, Outcome.VACUOUS, on(instances.vw, points=((1, 1), (-1, -1))), source="by hand: the branches are not connected"),
    ),
)

WIDER = on_data(
    "hidden-wider-than-ends", "every hidden layer is wider than the smaller of input and output",
    lambda net, data: net.depth >= 2 and min(net.widths[1:-1]) > min(net.widths[0], net.widths[-1]), latex=r"d_k>\min(d_0,d_L)",
)

SUBLEVEL = Statement(
    id="sun2020.quote-V-freeman-bruna",
    sort=Sort.QUOTE,
    section="V-B",
    title="Sub-level sets of linear networks are connected",
    text="Quoted: for deep linear networks, and for very wide ReLU networks with one hidden layer, all sub-level sets are connected.",
    latex=r"\{\theta:F(\theta)\le c\}\text{ connected for every }c",
    quantifiers="for all levels; as printed for deep linear networks of every width",
    hypotheses=(LINEAR, squared_loss(), NO_REGULARIZER, PAIR, ALL_GLOBAL),
    conclusion=JOINED,
    verdict=Verdict.NEEDS_REPAIR,
    ground=Ground.VERIFIED,
    because="(vw - 1)^2 is a linear network, and its sub-level set at 1/4 has two components",
    fairness=Fairness.SOLID,
    finding="The survey's paraphrase has no condition on width: for (vw - 1)^2 and c = 1/4 the set {F <= c} is disconnected, since F = 1 where v = 0. "
    "The original is not accused; it is recalled to ask for hidden widths above min(d_0, d_L).",
    repair=Repair("Hidden layers wider than the smaller of input and output.", (LINEAR, squared_loss(), NO_REGULARIZER, WIDER, PAIR, ALL_GLOBAL), JOINED),
    remarks=("Decided here for two global minima at the level 0.", "The part on ReLU networks is true for more units than samples (aud.lemma-one-hidden)."),
    edges=(Edge(Relation.RELATED, "sun2020.conj-V.4"), Edge(Relation.RELATED, "aud.lemma-one-hidden")),
    concepts=(Concept.PATHS, Concept.DEEP_LINEAR, Concept.WIDTH),
    examples=(
        Example("(vw-1)^2", False, Outcome.REFUTED, on(instances.vw, points=((1, 1), (-1, -1))), repaired=Outcome.VACUOUS, smallest=True, source="by hand: F = 1 on v = 0"),
        Example("two linear units, one sample", True, Outcome.HOLDS, on(lambda: instances.linear([1, 2, 1], [1], [1]), points=((1, 0, 1, 0), (-1, 0, -1, 0))), repaired=Outcome.HOLDS, source="by hand: v = w = (cos, sin)"),
        Example("a ReLU network", False, Outcome.VACUOUS, on(instances.relu_pair), repaired=Outcome.VACUOUS, source="not linear"),
    ),
)


def _energy(subject: Subject) -> Judgement:
    a, bend, b = exact_points(subject)
    c = bezier(subject.problem, a, bend, b)
    return Judgement(True, f"mean energy {mean_on_unit(c)}, a polynomial of degree {len(c) - 1} along the curve")


BEZIER = Statement(
    id="sun2020.def-V-bezier",
    sort=Sort.DEFINITION,
    section="V-B",
    title="Bezier curves between minima and their energy",
    text="A quadratic curve with ends at two minima and a control point that is chosen so that the mean loss along it is small.",
    latex=r"\theta_\psi(t)=(1-t)^2\theta_1^*+2t(1-t)\psi+t^2\theta_2^*,\quad\min_\psi\int_0^1F(\theta_\psi(t))\,dt",
    quantifiers="a definition",
    hypotheses=(BEND,),
    conclusion=Predicate("bezier-energy", "the mean loss along the curve is a number, integrated exactly", _energy),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="a definition; integrated exactly for polynomial losses",
    remarks=(
        "The control point is not on the curve in general: the curve passes (theta_1 + 2 psi + theta_2)/4 half-way.",
        "On a hyperbola no polynomial curve other than a point has energy 0.",
    ),
    concepts=(Concept.PATHS,),
    examples=(
        Example("(vw-1)^2 from (1, 1) to (4, 1/4), straight", True, Outcome.HOLDS, on(instances.vw, points=((1, 1), ("5/2", "5/8"), (4, "1/4"))), source="by hand: the control point half-way gives the segment, 27/160"),
        Example("two linear units, a silent weight moved", True, Outcome.HOLDS, on(lambda: instances.linear([1, 2, 1], [1], [1]), points=((1, 1, 1, 0), (1, 1, "1/2", "1/2"), (1, 1, 0, 1))), smallest=True,
                source="by hand: v1 + v2 = 1 along the curve, energy 0"),
        Example("no control point", False, Outcome.VACUOUS, on(instances.vw, points=((1, 1), (-1, -1))), source="three points are needed"),
    ),
)

DAUPHIN = Statement(
    id="sun2020.quote-V-dauphin",
    sort=Sort.QUOTE,
    section="V-C",
    title="Saddles rather than local minima",
    text="A quoted hypothesis: most local minima are close to global ones, so that descent which is stuck at a large loss is "
    "probably at a saddle.",
    latex=r"F(\theta)\text{ large},\ \nabla F(\theta)\approx0\Rightarrow\text{index}\ge1\text{ (mostly)}",
    quantifiers="statistical: 'most', 'likely'",
    hypotheses=(),
    conclusion=NotCheckable("a statistical statement ('most', 'likely') without a distribution of networks, data or stuck points"),
    verdict=Verdict.OPEN,
    ground=Ground.CITED,
    because="an empirical hypothesis of the work quoted",
    remarks=(
        "(vw - 1)^2 fits it: the only critical point of large loss is a saddle of index 1.",
        "ReLU networks with inactive units do not: flat local minima of large loss.",
    ),
    edges=(Edge(Relation.USES, "sun2020.def-III.1"),),
    concepts=(Concept.SADDLES, Concept.DYNAMICS),
)

STATEMENTS: tuple[Statement, ...] = (CONNECTIVITY, NO_PLANAR_PATH, PLANAR_PATH, PARABOLA, SUBLEVEL, BEZIER, DAUPHIN)
