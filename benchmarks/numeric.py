"""Timings of the floating-point twin, one run: `python benchmarks/numeric.py [--json FILE]`. Needs torch and SciPy.

Every figure is printed with the machine's load, because on a busy machine it is a figure of that load. One thread unless
OMP_NUM_THREADS says otherwise.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy.optimize import minimize

from explorer.network import Activation
from explorer.numeric.backend import compiled, generator, normal
from explorer.numeric.curvature import lanczos
from explorer.numeric.dynamics import adam
from explorer.numeric.newton import LIMIT, descend
from explorer.numeric.spec import Spec
from explorer.numeric.twin import Twin
from explorer.problem import Problem

CPU = torch.device("cpu")


def network(width: int) -> Problem:
    """2-width-1 tanh network with hidden biases on 16 samples of a saddle."""
    inputs = [[i, j] for i in range(-2, 2) for j in range(-2, 2)]
    return Problem.dense(widths=[2, width, 1], bias=[True, True], inputs=inputs, targets=[[i * j] for i, j in inputs], activation="tanh")  # fmt: skip


def timed(work: Callable[[], Any], repeat: int = 1) -> tuple[float, Any]:
    best, out = float("inf"), None
    for _ in range(repeat):
        started = time.perf_counter()
        out = work()
        best = min(best, time.perf_counter() - started)
    return best, out


def against_loops() -> dict[str, float]:
    """4,096 starts x 100 steps of Adam on a 2-8-1 network: batched, and one start at a time with torch.optim."""
    twin = compiled(network(8), device="cpu")
    start = normal((4096, twin.size), generator(0), CPU)
    batched, _ = timed(lambda: adam(twin, start, steps=100, rate=0.01), 2)

    def one(k: int) -> None:
        theta = start[k].clone().requires_grad_(True)
        optimizer = torch.optim.Adam([theta], lr=0.01)
        for _ in range(100):
            optimizer.zero_grad()
            twin.value(theta).backward()
            optimizer.step()

    one(0)
    few = 12
    loop, _ = timed(lambda: [one(k) for k in range(few)])
    each = loop / few
    return {"batched_s": batched, "loop_s_per_start": each, "speedup": each * 4096 / batched}


def against_scipy() -> dict[str, float]:
    """Converged starts per second: batched damped Newton, and scipy BFGS with an analytic gradient, on the same starts."""
    twin = compiled(network(8), device="cpu")
    start = normal((1024, twin.size), generator(1), CPU)
    spent, ends = timed(lambda: descend(twin, start))
    mine = spent / max(1, ends.count(LIMIT))

    def both(x: np.ndarray) -> tuple[float, np.ndarray]:
        f, g = twin.gradients(torch.from_numpy(x)[None])
        return float(f[0]), g[0].numpy()

    few = 16
    bfgs, runs = timed(
        lambda: [minimize(both, s.numpy(), jac=True, method="BFGS", options={"gtol": 1e-6}) for s in start[:few]]
    )
    good = sum(bool(np.abs(r.jac).max() <= 1e-6) for r in runs)
    return {
        "newton_limits": ends.count(LIMIT), "newton_s_per_limit": mine, "bfgs_converged": good, "bfgs_tried": few,
        "bfgs_s_per_converged": bfgs / max(1, good), "speedup": bfgs / max(1, good) / mine,
    }  # fmt: skip


def products() -> dict[str, float]:
    """A Hessian-vector product against a gradient, 2-1024-1."""
    twin = compiled(network(1024), device="cpu")
    theta = normal((twin.size,), generator(2), CPU, scale=0.3)
    v = normal((twin.size,), generator(3), CPU)
    gradient, _ = timed(lambda: [twin.gradients(theta[None]) for _ in range(50)], 5)
    product = twin.hvp(theta)
    kept, _ = timed(lambda: [product(v) for _ in range(50)], 5)
    alone, _ = timed(lambda: [twin.hvp(theta)(v) for _ in range(50)], 5)
    return {"gradient_s": gradient / 50, "product_s": kept / 50, "ratio": kept / gradient, "ratio_with_setup": alone / gradient}  # fmt: skip


def hessians() -> dict[str, float]:
    """Dense Hessians of a network with 48 + 1 parameters, 16 samples."""
    twin = compiled(network(12), device="cpu")
    batch = normal((10_000, twin.size), generator(4), CPU)
    spent, _ = timed(lambda: twin.hessians(batch), 3)
    cpu = time.process_time()
    twin.hessians(batch)
    cpu = time.process_time() - cpu
    flops = 2 * 16 * twin.size**2
    left, right = torch.randn(10_000, twin.size, 16, dtype=torch.float64), torch.randn(10_000, 16, twin.size, dtype=torch.float64)  # fmt: skip
    roof, _ = timed(lambda: left @ right, 3)
    return {"parameters": twin.size, "per_second": 10_000 / spent, "per_cpu_second": 10_000 / cpu, "product_alone_per_second": 10_000 / roof, "flops_of_product": flops}  # fmt: skip


def spectrum() -> dict[str, float]:
    """Lanczos on 1,000 parameters against LAPACK, and on 1,000,000 parameters."""
    twin = compiled(network(250), device="cpu")
    theta = normal((twin.size,), generator(5), CPU, scale=0.5)
    dense = torch.linalg.eigvalsh(twin.hessians(theta[None])[0])
    ritz = lanczos(twin.hvp(theta), normal((twin.size,), generator(6), CPU), steps=250, tolerance=1e-9)
    error = max(abs(float(ritz.values[k] - dense[k])) for k in (0, -1)) / float(dense.abs().max())
    x = normal((16, 8), generator(7), CPU)
    spec = Spec(
        (8, 111_111, 1), (Activation("tanh"),), (False, False), x, x[:, :1], torch.ones(16, dtype=torch.float64)
    )
    huge = Twin(spec)
    at = normal((huge.size,), generator(8), CPU, scale=0.01)
    spent, big = timed(lambda: lanczos(huge.hvp(at), normal((huge.size,), generator(9), CPU), steps=40, tolerance=1e-8))
    return {
        "relative_error_1000": error, "parameters": huge.size, "seconds": spent, "largest": float(big.values[-1]),
        "bound": float(big.bounds[-1]), "peak_GiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--threads", type=int, help="of torch (default: OMP_NUM_THREADS, or 1)")
    parser.add_argument("--only", help="adam, newton, products, hessians or spectrum")
    chosen = parser.parse_args()
    if chosen.threads or "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(chosen.threads or 1)
    out: dict[str, Any] = {"torch": torch.__version__, "threads": torch.get_num_threads(), "processors": os.cpu_count()}
    for name, work in (("adam", against_loops), ("newton", against_scipy), ("products", products), ("hessians", hessians), ("spectrum", spectrum)):  # fmt: skip
        if chosen.only not in (None, name):
            continue
        before = os.getloadavg()[0]
        out[name] = {**work(), "load": before}
        print(name, json.dumps(out[name]), flush=True)
    if chosen.json:
        with open(chosen.json, "w", encoding="ascii") as stream:
            json.dump(out, stream, indent=1)


if __name__ == "__main__":
    main()
