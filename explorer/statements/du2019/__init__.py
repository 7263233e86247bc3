"""S. Du, X. Zhai, B. Poczos, A. Singh: Gradient Descent Provably Optimizes Over-parameterized Neural Networks (ICLR 2019)."""

from __future__ import annotations

from explorer.statements.du2019 import descent, flow, further, gram, model, stability

STATEMENTS = (
    *model.STATEMENTS,
    *gram.STATEMENTS,
    *flow.STATEMENTS,
    *descent.STATEMENTS,
    *stability.STATEMENTS,
    *further.STATEMENTS,
)
