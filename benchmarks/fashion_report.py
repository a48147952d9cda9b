"""The Fashion-MNIST table for people: rows, what is missing, and what it says of the targets, reached or not."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from fashion_arms import ARMS, MASKED

#: Distance to the retrain, and share of its passes and of its time, that psg was to stay within.
NEAR, CHEAP = 0.02, 0.10
#: The reference's own figures for this class: forgotten, kept, and its distance to its retrain (psg.md §3.4).
REFERENCE = (0.058, 0.870, 0.0925)

#: Columns: (figure, heading, decimals).
FIGURES: tuple[tuple[str, str, int], ...] = (
    ("forgotten", "F", 3),
    ("kept", "R", 3),
    ("distance", "distance", 4),
    ("distance_anew", "distance, statistics anew", 4),
    ("forgotten_anew", "F, statistics anew", 3),
    ("churn", "churn", 3),
    ("auc", "membership AUC", 3),
    ("gradient_share", "gradient passes", 3),
    ("every_share", "all passes", 3),
    ("cpu_share", "CPU time", 3),
    ("wall_share", "wall time", 3),
)


def render(document: Mapping[str, Any]) -> str:
    """The table for people, and what it says of the targets."""
    machine = document["machine"]
    sizes = sorted({int(name.split("-")[0]) for name in document["cells"]})
    lines = [
        "# Fashion-MNIST forgets a class: how near a retrain, at what cost",
        "",
        "All-CNN of half the width learns Fashion-MNIST and must forget class 0 (T-shirts and tops). F and R are the "
        "accuracies on the forgotten class and on the others, over all 10,000 test images; distance is that of (F, R) "
        "to the retrain's. Statistics anew: after batch normalisation was recalibrated on retained cases. Churn: test "
        "images of the other classes decided otherwise than by the champion. Membership AUC: margins of forgotten "
        "training images against never-seen ones of the class, 0.5 tells nothing apart; with a class gone a retrain "
        "need not have 0.5 either. Passes and times are shares of the retrain's. Gradient passes: images that went "
        "forward and backward, the search's included; all passes: those that only went forward too, each counted "
        "whole. Counted at the network. Time without evaluation and without the judge of the stop rule. Made by "
        "`benchmarks/fashion_mnist.py`.",
    ]
    for size in sizes:
        lines += _table(size, document["cells"])
    lines += [
        "",
        "How it was done: champion and retrain 8 passes, one-cycle to 0.1, batches of 64, flips, bfloat16 with "
        "channels last; methods side by side move the head alone on 34 forgotten and 102 retained images a step, "
        "batch statistics frozen, gradients clipped to 1, no augmentation, and stop at the first look (every 10 "
        "steps, after every forgotten image was in a step) where no validation image of the class is answered as "
        "such and accuracy on the others is at most 0.02 below the champion's, both also with statistics anew. "
        "Validation: 2,000 other training images. `psg` searches with the options of its table but without "
        "bisections. Options were frozen on validation images of seed 1.",
        "",
        f"Machine: {machine['cpu']}, {machine['cores']} cores, shared with other work, so that CPU time is the figure "
        f"to lean on and wall time is not; {machine['threads']} thread, torch {machine['torch']}, Python "
        f"{machine['python']}; {machine['date']}. Code: `{document['code'][:12]}`.",
    ]
    return "\n".join(lines) + "\n"


# --- private ---------------------------------------------------------------------------------------


def _table(size: int, cells: Mapping[str, Any]) -> list[str]:
    found = {
        arm: [cell for name, cell in sorted(cells.items()) if name.split("-")[::2] == [str(size), arm]]
        for arm in (*(arm.name for arm in ARMS), MASKED)
    }
    seeds = sorted({int(name.split("-")[1]) for name in cells if name.startswith(f"{size}-")})
    missing = [f"{arm} of seed {seed}" for arm in found for seed in seeds if f"{size}-{seed}-{arm}" not in cells]
    lines = [
        "",
        f"## {size:,} images learned, seeds {', '.join(map(str, seeds))}",
        "",
        "Mean, and range over seeds where they differ.",
        "",
        f"| method | stop reached | {' | '.join(heading for _, heading, _ in FIGURES)} |",
        f"|---|---|{'---|' * len(FIGURES)}",
    ]
    said = {arm.name: arm.said for arm in ARMS} | {MASKED: "no method: the champion, output 0 masked"}
    for arm, found_cells in found.items():
        if found_cells:
            reached = [cell["reached"] for cell in found_cells if "reached" in cell]
            told = [_told([cell[name] for cell in found_cells if name in cell], digits) for name, _, digits in FIGURES]
            share = f"{sum(reached)} of {len(reached)}" if reached else ""
            lines.append(f"| {said[arm]} | {share} | {' | '.join(told)} |")
    if missing:
        lines += ["", f"Missing: {', '.join(missing)}."]
    return [*lines, "", *_reading(found)]


def _reading(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    """What the table says of the targets, whichever way it came out."""
    cells = found["psg"]
    if not cells:
        return []

    def mean(arm: str, name: str) -> float:
        return float(np.mean([cell[name] for cell in found[arm]]))

    def verdict(reached: bool) -> str:
        return "reached" if reached else "**not reached**"

    near = mean("psg", "distance")
    shares = [mean("psg", name) for name in ("gradient_share", "every_share", "cpu_share", "wall_share")]
    lines = [
        f"- Distance of `psg` to the retrain within {NEAR}: {verdict(near <= NEAR)}, mean {near:.4f} (the reference "
        f"published {REFERENCE[2]}, with F {REFERENCE[0]} and R {REFERENCE[1]}); with statistics anew "
        f"{mean('psg', 'distance_anew'):.4f}.",
        f"- At most {CHEAP:.0%} of the retrain's gradient passes: {verdict(shares[0] <= CHEAP)}, {shares[0]:.1%} "
        f"({shares[1]:.1%} with every forward pass counted whole); of its time: {verdict(shares[2] <= CHEAP)}, "
        f"{shares[2]:.1%} of CPU time, {shares[3]:.1%} of wall time.",
    ]
    rivals = [arm for arm in found if arm not in ("champion", "retrain", "psg", MASKED) and found[arm]]
    inside = [arm for arm in rivals if mean(arm, "distance") <= NEAR]
    nearer = [arm for arm in (*rivals, MASKED) if found[arm] and mean(arm, "distance") < near]
    said = {arm.name: arm.said for arm in ARMS} | {MASKED: "the champion with output 0 masked"}
    if inside:
        lines.append(
            f"- Also within {NEAR}: " + "; ".join(f"{said[a]} {mean(a, 'distance'):.4f}" for a in inside) + "."
        )
    if nearer:
        lines.append("- Nearer than `psg`: " + "; ".join(f"{said[a]} {mean(a, 'distance'):.4f}" for a in nearer) + ".")
    if found["retrain"]:
        exact = [(cell["forgotten"], cell["kept"]) for cell in found["retrain"]]
        apart = max(math.dist(one, other) for one in exact for other in exact)
        lines.append(f"- The retrains of these seeds are up to {apart:.4f} apart from each other.")
    if found[MASKED]:
        lines.append(
            f"- What this distance does not say: masking the output is {mean(MASKED, 'distance'):.4f} away, and not a "
            "weight moved. Nearness in F and R on a whole class is a weak test; whether the class is still known "
            "inside is for the gates and probes that look there."
        )
    return lines


def _told(values: Sequence[float], digits: int) -> str:
    if not values:
        return ""
    mean, low, high = (f"{value:.{digits}f}" for value in (np.mean(values), min(values), max(values)))
    return mean if low == high else f"{mean} ({low} to {high})"
