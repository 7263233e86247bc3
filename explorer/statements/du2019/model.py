"""Section 1: the model, and the gradient formula."""

from __future__ import annotations

from fractions import Fraction

from explorer.gram.training import Hidden
from explorer.statements.du2019.conditions import MODEL, NO_TIES, SIGNS, decided, hidden, predicate
from explorer.statements.du2019.instances import at, one, relu, same_signs, sixty_degrees
from explorer.statements.nouns import (
    Concept,
    Edge,
    Example,
    Ground,
    Judgement,
    Outcome,
    Relation,
    Sort,
    Statement,
    Subject,
    Verdict,
)


def _loss(subject: Subject) -> Judgement:
    here = hidden(subject)
    because = (
        f"F = 2 L is a sum of squares, quadratic on every cell of the patterns; at the point F = {here.squared_error}"
    )
    return decided(True, because)


def _half_loss(here: Hidden, r: int, k: int, step: Fraction) -> Fraction:
    rows = [list(row) for row in here.rows]
    rows[r][k] += step
    return Hidden(here.inputs, here.labels, tuple(map(tuple, rows)), here.outer).squared_error / 2


def _formula(subject: Subject) -> Judgement:
    """Central differences inside the cell, where L is quadratic and they are exact."""
    here, claimed = hidden(subject), hidden(subject).gradient()
    for r, row in enumerate(here.reach):
        for k in range(len(here.inputs[0])):
            largest = max(abs(x[k]) for x in here.inputs)
            step = min(abs(z) for z in row) / (2 * largest) if largest else Fraction(1)
            found = (_half_loss(here, r, k, step) - _half_loss(here, r, k, -step)) / (2 * step)
            if found != claimed[r][k]:
                return decided(False, f"dL/dw_{r + 1},{k + 1} is {found}, the formula gives {claimed[r][k]}")
    return decided(True, "equal to exact central differences inside the cell, for every hidden weight")


def _small_net() -> Subject:
    return at(relu([("3/5", "4/5"), (1, 0)], [1, -2], 4), [1, 2, -3, 1, 2, -1, -1, -1], ["1/2", "-1/2", "1/2", "-1/2"])


MODEL_DEFINITION = Statement(
    id="du2019.model",
    sort=Sort.DEFINITION,
    section="1, equations (1) and (2)",
    title="ReLU units with fixed random signs, half the sum of squares",
    text="The network sums m ReLU units with output weights a_r/sqrt(m), a_r = +1 or -1 fixed; only the hidden weights are trained, on L = half the sum of squared residuals.",
    latex=r"f(W,a,x)=\tfrac1{\sqrt m}\sum_{r=1}^m a_r\sigma(w_r^\top x),\qquad L(W)=\tfrac12\sum_i(f(W,a,x_i)-y_i)^2",
    quantifiers="definition; n, m, d >= 1",
    hypotheses=(MODEL, SIGNS),
    conclusion=predicate(
        "loss", "L is nonnegative and quadratic on every cell of the activation patterns", _loss, r"L\ge0"
    ),
    verdict=Verdict.TRUE,
    ground=Ground.ARGUED,
    because="a definition",
    remarks=(
        "The project's loss F is 2 L, and relu'(0) = 1 here.",
        "Fixing the signs costs something: with all a_r = +1 (probability 2^-m) no negative label can be reached.",
    ),
    concepts=(Concept.RELU, Concept.GRAM),
    examples=(
        Example("one unit", True, Outcome.HOLDS, lambda: one(-1, 1), smallest=True),
        Example("two inputs at 60 degrees", True, Outcome.HOLDS, sixty_degrees),
        Example(
            "only positive signs", True, Outcome.HOLDS, same_signs, source="by hand: F = (2 + 1)^2 = 9 at the start"
        ),
        Example("another output weight", False, Outcome.VACUOUS, lambda: one(-1, 1, root=2)),
    ),
)

GRADIENT = Statement(
    id="du2019.eq-4",
    sort=Sort.EQUATION,
    section="1, equations (3) and (4)",
    title="The gradient formula and the update rule",
    text="Away from kinks the gradient of L in the weights of unit r is the sum of the residuals times a_r x_i / sqrt(m) over the samples at which the unit is active.",
    latex=r"\frac{\partial L}{\partial w_r}=\tfrac1{\sqrt m}\sum_i(f_i-y_i)a_rx_i\,I\{w_r^\top x_i\ge0\}",
    quantifiers="for all W without ties (with ties it is a convention, footnote 1)",
    hypotheses=(MODEL, SIGNS, NO_TIES),
    conclusion=predicate("gradient", "the formula equals the gradient of L", _formula),
    verdict=Verdict.TRUE,
    ground=Ground.ARGUED,
    because="L is a quadratic polynomial inside a cell",
    remarks=(
        "At a tie the formula need not lie in Clarke's subdifferential; numerical libraries mostly use relu'(0) = 0.",
    ),
    edges=(Edge(Relation.USES, "du2019.model"),),
    concepts=(Concept.RELU, Concept.DYNAMICS),
    examples=(
        Example("one unit", True, Outcome.HOLDS, lambda: one(-1, 1), smallest=True),
        Example("rational net", True, Outcome.HOLDS, _small_net, source="central differences of a quadratic are exact"),
        Example("on the kink", False, Outcome.VACUOUS, lambda: one(-1, 0)),
    ),
)

STATEMENTS = (MODEL_DEFINITION, GRADIENT)
