"""Steps about the induced model at a point (Kawaguchi et al. 2019): optimal among its gradient features, or beside a kink."""

from __future__ import annotations

from explorer.certify.encode import Step, element_json
from explorer.certify.located import Located
from explorer.errors import NotCertifiable
from explorer.induced.features import gradient_features, kinks
from explorer.problem import DenseNetwork


def tangent_optimal_steps(p: Located) -> list[Step]:
    """Stationarity, and coefficients g with J g = f_X (Theorem 1 under Assumption 2 at the point)."""
    found = gradient_features(p.problem, p.exact)
    combination = found.combination
    if combination is None:
        raise NotCertifiable(
            f"point {p.name}",
            expected="outputs that are a linear combination of the gradient features (Assumption 2)",
            got=f"a Jacobian of rank {found.rank} that does not span them",
        )
    written = [element_json(g, found.field) for g in combination]
    return [*p.stationary_steps(), {"rule": "tangent-optimal", "point": p.name, "combination": written}]


def kinks_steps(p: Located) -> list[Step]:
    """The first hidden unit and sample whose kink only a zero outgoing weight hides."""
    network, data = p.problem.network, p.problem.data
    if not isinstance(network, DenseNetwork) or data is None or network.depth != 2:
        raise NotCertifiable("kinks-nearby", expected="a network with one hidden layer", got="another problem")
    for _, unit, sample in kinks(p.problem, p.exact):
        if network.bias[0] or any(data.inputs[sample - 1]):
            return [{"rule": "kinks-nearby", "point": p.name, "unit": unit, "sample": sample}]
    raise NotCertifiable("kinks-nearby", expected="a hidden unit at a kink on some sample", got=f"none at {p.name}")
