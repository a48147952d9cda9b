"""A registry and a run folder of a toy, with every file that gathering reads and nothing else of a workspace."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from helpers.evidence import plan_of
from maintain import codec
from maintain.gates import gates_for, gates_of, request_for
from maintain.hashing import Digest
from maintain.imaging import PixelSource, State, save_weights, toy_problem, weights_digest
from maintain.records import (
    Candidate,
    ChampionRef,
    LoaderLog,
    LoaderRow,
    MethodRequest,
    ModelVersion,
    Origin,
    PlannedCase,
    RoleTable,
    Setting,
    Slot,
    Strata,
    TrainingManifest,
)
from maintain.settings import Settings, Workspace
from maintain.unlearn import default_recipe
from maintain.vocabulary import Claim, ManifestStatus, OriginKind, Reason, Role
from maintain_pipelines.champions import Champion, read_version
from maintain_pipelines.claims import Claim as Held
from maintain_pipelines.context import Context, Talk
from maintain_pipelines.gathering import Gathered, gather
from maintain_pipelines.offer import Offer
from maintain_pipelines.rundir import CANDIDATE, PLAN, RunFolder
from maintain_registry import FolderStore

COUNTS = (
    (Role.RETAIN, 30),
    (Role.FORGET, 9),
    (Role.VALIDATION, 9),
    (Role.HOLDOUT, 12),
    (Role.NEVER_SEEN_VALIDATION, 6),
    (Role.NEVER_SEEN, 6),
)
TOY = toy_problem(roles=COUNTS)
GROUP = (Role.FORGET, Role.NEVER_SEEN, Role.NEVER_SEEN_VALIDATION)
RECIPE = replace(default_recipe(seed=3, epochs=1), initial_weights=weights_digest(TOY.blueprint.build(3).state_dict()))


class Watched:
    """Pixels that count how often each picture is read."""

    def __init__(self, source: PixelSource) -> None:
        self.source, self.read = source, Counter[str]()

    def load(self, digests: Sequence[str], /) -> NDArray[np.uint8]:
        self.read.update(digests)
        return self.source.load(digests)


@dataclass(frozen=True)
class Bench:
    """A registry and a run folder below one folder, and nothing else that a context has."""

    root: Path
    pixels: Watched
    told: list[tuple[str, int, int]]

    @property
    def store(self) -> FolderStore:
        return FolderStore(self.root / "registry")

    @property
    def folder(self) -> RunFolder:
        return RunFolder(self.root / "run")

    @property
    def context(self) -> Context:
        talk = Talk(lambda _: None, lambda *step: self.told.append(step))
        nothing = cast("Any", None)
        return Context(
            Workspace(self.root, Settings()), nothing, nothing, self.store, cast("Any", self.pixels), nothing, talk
        )

    def version(self, number: int, state: State, *, parent: int | None = None) -> Champion:
        """Register these weights as a version."""
        manifest = manifest_of(weights_digest(state))
        spec = TOY.spec(recipe=RECIPE, manifest=codec.digest_of(manifest))
        weights = self.root / "w.safetensors"
        log = log_of(save_weights(weights, state))
        version = ModelVersion(
            model="toy",
            version=number,
            weights=weights_digest(state),
            spec=codec.digest_of(spec),
            manifest=spec.manifest,
            loader_log=codec.digest_of(log),
            parent=parent,
            method="train",
            seed=3,
            code="0",
        )
        texts = {"spec.json": spec, "manifest.json": manifest, "loader-log.jsonl": log}
        files = {name: codec.to_text(record).encode() for name, record in texts.items()}
        self.store.put(version, {**files, "weights.safetensors": weights.read_bytes()})
        return read_version(self.store, "toy", number)

    def offer(
        self,
        champion: Champion,
        state: State,
        *,
        claim: Claim = Claim.EXAMPLES,
        reason: Reason = Reason.OUTLIER,
        rows: tuple[PlannedCase, ...] = TOY.rows,
        settings: tuple[Setting, ...] = (),
        strata: Strata | None = None,
    ) -> Offer:
        """A run folder with everything of a candidate of these weights."""
        roles, slot = RoleTable(rows), Slot(1, (MethodRequest("finetune", ()),), 0.0125)
        asked = tuple(request_for(info.name, settings if info.retention else ()) for info in gates_for(claim))
        plan = replace(
            plan_of(roles, claim, slot),
            reason=reason,
            model="toy",
            champion=ChampionRef(
                champion.version.version, champion.version.weights, champion.version.spec, champion.version.manifest
            ),
            gates=gates_of(asked, claim=claim, reason=reason, roles=roles),
            roles=self.folder.write_table("roles", roles),
            strata=None if strata is None else self.folder.write_table("strata", strata),
        )
        weights = weights_digest(state)
        manifest, log = manifest_of(weights), log_of(weights)
        spec = TOY.spec(recipe=RECIPE, manifest=codec.digest_of(manifest))
        save_weights(self.folder.weights(weights), state)
        candidate = Candidate(
            plan=self.folder.write(PLAN, plan),
            slot=1,
            method="finetune",
            options=(),
            weights=weights,
            spec=codec.write(self.folder.file("02-spec.json"), spec),
            manifest=codec.write(self.folder.file("02-manifest.json"), manifest),
            loader_log=self.folder.write_table("loader-log", log),
            parent_weights=champion.version.weights,
            decisions=(),
        )
        self.folder.write(CANDIDATE, candidate)
        return Offer(Held("toy", "run", "nobody", 1), plan, roles, champion, slot, candidate)

    def gathered(self, offer: Offer) -> Gathered:
        return gather(offer, self.folder, self.context)


def manifest_of(weights: Digest) -> TrainingManifest:
    origin = Origin(OriginKind.INITIALISATION, weights)
    return TrainingManifest("toy", ManifestStatus.PROVEN, origin, (), (), ())


def log_of(weights: Digest) -> LoaderLog:
    row = LoaderRow(Role.RETAIN, TOY.rows[0].case_id, 1, 1)
    return LoaderLog(Origin(OriginKind.INITIALISATION, weights), weights, 1, (row,))


def state(seed: int) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in TOY.blueprint.build(seed).state_dict().items()}
