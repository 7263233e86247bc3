"""The reports of `crosscheck --report` as lines for people; the JSON document has everything."""

from __future__ import annotations

from typing import Any


def report_lines(found: dict[str, Any]) -> list[str]:
    """One block of lines per report."""
    makers = {"curvature": _curvature, "kernels": _kernels, "dynamics": _dynamics}
    return [line for name, body in found.items() for line in [f"  report {name} (numerical)", *makers[name](body)]]


def _curvature(body: dict[str, Any]) -> list[str]:
    lines = []
    for p in body["points"]:
        ends = ", ".join(f"{v:.6g}" for v in p["eigenvalues"])
        worst, trace = max(p["residual_bounds"]), p["trace_hutch_pp"]
        error = "" if trace["standard_error"] is None else f" +- {trace['standard_error']:.1g}"
        dense = ""
        if "dense" in p:
            d = p["dense"]
            dense = f"; dense: {d['positive']} positive, {d['negative']} negative, trace {d['trace']:.6g}"
        lines.append(f"    {p['name']}: ends {ends} (bounds {worst:.1e}), trace {trace['mean']:.6g}{error}{dense}")
    return lines


def _kernels(body: dict[str, Any]) -> list[str]:
    lines = [f"    {p['name']}: K from {p['least']:.4g} to {p['largest']:.4g}" for p in body["points"]]
    if (t := body["training"]) is None:
        return [*lines, f"    {body['because']}"]
    asked = t["width_asked_by_theorem_4_1"]
    lines.append(
        f"    Du et al. at width {t['width']}: lambda_0 {t['lambda_0']:.4g}, theorem 4.1 asks for {'-' if asked is None else f'{asked:.2g}'} units; "
        f"bound {'obeyed' if t['obeys_the_discrete_bound'] else 'BROKEN'}"
    )
    for k, step in enumerate(t["steps"]):
        lines.append(
            f"      step {step}: residual {t['residual'][k]:.3g} (bound {t['discrete_bound'][k]:.3g}), lambda_min {t['least'][k]:.4g}, "
            f"flips {t['flips'][k]:.2%}, moved {t['moved'][k]:.3g}"
        )
    return lines


def _dynamics(body: dict[str, Any]) -> list[str]:
    lines = []
    for m in body["methods"]:
        share, q = m["success"], m["losses_min_median_max"]
        shown = "all diverged" if q is None else f"F {q[0]:.3g} / {q[1]:.3g} / {q[2]:.3g} (min, median, max)"
        if m["unfinished"]:
            shown += f", {m['unfinished']} of {body['settings']['starts']} starts cut short"
        low, high = share["interval"]
        lines.append(
            f"    {m['method']}: {shown}; below {body['settings']['threshold']:g}: {share['share']:.0%} [{low:.0%}, {high:.0%}]"
        )
    if "exact_success_of_flow" in body:
        lines.append(f"    exact probability of success of gradient flow: {body['exact_success_of_flow']}")
    if body["conserved"] is None:
        return [*lines, f"    conserved quantities: {body['because']}"]
    drift = ", ".join(f"{k} {v:.1e}" for k, v in body["conserved"]["drift"].items())
    return [*lines, f"    drift of {body['conserved']['quantities']} conserved quantities: {drift}"]
