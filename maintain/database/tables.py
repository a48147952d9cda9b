"""The metadata of all tables: those of cohort, runs, registry and ledger; requests and jobs lie beside them.

Identifiers in these rows are keyed pseudonyms, the places of sources and files included: folders are
named after patients. Changes here need a migration; a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from maintain.database.daily_tables import barred_person as barred_person
from maintain.database.daily_tables import issuer as issuer
from maintain.database.daily_tables import job as job
from maintain.database.daily_tables import request as request
from maintain.database.daily_tables import request_case as request_case
from maintain.database.daily_tables import request_person as request_person
from maintain.database.daily_tables import turn as turn
from maintain.database.metadata import metadata as metadata

# --- the cohort ------------------------------------------------------------------------------------

source = Table(
    "source",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String, nullable=False),
    Column("root", Text, nullable=False),
    UniqueConstraint("kind", "root"),
    comment="A folder or file that cases were read from.",
)

ingest = Table(
    "ingest",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source_id", ForeignKey("source.id"), nullable=False),
    Column("started", String, nullable=False),
    Column("finished", String),
    Column("counts", JSON, nullable=False),
    Column("code", String, nullable=False),
    Column("actor", String),
    Column("contents", String),
    Column("issuers", Boolean),
    comment="One intake of one source: who read it, the keyed mark of what a table held, whether it kept issuers.",
)

file = Table(
    "file",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source_id", ForeignKey("source.id"), nullable=False),
    Column("path", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("mtime_ns", Integer, nullable=False),
    Column("status", String, nullable=False),
    Column("reason", String),
    Column("case_id", String),
    UniqueConstraint("source_id", "path"),
    Index(None, "case_id"),
    comment="A file of a source, its place there as a keyed pseudonym, and what intake made of it.",
)

patient = Table(
    "patient",
    metadata,
    Column("patient", String, primary_key=True),
    Column("sex", String),
    Column("consent", String, nullable=False),
    Column("consent_date", String),
    Column("salt", LargeBinary, nullable=False),
    Column("linked", Boolean),
    comment="A keyed pseudonym. The salt makes the commitments of the ledger and is destroyed on erasure. "
    "Not linked: a study whose PatientID names nobody; NULL where an earlier schema did not ask.",
)

device = Table(
    "device",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", String, nullable=False, unique=True),
    Column("manufacturer", String),
    Column("model", String),
    Column("model_raw", String),
    Column("serial", String),
    Column("station", String),
    Column("software", JSON, nullable=False),
    comment="One device with one software state; an update makes a new row.",
)

study = Table(
    "study",
    metadata,
    Column("study", String, primary_key=True),
    Column("patient", ForeignKey("patient.patient"), nullable=False),
    Column("study_date", String),
    Column("site", String),
    Column("accession", String),
    Index(None, "patient"),
    Index(None, "accession"),
    comment="One visit. Its accession number is a keyed pseudonym, too; NULL where no file says one.",
)

series = Table(
    "series",
    metadata,
    Column("series", String, primary_key=True),
    Column("study", ForeignKey("study.study"), nullable=False),
    Column("device_id", ForeignKey("device.id"), nullable=False),
    Index(None, "study"),
    Index(None, "device_id"),
    comment="One acquisition with one device.",
)

image_case = Table(
    "image_case",
    metadata,
    Column("case_id", String, primary_key=True),
    Column("series", ForeignKey("series.series"), nullable=False),
    Column("eye", String),
    Column("age", Integer),
    Column("pixels", String, nullable=False),
    Column("height", Integer, nullable=False),
    Column("width", Integer, nullable=False),
    Index(None, "series"),
    Index(None, "pixels"),
    comment="One image: the case of the glossary.",
)

label = Table(
    "label",
    metadata,
    Column("case_id", ForeignKey("image_case.case_id"), primary_key=True),
    Column("name", String, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("value", String, nullable=False),
    Column("recorded", String, nullable=False),
    Column("ingest_id", ForeignKey("ingest.id")),
    comment="Recorded answers; a correction is a new version, never an overwrite.",
)

score = Table(
    "score",
    metadata,
    Column("case_id", ForeignKey("image_case.case_id"), primary_key=True),
    Column("name", String, primary_key=True),
    Column("value", Float, nullable=False),
    Column("method", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("computed", String, nullable=False),
    Index(None, "name", "value"),
    comment="Figures computed of a case's pixels; computing a name again replaces all of that name.",
)

lineage = Table(
    "lineage",
    metadata,
    Column("model", String, primary_key=True),
    Column("seed", Integer, nullable=False),
    Column("train", Integer, nullable=False),
    Column("validation", Integer, nullable=False),
    Column("holdout", Integer, nullable=False),
    Column("decided", String, nullable=False),
    comment="A model and all that descends from it, with the shares of its split.",
)

lineage_split = Table(
    "lineage_split",
    metadata,
    Column("model", ForeignKey("lineage.model"), primary_key=True),
    Column("patient", ForeignKey("patient.patient"), primary_key=True),
    Column("split", String, nullable=False),
    comment="Where a patient stands in a lineage; decided once, inherited by every later snapshot.",
)

snapshot = Table(
    "snapshot",
    metadata,
    Column("name", String, primary_key=True),
    Column("digest", String, nullable=False, unique=True),
    Column("model", ForeignKey("lineage.model"), nullable=False),
    Column("label_name", String, nullable=False),
    Column("where", Text),
    Column("created", String, nullable=False),
    Column("erased", Integer),
    Column("rest", String),
    comment="An immutable, digested list of cases; after an erasure: how many rows went, and the digest of the rest.",
)

snapshot_member = Table(
    "snapshot_member",
    metadata,
    Column("name", ForeignKey("snapshot.name"), primary_key=True),
    Column("case_id", String, primary_key=True),
    Column("label_version", Integer, nullable=False),
    Column("label", String, nullable=False),
    Column("patient", String, nullable=False),
    Column("pixels", String, nullable=False),
    Column("split", String, nullable=False),
    comment="One case of a snapshot, frozen.",
)

suppression = Table(
    "suppression",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("case_id", String, nullable=False),
    Column("pixels", String, nullable=False),
    Column("label_version", Integer),
    Column("model", String),
    Column("reason", String, nullable=False),
    Column("policy", String, nullable=False),
    Column("suppressed", String, nullable=False),
    UniqueConstraint("case_id", "policy", "model"),
    Index(None, "pixels"),
    comment="What later snapshots must not use; scope by reason (model NULL: everywhere).",
)

# --- runs ------------------------------------------------------------------------------------------

run = Table(
    "run",
    metadata,
    Column("run", String, primary_key=True),
    Column("model", String, nullable=False),
    Column("policy", String, nullable=False),
    Column("policy_name", String, nullable=False),
    Column("champion", String, nullable=False),
    Column("state", String, nullable=False),
    Column("slot", Integer, nullable=False),
    Column("digest", String),
    Column("matches", String),
    Column("roles", String),
    Column("error", Text),
    Column("started", String, nullable=False),
    Column("changed", String, nullable=False),
    Index(None, "model"),
    comment="The journal: state, and the digest of the last value. Values are in the run folder.",
)

claim = Table(
    "claim",
    metadata,
    Column("model", String, primary_key=True),
    Column("holder", String, nullable=False),
    Column("owner", String),
    Column("fence", Integer, nullable=False),
    Column("since", Float),
    Column("lease_seconds", Float),
    Column("lease_until", Float),
    CheckConstraint("(owner is null) = (lease_until is null)", name="free"),
    comment="Who may work on a model, one holder at a time; seconds since 1970 by the database's clock.",
)

look = Table(
    "look",
    metadata,
    Column("run", String, primary_key=True),
    Column("candidate", String, primary_key=True),
    Column("model", String, nullable=False),
    Column("number", Integer, nullable=False),
    Column("taken", String, nullable=False),
    UniqueConstraint("model", "number"),
    comment="Each opening of a lineage's holdout, once per run and candidate.",
)

look_patient = Table(
    "look_patient",
    metadata,
    Column("run", String, primary_key=True),
    Column("candidate", String, primary_key=True),
    Column("patient", String, primary_key=True),
    ForeignKeyConstraint(["run", "candidate"], ["look.run", "look.candidate"]),
    Index(None, "patient"),
    comment="The patients whose held-out cases that look showed.",
)

# --- registry and ledger ---------------------------------------------------------------------------

intent = Table(
    "intent",
    metadata,
    Column("id", String, primary_key=True),
    Column("model", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("alias", String, nullable=False),
    Column("weights", String, nullable=False),
    Column("event", JSON, nullable=False),
    Column("state", String, nullable=False),
    Column("entry", Integer),
    UniqueConstraint("model", "version"),
    CheckConstraint("state in ('begun', 'recorded', 'done')", name="state"),
    comment="A registration under way: the idempotency key that makes it all or nothing.",
)

alias_move = Table(
    "alias_move",
    metadata,
    Column("entry", Integer, primary_key=True, autoincrement=False),
    Column("model", String, nullable=False),
    Column("before", JSON, nullable=False),
    Column("after", JSON, nullable=False),
    Column("state", String, nullable=False),
    CheckConstraint("state in ('recorded', 'done')", name="state"),
    Index(None, "state"),
    comment="A move of a model's aliases that an entry of the ledger decided, until the store shows it.",
)

weight_file = Table(
    "weight_file",
    metadata,
    Column("place", Text, primary_key=True),
    Column("kind", String, nullable=False),
    Column("model", String, nullable=False),
    Column("weights", String),
    Column("file", String),
    CheckConstraint("(weights is null) = (file is null)", name="known"),
    Index(None, "weights"),
    comment="Where weights lie below the workspace; digests are NULL where a training replaces them after every pass.",
)

ledger = Table(
    "ledger",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("event", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("body", Text, nullable=False),
    Column("previous", String, nullable=False),
    Column("envelope", Text),
    Column("hash", String, nullable=False, unique=True),
    comment="Append-only and hash-chained over every column; deciding entries carry a signed envelope.",
)

#: What refuses to change or remove an entry of the ledger; made by the migrations, not by the metadata.
LEDGER_TRIGGERS = ("ledger_no_delete", "ledger_no_replace", "ledger_no_update")
