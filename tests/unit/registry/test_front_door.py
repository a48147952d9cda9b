from __future__ import annotations

import os
import subprocess
import sys

import pytest

import maintain_registry


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="promoted"):
        maintain_registry.promoted  # noqa: B018  # the access is the test


def test_the_front_door_lists_exactly_what_it_opens() -> None:
    assert sorted(maintain_registry.__all__) == sorted(maintain_registry._HOME)
    for name in maintain_registry.__all__:
        assert getattr(maintain_registry, name) is not None


def test_naming_the_package_imports_nothing_heavy() -> None:
    code = (
        "import sys, maintain_registry as r; r.Event; r.FolderStore; r.load_signer;"
        "heavy = {'sqlalchemy', 'cryptography', 'torch', 'safetensors', 'mlflow'} & set(sys.modules);"
        "sys.exit(' '.join(sorted(heavy)) or 0)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(item for item in sys.path if item)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
