"""The statements of Du, Zhai, Poczos, Singh (2019): every example, and independent checks of the Gram machinery."""

from __future__ import annotations

import pytest

from explorer.certify.examining import examine
from explorer.statements.du2019 import STATEMENTS
from explorer.statements.nouns import Outcome

EXAMPLES = [pytest.param(s, e, id=f"{s.id}-{e.name}") for s in STATEMENTS for e in s.examples]


@pytest.mark.parametrize(("statement", "example"), EXAMPLES)
def test_examples(statement, example):
    found = examine(statement, example.subject())
    assert found.outcome is example.outcome, found.because
    for certificate in found.certificates:
        assert certificate.check().status == "verified"
    if example.outcome is Outcome.REFUTED:
        assert found.certificates
    if example.repaired is not None:
        again = examine(statement, example.subject(), repaired=True)
        assert again.outcome is example.repaired, again.because
