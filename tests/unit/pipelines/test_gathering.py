"""What is gathered for the gates: from a run folder and a registry alone, each set of weights asked once."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers.offers import GROUP, RECIPE, TOY, Bench, Watched, log_of, manifest_of, state
from maintain import codec
from maintain.errors import DamagedError
from maintain.hashing import Digest
from maintain.imaging import MemoryPixels, save_weights, weights_digest
from maintain.records import (
    PlannedCase,
    Reference,
    Setting,
    Strata,
    Stratum,
)
from maintain.vocabulary import Claim, Reason, Role
from maintain_pipelines import gathering
from maintain_pipelines.gathering import Gathered
from maintain_pipelines.references import StoredReference


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    (tmp_path / "registry").mkdir()
    return Bench(tmp_path, Watched(TOY.pixels), [])


def spoilt(seed: int, value: float) -> dict[str, torch.Tensor]:
    """Weights with one number replaced in the last layer."""
    tensors = state(seed)
    tensors["head.bias"][0] = value
    return tensors


def asked(gathered: Gathered) -> dict[Digest, Counter[Role]]:
    """How many cases of each role each set of weights was asked about."""
    found: dict[Digest, Counter[Role]] = {}
    for row in gathered.measurements.rows:
        found.setdefault(row.weights, Counter())[row.role] += 1
    return found


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_not_measured_nor_is_anything_beside_them(bench: Bench, value: float) -> None:
    offer = bench.offer(bench.version(1, state(1)), spoilt(2, value))
    found = bench.gathered(offer)
    assert not found.evidence.weights.finite
    assert found.measurements.rows == ()
    assert found.difficulty is None
    assert found.evidence.recalibrated is None
    assert not bench.pixels.read


def test_finite_weights_with_answers_that_are_not_count_as_not_finite(bench: Bench) -> None:
    tensors = state(2)
    tensors["head.weight"].fill_(3e38)
    tensors["fc.bias"].fill_(3e38)
    found = bench.gathered(bench.offer(bench.version(1, state(1)), tensors))
    assert not found.evidence.weights.finite
    assert found.measurements.rows == ()


def test_a_champion_whose_answers_are_not_finite_is_not_held_against_the_candidate(bench: Bench) -> None:
    tensors = state(1)
    tensors["head.weight"].fill_(3e38)
    tensors["fc.bias"].fill_(3e38)
    champion = bench.version(1, tensors)
    found = bench.gathered(bench.offer(champion, state(2)))
    assert found.evidence.weights.finite
    assert champion.version.weights not in asked(found)


def test_each_set_of_weights_is_asked_once_a_role(bench: Bench) -> None:
    first = bench.version(1, state(1))
    bench.version(2, state(5), parent=1)
    champion = bench.version(3, state(6), parent=2)
    offer = bench.offer(champion, state(2))
    found = bench.gathered(offer)
    group = {Role.FORGET: 9, Role.NEVER_SEEN: 6, Role.HOLDOUT: 12}
    recalibrated = found.evidence.recalibrated
    assert recalibrated not in (None, offer.candidate.weights)
    assert asked(found) == {
        offer.candidate.weights: group,
        champion.version.weights: group,
        recalibrated: group,
        first.version.weights: {Role.HOLDOUT: 12},
    }
    assert found.evidence.first == first.version.weights
    assert found.evidence.measurements is found.measurements
    assert bench.told[0][:2] == ("measuring", 0)
    assert bench.told[-1][1] == bench.told[-1][2]


def test_an_unchanged_champion_is_asked_once(bench: Bench) -> None:
    champion = bench.version(1, state(1))
    found = bench.gathered(bench.offer(champion, state(1)))
    assert asked(found)[champion.version.weights] == {Role.FORGET: 9, Role.NEVER_SEEN: 6, Role.HOLDOUT: 12}


def test_a_champion_without_a_parent_is_the_first_of_its_lineage(bench: Bench) -> None:
    found = bench.gathered(bench.offer(bench.version(1, state(1)), state(2)))
    assert found.evidence.first is None


def test_a_lineage_with_a_hole_is_damaged(bench: Bench) -> None:
    offer = bench.offer(bench.version(3, state(1), parent=2), state(2))
    with pytest.raises(DamagedError, match="Version 2 of toy"):
        bench.gathered(offer)


@pytest.mark.parametrize("reason", [Reason.CONSENT, Reason.DATA_SUBJECT])
def test_what_people_took_back_is_not_read_again(bench: Bench, reason: Reason) -> None:
    bench.version(1, state(4))
    offer = bench.offer(bench.version(2, state(1), parent=1), state(2), claim=Claim.NEVER_SAW, reason=reason)
    found = bench.gathered(offer)
    withdrawn = {row.pixels for row in TOY.rows if row.role in GROUP}
    assert not withdrawn & set(bench.pixels.read)
    assert {role for roles in asked(found).values() for role in roles} == {Role.HOLDOUT}
    assert len(asked(found)) == 3
    assert found.difficulty is None
    assert found.evidence.recalibrated is None


def test_the_forget_group_is_asked_of_the_first_version_where_retention_includes_it(bench: Bench) -> None:
    first = bench.version(1, state(1))
    champion = bench.version(2, state(6), parent=1)
    settings = (Setting("include_forget_group", True),)
    found = bench.gathered(bench.offer(champion, state(2), settings=settings))
    assert asked(found)[first.version.weights] == {Role.HOLDOUT: 12, Role.NEVER_SEEN: 6}


def test_difficulty_is_said_of_the_group(bench: Bench) -> None:
    found = bench.gathered(bench.offer(bench.version(1, state(1)), state(2)))
    assert found.difficulty is not None
    assert found.difficulty.fitted_on == 30
    group = {row.case_id for row in TOY.rows if row.role in (Role.FORGET, Role.NEVER_SEEN)}
    assert {row.case_id for row in found.difficulty.rows} == group
    assert found.evidence.difficulty is found.difficulty


def test_groups_of_the_plan_are_read_back_and_must_be_there(bench: Bench) -> None:
    case = next(row for row in TOY.rows if row.role is Role.HOLDOUT)
    strata = Strata((Stratum("patient.sex", "F", case.case_id),))
    offer = bench.offer(bench.version(1, state(1)), state(2), strata=strata)
    assert bench.gathered(offer).evidence.strata == strata
    bench.folder.table("strata", offer.plan.strata or "").unlink()
    with pytest.raises(DamagedError, match="strata"):
        bench.gathered(offer)


def test_digests_are_those_of_the_files_as_they_lie(bench: Bench) -> None:
    champion = bench.version(1, state(1))
    offer = bench.offer(champion, state(2))
    honest = bench.gathered(offer).evidence
    assert honest.weights.candidate == offer.candidate.weights
    assert honest.weights.parent == champion.version.weights
    assert honest.weights.initial == RECIPE.initial_weights
    assert all(file.expected == file.found for file in honest.files)
    save_weights(bench.folder.weights(offer.candidate.weights), state(8))
    forged = bench.gathered(offer).evidence
    assert forged.weights.candidate == weights_digest(state(8))
    assert [file.name for file in forged.files if file.expected != file.found] == ["weights"]


def kept(root: Path, seed: int, *, named: Digest | None = None) -> StoredReference:
    """A reference as a workspace keeps it; `named` are the weights that its record claims to be of."""
    folder = root / f"reference-{seed}"
    folder.mkdir()
    digest = save_weights(folder / "weights.safetensors", state(seed))
    manifest, log = manifest_of(digest), log_of(digest)
    spec = TOY.spec(recipe=RECIPE, manifest=codec.digest_of(manifest))
    record = Reference(
        key="k",
        model="toy",
        seed=3,
        weights=named or digest,
        spec=codec.digest_of(spec),
        manifest=codec.digest_of(manifest),
        loader_log=codec.digest_of(log),
        steps=1,
    )
    return StoredReference(record, folder, spec, manifest, log)


def test_references_are_asked_as_the_champion_is_and_checked_as_they_lie(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest, forged = kept(bench.root, 21), kept(bench.root, 22, named="f" * 64)
    monkeypatch.setattr(gathering, "references_for", lambda *given: (honest, forged))
    champion = bench.version(1, state(1))
    found = bench.gathered(bench.offer(champion, state(2), claim=Claim.GROUP))
    first, second = found.evidence.references
    assert (first.weights, first.found) == (honest.record.weights, honest.record.weights)
    assert (second.weights, second.found) == ("f" * 64, weights_digest(state(22)))
    assert first.initial == RECIPE.initial_weights
    assert (first.spec, first.manifest, first.log) == (honest.spec, honest.manifest, honest.log)
    assert asked(found)[first.weights] == asked(found)[champion.version.weights]
    assert second.weights in asked(found)


def test_references_that_were_not_trained_are_not_there(bench: Bench) -> None:
    found = bench.gathered(bench.offer(bench.version(1, state(1)), state(2), claim=Claim.GROUP))
    assert found.evidence.references == ()


def test_without_the_gate_no_reference_is_read(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "references_for", lambda *given: 1 / 0)
    found = bench.gathered(bench.offer(bench.version(1, state(1)), state(2)))
    assert found.evidence.references == ()


def whole_label() -> tuple[PlannedCase, ...]:
    """The group is all there is of its label."""
    return tuple(
        replace(row, label="right" if row.role in GROUP else "left" if row.label == "right" else row.label)
        for row in TOY.rows
    )


def test_a_withdrawn_label_is_probed_for_in_candidate_and_champion(bench: Bench) -> None:
    champion = bench.version(1, state(1))
    offer = bench.offer(champion, state(2), claim=Claim.GROUP, rows=whole_label())
    assert "zero" in {request.name for request in offer.plan.gates}
    figures = bench.gathered(offer).evidence.probe
    assert [figure.name for figure in figures] == ["probe AUROC candidate", "probe AUROC champion"]
    assert all(0.0 <= figure.value <= 1.0 for figure in figures)
    assert {figure.cases for figure in figures} == {18}


def test_nothing_is_probed_without_never_seen_cases_of_the_label_or_without_the_gate(bench: Bench) -> None:
    champion = bench.version(1, state(1))
    rows = tuple(row for row in whole_label() if row.role is not Role.NEVER_SEEN_VALIDATION)
    assert bench.gathered(bench.offer(champion, state(2), claim=Claim.GROUP, rows=rows)).evidence.probe == ()
    assert bench.gathered(bench.offer(champion, state(2), claim=Claim.GROUP)).evidence.probe == ()


def test_a_probe_sees_what_a_masked_output_hides(bench: Bench) -> None:
    """The last layer never gives the label; the layer before it still tells it apart."""
    pixels = MemoryPixels()
    draw = np.random.default_rng(5)
    rows = []
    for row in whole_label():
        image = draw.integers(0, 60, (16, 16, 3), dtype=np.uint8)
        image[:8] += np.uint8(150 if row.label == "right" else 0)
        rows.append(replace(row, pixels=pixels.put(image)))
    masked = spoilt(2, 0.0)
    masked["head.bias"][2] = -1e6
    seeing = replace(bench, pixels=Watched(pixels))
    offer = seeing.offer(seeing.version(1, state(1)), masked, claim=Claim.GROUP, rows=tuple(rows))
    found = seeing.gathered(offer)
    answers = found.measurements.of(offer.candidate.weights, Role.FORGET, Role.NEVER_SEEN)
    assert not any(row.logits.index(max(row.logits)) == 2 for row in answers)
    assert [figure.value for figure in found.evidence.probe] == pytest.approx([1.0, 1.0])
