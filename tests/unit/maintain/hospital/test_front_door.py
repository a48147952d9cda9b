from __future__ import annotations

import subprocess
import sys

from maintain import hospital


def test_the_front_door_lists_what_it_exports_in_order() -> None:
    assert list(hospital.__all__) == sorted(hospital.__all__)
    assert all(hasattr(hospital, name) for name in hospital.__all__)


def test_the_hospital_needs_no_torch() -> None:
    script = "import sys, maintain.hospital; sys.exit(bool({'torch', 'monai', 'mlflow'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
