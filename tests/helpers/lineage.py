"""A small lineage without any training: a workspace whose versions were registered as a run would."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from helpers.cohorts import fill, make_case
from helpers.evidence import INITIAL, honest_evidence
from helpers.registering import safetensors, verdict_of
from helpers.workspaces import new_workspace
from maintain import codec
from maintain.cli.composition import build_context
from maintain.database import open_database
from maintain.errors import StaleError
from maintain.hashing import digest_bytes
from maintain.records import CaseRef, ModelVersion, Origin, TrainingManifest
from maintain.settings import FOLDER, find_workspace
from maintain.vocabulary import Alias, ManifestStatus, OriginKind
from maintain_pipelines.context import Context, silence
from maintain_pipelines.promote import promote
from maintain_registry import (
    UNNUMBERED,
    Content,
    Event,
    EventKind,
    Intent,
    ModelStore,
    abandon,
    lock,
    reconcile,
    register,
)

MODEL = "triage"

#: Cases of the cohort; the patient of case-0007 is patient-0007.
CASES = 40

#: How long those who contend wait for each other on a busy machine.
PATIENCE_SECONDS = 120.0

FRESH = Origin(OriginKind.INITIALISATION, INITIAL)


def make_workspace(root: Path, *, registry: str = FOLDER) -> Path:
    """A workspace with a cohort of `CASES` cases and no model."""
    new_workspace(root, pseudonym_key=bytes(range(32)), registry=registry)
    database = open_database(root / "maintain.db")
    with database.begin() as unit:
        fill(unit, [make_case(number) for number in range(1, CASES + 1)])
    database.close()
    return root


def make_promoted(root: Path) -> Path:
    """The same with a lineage in it: version 2 serves, 1 did before, and 3 waits."""
    with opened(make_workspace(root)) as context:
        install(context)
        add_candidate(context, 1, salt=1)
        promote(MODEL, None, context)
        add_candidate(context, 2, manifest_of(range(1, 18)), salt=2)
    return root


@contextmanager
def opened(root: Path, store: ModelStore | None = None) -> Iterator[Context]:
    """The workspace as a command has it, over the store that it names or over another."""
    workspace = find_workspace(root)
    database = open_database(workspace.database)
    try:
        context = replace(build_context(workspace, database), talk=silence())
        yield context if store is None else replace(context, store=store)
    finally:
        database.close()


def refs(numbers: Iterable[int]) -> tuple[CaseRef, ...]:
    """The cases of these numbers, as a manifest lists them."""
    return tuple(sorted(CaseRef(f"case-{number:04d}", 1) for number in numbers))


def manifest_of(
    learned: Iterable[int] = range(1, 21),
    *,
    unlearned: Iterable[int] = (),
    selected: Iterable[int] = range(21, 31),
    origin: Origin = FRESH,
    status: ManifestStatus = ManifestStatus.PROVEN,
    model: str = MODEL,
) -> TrainingManifest:
    """What a version says it learned from."""
    return TrainingManifest(model, status, origin, refs(learned), refs(unlearned), refs(selected))


def install(context: Context, manifest: TrainingManifest | None = None, *, salt: int = 0) -> int:
    """Register a first champion and say its number."""
    version, files = _version(manifest or manifest_of(), salt, parent=None)
    event = Event(EventKind.MODEL_INSTALLED, version.model, {"learned": 1})
    intent = Intent(f"train:{salt}", version, files, Alias.CHAMPION, event, None)
    return register(context.database, context.ledger, context.store, intent)[0].version


def add_candidate(
    context: Context,
    parent: int | None,
    manifest: TrainingManifest | None = None,
    *,
    salt: int,
    outcome: str | None = "pass",
    champion: int | None = None,
) -> int:
    """Register a candidate of that parent with a verdict in the ledger (None: without one); say its number."""
    version, files = _version(manifest or manifest_of(range(1, 20)), salt, parent=parent)
    if outcome is not None:
        with context.ledger.begin(context.database) as unit:
            body = {"run": f"run-{salt}", "candidate": version.candidate, "verdict": version.verdict}
            context.ledger.append(unit, Event(EventKind.VERDICT_REACHED, version.model, {**body, "outcome": outcome}))
    told = {"policy_name": f"policy-{salt}", "forgotten_cases": salt}
    event = Event(EventKind.VERSION_REGISTERED, version.model, told)
    intent = Intent(f"run:{salt}", version, files, Alias.CANDIDATE, event, parent if champion is None else champion)
    return register(context.database, context.ledger, context.store, intent)[0].version


def say_install(root: str) -> None:
    """Install a first champion, in a process of its own; safe to say again."""
    with opened(Path(root)) as context:
        reconcile(context.database, context.ledger, context.store)
        install(context)


def say_candidate(root: str, parent: str, salt: str) -> None:
    """Register a candidate in a process of its own; safe to say again."""
    with opened(Path(root)) as context:
        reconcile(context.database, context.ledger, context.store)
        add_candidate(context, int(parent), salt=int(salt), outcome=None)


def say_abandon(root: str, salt: str) -> None:
    """Give the registration of a candidate up, in a process of its own; safe to say again."""
    with opened(Path(root)) as context:
        abandon(context.database, context.store, f"run:{salt}")


def contend(root: Path, number: int, parent: int) -> None:
    """Register a candidate of a version and try to promote it; whoever comes too late is told so."""
    with opened(root) as context:
        try:
            mine = add_candidate(context, parent, salt=100 + number)
            promote(MODEL, mine, context)
        except StaleError:
            return


def contend_at_once(root: str, processes: str, parent: str) -> None:
    """Contend in so many processes at once, forked from this one."""
    lock.WAIT_SECONDS = PATIENCE_SECONDS
    children = []
    for number in range(int(processes)):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                contend(Path(root), number, int(parent))
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert not any(codes), f"processes that failed: {codes}"


# --- private ---------------------------------------------------------------------------------------


def _version(manifest: TrainingManifest, salt: int, *, parent: int | None) -> tuple[ModelVersion, dict[str, Content]]:
    honest = honest_evidence()
    spec = replace(
        honest.champion_spec, model=manifest.model, label_name="diagnosis", manifest=codec.digest_of(manifest)
    )
    files: dict[str, Content] = {
        "weights.safetensors": safetensors(salt.to_bytes(8, "little")),
        "spec.json": codec.to_text(spec).encode(),
        "manifest.json": codec.to_text(manifest).encode(),
        "loader-log.jsonl": codec.to_text(honest.log).encode(),
    }
    revised = digest_bytes(b"policy %d" % salt) if parent is not None else None
    if revised is not None:
        judged = codec.to_text(verdict_of(revised, slot=salt)).encode()
        files |= {"plan.json": b'{"plan":%d}\n' % salt, "verdict.json": judged}
    digests = {name: digest_bytes(data) for name, data in files.items() if isinstance(data, bytes)}
    version = ModelVersion(
        model=manifest.model,
        version=UNNUMBERED,
        weights=digests["weights.safetensors"],
        spec=digests["spec.json"],
        manifest=digests["manifest.json"],
        loader_log=digests["loader-log.jsonl"],
        parent=parent,
        method="train" if parent is None else "retrain",
        seed=7,
        code="0.1.0",
        run=None if parent is None else f"run-{salt}",
        policy=revised,
        plan=digests.get("plan.json"),
        candidate=revised,
        verdict=digests.get("verdict.json"),
        forget_set=revised,
    )
    return version, files
