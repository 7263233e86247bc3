"""Critical points of small one-layer networks in floats, face by face: an independent hunt for what a list may lack.

Each unit is restricted to a subspace (everything, v = 0, one kink, or zero) and the gradient of F restricted to the product is
driven to zero by Levenberg and Marquardt's method from random starts: unlike descents this finds saddles, maxima and families as
well. Clarke's condition is then tested at every end: 0 in the convex hull of the gradients of all cells around it, unit by unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from audit_surface import on_component
from scipy.optimize import nnls

from explorer.problem import Problem
from explorer.solve.results import CriticalSet

Array = Any
#: a kink, in z = x.u
KINK = 1e-9


@dataclass(frozen=True)
class Net:
    """F and its derivatives for phi(z) = right z (z > 0), left z (z < 0), for many parameter vectors at once."""

    x: Array  # the inputs, extended by 1 where there are hidden biases
    y: Array
    c: Array
    ridge: Array
    units: int
    left: float
    right: float
    out: bool
    order: Array  # the place of every parameter (u_1, v_1, u_2, v_2, .., c) in the problem's order

    @classmethod
    def of(cls, problem: Problem) -> Net:
        net, r = problem.network, problem.regularizer
        units, n, hidden = net.widths[1], net.widths[0], net.bias[0]
        x = np.array([[float(a) for a in row] + [1.0] * hidden for row in problem.data.inputs])
        order = []
        for j in range(units):
            order += [*range(j * n, (j + 1) * n), *([units * n + j] if hidden else []), units * (n + hidden) + j]
        order += [len(problem.parameters) - 1] if net.bias[1] else []
        weights = [float(w) for w in r.weights] if r is not None else [0.0] * len(problem.parameters)
        activation = net.activations[0]
        left = 0.0 if activation.kind == "relu" else float(activation.slope)
        y = np.array([float(t[0]) for t in problem.data.targets])
        c = np.array([float(w) for w in problem.loss.weights])
        return cls(x, y, c, np.array(weights)[order], units, left, 1.0, net.bias[1], np.array(order))

    @property
    def size(self) -> int:
        return self.x.shape[1] + 1

    def derivatives(self, theta: Array, sides: Array | None = None) -> tuple[Array, Array, Array]:
        """(residuals, gradients, Hessians) at the rows of theta; ``sides``: signs of x_i.u_j that replace those of theta."""
        count, d, k = len(theta), theta.shape[1], self.size
        f = np.tile(-self.y, (count, 1)) + (theta[:, -1:] if self.out else 0)
        df = np.zeros((count, len(self.y), d))
        second = np.zeros((count, len(self.y), d, d))
        for j in range(self.units):
            u, v = theta[:, j * k : j * k + k - 1], theta[:, j * k + k - 1]
            z = u @ self.x.T
            side = np.sign(z) if sides is None else sides[:, j]
            a = np.where(side > 0, self.right, np.where(side < 0, self.left, 0.0))
            f += v[:, None] * a * z
            df[:, :, j * k : j * k + k - 1] = v[:, None, None] * a[:, :, None] * self.x
            df[:, :, j * k + k - 1] = a * z
            second[:, :, j * k : j * k + k - 1, j * k + k - 1] = a[:, :, None] * self.x
            second[:, :, j * k + k - 1, j * k : j * k + k - 1] = a[:, :, None] * self.x
        if self.out:
            df[:, :, -1] = 1
        g = 2 * self.c * f
        gradient = np.einsum("ni,nid->nd", g, df) + 2 * self.ridge * theta
        hessian = 2 * np.einsum("i,nid,nie->nde", self.c, df, df) + np.einsum("ni,nide->nde", g, second)
        return f, gradient, hessian + 2 * np.diag(self.ridge)


def ends(net: Net, starts: int, rng: Any) -> Array:
    """Points at which some restriction of F is critical to 1e-11."""
    k, width = net.size, net.x.shape[1]
    spaces = [(np.eye(width), True), (np.eye(width), False), (np.zeros((width, 0)), False)]
    if width == 2:
        spaces += [(np.array([[-x[1]], [x[0]]]) / np.linalg.norm(x), True) for x in net.x if np.any(x)]
    found = []
    for chosen in product(spaces, repeat=net.units):
        blocks = []
        for j, (space, moving) in enumerate(chosen):
            rows = np.zeros((net.units * k + net.out, space.shape[1] + moving))
            rows[j * k : j * k + width, : space.shape[1]] = space
            if moving:
                rows[j * k + width, -1] = 1
            blocks.append(rows)
        if net.out:
            blocks.append(np.eye(net.units * k + 1)[:, -1:])
        basis = np.concatenate(blocks, axis=1)
        if basis.shape[1]:
            found.append(_limits(net, basis, starts, rng))
    return np.concatenate(found)


def _limits(net: Net, basis: Array, starts: int, rng: Any) -> Array:
    t = rng.normal(size=(starts, basis.shape[1])) * rng.choice([0.3, 1.0, 2.0], size=(starts, 1))

    def at(t: Array) -> tuple[Array, Array]:
        theta = t @ basis.T
        z = np.stack([theta[:, j * net.size : j * net.size + net.size - 1] @ net.x.T for j in range(net.units)], axis=1)
        sides = np.where(np.abs(z) < 1e-13 * (1 + np.abs(theta).max(axis=1))[:, None, None], 0, np.sign(z))
        _, g, h = net.derivatives(theta, sides)
        return g @ basis, np.einsum("da,nde,eb->nab", basis, h, basis)

    damping = np.full(starts, 1e-2)
    g, h = at(t)
    size = np.linalg.norm(g, axis=1)
    for _ in range(60):
        values, vectors = np.linalg.eigh(h)
        shrink = values / (values**2 + (damping * np.minimum(size, 1))[:, None] + 1e-14)
        new = t - np.einsum("nij,nj,nkj,nk->ni", vectors, shrink, vectors, g)
        g2, h2 = at(new)
        size2 = np.linalg.norm(g2, axis=1)
        better = size2 < size
        t, size = np.where(better[:, None], new, t), np.where(better, size2, size)
        g, h = np.where(better[:, None], g2, g), np.where(better[:, None, None], h2, h)
        damping = np.clip(np.where(better, damping / 5, damping * 4), 1e-14, 1e6)
    kept = t[(size < 1e-11) & (np.abs(t).max(axis=1) < 30)]
    return kept @ basis.T


def cells(net: Net) -> list[Array]:
    """The signs of x_i.u in the open cells."""
    turns = np.linspace(0, 2 * np.pi, 3600, endpoint=False) + 1e-4
    ways = np.stack([np.cos(turns), np.sin(turns)]) if net.size == 3 else np.array([[1.0, -1.0]])
    return list(np.unique(np.sign(net.x @ ways).T, axis=0))


def critical(net: Net, theta: Array, open_cells: list[Array]) -> bool:
    """Clarke's condition, unit by unit: each unit's part of the gradient depends on the cell of that unit only."""
    k = net.size
    sides = np.zeros((1, net.units, len(net.y)))
    around: list[list[Array]] = []
    for j in range(net.units):
        u = theta[j * k : j * k + k - 1]
        z = net.x @ u
        z = np.where(np.abs(z) > KINK * (1 + np.abs(u).max()), z, 0)
        around.append([s for s in open_cells if (z * s >= 0).all()])
        sides[0, j] = around[-1][0]
    _, gradient, _ = net.derivatives(theta[None], sides)
    if net.out and abs(gradient[0, -1]) > 1e-8:
        return False
    for j in range(net.units):
        rows = []
        for side in around[j]:
            sides[0, j] = side
            rows.append(net.derivatives(theta[None], sides)[1][0, j * k : (j + 1) * k])
        g = np.array(rows)
        weights, _ = nnls(np.vstack([g.T, np.full(len(g), 1.0)]), np.append(np.zeros(k), 1.0))
        if np.abs(g.T @ weights).max() > 1e-8 or abs(weights.sum() - 1) > 1e-8:
            return False
    return True


def lost(
    problem: Problem, found: CriticalSet, *, starts: int = 40, seed: int = 0, most: int = 300
) -> tuple[int, list[str]]:
    """(critical points that were looked at, those on no listed component). Up to two incoming weights a unit, relu or leaky_relu."""
    net = Net.of(problem)
    rng = np.random.default_rng(seed)
    count, out = 0, []
    seen: set[bytes] = set()
    open_cells = cells(net)
    for theta in rng.permutation(ends(net, starts, rng)):
        key = np.round(theta, 5).tobytes()
        if key in seen or count >= most or not critical(net, theta, open_cells):
            continue
        seen.add(key)
        count += 1
        point = np.empty(len(theta))
        point[net.order] = theta
        # where the Hessian of a restriction is singular a gradient of 1e-11 may leave the point 1e-4 away
        if not any(on_component(c, found.parameters, point, 1e-4) for c in found.components):
            out.append(f"LOST a critical point near {np.round(point, 6).tolist()}")
    return count, out
