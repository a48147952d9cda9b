"""A workspace in which people are everywhere, requests of theirs that are answered, and a look for what is left.

The look is written without the program's own walk, so that what that one misses is seen here.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sqlalchemy import func, insert, select, update

from helpers.cohorts import NOW, fill, make_case
from helpers.evidence import honest_evidence, plan_of
from helpers.lineage import CASES, MODEL, add_candidate, install, manifest_of, opened
from helpers.workspaces import new_workspace
from maintain import codec
from maintain.cohort import CohortStore, SplitShares, record_splits, take_snapshot
from maintain.cohort import suppress as bar
from maintain.database import open_database
from maintain.database import tables as t
from maintain.errors import NothingToDoError
from maintain.hashing import digest_bytes
from maintain.imaging import save_weights
from maintain.intake import load_pseudonyms
from maintain.records import (
    Candidate,
    Match,
    MatchTable,
    MethodRequest,
    PlannedCase,
    Reference,
    RoleTable,
    Slot,
    TrainingManifest,
)
from maintain.vocabulary import Claim, Found, LegalBasis, Reason, RequestState, Role, Split, listed_as
from maintain_pipelines.context import Context
from maintain_pipelines.destroy import destroy
from maintain_pipelines.erasing import close_request
from maintain_pipelines.promote import promote
from maintain_pipelines.rundir import CANDIDATE, PLAN, REPORT_WITH_IMAGES, RunFolder
from maintain_registry import WeightFile, WeightKind, enter_weights

REQUEST = "R-2026-0001"
RUN = "20260101-120000-consent-1a2b"
SNAPSHOT = "first"

#: Whose case was learned, chose among versions, was held out; and whose shows the learned one's very picture.
LEARNED, VALIDATED, HELD_OUT, TWIN = 3, 25, 35, 36


@dataclass(frozen=True, slots=True)
class Person:
    """One person of the cohort, by the number of the case."""

    number: int

    @property
    def case(self) -> str:
        """The image."""
        return f"case-{self.number:04d}"

    @property
    def pixels(self) -> str:
        """What it shows."""
        return pixels_of(self.number)

    @property
    def marks(self) -> tuple[str, ...]:
        """Every key of the person but those that bar the image."""
        return tuple(f"{kind}-{self.number:04d}" for kind in ("patient", "study", "series"))


def make_hospital(root: Path) -> Path:
    """Version 2 serves and knows nothing of case 3; version 1 learned it, is retired, and its weights destroyed."""
    new_workspace(root, pseudonym_key=bytes(range(32)))
    database = open_database(root / "maintain.db")
    with database.begin() as unit:
        fill(unit, [make_case(number, pixels=pixels_of(number)) for number in range(1, CASES + 1)])
        unit.execute(update(t.file).values(path=func.hex(t.file.c.id)))  # intake keeps no place as it is
        sides = {f"patient-{number:04d}": _side(number) for number in range(1, CASES + 1)}
        record_splits(unit, MODEL, sides, SplitShares(train=50, validation=25, holdout=25), seed=1, now=NOW)
        snapshot = take_snapshot(unit, name=SNAPSHOT, model=MODEL, label_name="diagnosis", where=None, now=NOW)
    database.close()
    named = codec.digest_of(snapshot)
    with opened(root) as context:
        for number in range(1, CASES + 1):
            context.arrays.put(picture(number))
        install(context, replace(manifest_of(), snapshot=named))
        without = replace(manifest_of(set(range(1, 21)) - {LEARNED}), snapshot=named)
        add_candidate(context, 1, without, salt=1)
        promote(MODEL, None, context)
        _run(context)
        _reference(context)
        destroy(MODEL, 1, context, reason="ticket 4711")
    return root


def file_answered(
    root: Path,
    *people: int,
    name: str = REQUEST,
    copies: Iterable[int] = (),
    state: RequestState = RequestState.ANSWERED,
) -> None:
    """A request of these people as filing leaves it, answered."""
    numbers = {**dict.fromkeys(people, False), **dict.fromkeys(copies, True)}
    cases = {Person(number).case: copy for number, copy in numbers.items()}
    file_about(root, tuple(f"patient-{number:04d}" for number in people), cases, name=name, state=state)


def file_about(
    root: Path,
    patients: tuple[str, ...],
    cases: dict[str, bool],
    *,
    name: str = REQUEST,
    state: RequestState = RequestState.ANSWERED,
) -> None:
    """A request of patients about images, each with whether it is a copy under another name."""
    with opened(root) as context, context.database.begin() as unit:
        values = {
            "request": name,
            "reason": Reason.DATA_SUBJECT.value,
            "basis": LegalBasis.GDPR_17_1.value,
            "received": "2026-01-01",
            "due": "2026-01-31",
            "filed": "2026-01-01T12:00:00Z",
            "actor": "tests",
            "state": state.value,
            "found": Found.IMAGES.value,
            "images": len(cases) - sum(cases.values()),
            "copies": sum(cases.values()),
        }
        unit.execute(insert(t.request), values)
        pseudonyms = load_pseudonyms(context.workspace.pseudonym_key)
        for place, patient in enumerate(patients, start=1):
            row = {"request": name, "number": place, "patient": patient, "found": Found.IMAGES.value}
            unit.execute(insert(t.request_person), row)
            mark = pseudonyms.barred(patient)
            unit.execute(insert(t.barred_person), {"request": name, "mark": mark, "reason": values["reason"]})
        for case, copy in cases.items():
            unit.execute(insert(t.request_case), {"request": name, "case_id": case, "copy": copy})
        found = CohortStore(unit).named(cases)
        bar(unit, found, reason=Reason.DATA_SUBJECT, policy=listed_as(name), model=None, now=NOW)


def say_close(root: str, name: str) -> None:
    """Close a request in a process of its own; safe to say again."""
    with opened(Path(root)) as context, suppress(NothingToDoError):
        close_request(name, context)


def state_of(root: Path, name: str = REQUEST) -> str:
    """How a request stands, as its row says."""
    with opened(root) as context, context.database.read() as unit:
        return str(unit.scalar(select(t.request.c.state).where(t.request.c.request == name)))


def set_run_state(root: Path, state: str) -> None:
    """Let the run stand otherwise."""
    with opened(root) as context, context.database.begin() as unit:
        unit.execute(update(t.run).values(state=state))


def traces(root: Path, person: Person) -> list[str]:
    """Every place below a workspace that holds something of a person but what bars them and what versions list."""
    found = []
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        place = path.relative_to(root).as_posix()
        allowed = place.startswith("registry/")
        wanted = (*person.marks, person.pixels, *(() if allowed else (person.case,)))
        if path.name.startswith("maintain.db"):
            continue
        data = path.read_bytes()
        if any(_holds(data, mark) or mark in place for mark in wanted) or _shows(data) == person.pixels:
            found.append(place)
    return [*found, *_in_database(root, person)]


def picture(number: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """What a case shows; the twin shows what somebody else's does."""
    drawn = LEARNED if number == TWIN else number
    return np.random.default_rng(drawn).integers(0, 256, (6, 4, 3), dtype=np.uint8)


def pixels_of(number: int) -> str:
    """The digest of what a case shows, by the formula as it is written down and not by the program's own code."""
    return _digest(picture(number))


# --- private ---------------------------------------------------------------------------------------


def _side(number: int) -> Split:
    if number == TWIN:
        return Split.TRAIN  # with whom it shares a picture
    return Split.TRAIN if number <= 20 else Split.VALIDATION if number <= 30 else Split.HOLDOUT


def _digest(array: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> str:
    head = f"maintain.pixels:uint8:{','.join(map(str, array.shape))}\n".encode()
    return hashlib.sha256(head + array.tobytes()).hexdigest()


def _shows(data: bytes) -> str | None:
    if not data.startswith(b"\x93NUMPY"):
        return None
    array = np.load(io.BytesIO(data), allow_pickle=False)
    return _digest(array) if array.dtype == np.uint8 else None


def _holds(data: bytes, mark: str) -> bool:
    if mark.encode() in data:
        return True
    return len(mark) == 64 and bytes.fromhex(mark) in data


def _in_database(root: Path, person: Person) -> list[str]:
    """The bytes of the database's files, and those of a copy without what bars people and without the ledger."""
    files = sorted(root.glob("maintain.db*"))
    found = [path.name for path in files if any(_holds(path.read_bytes(), mark) for mark in person.marks)]
    folder = root.parent / f"{root.name}-copy"
    folder.mkdir()
    for path in files:
        shutil.copy(path, folder)
    with closing(sqlite3.connect(folder / "maintain.db", isolation_level=None)) as copy:
        copy.execute("pragma secure_delete = on")
        copy.execute("delete from suppression")
        copy.execute("delete from barred_person")
        copy.execute("vacuum")
        copy.execute("pragma wal_checkpoint(truncate)")
    left = [
        path.name
        for path in folder.iterdir()
        for mark in (person.case, person.pixels)
        if _holds(path.read_bytes(), mark)
    ]
    shutil.rmtree(folder)
    return [*found, *(f"{name} but for what bars them" for name in left)]


def _planned(number: int, role: Role) -> PlannedCase:
    person = Person(number)
    return PlannedCase(person.case, 1, "drusen", f"patient-{number:04d}", person.pixels, role, "as it is")


def _run(context: Context) -> None:
    """A rejected run whose candidate learned everybody, with its lists."""
    roles = RoleTable(
        tuple(
            _planned(
                number, {Split.TRAIN: Role.RETAIN, Split.VALIDATION: Role.VALIDATION}.get(_side(number), Role.HOLDOUT)
            )
            for number in range(1, CASES + 1)
        )
    )
    plan = replace(
        plan_of(roles, Claim.GROUP, Slot(1, (MethodRequest("retrain", ()),), 0.0125)),
        model=MODEL,
        roles=codec.digest_of(roles),
    )
    folder = RunFolder(context.workspace.runs / RUN)
    folder.create()
    folder.write(PLAN, plan)
    folder.write_table("roles", roles)
    matches = MatchTable((Match(Person(LEARNED).case, "as it is"),))
    folder.write_table("matches", matches)
    manifest = manifest_of()
    folder.write("02-manifest.json", manifest)
    weights = _weights(context, folder.path / "abc.weights.safetensors", 77, WeightKind.CANDIDATE)
    log = honest_evidence().log
    candidate = Candidate(
        codec.digest_of(plan), 1, "finetune", (), weights, digest_bytes(b"spec"), codec.digest_of(manifest),
        folder.write_table("loader-log", log), digest_bytes(b"parent"), (),
    )  # fmt: skip
    folder.write(CANDIDATE, candidate)
    (folder.path / REPORT_WITH_IMAGES).write_text(
        "<html>a picture that nobody is named beside</html>", encoding="utf-8"
    )
    with context.database.begin() as unit:
        row = {
            "run": RUN, "model": MODEL, "policy": plan.policy, "policy_name": "consent",
            "champion": plan.champion.weights,
            "state": "rejected", "slot": 1, "digest": None, "matches": codec.digest_of(matches),
            "roles": codec.digest_of(roles), "started": "2026-01-01T12:00:00Z", "changed": "2026-01-01T12:00:00Z",
        }  # fmt: skip
        unit.execute(insert(t.run), row)
        unit.execute(
            insert(t.look), {"run": RUN, "candidate": "c", "model": MODEL, "number": 1, "taken": row["started"]}
        )
        for number in (HELD_OUT, 37):
            unit.execute(insert(t.look_patient), {"run": RUN, "candidate": "c", "patient": f"patient-{number:04d}"})


def _reference(context: Context) -> None:
    """Two references: one that learned everybody, and one of people 5 to 9 alone."""
    for name, learned, salt in (("everybody", range(1, 21), 78), ("few", range(5, 10), 79)):
        folder = context.workspace.references / name
        manifest: TrainingManifest = manifest_of(learned, selected=(28, 29))
        folder.mkdir(parents=True)
        weights = _weights(context, folder / "weights.safetensors", salt, WeightKind.REFERENCE)
        record = Reference(
            key=digest_bytes(name.encode()), model=MODEL, seed=1, weights=weights, spec=digest_bytes(b"spec"),
            manifest=codec.write(folder / "manifest.json", manifest), loader_log=digest_bytes(b"log"), steps=1,
        )  # fmt: skip
        codec.write(folder / "reference.json", record)


def _weights(context: Context, path: Path, salt: int, kind: WeightKind) -> str:
    import torch

    digest = save_weights(path, {"layer": torch.full((3,), float(salt))})
    with context.database.begin() as unit:
        place = path.relative_to(context.workspace.root).as_posix()
        enter_weights(unit, WeightFile(place, kind, MODEL, digest, digest))
    return digest
