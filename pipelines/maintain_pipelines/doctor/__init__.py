"""`maintain doctor`: whether this machine and this workspace are fit for work.

Every check stands alone: what one of them cannot read is that check's finding and stops no other, so
that a damaged workspace is told whole. Nothing is mended here; each finding names its repair.
"""

from __future__ import annotations

from maintain_pipelines.doctor.examine import CHECKS, MACHINE_CHECKS, examine
from maintain_pipelines.doctor.findings import Finding

__all__ = ["CHECKS", "MACHINE_CHECKS", "Finding", "examine"]
