"""What a plan says of the disk, in the unit that people read."""

from __future__ import annotations

from maintain.cli.plan_expected import disk_warning
from maintain_pipelines.expecting import Disk


def test_thousands_of_megabytes_are_said_as_gigabytes() -> None:
    said = disk_warning(Disk(weights=1, least=999_900_000, most=57_590_800_000, measured=True, free=999_900_000))
    assert said == "The run may take 57.6 GB, and 999.9 MB are free."
