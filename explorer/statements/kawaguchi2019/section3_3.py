"""Section 3.3: the perturbable gradient basis and Theorem 2."""

from __future__ import annotations

from explorer.induced.features import induced_minimum, squared_loss
from explorer.point import Point
from explorer.statements.kawaguchi2019.common import dense, rational, same, shown, subject
from explorer.statements.kawaguchi2019.conditions import (
    A1_SQUARED,
    MODEL,
    away_from_kinks,
    features_at,
    local_minima,
    origin,
)
from explorer.statements.kawaguchi2019.perturbed import given_points, same_outputs, stacked_minimum
from explorer.statements.kawaguchi2019.section3_1 import A2, DIFFERENTIABLE, IN_CLOSURE
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
)

USES = Relation.USES


def _members(s: Subject) -> Judgement:
    point = s.point if isinstance(s.point, Point) else origin(s.problem)
    here = features_at(s, [point])[0][1]
    others = features_at(s, given_points(s))
    a = here.arithmetic
    for _, there in others:
        if any(not a.is_zero(a.sub(x, y)) for x, y in zip(there.outputs, here.outputs, strict=True)):
            return Judgement(False, "at one of the given points the outputs differ: it is not in V")
    found = same_outputs(s.problem, point, here)
    return Judgement(True, f"0 is in V, and so are {len(others)} given and {len(found) - 1} tried directions")


DEF_V = Statement(
    id="kawaguchi2019.def-V",
    sort=Sort.DEFINITION,
    section="3.3",
    title="The perturbable gradient basis",
    text="V collects the directions, at most as long as 1, along which a step of length eps leaves every output as it is; "
    "gradient features are then gathered at all these nearby parameters.",
    latex=r"V[\theta,\epsilon]=\{v:\|v\|_2\le1,\ f_{x_i}(\theta+\epsilon v)=f_{x_i}(\theta)\ \forall i\}",
    quantifiers="definition",
    hypotheses=(MODEL, DIFFERENTIABLE),
    conclusion=Predicate("in-V", "the outputs at the given further points are those at the point", _members),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="a definition; 0 always belongs to V",
    remarks=(
        "V is an algebraic set in a ball, not a subspace: for v w at the origin it is a cross.",
        "Finite subsets suffice, since the span is finite-dimensional.",
    ),
    concepts=(Concept.TANGENT,),
    examples=(
        Example(
            "cross",
            True,
            Outcome.HOLDS,
            lambda: _cross([1, 0]),
            smallest=True,
            source="by hand: v w = 0 on both axes",
        ),
        Example(
            "off the cross",
            False,
            Outcome.UNDECIDED,
            lambda: _cross([1, 1]),
            source="by hand: v w = 1 at (1, 1); V does not contain it, so nothing is defined there",
        ),
    ),
)


def _cross(other: list[int]) -> Subject:
    problem = dense([1, 1, 1], "linear", [1], [1])
    return Subject(problem, rational(problem, 0, 0), (rational(problem, *other),))


def _smooth_minima(s: Subject) -> list[Point]:
    return [p for p in local_minima(s) if away_from_kinks(s.problem, p)]


def _has_minimum(s: Subject) -> Judgement:
    if s.point is not None and not any(s.point == c.sample or s.point in c.points for c in s.critical.components):
        return Judgement.unknown(
            "whether the given point is a local minimum: it is not among the listed critical points"
        )
    chosen = [c for c in s.critical.components if s.point is None or s.point == c.sample or s.point in c.points]
    if any(c.kind.is_minimum for c in chosen):
        smooth = _smooth_minima(s)
        return Judgement(
            bool(smooth),
            f"{len(smooth)} exact local minima away from kinks" if smooth else "every exact local minimum is at a kink",
        )
    if any(c.kind.value == "undecided" for c in chosen) or (s.point is None and not s.critical.coverage.complete):
        return Judgement.unknown(s.critical.coverage.reason)
    return Judgement(False, "not a local minimum" if s.point is not None else "no local minimum is listed")


LOCAL_MINIMUM = Predicate(
    "smooth-local-minimum",
    "the point (or some listed one) is a local minimum with no pre-activation at a kink",
    _has_minimum,
    r"\theta\notin\overline\Omega\text{ local minimum}",
)


def _perturbed_optimal(s: Subject) -> Judgement:
    count = 0
    for point, f in features_at(s, _smooth_minima(s)):
        family = same_outputs(s.problem, point, f)
        here, best = squared_loss(f), stacked_minimum(family)
        count += len(family)
        if not same(f, here, best):
            return Judgement(
                False, f"L = {shown(f, here)}, but {len(family)} perturbed bases together reach {shown(f, best)}"
            )
    return Judgement(
        True, f"L equals the least-squares value over {count} gradient bases at nearby parameters with the same outputs"
    )


THM_2 = Statement(
    id="kawaguchi2019.thm-2",
    sort=Sort.THEOREM,
    section="3.3, eq. (3.2)",
    title="Local minima are optimal for the perturbable gradient basis",
    text="A local minimum away from kinks has the least loss among all linear combinations of gradient features gathered at "
    "nearby parameters with the same outputs.",
    latex=r"\exists\epsilon_0>0\ \forall\epsilon\in[0,\epsilon_0):\quad L(\theta)=\inf_{S\subseteq_{fin}V[\theta,\epsilon],\ \alpha}\tilde L_\theta(\alpha,\epsilon,S)",
    quantifiers="for all local minima, exists eps_0, for all eps < eps_0 and all finite S",
    hypotheses=(MODEL, A1_SQUARED, LOCAL_MINIMUM, A2),
    conclusion=Predicate(
        "optimal-among-perturbed-features",
        "no linear combination of the gradient features at the tried nearby parameters has a lower loss",
        _perturbed_optimal,
        r"L(\theta)=\inf\tilde L_\theta",
    ),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="a nearby parameter with the same outputs is a local minimum too, hence critical, and Theorem 1's argument applies there",
    remarks=(
        "Read backwards it detects saddles that second-order tests miss: for x y z at 0, a perturbed basis reaches 0 < 1.",
        "The converse is false: theta^3 with target 1 at 0 satisfies the equality and is no local minimum.",
        "eps_0 can be needed: for v w^2 at (w, v) = (0, 1) with target -1 a step of length 5/4 leaves the valley and reaches 0.",
        "It says nothing about the global minimum: the same point has L = 1 = L~ and min L = 0.",
    ),
    edges=(
        Edge(USES, "kawaguchi2019.ass-1"),
        Edge(USES, "kawaguchi2019.ass-2"),
        Edge(USES, "kawaguchi2019.def-V"),
        Edge(USES, "kawaguchi2019.lem-3"),
    ),
    concepts=(Concept.TANGENT, Concept.LOCAL_MINIMA),
    examples=(
        Example(
            "spurious minimum of v w^2",
            True,
            Outcome.HOLDS,
            lambda: Subject(dense([1, 1, 1], "square", [1], [-1])),
            smallest=True,
            source="by hand: along w = 0 all gradients (2vw, w^2) vanish: 1 = 1",
        ),
        Example(
            "degenerate saddle of x y z",
            False,
            Outcome.VACUOUS,
            lambda: subject(dense([1, 1, 1, 1], "linear", [1], [1]), 0, 0, 0),
            source="by hand: (-s, s, ... ) lowers (xyz - 1)^2 below 1: not a local minimum",
        ),
    ),
)


def _chain(s: Subject) -> Judgement:
    point = s.point if isinstance(s.point, Point) else origin(s.problem)
    f = features_at(s, [point])[0][1]
    a, here, tangent = f.arithmetic, squared_loss(f), induced_minimum(f)
    perturbed = stacked_minimum(same_outputs(s.problem, point, f))
    if a.sign(a.sub(here, tangent)) < 0 or a.sign(a.sub(tangent, perturbed)) < 0:
        return Judgement(False, f"L = {shown(f, here)}, induced {shown(f, tangent)}, perturbed {shown(f, perturbed)}")
    return Judgement(True, f"{shown(f, here)} >= {shown(f, tangent)} >= {shown(f, perturbed)}")


CHAIN = Statement(
    id="kawaguchi2019.chain",
    sort=Sort.FACT,
    section="3.3",
    title="The chain of induced models",
    text="At every differentiable point, critical or not, the loss is at least that of the induced model, which is at least that "
    "of the perturbable one.",
    latex=r"L(\theta)\ \ge\ \inf_\alpha L_\theta(\alpha)\ \ge\ \inf_{S,\alpha}\tilde L_\theta(\alpha,\epsilon,S)",
    quantifiers="for all parameters outside the closure of Omega",
    hypotheses=(MODEL, A1_SQUARED, DIFFERENTIABLE, IN_CLOSURE, A2),
    conclusion=Predicate("chain", "the three losses are in this order", _chain),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="a larger model class has a smaller infimum; Assumption 2 puts the network into the first class",
    edges=(Edge(USES, "kawaguchi2019.ass-2"), Edge(Relation.RELATED, "kawaguchi2019.thm-2")),
    concepts=(Concept.TANGENT,),
    examples=(
        Example(
            "not critical",
            True,
            Outcome.HOLDS,
            lambda: subject(dense([1, 1, 1], "square", [1], [2]), 1, 1),
            smallest=True,
            source="by hand: v w^2 = 1, target 2: L = 1 > 0, since the gradient (2, 1) is not 0",
        ),
        Example(
            "saddle of v w",
            True,
            Outcome.HOLDS,
            lambda: subject(dense([1, 1, 1], "linear", [1], [1]), 0, 0),
            source="by hand: J = 0 at the origin, (1, 0) on the axes: 1 >= 1 >= 0",
        ),
        Example(
            "without Assumption 2",
            False,
            Outcome.VACUOUS,
            lambda: subject(
                dense([1, 1], [], [1], [1], output_activation={"kind": "polynomial", "coefficients": [1, 0, 1]}), 0
            ),
            source="by hand: theta^2 + 1 with target 1 has L = 0 < 1, the loss of the zero predictor",
        ),
    ),
)

STATEMENTS = (DEF_V, THM_2, CHAIN)
