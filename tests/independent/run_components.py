"""Irreducible components over Q of complex critical sets of positive dimension, by Singular (minAssGTZ, primdec.lib).

    apt-get install singular
    python tests/independent/run_components.py       # writes tests/independent/recorded/SLUG.components.json

The gradient comes from gradients.py; nothing of explorer is used.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from gradients import gradient, names, show

RECORDED = Path(__file__).resolve().parent / "recorded"
FAMILIES = ("chain-5", "linear-2-1-2-rank-1", "square-2-units")


def components(slug: str) -> dict:
    system = gradient(slug)[1]
    vs = names(len(system))
    lines = [
        'LIB "primdec.lib";',
        f"ring r = 0,({','.join(vs)}),dp;",
        f"ideal i = {', '.join(show(p, vs) for p in system)};",
        "list l = minAssGTZ(i); int k; short = 0;",
        'for (k = 1; k <= size(l); k++) { ideal h = std(l[k]); string(dim(h)) + "; " + string(h); kill h; }',
        "exit;",
    ]
    run = subprocess.run(
        ["Singular", "-q"], input="\n".join(lines), capture_output=True, text=True, timeout=300, check=True
    )
    said = subprocess.run(["Singular", "--version"], capture_output=True, text=True, check=True).stdout
    found = [line.split("; ") for line in run.stdout.splitlines() if "; " in line]
    listed = sorted((-int(dimension), ideal.split(",")) for dimension, ideal in found)
    return {
        "case": slug,
        "tool": f"{said.splitlines()[0]} (Debian), minAssGTZ",
        "commands": lines,
        "components": [{"dimension": -d, "ideal": ideal} for d, ideal in listed],
    }


def main() -> int:
    for slug in sys.argv[1:] or FAMILIES:
        result = components(slug)
        text = json.dumps(result, indent=1) + "\n"
        (RECORDED / f"{slug}.components.json").write_text(text, encoding="ascii")
        print(f"{slug}: {len(result['components'])} components")
    return 0


if __name__ == "__main__":
    sys.exit(main())
