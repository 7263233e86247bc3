"""The tangent lemma put to the test: random minima that the checker accepts have no lower point near them.

Points are built so that the loss slopes g satisfy the linear conditions of the lemma (g in a null space, by SymPy) while
the definiteness is left to chance; so both verdicts occur. F is computed here, exactly, from its definition. Where the
checker accepts, F is sampled around the point at many scales; where a Hessian of F (numpy, from exact second differences)
has a clearly negative eigenvalue, the checker must have refused.
"""

from __future__ import annotations

import json
import random
from fractions import Fraction

import numpy as np
import pytest
import sympy

from explorer import checker

PHI = {  # name -> (phi, phi')
    "square": (lambda z: z * z, lambda z: 2 * z),
    "cubic": (lambda z: z**3, lambda z: 3 * z * z),
    "relu": (lambda z: max(z, Fraction(0)), lambda z: Fraction(z > 0)),
    "requ": (lambda z: max(z, Fraction(0)) ** 2, lambda z: 2 * max(z, Fraction(0))),
    "bent": (lambda z: max(z, Fraction(0)) * (1 + z), lambda z: (1 + 2 * z) * (z > 0)),
    "quartic": (lambda z: 1 + z - z**2 + z**4, lambda z: 1 - 2 * z + 4 * z**3),
}
BODY = {
    "bent": {"kind": "piecewise-polynomial", "breaks": ["0"], "pieces": [["0"], ["0", "1", "1"]]},
    "quartic": {"kind": "polynomial", "coefficients": ["1", "1", "-1", "0", "1"]},
}

KINKED = {"relu", "requ", "bent"}


def text(rows):
    return [[str(v) for v in row] for row in rows]


def forward(layers, phi, x):
    """Outputs of a network given as a list of (weights, biases), linear at the end."""
    signal = x
    for k, (w, b) in enumerate(layers):
        signal = [
            sum((a * s for a, s in zip(row, signal, strict=True)), Fraction(0)) + c for row, c in zip(w, b, strict=True)
        ]
        signal = [phi(s) for s in signal] if k + 1 < len(layers) else signal
    return signal


def shaped(theta, widths, bias):
    """Parameters in the documented order -> layers."""
    take, layers = iter(theta), []
    for k in range(len(widths) - 1):
        w = [[next(take) for _ in range(widths[k])] for _ in range(widths[k + 1])]
        layers.append((w, [next(take) if bias[k] else Fraction(0) for _ in range(widths[k + 1])]))
    return layers


def loss(case, theta):
    layers = shaped(theta, case["widths"], case["bias"])
    total = Fraction(0)
    for x, y, c in zip(case["inputs"], case["targets"], case["weights"], strict=True):
        f = forward(layers, PHI[case["phi"]][0], x)
        total += c * sum((a - b) ** 2 for a, b in zip(f, y, strict=True))
    return total


def verdict(case, theta, proof):
    name = case["phi"]
    problem = {
        "format": "explorer.problem/1",
        "network": {
            "kind": "dense",
            "widths": case["widths"],
            "activation": BODY.get(name, name),
            "bias": case["bias"],
        },
        "data": {"inputs": text(case["inputs"]), "targets": text(case["targets"])},
        "loss": {"kind": "squared", "weights": [str(c) for c in case["weights"]]},
    }
    raw = json.dumps(problem).encode()
    certificate = {
        "format": "explorer.certificate/1",
        "problem": checker.Problem(checker.parse_json(raw, "problem")).digest,
        "goal": {"kind": "local-minimum", "point": "p"},
        "points": {"p": {"field": "rational", "coordinates": [str(v) for v in theta]}},
        "steps": [{"rule": "flat-minimum", "point": "p", "proof": proof}],
    }
    return checker.check(raw, json.dumps(certificate).encode())


def null_vectors(pick, rows, size, count):
    """Random rational vectors orthogonal to all rows, or None."""
    basis = sympy.Matrix(rows or [[0] * size]).nullspace()
    if not basis:
        return None
    out = []
    for _ in range(count):
        v = sum((b * pick.randint(-3, 3) for b in basis), sympy.zeros(size, 1))
        out.append([Fraction(int(e.p), int(e.q)) for e in v])
    return out if any(any(v) for v in out) else None


def with_targets(case, theta, slopes):
    """Targets for which the loss slopes at theta are the given ones: g = 2 c (f - y)."""
    layers = shaped(theta, case["widths"], case["bias"])
    outputs = [forward(layers, PHI[case["phi"]][0], x) for x in case["inputs"]]
    case["targets"] = [
        [f - slopes[k][i] / (2 * c) for k, f in enumerate(row)]
        for i, (row, c) in enumerate(zip(outputs, case["weights"], strict=True))
    ]


def random_case(pick, phi, widths, bias, samples):
    def number(low=-3, high=3):
        return Fraction(pick.randint(low, high), pick.randint(1, 2))

    return {
        "phi": phi,
        "widths": widths,
        "bias": bias,
        "inputs": [[number() for _ in range(widths[0])] for _ in range(samples)],
        "weights": [number(1, 3) for _ in range(samples)],
    }, [number() for _ in range(sum(r * (c + b) for c, r, b in zip(widths, widths[1:], bias, strict=False)))]


def units_case(pick, phi):
    """A point at which psi and its gradient vanish at every unit, for every output."""
    cols, width, outputs = pick.choice([(1, 1, 1), (1, 2, 1), (2, 1, 1), (1, 1, 2), (2, 1, 2)])
    bias = [pick.random() < 0.4, pick.random() < 0.3]
    case, theta = random_case(pick, phi, [cols, width, outputs], bias, pick.randint(4, 6))
    if (
        phi == "square" and pick.random() < 0.5
    ):  # for homogeneous psi, Euler's identity makes Hess psi singular elsewhere
        theta[: (cols + bias[0]) * width] = [Fraction(0)] * ((cols + bias[0]) * width)
    value, slope = PHI[phi]
    rows = [[1] * len(case["inputs"])] if bias[1] else []
    for w, b in zip(*shaped(theta, case["widths"], bias)[0], strict=True):
        z = [sum(a * s for a, s in zip(w, x, strict=True)) + b for x in case["inputs"]]
        rows.append([value(v) for v in z])
        extended = [[*x, Fraction(1)] if bias[0] else x for x in case["inputs"]]
        rows += [[slope(v) * x[k] for v, x in zip(z, extended, strict=True)] for k in range(cols + bias[0])]
    rows = [[sympy.Rational(v.numerator, v.denominator) for v in map(Fraction, row)] for row in rows]
    slopes = null_vectors(pick, rows, len(case["inputs"]), outputs)
    return (case, theta, slopes) if slopes else None


def line_case(pick, phi):
    """Scalar inputs, no hidden bias: psi vanishes at every unit, often its derivative too, on one side or on both."""
    width, outputs = pick.choice([(1, 1), (1, 1), (2, 1), (1, 2)])
    case, theta = random_case(pick, phi, [1, width, outputs], [False, pick.random() < 0.3], pick.randint(3, 5))
    if pick.random() < 0.6:
        theta[:width] = [Fraction(0)] * width
    value, slope = PHI[phi]
    rows = [[1] * len(case["inputs"])] if case["bias"][1] else []
    for w in theta[:width]:
        rows.append([value(w * x) for (x,) in case["inputs"]])
        if pick.random() < 0.7:
            rows.append([slope(w * x) * x for (x,) in case["inputs"]])
    rows = [[sympy.Rational(v.numerator, v.denominator) for v in map(Fraction, row)] for row in rows]
    slopes = null_vectors(pick, rows, len(case["inputs"]), outputs)
    return (case, theta, slopes) if slopes else None


def first_layer_case(pick, phi):
    """A point with a zero first weight matrix, and slopes orthogonal to 1 and to the inputs."""
    cols, outputs = pick.choice([(1, 1), (2, 1), (1, 2), (2, 2)])
    widths = [cols, pick.randint(1, 2), *([pick.randint(1, 2)] if pick.random() < 0.5 else []), outputs]
    bias = [pick.random() < 0.7] + [pick.random() < 0.3 for _ in widths[2:]]
    case, theta = random_case(pick, phi, widths, bias, pick.randint(4, 6))
    theta = [abs(v) for v in theta] if pick.random() < 0.6 else theta  # live units
    theta[: widths[0] * widths[1]] = [Fraction(0)] * (widths[0] * widths[1])
    rows = [[1] * len(case["inputs"])] + [list(column) for column in zip(*case["inputs"], strict=True)]
    rows = [[sympy.Rational(v.numerator, v.denominator) for v in map(Fraction, row)] for row in rows]
    slopes = null_vectors(pick, rows, len(case["inputs"]), outputs)
    return (case, theta, slopes) if slopes else None


def hessian(case, theta):
    """By exact second differences with step 2^-40 (piecewise polynomials of low degree: far more than enough)."""
    h, size, base = Fraction(1, 1 << 40), len(theta), loss(case, theta)

    def moved(*steps):
        out = list(theta)
        for k, s in steps:
            out[k] += s * h
        return loss(case, out)

    out = np.zeros((size, size))
    for i in range(size):
        for j in range(i + 1):
            if i == j:
                value = (moved((i, 1)) - 2 * base + moved((i, -1))) / h**2
            else:
                plus, minus = (
                    moved((i, 1), (j, 1)) + moved((i, -1), (j, -1)),
                    moved((i, 1), (j, -1)) + moved((i, -1), (j, 1)),
                )
                value = (plus - minus) / (4 * h**2)
            out[i, j] = out[j, i] = float(value)
    return out


def lower_neighbour(pick, case, theta, samples):
    """A point near theta with a smaller loss, or None."""
    base = loss(case, theta)
    for _ in range(samples):
        scale = Fraction(1, 1 << pick.randint(12, 40))
        sparse = pick.random() < 0.5
        q = [t + scale * pick.randint(-8, 8) * (not sparse or pick.random() < 0.4) for t in theta]
        if loss(case, q) < base:
            return q
    return None


BUILDERS = {"units": units_case, "line": line_case, "first-layer-zero": first_layer_case}


def trials(phi, proof, count=50):
    """(accepted, refused, points with a descent direction) of random candidates; asserts that the first are minima."""
    pick, accepted, refused, descending = random.Random(f"{phi} {proof}"), 0, 0, 0
    for _ in range(count):
        found = BUILDERS[proof](pick, phi)
        if found is None:
            continue
        case, theta, slopes = found
        with_targets(case, theta, slopes)
        answer = verdict(case, theta, proof)
        assert answer.status in ("verified", "rejected"), answer.line
        good = answer.status == "verified"
        accepted, refused = accepted + good, refused + (not good)
        if good:
            assert lower_neighbour(pick, case, theta, 60) is None, (case, theta)
        if phi not in KINKED:
            eigenvalues = np.linalg.eigvalsh(hessian(case, theta))
            descends = eigenvalues.min() < -1e-9 * abs(eigenvalues).max()  # far above rounding
            descending += descends
            assert not (good and descends), (case, theta)
    return accepted, refused, descending


@pytest.mark.slow
@pytest.mark.parametrize("proof", BUILDERS)
def test_accepted_flat_minima_are_minima(proof):
    """Some activations cannot occur: cubic units (Euler's identity: grad psi = 0 makes u^T Hess psi u = 0), relu with H = 0."""
    counts = [trials(phi, proof) for phi in PHI]
    accepted, refused, descending = (sum(column) for column in zip(*counts, strict=True))
    assert accepted > 15
    assert refused > 50
    assert descending > 10


def test_a_silent_unit_at_its_kink_is_no_flat_minimum():
    """Widths 1-1-2-1, phi(z) = z + z^2 for z > 0: with s = w x, h = phi(1 + s) = 2 + 3s + s^2, f = phi(h) + v phi(h - 2), v = w = 0.
    The second unit is silent and at its kink; without it H = 28 > 0 and S = sum g x^2 = 2 > 0. But Phi falls like 3 v w sum_{x>0} g x."""
    case = {
        "phi": "bent", "widths": [1, 1, 2, 1], "bias": [True, True, False], "weights": [Fraction(1)] * 3,
        "inputs": [[Fraction(-1)], [Fraction(1)], [Fraction(0)]],
    }  # fmt: skip
    theta = [Fraction(v) for v in (0, 1, 1, 1, 0, -2, 1, 0)]  # w1, b1, two weights, two biases, two output weights
    with_targets(case, theta, [[Fraction(1), Fraction(1), Fraction(-2)]])
    below = [Fraction(1, 100_000), *theta[1:7], Fraction(-1, 100)]
    assert loss(case, below) < loss(case, theta)
    assert verdict(case, theta, "first-layer-zero").status == "rejected"
    alive = [*theta[:5], Fraction(-1), *theta[6:]]  # off the kink it is a minimum
    with_targets(case, alive, [[Fraction(1), Fraction(1), Fraction(-2)]])
    assert verdict(case, alive, "first-layer-zero").status == "verified"
    assert lower_neighbour(random.Random(2), case, alive, 300) is None


FORGERIES = {  # from the literature of this rule: each satisfies a careless version of the lemma
    # psi = grad psi = 0 and psi_ww > 0 on span{x_i}, but with a bias the span is that of (x_i, 1): F(e, -e, 1) < F(p)
    "bias outside the span": ("square", [1, 1, 1], [True, False], [[0], [1]], [["1/2"], ["-1/2"]], ["0", "0", "1"]),
    # the right-hand second derivative of requ is positive, the left-hand one is not seen: F(-1/10, 1) < F(p)
    "kink": ("requ", [1, 1, 1], [False, False], [[2], [-1]], [["-1/2"], ["1/2"]], ["0", "1"]),
    # psi is not stationary
    "slope": ("square", [1, 1, 1], [False, False], [[1], [2]], [["1"], ["1"]], ["1", "1"]),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_forged_flat_minima_are_refused(name):
    phi, widths, bias, inputs, targets, theta = FORGERIES[name]
    case = {
        "phi": phi, "widths": widths, "bias": bias, "weights": [Fraction(1)] * len(inputs),
        "inputs": [[Fraction(v) for v in row] for row in inputs], "targets": [[Fraction(v) for v in row] for row in targets],
    }  # fmt: skip
    theta = [Fraction(v) for v in theta]
    assert lower_neighbour(random.Random(1), case, theta, 400) is not None  # it is no minimum
    assert verdict(case, theta, "units").status == "rejected"
