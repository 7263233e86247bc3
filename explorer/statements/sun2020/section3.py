"""Section III: linear networks."""

from __future__ import annotations

from explorer.errors import Invalid, Unsupported
from explorer.point import AnyPoint, Point
from explorer.probes.linear import factored, linear_data, product
from explorer.probes.near import value_at
from explorer.probes.slices import loss_terms
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
from explorer.statements.predicates import squared_loss
from explorer.statements.sun2020 import instances
from explorer.statements.sun2020.conditions import (
    CRITICAL,
    EQUAL_WEIGHTS,
    INPUTS_FULL_RANK,
    LINEAR,
    LINEAR_MINIMA,
    NO_REGULARIZER,
    TARGETS_FULL_RANK,
    everywhere,
    look,
    on_linear,
    on_problem,
)
from explorer.statements.sun2020.instances import on

VW = {(2, 2): 1, (1, 1): -2, (0, 0): 1}
IS_VW = on_problem(
    "is-vw", "the loss is (vw - 1)^2", lambda p: len(p.parameters) == 2 and loss_terms(p) == VW, latex="F(v,w)=(vw-1)^2"
)


def _vw_landscape(subject: Subject) -> Judgement:
    found = subject.critical
    if not found.coverage.complete:
        return Judgement.unknown(found.coverage.reason)
    saddles = [c for c in found.components if c.kind is Kind.STRICT_SADDLE]
    rest = [c for c in found.components if c not in saddles]
    origin = Point.rational([0, 0])
    holds = [c.sample for c in saddles] == [origin] and all(c.kind.is_minimum and c.is_global for c in rest)
    return Judgement(holds, "the saddle 0 and families of global minima, and the list is complete")


# -- linear networks ------------------------------------------------------------------------------------------------------


def _mother(subject: Subject) -> Judgement:
    data = linear_data(subject.problem)
    if not data.inputs_full_rank:
        return Judgement.unknown("the least-squares matrix is not unique: the inputs do not span the input space")
    best = data.least_squares()
    try:
        weights = factored(best, data.widths)
    except Invalid as error:
        return Judgement.unknown(error.sentence())
    if weights is None:
        return Judgement(
            True, f"the least-squares matrix has rank {best.rank()} > {data.bottleneck}: no weights give it"
        )
    if product(subject.problem, weights) != best:
        return Judgement(False, "the rank factorisation does not multiply back")
    value = value_at(subject.problem, weights)
    return Judgement(
        True,
        f"weights whose product is the least-squares matrix of rank {best.rank()}, F = {value.as_fraction}",
        shows=(Witness("value", weights),),
        partial=True,
    )


REACHED = Predicate(
    "product-reaches-least-squares",
    "weights give the least-squares matrix exactly if its rank is at most the smallest width",
    _mother,
    r"\{W_L\cdots W_1\}=\{R:\operatorname{rank}R\le p\}",
)
THIN = on_linear(
    "widths-at-most-samples",
    "d_x and d_y are at most n",
    lambda p: linear_data(p) is not None and _thin(p.network, len(p.data or ())),
    latex=r"d_x,d_y\le n",
)
CORRELATED = on_linear(
    "correlation-full-rank",
    "X Y^T has full rank",
    lambda p: linear_data(p).correlation_full_rank,
    latex=r"\operatorname{rank}XY^T=\min(d_x,d_y)",
)
DISTINCT = on_linear(
    "distinct-singular-values",
    "the d_y singular values of Y X^T (X X^T)^-1 X are different (zeros counted)",
    lambda p: linear_data(p).inputs_full_rank and linear_data(p).distinct_singular_values,
)
NO_BOTTLENECK = on_linear(
    "no-bottleneck",
    "no hidden layer is narrower than input and output",
    lambda p: linear_data(p).bottleneck == min(linear_data(p).widths[0], linear_data(p).widths[-1]),
    latex=r"\min_id_i=\min(d_x,d_y)",
)


def _thin(net: object, n: int) -> bool:
    return isinstance(net, DenseNetwork) and max(net.widths[0], net.widths[-1]) <= n


def _by_rank(subject: Subject, point: AnyPoint, component: Component | None) -> Judgement:
    if not isinstance(point, Point):
        return Judgement.unknown("the point is known by a box only")
    try:
        w, data = product(subject.problem, point), linear_data(subject.problem)
    except Unsupported as error:
        return Judgement.unknown(error.sentence())
    if w.rank() == min(data.widths[0], data.widths[-1]):
        holds = data.is_least_squares(w)
        shows = (Witness("global-minimum", point, options=PRODUCT),) if holds and component is None else ()
        return Judgement(holds, "the product has full rank and solves the normal equations", shows=shows)
    kind = look(subject, point).kind if component is None else component.kind
    if kind is None or kind is Kind.UNDECIDED:
        return Judgement.unknown("the product is singular, and no rule decides the kind of the point")
    shows = (Witness("saddle", point, options=PRODUCT),) if component is None and kind.is_saddle else ()
    return Judgement(kind.is_saddle, f"the product is singular, and the point is a {kind.value}", shows=shows)


PRODUCT = {"ranks": ("product",)}  #: stated beside the kind of the point
BY_RANK = Predicate(
    "kind-by-rank",
    "a full-rank product means a global minimum, a singular one a saddle",
    everywhere(_by_rank),
    r"\operatorname{rank}(W_L\cdots W_1)=\min(d_x,d_y)\Rightarrow\text{global},\quad<\ \Rightarrow\text{saddle}",
)

TOY = Statement(
    id="sun2020.toy-III-vw",
    sort=Sort.EXAMPLE,
    section="III",
    title="The smallest linear network",
    text="The loss of one linear unit on one sample: its global minima are the two branches of a hyperbola, its only other "
    "critical point is a strict saddle at the origin.",
    latex=r"F(v,w)=(vw-1)^2,\quad\arg\min F=\{vw=1\}",
    quantifiers="one function",
    hypotheses=(IS_VW,),
    conclusion=Predicate(
        "vw-critical-set", "the critical points are the minima vw = 1 and a strict saddle at 0", _vw_landscape
    ),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="the gradient is 2 (vw - 1) (w, v), and the Hessian at 0 has the eigenvalues -2 and 2",
    remarks=(
        "The two branches are not connected by points with F < 1, since F = 1 where v = 0.",
        "It is not coercive and has a path to infinity on which F falls to a value above its minimum: (-1/k^2, k), "
        "F = (1 + 1/k)^2. Three layers are not needed for that.",
    ),
    edges=(
        Edge(Relation.REFUTES, "sun2020.conj-V.4"),
        Edge(Relation.REFUTES, "sun2020.quote-V-freeman-bruna"),
        Edge(Relation.RELATED, "sun2020.claim-VI.3"),
        Edge(Relation.RELATED, "sun2020.thm-III.1"),
    ),
    concepts=(Concept.DEEP_LINEAR, Concept.SADDLES),
    examples=(
        Example(
            "(vw-1)^2", True, Outcome.HOLDS, on(instances.vw), smallest=True, source="by hand: the gradient factors"
        ),
        Example(
            "a ReLU unit in place of the linear one",
            False,
            Outcome.VACUOUS,
            on(lambda: instances.neuron("relu")),
            source="by hand: (-1, -1) is a bad local minimum of (1 - v relu(w))^2",
        ),
    ),
)


def _index(subject: Subject, point: AnyPoint, component: Component | None) -> Judgement:
    inertia = look(subject, point).inertia if component is None else component.inertia
    if inertia is None:
        return Judgement.unknown("the inertia of the Hessian is not decided")
    shows = (Witness("critical-inertia", point),) if component is None else ()
    return Judgement(True, f"index {inertia.index}, nullity {inertia.nullity}", shows=shows)


INDEX = Statement(
    id="sun2020.def-III.1",
    sort=Sort.DEFINITION,
    section="III",
    title="Index of a critical point",
    text="The index of a critical point is the number of negative eigenvalues of the Hessian there.",
    latex=r"\operatorname{ind}(\theta)=\#\{\lambda<0:\lambda\text{ eigenvalue of }\nabla^2F(\theta)\}",
    quantifiers="a definition; F twice differentiable at the point",
    hypotheses=(CRITICAL,),
    conclusion=Predicate("index-decided", "the index is a number, found by exact inertia", everywhere(_index)),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="a definition; decided with certificates on the instances",
    remarks=(
        "Index 0 does not make a local minimum: (xyz - 1)^2 has index 0 at the origin, which is a saddle, since "
        "F(e, e, e) = (1 - e^3)^2 < 1. Where index 0 is to mean a minimum, the point has to be nondegenerate.",
    ),
    edges=(Edge(Relation.USES, "sun2020.def-II-minima"),),
    concepts=(Concept.SADDLES,),
    examples=(
        Example(
            "(vw-1)^2 at 0",
            True,
            Outcome.HOLDS,
            on(instances.vw, 0, 0),
            smallest=True,
            source="by hand: Hessian [[0, -2], [-2, 0]], index 1",
        ),
        Example(
            "(xyz-1)^2 at 0", True, Outcome.HOLDS, on(instances.xyz, 0, 0, 0), source="by hand: Hessian 0, index 0"
        ),
        Example(
            "one sigmoid unit off the critical set",
            False,
            Outcome.VACUOUS,
            on(lambda: instances.sigmoid([1], [1], 1), 0, 1),
            source="by hand: dF/dv = 2 (1/2 - 1)/2 = -1/2",
        ),
    ),
)

SPIN_GLASS = Statement(
    id="sun2020.quote-III-spinglass",
    sort=Sort.QUOTE,
    section="III",
    title="Spin-glass polynomials: values ordered by index",
    text="A quoted asymptotic result: for a random homogeneous polynomial of many variables on a sphere, critical points "
    "of low index have, in expectation, values near the minimum.",
    latex=r"H(w)=\sum X_{i_1\dots i_L}w_{i_1}\cdots w_{i_L},\ X\text{ Gaussian}",
    quantifiers="in expectation, as the number of variables grows",
    hypotheses=(),
    conclusion=NotCheckable("expected numbers of critical points as the number of variables tends to infinity"),
    verdict=Verdict.INFORMAL,
    ground=Ground.CITED,
    because="the survey leaves the details to the original",
    fairness=Fairness.IN_CONTEXT,
    remarks=(
        "The constraint to a sphere is not displayed; without it a homogeneous polynomial in general position has 0 as its "
        "only critical point.",
        "With two variables: w1^3 - 3 w1 w2^2 on the unit circle is cos 3t, three minima of value -1 and three maxima of value 1.",
    ),
    edges=(Edge(Relation.USES, "sun2020.def-III.1"),),
    concepts=(Concept.SADDLES,),
)

MOTHER = Statement(
    id="sun2020.fact-III-mother",
    sort=Sort.FACT,
    section="III",
    title="Products of weights are the matrices of bounded rank",
    text="The products of the weight matrices of a linear network are exactly the matrices whose rank is at most the "
    "smallest width, so training the network is least squares under a bound on the rank.",
    latex=r"\{W_L\cdots W_1\}=\{R:\operatorname{rank}R\le\min_id_i\},\quad \min_{\operatorname{rank}R\le p}\|Y-RX\|_F^2",
    quantifiers="for all widths",
    hypotheses=(LINEAR, squared_loss(), NO_REGULARIZER),
    conclusion=REACHED,
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="a rank factorisation, padded with zeros, gives the weights",
    remarks=(
        "With the squared loss the problem in R has no bad local minimum for any targets; with weights on the entries it has (Theorem III.1).",
    ),
    concepts=(Concept.DEEP_LINEAR, Concept.GLOBAL_MINIMA),
    examples=(
        Example(
            "R = ((2, 4), (3, 6)) through one unit",
            True,
            Outcome.HOLDS,
            on(lambda: instances.bottleneck([[1, 0], [0, 1]], [[2, 3], [4, 6]])),
            source="by hand: R = (2, 3)^T (1, 2)",
        ),
        Example(
            "the identity through one unit",
            True,
            Outcome.HOLDS,
            on(lambda: instances.bottleneck([[1, 0], [0, 1]], [[1, 0], [0, 1]])),
            source="by hand: det(u v^T) = 0, so no weights give it",
        ),
        Example("(vw-1)^2", True, Outcome.HOLDS, on(instances.vw), smallest=True, source="by hand: 1 * 1 = 1"),
        Example("a ReLU network", False, Outcome.VACUOUS, on(instances.relu_pair), source="it is not linear"),
    ),
)

DEEP_LINEAR = Statement(
    id="sun2020.thm-III.1",
    sort=Sort.THEOREM,
    section="III",
    title="Deep linear networks have no bad local minima",
    text="If inputs and targets have full row rank, every local minimum of the squared loss of a linear network is global.",
    latex=r"\operatorname{rank}X=d_x,\ \operatorname{rank}Y=d_y\Rightarrow\text{local minima of }\|Y-W_L\cdots W_1X\|_F^2\text{ are global}",
    quantifiers="for all X, Y of full rank, all widths and depths, all local minima",
    hypotheses=(LINEAR, squared_loss(), EQUAL_WEIGHTS, NO_REGULARIZER, INPUTS_FULL_RANK, TARGETS_FULL_RANK),
    conclusion=LINEAR_MINIMA,
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="complete critical sets on the instances; in general by the source, and with less by later work",
    repair=Repair(
        "Neither rank is needed: for the squared loss it holds for every X, every Y and all widths.",
        (LINEAR, squared_loss(), EQUAL_WEIGHTS, NO_REGULARIZER),
        LINEAR_MINIMA,
    ),
    remarks=(
        "What is needed is the loss: with positive weights on the entries of the error matrix, which is still convex, a "
        "2-1-2 network has a strict gap. (1 - u1 v1)^2 + (1/2 - u2 v2)^2 + 3 (u1 v2)^2 + 3 (u2 v1)^2 has a local minimum of "
        "value 1 at u = (0, 1), v = (0, 1/2), and the value 1/4 at u = v = (1, 0).",
    ),
    edges=(Edge(Relation.USES, "sun2020.fact-III-mother"), Edge(Relation.USES, "sun2020.def-II-minima")),
    concepts=(Concept.DEEP_LINEAR, Concept.LOCAL_MINIMA),
    examples=(
        Example(
            "2-1-2, X = I, Y = diag(2, 1)",
            True,
            Outcome.HOLDS,
            on(lambda: instances.bottleneck([[1, 0], [0, 1]], [[2, 0], [0, 1]])),
            repaired=Outcome.HOLDS,
            source="Eckart and Young: values 5, 4 and 1, the first two at saddles",
        ),
        Example(
            "2-1-2, X = I, Y = diag(1, 0), rank of Y too small",
            False,
            Outcome.VACUOUS,
            on(lambda: instances.bottleneck([[1, 0], [0, 1]], [[1, 0], [0, 0]])),
            repaired=Outcome.HOLDS,
            source="by hand: at u1 = v1 = 0 the loss falls like -e^2 (b^2 + 2)",
        ),
        Example(
            "X = diag(1, 0), rank of X too small",
            False,
            Outcome.VACUOUS,
            on(lambda: instances.bottleneck([[1, 0], [0, 0]], [[1, 0], [0, 1]])),
            repaired=Outcome.HOLDS,
            source="by hand: critical points above min F = 1 have F = 2 and a descent direction",
        ),
        Example(
            "weights on the entries, a bad local minimum",
            False,
            Outcome.VACUOUS,
            on(instances.weighted_bottleneck, 0, 1, 0, "1/2"),
            source="by hand: see the remark",
        ),
        Example(
            "(vw-1)^2",
            True,
            Outcome.HOLDS,
            on(instances.vw),
            repaired=Outcome.HOLDS,
            smallest=True,
            source="by hand: minima vw = 1, saddle 0",
        ),
    ),
)

BY_RANK_THEOREM = Statement(
    id="sun2020.thm-III.2",
    sort=Sort.THEOREM,
    section="III",
    title="Critical points of linear networks by the rank of the product",
    text="Under rank conditions on the data, distinct singular values and no bottleneck: a critical point is a global "
    "minimum if the product of its weights has full rank, and a saddle otherwise.",
    latex=r"\nabla F=0:\quad W_L\cdots W_1\text{ of full rank}\Rightarrow\text{global min},\quad\text{singular}\Rightarrow\text{saddle}",
    quantifiers="for all data and widths that satisfy the conditions, all critical points",
    hypotheses=(LINEAR, squared_loss(), NO_REGULARIZER, THIN, INPUTS_FULL_RANK, CORRELATED, DISTINCT, NO_BOTTLENECK),
    conclusion=BY_RANK,
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="the normal equations hold at full rank; descent and ascent curves on the instances at singular products",
    fairness=Fairness.PEDANTIC,
    repair=Repair(
        "The first half needs none of the conditions. Distinct singular values are not needed for either half, and d_y at "
        "most n is never used.",
        (LINEAR, squared_loss(), NO_REGULARIZER, INPUTS_FULL_RANK, CORRELATED, NO_BOTTLENECK),
        BY_RANK,
    ),
    remarks=(
        "If zeros count among the singular values, they are never distinct for d_y >= d_x + 2, and the theorem is empty there.",
        "The rank of X Y^T is needed: for X = I, Y = diag(1, 0) the weights W_2 = W_1 = diag(1, 0) have a singular product and F = 0.",
        "The widths are needed: in a 2-1-2 network every product is singular, that of the global minimum too.",
    ),
    edges=(Edge(Relation.USES, "sun2020.def-II-minima"), Edge(Relation.RELATED, "sun2020.thm-III.1")),
    concepts=(Concept.DEEP_LINEAR, Concept.SADDLES),
    examples=(
        Example(
            "X = I, Y = diag(2, 1), W_2 = diag(2, 0), W_1 = diag(1, 0)",
            True,
            Outcome.HOLDS,
            on(lambda: instances.linear([2, 2, 2], [[1, 0], [0, 1]], [[2, 0], [0, 1]]), 1, 0, 0, 0, 2, 0, 0, 0),
            repaired=Outcome.HOLDS,
            source="by hand: the free second direction descends like -2 s^2",
        ),
        Example(
            "Y = diag(1, 0): X Y^T is singular",
            False,
            Outcome.VACUOUS,
            on(lambda: instances.linear([2, 2, 2], [[1, 0], [0, 1]], [[1, 0], [0, 0]]), 1, 0, 0, 0, 1, 0, 0, 0),
            repaired=Outcome.VACUOUS,
            source="by hand: F = 0 there, a global minimum with a singular product",
        ),
        Example(
            "a bottleneck: 2-1-2, Y = diag(2, 1), at the global minimum",
            False,
            Outcome.VACUOUS,
            on(lambda: instances.bottleneck([[1, 0], [0, 1]], [[2, 0], [0, 1]]), 1, 0, 2, 0),
            repaired=Outcome.VACUOUS,
            source="by hand: F = 1 is the least value, the product diag(2, 0) is singular",
        ),
        Example(
            "Y = I: equal singular values, at W_2 = W_1 = diag(1, 0)",
            False,
            Outcome.VACUOUS,
            on(lambda: instances.linear([2, 2, 2], [[1, 0], [0, 1]], [[1, 0], [0, 1]]), 1, 0, 0, 0, 1, 0, 0, 0),
            repaired=Outcome.HOLDS,
            source="by hand: a saddle all the same",
        ),
        Example(
            "(vw-1)^2 at 0",
            True,
            Outcome.HOLDS,
            on(instances.vw, 0, 0),
            repaired=Outcome.HOLDS,
            smallest=True,
            source="by hand: the product 0 is singular, Hessian eigenvalues -2 and 2",
        ),
    ),
)

STATEMENTS: tuple[Statement, ...] = (TOY, INDEX, SPIN_GLASS, MOTHER, DEEP_LINEAR, BY_RANK_THEOREM)
