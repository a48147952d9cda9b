"""What a report shows beside the records of a run: computed again from its folder, aggregates only.

The front door. A thing that cannot be computed is a sentence that says why, never a hole and never an error, because
a report is written of every run.
"""

from __future__ import annotations

from maintain_pipelines.reporting.assembling import shown_of
from maintain_pipelines.reporting.pictures import pictures_of, png_of
from maintain_pipelines.reporting.wish import read_wish

__all__ = ["pictures_of", "png_of", "read_wish", "shown_of"]
