"""Kill -9 at every point of promote, suspend and rollback, and eight processes at once: nothing is lost or doubled."""

from __future__ import annotations

import json
import multiprocessing
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers import killing
from helpers.commands import say
from helpers.lineage import MODEL, contend, make_promoted, opened
from maintain.vocabulary import Alias
from maintain_registry import EventKind, aliases_of, irregularities, registered, serving_of

WHY = ("--reason", "ticket 4711")

#: Each command with the kind of its entry, and the aliases before and after it.
COMMANDS: dict[str, tuple[tuple[object, ...], str, dict[str, int], dict[str, int]]] = {
    "promote": (
        ("registry", "promote", MODEL),
        "version-promoted",
        {"champion": 2, "candidate": 3, "previous": 1},
        {"champion": 3, "previous": 2},
    ),
    "suspend": (
        ("registry", "suspend", MODEL, *WHY),
        "model-suspended",
        {"champion": 2, "candidate": 3, "previous": 1},
        {"candidate": 3, "previous": 1},
    ),
    "rollback": (
        ("registry", "rollback", MODEL, *WHY),
        "version-rolled-back",
        {"champion": 2, "candidate": 3, "previous": 1},
        {"champion": 1},
    ),
}

#: Before these points end, nothing is decided; said again the command does all of it.
UNDECIDED = ("decided, no entry", "entry written, no row", "row written, not committed")

#: Every point of a promotion, and one of each kind for the others; `benchmarks/kill_campaign.py` kills at all of them.
KILLS = [("promote", point) for point in killing.MOVES] + [
    (name, point)
    for name in ("suspend", "rollback")
    for point in ("row written, not committed", "recorded, aliases untouched", "aliases shown, row not done")
]


@pytest.fixture(scope="module")
def lineage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Version 2 serves, 1 did before, and 3 waits. Copy it."""
    return make_promoted(tmp_path_factory.mktemp("lineage") / "workspace")


@pytest.fixture
def workspace(tmp_path: Path, lineage: Path) -> Path:
    return Path(shutil.copytree(lineage, tmp_path / "workspace"))


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[killing.Nursery]:
    with killing.nursery(tmp_path_factory.mktemp("nursery")) as opened_nursery:
        yield opened_nursery


def shown(workspace: Path) -> dict[str, int]:
    found: dict[str, int] = json.loads((workspace / f"registry/{MODEL}/aliases.json").read_bytes())["body"]
    return found


def counted(workspace: Path) -> Counter[str]:
    with opened(workspace) as context, context.database.read() as unit:
        return Counter(entry.event.value for entry in context.ledger.entries(unit))


def require_agreement(workspace: Path) -> None:
    assert say("audit", "verify", "--require-anchor", workspace=workspace).code == 0
    with opened(workspace) as context, context.database.read() as unit:
        assert irregularities(unit, context.store) == ()
        assert serving_of(unit, MODEL).aliases == aliases_of(context.store, MODEL)


@pytest.mark.parametrize(("name", "point"), KILLS)
def test_killed_at_every_point_it_ends_as_if_undisturbed(
    workspace: Path, nursery: killing.Nursery, name: str, point: str
) -> None:
    words, kind, before, after = COMMANDS[name]
    once = counted(workspace) + Counter([kind])
    killed = nursery.run(*words, workspace=workspace, point=point)
    assert killed.code == -9, killed.said
    left = shown(workspace)
    for alias in Alias:
        assert left.get(alias.value) in (before.get(alias.value), after.get(alias.value))
    with opened(workspace) as context, context.database.read() as unit:
        assert not [item for item in irregularities(unit, context.store) if item.serious]
    again = nursery.run(*words, workspace=workspace)
    assert again.code == (0 if point in UNDECIDED else 5), again.said
    assert (shown(workspace), counted(workspace)) == (after, once)
    require_agreement(workspace)


def test_any_other_command_finishes_what_a_killed_one_decided(workspace: Path, nursery: killing.Nursery) -> None:
    words, _, before, after = COMMANDS["promote"]
    assert nursery.run(*words, workspace=workspace, point="recorded, aliases untouched").code == -9
    assert shown(workspace) == before
    assert "the registry does not show it yet" in say("doctor", workspace=workspace).out
    said = say("registry", "list", workspace=workspace)
    assert "its aliases stand as ledger entry" in said.err
    assert shown(workspace) == after
    require_agreement(workspace)


def test_nobody_moves_an_alias_beside_a_process_that_stands_still(workspace: Path, nursery: killing.Nursery) -> None:
    sleeper = nursery.run(*COMMANDS["promote"][0], workspace=workspace, point="champion set", send="stop")
    for name in ("rollback", "suspend"):
        second = nursery.run(*COMMANDS[name][0], workspace=workspace)
        assert second.code == 6, second.said
        assert "Another process is registering a version or moving an alias" in second.said
    assert nursery.wake(sleeper).code == 0
    assert shown(workspace) == COMMANDS["promote"][3]
    require_agreement(workspace)


# --- eight at once ---------------------------------------------------------------------------------

PROCESSES = 8


def test_eight_processes_register_and_promote_at_once(workspace: Path) -> None:
    before = counted(workspace)
    fork = multiprocessing.get_context("fork")
    processes = [fork.Process(target=contend, args=(workspace, number, 2)) for number in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * PROCESSES
    require_agreement(workspace)
    new = counted(workspace) - before
    with opened(workspace) as context, context.database.read() as unit:
        numbers = registered(unit, MODEL)
        state = serving_of(unit, MODEL)
        entries = [entry for entry in context.ledger.entries(unit) if entry.event is EventKind.VERSION_PROMOTED]
    assert numbers == tuple(range(1, 4 + new["version-registered"]))
    assert new["version-promoted"] == 1
    assert 1 <= new["version-registered"] <= PROCESSES
    assert state.aliases.document() == {"champion": entries[-1].body["version"], "candidate": None, "previous": 2}
