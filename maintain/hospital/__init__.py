"""The synthetic hospital: believable DICOM files whose truth is known, for demo, tests and benchmarks."""

from __future__ import annotations

from maintain.hospital.building import build_hospital
from maintain.hospital.drawing import draw_hospital
from maintain.hospital.options import HospitalOptions
from maintain.hospital.truth import HospitalFolder, TruthRow

__all__ = ["HospitalFolder", "HospitalOptions", "TruthRow", "build_hospital", "draw_hospital"]
