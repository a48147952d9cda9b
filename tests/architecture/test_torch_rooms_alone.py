"""The algorithm rooms run on a machine that has numpy, torch and safetensors, and nothing else of ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

#: What a machine with an accelerator may lack; importing any of it ends the child.
BLOCKED = (
    "alembic",
    "jinja2",
    "matplotlib",
    "mlflow",
    "monai",
    "pandas",
    "psycopg",
    "pydantic",
    "pydicom",
    "rich",
    "scipy",
    "sqlalchemy",
    "typer",
    "yaml",
)

CHILD = """
import importlib.machinery, sys
from pathlib import Path

class Absent(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            return None
        return super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(importlib.machinery.PathFinder)] = Absent
try:
    import sqlalchemy
except ModuleNotFoundError:
    pass
else:
    sys.exit("the blocker blocks nothing")

import maintain.imaging, maintain.measure, maintain.unlearn

for room in (maintain.imaging, maintain.measure, maintain.unlearn):
    for name in room.__all__:
        getattr(room, name)

from maintain.imaging import load_model, save_weights, threads, toy_problem
from maintain.measure import measure
from maintain.unlearn import default_recipe, load_method, train
from maintain.vocabulary import Role

toy = toy_problem()
load_method("retrain")
with threads(1):
    cases = toy.blueprint.loader_cases(toy.rows, Role.LEARN)
    kept = Path(sys.argv[1]) / "it.checkpoint"
    done = train(toy.blueprint, default_recipe(seed=1, epochs=3), cases, toy.pixels, checkpoint=kept)
assert done.history[-1].loss < done.history[0].loss
path = Path(sys.argv[1]) / "weights.safetensors"
digest = save_weights(path, done.state)
assert digest == done.weights
network = load_model(toy.spec(recipe=done.recipe), path, expected=digest)
rows = measure(network, toy.spec(), toy.rows, toy.pixels, weights=digest)
assert len(rows) == len(toy.rows)
assert not set(BLOCKED) & set(sys.modules)
print("alone")
"""


def test_the_rooms_train_write_load_and_measure_with_everything_else_blocked(tmp_path: Path) -> None:
    code = f"BLOCKED = {BLOCKED!r}\n{CHILD}"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "alone"), done.stderr
