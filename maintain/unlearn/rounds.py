"""The rounds of SCRUB: which of its steps leave the teacher, and which stay with it. Read without torch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from maintain.imaging.batches import batches_per_epoch
from maintain.records import Scalar
from maintain.unlearn.table.row import LOOK_STEPS

#: Rounds of min-steps alone after those that handed out a large forget set once, as a share of these: the published
#: schedule for large sets goes to forgotten cases in two of three epochs. The rewind chooses among their looks.
AFTERWARDS_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Rounds:
    """So many steps in all; of every round before the step `until`, so many are max-steps."""

    steps: int
    max_steps: int
    until: int

    def is_max_step(self, step: int) -> bool:
        """Whether this step, counted from nought, is a max-step."""
        return step < self.until and 1 <= step % LOOK_STEPS <= self.max_steps


def rounds_of(options: Mapping[str, Scalar], forgotten: int) -> Rounds:
    """The rounds of these options; where their max-steps would not hand out every forgotten case, as many as do."""
    asked, max_steps = int(options["steps"]), int(options["max_steps"])
    whole = batches_per_epoch(forgotten, int(options["forget_batch"])) if forgotten else 0
    rounds = Rounds(asked, max_steps, asked)
    if sum(map(rounds.is_max_step, range(asked))) >= whole:
        return rounds
    needed = math.ceil(whole / max_steps)
    afterwards = math.ceil(needed * AFTERWARDS_SHARE)
    return Rounds((needed + afterwards) * LOOK_STEPS, max_steps, needed * LOOK_STEPS)
