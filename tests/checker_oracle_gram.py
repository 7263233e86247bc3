"""The second opinion on Gram matrices and on training the hidden weights: mpmath, difference quotients and Euler steps."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

GRAM_RULES = (
    "gram-floor", "gram-null", "hidden-gram", "linear-descent", "hidden-descent", "flow-ends", "flow-rests", "initial-mean",
)  # fmt: skip


def num(text: Any, mp: Any) -> Any:
    value = Fraction(text)
    return mp.mpf(value.numerator) / value.denominator


class Net:
    """Inputs, labels, hidden rows and output weights of a point, in mpmath numbers."""

    def __init__(self, opinion: Any, theta: list[Any], mp: Any) -> None:
        body, self.mp = opinion.f.body, mp
        self.x = [[num(v, mp) for v in row] for row in body["data"]["inputs"]]
        self.y = [num(row[0], mp) for row in body["data"]["targets"]]
        d, m, _ = body["network"]["widths"]
        self.w = [list(theta[r * d : (r + 1) * d]) for r in range(m)]
        self.v = list(theta[d * m :])

    def z(self) -> list[list[Any]]:
        return [[self.mp.fdot(w, x) for x in self.x] for w in self.w]

    def error(self) -> list[Any]:
        return [self.mp.fdot(self.v, [max(row[i], 0) for row in self.z()]) - y for i, y in enumerate(self.y)]

    def gram(self) -> Any:
        z, n = self.z(), len(self.x)
        out = self.mp.matrix(n, n)
        for i in range(n):
            for j in range(n):
                on = [v * v for v, row in zip(self.v, z, strict=True) if row[i] >= 0 and row[j] >= 0]
                out[i, j] = self.mp.fdot(self.x[i], self.x[j]) * self.mp.fsum(on)
        return out

    def descend(self, rate: Any) -> None:
        error, z = self.error(), self.z()
        for w, v, row in zip(self.w, self.v, z, strict=True):
            for k in range(len(w)):
                pull = [e * x[k] for e, x, value in zip(error, self.x, row, strict=True) if value >= 0]
                w[k] -= 2 * rate * v * self.mp.fsum(pull)

    def pattern(self) -> list[list[bool]]:
        return [[bool(value >= 0) for value in row] for row in self.z()]


def applies(body: dict[str, Any]) -> bool:
    """Whether the problem is a plain ReLU network with one hidden layer and the squared loss."""
    net, loss = body["network"], body.get("loss")
    if (
        net["kind"] != "dense"
        or len(net["widths"]) != 3
        or net["widths"][2] != 1
        or body.get("regularizer")
        or loss["kind"] != "squared"
    ):
        return False
    kinds = [
        a["kind"] if isinstance(a, dict) else a
        for a in (net["activation"] if isinstance(net["activation"], list) else [net["activation"]])
    ]
    out, bias, weights = net.get("output_activation", "linear"), net.get("bias", False), loss.get("weights", 1)
    linear = (out["kind"] if isinstance(out, dict) else out) == "linear"
    unweighted = all(Fraction(c) == 1 for c in (weights if isinstance(weights, list) else [weights]))
    return kinds == ["relu"] and linear and unweighted and not (any(bias) if isinstance(bias, list) else bias)


def step_holds(opinion: Any, step: dict[str, Any], mp: Any) -> bool:
    body, rule = opinion.f.body, step["rule"]
    if rule in ("gram-floor", "gram-null"):
        return limit(body, step, mp)
    if not applies(body):
        return False
    if rule == "initial-mean":
        parts = [
            num(y[0], mp) ** 2 + mp.fsum(num(v, mp) ** 2 for v in x) / 2
            for x, y in zip(body["data"]["inputs"], body["data"]["targets"], strict=True)
        ]
        return bool(abs(mp.fsum(parts) - num(step["value"], mp)) < mp.mpf(10) ** -35)
    net = Net(opinion, opinion.points[step["point"]], mp)
    floor = num(step.get("floor", step["value"] if rule == "hidden-gram" else "0"), mp)
    if (
        rule in ("hidden-gram", "linear-descent", "flow-rests")
        and min(mp.eigsy(net.gram(), eigvals_only=True)) < floor - mp.mpf(10) ** -35
    ):
        return False
    if rule == "hidden-gram":
        return floor > 0
    if rule == "linear-descent":
        before, rate = net.pattern(), num(step["rate"], mp)
        for _ in range(200):
            old = mp.norm(mp.matrix(net.error()))
            net.descend(rate)
            if (
                net.pattern() != before
                or mp.norm(mp.matrix(net.error())) > old * (1 - 2 * rate * floor) + mp.mpf(10) ** -35
            ):
                return False
        return rate > 0
    if rule == "hidden-descent":
        for _ in range(step["steps"]):
            net.descend(num(step["rate"], mp))
        return bool(abs(mp.fsum(e * e for e in net.error()) - num(step["value"], mp)) < mp.mpf(10) ** -30)
    if rule == "flow-ends":
        return crosses(net, step["sample"] - 1, mp)
    return rests(net, [num(c, mp) for c in step["selection"]], mp)


def limit(body: dict[str, Any], step: dict[str, Any], mp: Any) -> bool:
    """H from the Gaussian integral, eigenvalues by Jacobi; kernels by trying many directions w."""
    x = [[num(v, mp) for v in row] for row in body["data"]["inputs"]]
    if step["rule"] == "gram-null":
        c = [num(v, mp) for v in step["vector"]]
        probes = [[mp.cos(3 * k * k + 7 * a + 1) for a in range(len(x[0]))] for k in range(80)]
        sums = (mp.fsum(ci * max(mp.fdot(w, xi), 0) for ci, xi in zip(c, x, strict=True)) for w in probes)
        return any(c) and all(abs(s) < mp.mpf(10) ** -40 for s in sums)
    if any(abs(mp.fdot(row, row) - 1) > mp.mpf(10) ** -40 for row in x):
        return False
    n = len(x)
    h = mp.matrix(n, n)
    for i in range(n):
        for j in range(n):
            rho = max(mp.mpf(-1), min(mp.mpf(1), mp.fdot(x[i], x[j])))
            h[i, j] = rho * (mp.pi - mp.acos(rho)) / (2 * mp.pi) if i != j else mp.mpf(1) / 2
    return bool(0 < num(step["value"], mp) <= min(mp.eigsy(h, eigvals_only=True)) + mp.mpf(10) ** -40)


def crosses(net: Net, i: int, mp: Any) -> bool:
    """Small Euler steps drive a unit that is active at sample i below 0 there."""
    before = [row[i] > 0 for row in net.z()]
    for _ in range(4_000):
        net.descend(mp.mpf("0.001"))
        if any(was and row[i] < 0 for was, row in zip(before, net.z(), strict=True)):
            return True
    return False


def rests(net: Net, chosen: list[Any], mp: Any) -> bool:
    left, error, tiny = iter(chosen), net.error(), mp.mpf(10) ** -35
    if any(c < 0 or c > 1 for c in chosen) or sum(abs(e) for e in error) < tiny:
        return False
    for v, row in zip(net.v, net.z(), strict=True):
        slopes = [next(left) if z == 0 else mp.mpf(z > 0) for z in row]
        for k in range(len(net.x[0])):
            if abs(v * mp.fsum(e * s * x[k] for e, s, x in zip(error, slopes, net.x, strict=True))) > tiny:
                return False
    return True
