"""What a behavioural candidate is asked on validation cases before it may cost a look at the holdout.

The front door. Point estimates over all there is, with no least number: a screen chooses what is worth judging and
judges nothing. What cannot be estimated leaves the method, for the search ends in one that needs no screen.
"""

from __future__ import annotations

from maintain_pipelines.screening.base import Ask, Contest, Screened
from maintain_pipelines.screening.choice import hopeless, screen
from maintain_pipelines.screening.retained import retained_loss

__all__ = ["Ask", "Contest", "Screened", "hopeless", "retained_loss", "screen"]
