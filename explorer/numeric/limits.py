"""Limits of many starts, sorted out: which exact component each lies on, and classes of the same function.

Two limits are of one class if they lie on the same component, or (where nothing exact is near) if F, the sorted
eigenvalues of the Hessian and the outputs on data and probe inputs agree. All of these are the same for parameters that
differ by an exchange of units or a change of signs, so classes are modulo symmetries, and no orbit is enumerated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import torch

from explorer.numeric.membership import Located, belongs
from explorer.numeric.points import eigenvalue_error
from explorer.numeric.report import Limit
from explorer.numeric.spec import Spec
from explorer.numeric.twin import Twin
from explorer.solve.results import CriticalSet

Tensor: TypeAlias = torch.Tensor


@dataclass(frozen=True, eq=False)
class Sorted:
    """``component`` (B,): number of the exact component, or -1. ``label`` (B,): number of the class in ``classes``."""

    theta: Tensor
    value: Tensor
    component: Tensor
    label: Tensor
    spectrum: Tensor


def sort_limits(twin: Twin, found: CriticalSet | None, theta: Tensor, near: float = 1e-4) -> Sorted:
    """Assign every limit to a component of ``found`` (within ``near`` relative to its size) and to a class."""
    if len(theta) == 0:
        none = torch.zeros(0, dtype=torch.int64, device=theta.device)
        return Sorted(theta, theta[:, 0], none, none, theta)
    value, _, h = twin.quadratics(theta)
    spectrum = torch.linalg.eigvalsh(h)
    component = torch.full((len(theta),), -1, dtype=torch.int64, device=theta.device)
    if found is not None:
        flat = (spectrum.abs() <= 1e-6 * (1e-6 + spectrum.abs().amax(1, keepdim=True))).sum(1)
        at = Located(theta, value, near * (1 + theta.abs().amax(1)), flat)
        for k, c in enumerate(found.components):
            on = belongs(twin, c, found.parameters, at)
            component = torch.where((component < 0) & on, k, component)
    return Sorted(theta, value, component, _labels(twin, theta, value, spectrum, component), spectrum)


def _labels(twin: Twin, theta: Tensor, value: Tensor, spectrum: Tensor, component: Tensor) -> Tensor:
    """Greedy classes in order of appearance; at most 200, the rest share the last one."""
    mark = torch.cat([value[:, None], _signature(twin, theta, spectrum)], dim=1)
    scale = 1e-4 * (1 + mark.abs().amax(0))
    label = torch.full_like(component, -1)
    for k in range(int(component.max()) + 1):
        label[component == k] = k
    following = int(component.max()) + 1
    for _ in range(200):
        left = torch.nonzero(label < 0)[:, 0]
        if len(left) == 0:
            break
        same = ((mark[left] - mark[left[0]]).abs() <= scale).all(1)
        label[left[same]] = following
        following += 1
    label[label < 0] = following
    return label


def _signature(twin: Twin, theta: Tensor, spectrum: Tensor) -> Tensor:
    if not isinstance(twin.spec, Spec):
        return spectrum
    s = twin.spec
    probes = torch.linspace(-2, 2, 5 * s.widths[0], dtype=theta.dtype, device=theta.device).reshape(5, -1)
    with torch.no_grad():
        inputs = torch.cat([s.inputs, probes])
        return twin.outputs(theta, inputs).flatten(1)


def classes(twin: Twin, by_descent: Sorted, by_search: Sorted, names: list[str], most: int = 60) -> tuple[Limit, ...]:
    """The classes of both kinds of limits with one representative each, most frequent first (at most ``most``)."""
    theta = torch.cat([by_descent.theta, by_search.theta])
    if len(theta) == 0:
        return ()
    value = torch.cat([by_descent.value, by_search.value])
    spectrum = torch.cat([by_descent.spectrum, by_search.spectrum])
    component = torch.cat([by_descent.component, by_search.component])
    label = _labels(twin, theta, value, spectrum, component)
    descents = len(by_descent.theta)
    out = []
    for k in label.unique().tolist():
        at = torch.nonzero(label == k)[:, 0]
        first = int(at[0])
        scale = eigenvalue_error(torch.diag(spectrum[first])) * 1e5  # limits are known to about 1e-6 only
        s = spectrum[first]
        exact = int(component[first])
        out.append(
            Limit(
                value=float(value[first]),
                theta=tuple(theta[first].tolist()),
                positive=int((s > scale).sum()),
                flat=int((s.abs() <= scale).sum()),
                negative=int((s < -scale).sum()),
                descents=int((at < descents).sum()),
                searches=int((at >= descents).sum()),
                component=names[exact] if exact >= 0 else None,
            )
        )
    return tuple(sorted(out, key=lambda c: (-c.descents - c.searches, c.value))[:most])
