"""The demo: a chain of stories on one champion, each with its claim, and one that must fail.

The front door. Every step is skipped when it was done before, so a demo that was killed goes on where it was.
"""

from maintain_pipelines.demo.chain import Told, play_chain
from maintain_pipelines.demo.preparing import MODEL, DemoOrder, demo_key, prepare_champion, prepare_hospital
from maintain_pipelines.demo.stories import STORIES, Story, Way

__all__ = [
    "MODEL",
    "STORIES",
    "DemoOrder",
    "Story",
    "Told",
    "Way",
    "demo_key",
    "play_chain",
    "prepare_champion",
    "prepare_hospital",
]
