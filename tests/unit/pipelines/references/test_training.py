"""References on a toy: what they are, when they are trained, and when they are not used."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from helpers.toy_lineage import RETRAIN_STEPS, Lineage, make_lineage
from maintain import codec
from maintain.errors import TakenOverError, WaitingError
from maintain.records import LoaderLog, Reference, RoleTable
from maintain.unlearn import UnlearnRequest, Witness, load_method
from maintain.vocabulary import Claim, OriginKind, Role
from maintain_pipelines.context import Context, Talk
from maintain_pipelines.references import (
    StoredReference,
    TrainedReference,
    asks_for_references,
    kept_references,
    reference_folder,
    reference_keys,
    reference_seeds,
    references_for,
    train_references,
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lineage, tuple[TrainedReference, ...]]]:
    lineage = make_lineage(tmp_path_factory.mktemp("references"))
    yield lineage, trained_by(lineage)
    lineage.context.database.close()


@pytest.fixture
def lineage(tmp_path: Path) -> Iterator[Lineage]:
    made = make_lineage(tmp_path)
    yield made
    made.context.database.close()


def nobody() -> None:
    """No guard: nobody else works here."""


def trained_by(lineage: Lineage, context: Context | None = None) -> tuple[TrainedReference, ...]:
    where = context or lineage.context
    return train_references(lineage.plan, lineage.roles, lineage.champion, where, guard=nobody)


def found(lineage: Lineage, context: Context | None = None) -> tuple[StoredReference, ...]:
    return references_for(lineage.plan, lineage.roles, lineage.champion, context or lineage.context)


def hearing(lineage: Lineage, said: list[str]) -> Context:
    return replace(lineage.context, talk=Talk(said.append, lambda _name, _done, _total: None))


def test_a_changed_file_is_told_of_and_not_used_and_trained_again(lineage: Lineage) -> None:
    first = trained_by(lineage)
    said: list[str] = []
    weights = first[1].reference.weights
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    assert [one.record.seed for one in found(lineage, hearing(lineage, said))] == [5, first[2].reference.record.seed]
    assert "weights.safetensors of a reference is not the file that was written" in said[0]
    again = trained_by(lineage, hearing(lineage, said))
    assert [one.cached for one in again] == [True, False, True]
    assert [one.reference.record for one in again] == [one.reference.record for one in first]


@pytest.mark.parametrize("name", ["reference.json", "spec.json", "manifest.json", "loader-log.jsonl"])
def test_no_reference_without_each_of_its_files(
    trained: tuple[Lineage, tuple[TrainedReference, ...]], name: str
) -> None:
    lineage, (first, *_) = trained
    path = first.reference.folder / name
    path.rename(path.with_suffix(".aside"))
    assert len(found(lineage)) == 2
    path.with_suffix(".aside").rename(path)
    assert len(found(lineage)) == 3


def test_the_first_is_the_very_retrain_of_the_plan(
    trained: tuple[Lineage, tuple[TrainedReference, ...]], tmp_path: Path
) -> None:
    lineage, references = trained
    witness = Witness()
    request = UnlearnRequest(
        spec=lineage.champion.spec,
        manifest=lineage.champion.manifest,
        parent_weights=lineage.champion.version.weights,
        read_parent=lambda: b"",
        roles=lineage.roles,
        pixels=lineage.context.arrays,
        options=(),
        seed=lineage.plan.seed,
        budget_steps=lineage.plan.budget_steps,
        witness=witness,
    )
    heard = witness.of(load_method("retrain").unlearn(request).state)
    weights = [one.reference.record.weights for one in references]
    assert heard.weights == weights[0]
    assert len(set(weights)) == 3
    assert heard.log == references[0].reference.log


def test_references_learned_from_retained_cases_and_nothing_else(
    trained: tuple[Lineage, tuple[TrainedReference, ...]],
) -> None:
    lineage, references = trained
    retained = {row.case_id for row in lineage.roles.of(Role.RETAIN)}
    for one in references:
        assert {row.case_id for row in one.reference.log.rows} == retained
        assert one.reference.log.origin.kind is OriginKind.INITIALISATION
        assert {ref.case_id for ref in one.reference.manifest.learned} == retained
        assert one.reference.record.steps == RETRAIN_STEPS
        assert one.reference.log.final_weights == one.reference.record.weights


def test_twice_in_a_row_nothing_is_trained(trained: tuple[Lineage, tuple[TrainedReference, ...]]) -> None:
    lineage, references = trained
    assert [one.cached for one in references] == [False] * 3
    again = trained_by(lineage)
    assert [(one.cached, one.seconds) for one in again] == [(True, 0.0)] * 3
    assert tuple(one.reference for one in again) == found(lineage)


def test_only_their_owner_may_read_them(trained: tuple[Lineage, tuple[TrainedReference, ...]]) -> None:
    lineage, references = trained
    folders = [lineage.context.workspace.references, *(one.reference.folder for one in references)]
    assert [oct(folder.stat().st_mode & 0o777) for folder in folders] == ["0o700"] * 4
    for folder in folders[1:]:
        files = {path.name: oct(path.stat().st_mode & 0o777) for path in folder.iterdir()}
        assert files == dict.fromkeys(
            ("loader-log.jsonl", "manifest.json", "reference.json", "spec.json", "weights.safetensors"), "0o600"
        )


def test_the_ledger_says_who_they_are(trained: tuple[Lineage, tuple[TrainedReference, ...]]) -> None:
    lineage, references = trained
    with lineage.context.database.read() as unit:
        told = [entry for entry in lineage.context.ledger.entries(unit) if entry.event == "reference-trained"]
    assert [entry.body["reference"] for entry in told] == [codec.digest_of(one.reference.record) for one in references]
    assert all(entry.envelope for entry in told)


def test_stopped_in_the_middle_it_goes_on_from_its_checkpoint_to_the_same_weights(
    trained: tuple[Lineage, tuple[TrainedReference, ...]], lineage: Lineage
) -> None:
    asked: list[bool] = []
    told: list[tuple[str, int]] = []

    def stop() -> bool:
        asked.append(True)
        return len(asked) == 14 + 6

    with pytest.raises(WaitingError, match="after 6 of 14 epochs"):
        trained_by(lineage, replace(lineage.context, stop=stop))
    assert len(found(lineage)) == 1
    kept = kept_references(lineage.context.workspace)
    assert (len(kept.whole), len(kept.begun), kept.damaged) == (1, 1, ())
    talk = Talk(lambda _: None, lambda name, done, _total: told.append((name, done)))
    again = trained_by(lineage, replace(lineage.context, talk=talk))
    assert told[0] == ("reference 2 of 3", 7)
    _, uninterrupted = trained
    assert [one.reference.record for one in again] == [one.reference.record for one in uninterrupted]


def test_who_was_taken_over_writes_nothing(lineage: Lineage) -> None:
    calls: list[int] = []

    def guard() -> None:
        calls.append(1)
        if len(calls) > 1:
            raise TakenOverError("toy", "run")

    with pytest.raises(TakenOverError):
        train_references(lineage.plan, lineage.roles, lineage.champion, lineage.context, guard=guard)
    assert found(lineage) == ()


def test_another_retain_set_seed_champion_or_place_is_another_reference(
    trained: tuple[Lineage, tuple[TrainedReference, ...]],
) -> None:
    lineage, _ = trained
    plan, roles, champion = lineage.plan, lineage.roles, lineage.champion

    def keys(**change: object) -> set[str]:
        given = {"plan": plan, "roles": roles, "champion": champion, "environment": None, **change}
        return {key for _, key in reference_keys(**given)}  # type: ignore[arg-type]

    def changed(**change: object) -> RoleTable:
        retained = roles.of(Role.RETAIN)[0]
        return RoleTable(tuple(replace(row, **change) if row is retained else row for row in roles.rows))  # type: ignore[arg-type]

    known = keys()
    assert len(known) == 3
    assert keys(plan=replace(plan, policy_name="other", budget_steps=1)) == known
    assert keys(plan=replace(plan, seed=6)).isdisjoint(known)
    assert keys(roles=changed(role=Role.SUPPRESSED)).isdisjoint(known)
    assert keys(roles=changed(label="right")).isdisjoint(known)
    assert keys(roles=changed(pixels="0" * 64)).isdisjoint(known)
    assert keys(environment=replace(plan.environment, threads=2)).isdisjoint(known)
    epochs = replace(champion.spec, recipe=replace(champion.spec.recipe, epochs=2))  # type: ignore[type-var]
    assert keys(champion=replace(champion, spec=epochs)).isdisjoint(known)


def test_a_reference_under_anothers_name_is_not_used(trained: tuple[Lineage, tuple[TrainedReference, ...]]) -> None:
    lineage, (first, second, _) = trained
    said: list[str] = []
    folder = first.reference.folder
    folder.rename(folder.with_name("aside"))
    folder.symlink_to(second.reference.folder)
    assert len(found(lineage, hearing(lineage, said))) == 2
    assert "seed 5 is not used" in said[0]
    folder.unlink()
    folder.with_name("aside").rename(folder)


def test_seeds_begin_with_the_plans_own_and_are_always_the_same(
    trained: tuple[Lineage, tuple[TrainedReference, ...]],
) -> None:
    lineage, references = trained
    seeds = reference_seeds(lineage.plan)
    assert seeds[0] == lineage.plan.seed
    assert len(set(seeds)) == 3
    assert seeds == reference_seeds(lineage.plan) == tuple(one.reference.record.seed for one in references)
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_only_a_group_whose_labels_go_on_is_held_against_references(
    trained: tuple[Lineage, tuple[TrainedReference, ...]],
) -> None:
    plan = trained[0].plan
    assert not asks_for_references(replace(plan, claim=Claim.EXAMPLES))
    without = replace(plan, gates=tuple(gate for gate in plan.gates if gate.name != "reference"))
    assert not asks_for_references(without)


def test_what_is_written_can_be_read_by_anybody_who_knows_the_schemas(
    trained: tuple[Lineage, tuple[TrainedReference, ...]],
) -> None:
    lineage, (first, *_) = trained
    (_, key), *_ = reference_keys(lineage.plan, lineage.roles, lineage.champion)
    folder = reference_folder(lineage.context.workspace, key)
    assert codec.read(folder / "reference.json", Reference) == first.reference.record
    assert codec.read(folder / "loader-log.jsonl", LoaderLog) == first.reference.log
    assert json.loads((folder / "reference.json").read_text())["body"]["key"] == key
