"""Who was learned from: yes where it is listed anywhere below, no where that is proven, else unknown."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.cohorts import arrive, make_case
from helpers.lineage import MODEL, add_candidate, install, make_workspace, manifest_of, opened
from maintain import codec
from maintain.cohort import CohortStore
from maintain.errors import InputError
from maintain.hashing import digest_bytes
from maintain.intake import Pseudonyms
from maintain.records import Origin
from maintain.vocabulary import Exposed, ManifestStatus, OriginKind
from maintain_pipelines.champions import load_version
from maintain_pipelines.context import Context
from maintain_pipelines.exposure import (
    case_sought,
    exposures,
    patient_of_case_sought,
    patient_sought,
    require_known,
)
from maintain_registry import MemoryStore

YES, NO, UNKNOWN = Exposed.YES, Exposed.NO, Exposed.UNKNOWN


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_workspace(tmp_path_factory.mktemp("template") / "workspace")


@pytest.fixture
def context(tmp_path: Path, template: Path) -> Iterator[Context]:
    root = Path(shutil.copytree(template, tmp_path / "workspace"))
    with opened(root, MemoryStore()) as found:
        yield found


def origin(context: Context, number: int) -> Origin:
    version = load_version(context, MODEL, number).version
    return Origin(OriginKind.CHECKPOINT, version.weights, version.manifest)


def answers(context: Context, case: int) -> list[Exposed]:
    return [item.answer for item in exposures(case_sought(f"case-{case:04d}", context), context)]


def test_a_case_that_nobody_has_heard_of_is_no_no(context: Context) -> None:
    install(context)
    sought = case_sought("case-9999", context)
    with pytest.raises(InputError, match="no such case"):
        require_known(sought, exposures(sought, context), context)


def test_a_case_that_the_cohort_lost_is_still_found_in_a_manifest(context: Context) -> None:
    install(context, manifest_of([99]))
    sought = case_sought("case-0099", context)
    found = exposures(sought, context)
    require_known(sought, found, context)
    assert [item.answer for item in found] == [YES]


def test_a_clean_retrain_is_not_exposed(context: Context) -> None:
    install(context, manifest_of([1, 2, 3]))
    add_candidate(context, 1, manifest_of([1, 2]), salt=1)
    assert answers(context, 3) == [YES, NO]
    assert answers(context, 2) == [YES, YES]


def test_unlearned_by_behaviour_is_exposed(context: Context) -> None:
    install(context, manifest_of([1, 2, 3]))
    add_candidate(context, 1, manifest_of([1, 2], unlearned=[3], origin=origin(context, 1)), salt=1)
    assert answers(context, 3) == [YES, YES]


def test_what_came_with_the_weights_is_exposed_though_no_list_says_so(context: Context) -> None:
    install(context, manifest_of([1, 2, 3]))
    add_candidate(context, 1, manifest_of([1, 2], origin=origin(context, 1)), salt=1)
    add_candidate(context, 1, manifest_of([1, 2], origin=origin(context, 2)), salt=2)
    found = exposures(case_sought("case-0003", context), context)
    assert [item.answer for item in found] == [YES, YES, YES]
    assert found[2].why == "it began from the weights of version 1, which learned from it"
    assert answers(context, 4) == [NO, NO, NO]


def test_weights_that_nobody_has_leave_it_open(context: Context) -> None:
    lost = Origin(OriginKind.CHECKPOINT, digest_bytes(b"lost"), digest_bytes(b"nobody"))
    public = Origin(OriginKind.CHECKPOINT, digest_bytes(b"public"))
    install(context, manifest_of([1], origin=lost))
    add_candidate(context, 1, manifest_of([2], origin=public), salt=1)
    add_candidate(context, 1, manifest_of([3], origin=origin(context, 1)), salt=2)
    assert answers(context, 1) == [YES, UNKNOWN, YES]
    assert answers(context, 4) == [UNKNOWN, UNKNOWN, UNKNOWN]


@pytest.mark.parametrize("status", [ManifestStatus.DECLARED, ManifestStatus.UNKNOWN])
def test_what_is_only_declared_proves_no_absence(context: Context, status: ManifestStatus) -> None:
    install(context, manifest_of([1], status=status))
    assert (answers(context, 1), answers(context, 2)) == ([YES], [UNKNOWN])


def test_a_version_that_the_ledger_has_never_seen_is_unknown(context: Context) -> None:
    install(context)
    stored = context.store.get(MODEL, 1)
    files = {name: stored.read(name) for name in stored.files}
    context.store.put(dataclasses.replace(stored.record, version=7), files)
    found = exposures(case_sought("case-0001", context), context)
    assert [(item.version, item.answer) for item in found] == [(1, YES), (7, UNKNOWN)]
    assert "the ledger has never seen it" in found[1].why


def test_a_damaged_manifest_is_unknown_and_so_is_what_began_from_it(tmp_path: Path, template: Path) -> None:
    root = Path(shutil.copytree(template, tmp_path / "workspace"))
    with opened(root) as context:
        install(context)
        add_candidate(context, 1, manifest_of([2], origin=origin(context, 1)), salt=1)
        path = root / f"registry/{MODEL}/v0001/manifest.json"
        path.write_bytes(path.read_bytes().replace(b"case-0001", b"case-0009"))
        assert answers(context, 1) == [UNKNOWN, UNKNOWN]
        assert answers(context, 2) == [UNKNOWN, YES]


def test_a_version_that_was_forged_as_a_whole_is_unknown(context: Context) -> None:
    install(context, manifest_of([1]))
    stored = context.store.get(MODEL, 1)
    files = {name: stored.read(name) for name in stored.files}
    files["manifest.json"] = codec.to_text(manifest_of([2])).encode()
    assert isinstance(context.store, MemoryStore)
    forged = dataclasses.replace(stored.record, manifest=digest_bytes(files["manifest.json"]))
    context.store._versions[MODEL, 1] = (forged, files)
    assert answers(context, 1) == [UNKNOWN]


def test_selected_with_is_told_and_is_not_learned(context: Context) -> None:
    install(context, manifest_of([1], selected=[2]))
    (found,) = exposures(case_sought("case-0002", context), context)
    assert (found.answer, found.learned, found.selected_with) == (NO, 0, 1)


def test_an_exact_copy_is_the_same_picture(context: Context) -> None:
    with context.database.begin() as unit:
        store = CohortStore(unit)
        copy = make_case(50, pixels=make_case(1).pixels)
        store.add(store.source("dicom", "folder", key_id="0badcafe"), [arrive(copy)])
    install(context, manifest_of([1]))
    (found,) = exposures(case_sought("case-0050", context), context)
    assert (found.answer, found.why) == (YES, "it learned from an exact copy")


def test_a_patient_is_everything_of_that_patient(context: Context) -> None:
    with context.database.begin() as unit:
        store = CohortStore(unit)
        patient = Pseudonyms(bytes(range(32))).patient("HOSP-7", "HOSPITAL")
        cases = [make_case(60 + number, patient=patient) for number in range(3)]
        store.add(store.source("dicom", "folder", key_id="0badcafe"), [arrive(case) for case in cases])
    install(context, manifest_of([61]))
    by_case, by_name = patient_of_case_sought("case-0060", context), patient_sought("HOSP-7", "HOSPITAL", context)
    assert by_case == by_name
    assert len(by_case.cases) == 3
    (found,) = exposures(by_case, context)
    assert (found.answer, found.learned) == (YES, 1)


@pytest.mark.parametrize(("identifier", "issuer"), [("HOSP-8", None), ("", None), ("nobody", "x"), ("0", None)])
def test_an_identifier_of_nobody_is_refused_without_saying_it(
    context: Context, identifier: str, issuer: str | None
) -> None:
    with pytest.raises(InputError) as refused:
        patient_sought(identifier, issuer, context)
    assert "HOSP-8" not in refused.value.message + refused.value.remedy
