"""`maintain doctor`: whether this machine and this workspace are fit for work.

Every check stands alone: what one of them cannot read is that check's finding and stops no other, so
that a damaged workspace is told whole. No check mends anything; each finding names its repair, and
that of the register of weights is here.
"""

from __future__ import annotations

from maintain_pipelines.doctor.examine import CHECKS, MACHINE_CHECKS, examine
from maintain_pipelines.doctor.findings import Finding
from maintain_pipelines.doctor.weights import Mended, mend_register

__all__ = ["CHECKS", "MACHINE_CHECKS", "Finding", "Mended", "examine", "mend_register"]
