"""Section IV-A and IV-B: one neuron on one sample, and ReLU networks."""

from __future__ import annotations

from fractions import Fraction

from explorer.errors import NotCertifiable
from explorer.point import Point
from explorer.probes.descents import down_from
from explorer.probes.monotone import is_zero, strictly_increasing
from explorer.probes.slices import loss_terms
from explorer.probes.zeros import zeros
from explorer.problem import Activation, DenseNetwork, Problem
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
    Witness,
)
from explorer.statements.predicates import every_local_minimum_is_global, on_data, squared_loss
from explorer.statements.sun2020 import instances
from explorer.statements.sun2020.conditions import (
    HIDDEN_BIAS,
    LINEAR_OUTPUT,
    NO_REGULARIZER,
    ONE_HIDDEN,
    activation,
    minimum_here_is_global,
    on_problem,
)
from explorer.statements.sun2020.instances import on

FIGURE_2_TERMS = loss_terms(instances.fig2())
IS_FIG2 = on_problem(
    "is-figure-2",
    "the loss is (1 + v(w - 1)^2/8)^2",
    lambda p: len(p.parameters) == 2 and loss_terms(p) == FIGURE_2_TERMS,
)


def _figure_2(subject: Subject) -> Judgement:
    bad, low = Point.rational([1, 1]), Point.rational([2, -8])
    found = minimum_here_is_global(Subject(subject.problem, bad, (low,), subject.budget), bad, None)
    if found.holds is not False:
        return Judgement(False, f"(1, 1) is no sub-optimal local minimum: {found.because}")
    return Judgement(
        True,
        "(w, v) = (1, 1) is a local minimum with F = 1, and F(2, -8) = 0; the ray v > 0 makes it non-strict",
        shows=found.shows,
        partial=True,
    )


def hidden_activation(problem: Problem) -> Activation:
    """The activation of the only hidden layer (the hypotheses say that there is one)."""
    assert isinstance(problem.network, DenseNetwork)
    return problem.network.activations[0]


ONE_NEURON = on_data(
    "one-neuron-one-sample",
    "the loss is (y - v phi(wx))^2: one unit without bias, one sample",
    lambda net, data: net.widths == (1, 1, 1) and not any(net.bias) and len(data) == 1 and net.output.kind == "linear",
    latex=r"F(w,v)=(y-v\phi(wx))^2",
)
X_NOT_0 = on_data("input-not-0", "x is not 0", lambda net, data: bool(data.inputs[0][0]), latex=r"x\ne0")
Y_NOT_0 = on_data("target-not-0", "y is not 0", lambda net, data: bool(data.targets[0][0]), latex=r"y\ne0")
PHI_NOT_0 = on_data(
    "activation-not-0",
    "the activation is continuous (all of the format are) and not identically 0",
    lambda net, data: net.depth == 2 and not is_zero(net.activations[0]),
    latex=r"\phi\not\equiv0",
)
NEURON = (ONE_NEURON, squared_loss(), NO_REGULARIZER)


def _equivalence(subject: Subject) -> Judgement:
    phi = hidden_activation(subject.problem)
    try:
        found = zeros(phi)
    except NotCertifiable as error:
        return Judgement.unknown(error.sentence())
    extremal = any(z.extremum for z in found)
    left = every_local_minimum_is_global(subject)
    if left.holds is None and is_zero(phi):
        left = Judgement(True, "F is constant")
    if left.holds is None:
        return left
    zero_words = "has a zero that is a local extremum" if extremal else "has no zero that is a local extremum"
    words = f"phi {zero_words}; {left.because}"
    if left.holds is not extremal:
        return Judgement(True, words, left.trust, left.shows[:1], partial=True)
    return Judgement(False, f"the two sides differ: {words}", left.trust, (*left.shows, Witness("constant-loss")))


EQUIVALENCE = Predicate(
    "neuron-equivalence",
    "F has no sub-optimal local minimum exactly if no zero of phi is a local extremum",
    _equivalence,
    r"[F\text{ has no bad local min}]\iff[\phi(t)=0\Rightarrow t\text{ no local extremum}]",
)

FIGURE_2 = Statement(
    id="sun2020.toy-IV-fig2",
    sort=Sort.EXAMPLE,
    section="IV-A",
    title="Figure 2: a flat bad minimum of one neuron",
    text="One neuron with the activation -(z - 1)^2/8 on one sample has the sub-optimal local minima w = 1, v > 0: flat "
    "along v, curved along w, hence not strict.",
    latex=r"F(w,v)=(1+v(w-1)^2/8)^2",
    quantifiers="one function",
    hypotheses=(IS_FIG2,),
    conclusion=Predicate("figure-2-minimum", "(1, 1) is a sub-optimal local minimum that is not strict", _figure_2),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="with u = v(w - 1)^2/8 >= 0 one has F - 1 = u(u + 2) >= 0, and F(2, -8) = 0",
    remarks=(
        "On the ray v < 0 there are local maxima, and (1, 0) is neither.",
        "It has Property PT, no basin and no spurious valley: none of these excludes bad local minima.",
    ),
    edges=(
        Edge(Relation.RELATED, "aud.lemma-one-hidden"),
        Edge(Relation.RELATED, "sun2020.prop-IV.1"),
        Edge(Relation.RELATED, "sun2020.fact-IV-PT-gap"),
    ),
    concepts=(Concept.LOCAL_MINIMA,),
    examples=(
        Example("Figure 2", True, Outcome.HOLDS, on(instances.fig2), smallest=True, source="by hand: F - 1 = u(u + 2)"),
        Example(
            "the saddle and the maxima of Figure 2",
            True,
            Outcome.HOLDS,
            recipe=Recipe("exhibit", "sun2020.toy-IV-fig2"),
        ),
        Example(
            "phi = -(z-1)^2/8 - 1, without a zero",
            False,
            Outcome.VACUOUS,
            on(lambda: instances.neuron("polynomial", coefficients=["-9/8", "1/4", "-1/8"])),
            source="another function",
        ),
    ),
)

SINGLE_NEURON = Statement(
    id="sun2020.prop-IV.1",
    sort=Sort.PROPOSITION,
    section="IV-A",
    title="One neuron, one sample: bad minima and zeros of the activation",
    text="For one neuron on one sample with x and y not 0: the loss has no sub-optimal local minimum if and only if no zero "
    "of the activation is a local minimum or maximum of it.",
    latex=r"(y-v\phi(wx))^2\text{ has no bad local min}\iff[\phi(t)=0\Rightarrow t\text{ is no local extremum of }\phi]",
    quantifiers="for all x, y not 0 and, as printed, all functions phi of one variable",
    hypotheses=(*NEURON, X_NOT_0, Y_NOT_0),
    conclusion=EQUIVALENCE,
    verdict=Verdict.NEEDS_REPAIR,
    ground=Ground.VERIFIED,
    because="phi = 0 breaks one direction; the other needs continuity",
    fairness=Fairness.PEDANTIC,
    finding="Continuity and phi not identically 0 are not stated. For phi = 0 the loss is constant, so every point is a "
    "global minimum, while every t is a zero and a local extremum.",
    repair=Repair("Add: phi is continuous and not identically 0.", (*NEURON, X_NOT_0, Y_NOT_0, PHI_NOT_0), EQUIVALENCE),
    remarks=(
        "Without continuity (outside the problem format): the sign function with value 0 at 0 has no extremal zero, yet "
        "(v, w) = (3, 0) is a sub-optimal local minimum: F = 1 there, (1 - v)^2 or (1 + v)^2 > 1 nearby.",
        "For x = 0 or y = 0 there is never a bad local minimum, whatever phi, so both conditions on the data are needed.",
    ),
    edges=(Edge(Relation.CONTRASTS, "sun2020.hyp-I-1"),),
    concepts=(Concept.LOCAL_MINIMA, Concept.SMOOTH, Concept.RELU),
    examples=(
        Example(
            "phi = z^3 + z",
            True,
            Outcome.HOLDS,
            on(lambda: instances.neuron("polynomial", coefficients=[0, 1, 0, 1])),
            repaired=Outcome.HOLDS,
            source="by hand: the only other critical point is 0, with an indefinite Hessian",
        ),
        Example(
            "phi = z^2",
            True,
            Outcome.HOLDS,
            on(lambda: instances.neuron("square")),
            repaired=Outcome.HOLDS,
            source="by hand: (w, v) = (0, -1) is a bad local minimum, F = 1",
        ),
        Example(
            "phi = 0",
            False,
            Outcome.REFUTED,
            on(lambda: instances.neuron("polynomial", coefficients=[0])),
            repaired=Outcome.VACUOUS,
            smallest=True,
            source="by hand: F = y^2 everywhere",
        ),
        Example(
            "phi = z^2 at x = 0",
            False,
            Outcome.VACUOUS,
            on(lambda: instances.neuron("square", x=0)),
            repaired=Outcome.VACUOUS,
            source="by hand: F is constant",
        ),
        Example(
            "double zeros of three activations", True, Outcome.HOLDS, recipe=Recipe("exhibit", "sun2020.prop-IV.1")
        ),
    ),
)

BAD, GOOD = ("relu", "square"), (Fraction(1), Fraction(0), Fraction(1))


def _listed(phi: Activation) -> bool:
    return phi.kind in BAD or phi.coefficients == GOOD or strictly_increasing(phi)


LISTED = on_data(
    "activation-of-the-list",
    "the activation is max(t, 0), t^2, t^2 + 1 or strictly increasing (and continuous)",
    lambda net, data: net.depth == 2 and _listed(net.activations[0]),
)
ONES = on_data("x-and-y-are-1", "x = y = 1", lambda net, data: data.inputs[0][0] == 1 and data.targets[0][0] == 1)


def _as_listed(subject: Subject) -> Judgement:
    left = every_local_minimum_is_global(subject)
    if left.holds is None:
        return left
    bad = hidden_activation(subject.problem).kind in BAD
    if bad is not left.holds:
        return Judgement(True, left.because, left.trust, left.shows[:1])
    return Judgement(False, left.because, left.trust, left.shows)


AS_LISTED = Predicate(
    "list-of-activations", "max(t, 0) and t^2 have a bad local minimum, the others have none", _as_listed
)

ACTIVATIONS = Statement(
    id="sun2020.ex-IV-activations",
    sort=Sort.EXAMPLE,
    section="IV-A",
    title="Which activations give one neuron a bad minimum",
    text="With ReLU or the square, one neuron on one sample has a sub-optimal local minimum; with t^2 + 1 or any strictly "
    "increasing activation it has none.",
    latex=r"\phi\in\{\max(t,0),t^2\}:\ \exists\text{ bad local min};\quad\phi\in\{t^2+1\}\cup\{\text{strictly increasing}\}:\ \text{none}",
    quantifiers="per activation; x = y = 1",
    hypotheses=(*NEURON, ONES, LISTED),
    conclusion=AS_LISTED,
    verdict=Verdict.NEEDS_REPAIR,
    ground=Ground.ARGUED,
    because="a discontinuous increasing activation is a counterexample, and the problem format has only continuous ones",
    fairness=Fairness.PEDANTIC,
    finding="Continuity is not stated: z + sign(z) increases strictly, and (v, w) = (3, 0) is a sub-optimal local minimum.",
    repair=Repair(
        "Strictly increasing and continuous, which every increasing activation of the problem format is.",
        (*NEURON, ONES, LISTED),
        AS_LISTED,
    ),
    edges=(
        Edge(Relation.REFUTES, "sun2020.hyp-I-1"),
        Edge(Relation.USES, "sun2020.prop-IV.1"),
    ),
    concepts=(Concept.LOCAL_MINIMA, Concept.RELU),
    examples=(
        Example(
            "ReLU",
            True,
            Outcome.HOLDS,
            on(lambda: instances.neuron("relu")),
            repaired=Outcome.HOLDS,
            smallest=True,
            source="by hand: F = 1 on w < 0",
        ),
        Example(
            "t^2",
            True,
            Outcome.HOLDS,
            on(lambda: instances.neuron("square")),
            repaired=Outcome.HOLDS,
            source="by hand: F - 1 = vw^2(vw^2 - 2) >= 0 for v <= 0",
        ),
        Example(
            "t^2 + 1",
            True,
            Outcome.HOLDS,
            on(lambda: instances.neuron("polynomial", coefficients=[1, 0, 1])),
            repaired=Outcome.HOLDS,
            source="by hand: dF/dv = 0 forces v phi = 1",
        ),
        Example(
            "the sigmoid",
            True,
            Outcome.HOLDS,
            on(lambda: instances.neuron("sigmoid")),
            repaired=Outcome.HOLDS,
            source="by hand: it has no zero, so dF/dv = 0 forces F = 0",
        ),
        Example(
            "t^4, not on the list",
            False,
            Outcome.VACUOUS,
            on(lambda: instances.neuron("polynomial", coefficients=[0, 0, 0, 0, 1])),
            source="by hand: even, not increasing",
        ),
        Example(
            "certified instances for ReLU and t^2",
            True,
            Outcome.HOLDS,
            recipe=Recipe("exhibit", "sun2020.ex-IV-activations"),
        ),
    ),
)


def _constant_fits(problem: Problem) -> bool:
    net, data = problem.network, problem.data
    assert isinstance(net, DenseNetwork)
    assert data is not None
    columns = list(zip(*data.targets, strict=True))
    return all(len(set(c)) == 1 and (net.bias[-1] or not any(c)) for c in columns)


def _targets_move(subject: Subject) -> Judgement:
    if not isinstance(subject.problem.network, DenseNetwork):
        return Judgement(False, "the problem is not a dense network on data")
    fits = _constant_fits(subject.problem)
    return Judgement(not fits, "a constant output fits" if fits else "read off the targets")


TARGETS_MOVE = Predicate(
    "targets-not-constant", "no constant output (0 without an output bias) fits all targets", _targets_move
)


def inactive(problem: Problem) -> Point:
    """All incoming weights 0, hidden biases -1, output weights 1, output biases at the weighted mean of the targets."""
    net, data, loss = problem.network, problem.data, problem.loss
    assert isinstance(net, DenseNetwork)
    assert data is not None
    assert loss is not None
    d, m, k = net.widths
    theta: list[Fraction | int] = [*([0] * (d * m)), *([-1] * m), *([1] * (k * m))]
    if net.bias[1]:
        total = sum(loss.weights, Fraction(0))
        theta += [
            sum((c * y[r] for c, y in zip(loss.weights, data.targets, strict=True)), Fraction(0)) / total
            for r in range(k)
        ]
    return Point.rational(theta)


def _inactive_units(subject: Subject) -> Judgement:
    point = inactive(subject.problem)
    path = down_from(subject.problem, point, subject.budget)
    if isinstance(path, str):
        return Judgement.unknown(path)
    shows = (Witness("spurious-local-minimum", point, path.end),)
    return Judgement(
        True,
        "with all units inactive F is constant in the hidden parameters nearby, and a lower point exists",
        shows=shows,
    )


RELU_MINIMA = Statement(
    id="sun2020.quote-IV-relu",
    sort=Sort.QUOTE,
    section="IV-B",
    title="Bad local minima of ReLU networks",
    text="There are data and two-layer ReLU networks whose loss has a sub-optimal local minimum.",
    latex=r"\exists\text{ data, ReLU network: }\exists\text{ bad local min}",
    quantifiers="there are data and a network",
    hypotheses=(
        ONE_HIDDEN,
        activation("relu"),
        LINEAR_OUTPUT,
        HIDDEN_BIAS,
        squared_loss(),
        NO_REGULARIZER,
        TARGETS_MOVE,
    ),
    conclusion=Predicate(
        "inactive-units-minimum", "the loss has a sub-optimal local minimum with all units inactive", _inactive_units
    ),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="certified on every instance with biases that was tried; non-trivial ones by recipe",
    remarks=(
        "With hidden biases it holds for every width and every data set whose targets no constant fits: inactive units. If "
        "y = 0 the inactive point is global.",
        "None of these minima is strict, not even setwise (Definition IV.3): see the lemma on homogeneous activations.",
    ),
    edges=(Edge(Relation.RELATED, "sun2020.ex-IV-activations"), Edge(Relation.RELATED, "aud.lemma-homogeneous")),
    concepts=(Concept.RELU, Concept.LOCAL_MINIMA),
    examples=(
        Example(
            "three units on x = 1, 2, 3",
            True,
            Outcome.HOLDS,
            on(lambda: instances.dead_relu([1, -2, 5])),
            source="by hand: F = 30 with all units inactive",
        ),
        Example(
            "one unit, one sample",
            True,
            Outcome.HOLDS,
            on(
                lambda: Problem.dense(
                    widths=[1, 1, 1], activation="relu", bias=True, inputs=[1], targets=[1], slug="relu-1"
                )
            ),
            smallest=True,
            source="by hand: F = 1 on w + b < 0, and F = 0 at w = v = 1, b = 0",
        ),
        Example(
            "y = 0", False, Outcome.VACUOUS, on(lambda: instances.dead_relu([0, 0, 0])), source="by hand: F = 0, global"
        ),
        Example(
            "linear and inactive regions, certified",
            True,
            Outcome.HOLDS,
            recipe=Recipe("exhibit", "sun2020.quote-IV-relu"),
        ),
    ),
)

STATEMENTS: tuple[Statement, ...] = (FIGURE_2, SINGLE_NEURON, ACTIVATIONS, RELU_MINIMA)
