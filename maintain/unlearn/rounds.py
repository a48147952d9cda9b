"""The rounds of SCRUB: which of its steps leave the teacher, and which stay with it. Read without torch."""

from __future__ import annotations

from maintain.unlearn.table.row import LOOK_STEPS


def is_max_step(step: int, max_steps: int) -> bool:
    """Whether this step, counted from nought, is one of the `max_steps` of its round."""
    return 1 <= step % LOOK_STEPS <= max_steps


def max_steps_in(steps: int, max_steps: int) -> int:
    """How many of the first `steps` steps are max-steps."""
    return sum(is_max_step(step, max_steps) for step in range(steps))
