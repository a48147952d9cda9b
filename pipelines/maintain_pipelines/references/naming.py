"""Which references a plan has: three seeds, and for each the key that its files are kept under.

The key holds everything that the bytes of a reference follow from, so a reference under it is the one that would
be trained now. A case that left the retained ones since, suppressed or forgotten, makes another key: what was
trained with it is never found again.
"""

from __future__ import annotations

from maintain import codec
from maintain.gates import reads_group
from maintain.hashing import Digest, canonical_json, digest_json, digest_lines
from maintain.records import Environment, Plan, RoleTable
from maintain.vocabulary import Claim, Role
from maintain_pipelines.champions import Champion

#: One retrain is no yardstick: a second one passes it in 10 to 21 % (feasibility study, section 3).
REFERENCES = 3

#: The gate that holds a candidate against references.
GATE = "reference"

#: Hexadecimal digits of a derived seed: 31 bits, which every generator takes.
SEED_DIGITS, SEED_MASK = 8, 0x7FFFFFFF


def asks_for_references(plan: Plan) -> bool:
    """Whether the plan is judged by references: a group, and not all there is of its labels."""
    return plan.claim is Claim.GROUP and reads_group(plan) and any(gate.name == GATE for gate in plan.gates)


def reference_seeds(plan: Plan) -> tuple[int, ...]:
    """The plan's own seed, with which its retrain is made, and others derived from it."""
    return (plan.seed, *(_derived(plan.seed, number) for number in range(1, REFERENCES)))


def reference_keys(
    plan: Plan, roles: RoleTable, champion: Champion, environment: Environment | None = None
) -> tuple[tuple[int, Digest], ...]:
    """Each seed with its key. `environment` is where the run computes now, if not where it was planned."""
    place = environment or plan.environment
    return tuple((seed, reference_key(roles, champion, seed, place)) for seed in reference_seeds(plan))


def reference_key(roles: RoleTable, champion: Champion, seed: int, environment: Environment) -> Digest:
    """The digest of all that weights, spec, manifest and log of one reference follow from.

    The champion's spec brings network, preprocessing, head, recipe and its manifest; retained cases come with label
    and pixels; validation cases are in because the manifest names them. The environment is in because equal bytes
    are promised only where all of it is equal, and the retrain that is released must be the one that was planned.
    """
    return digest_json(
        {
            "spec": codec.digest_of(champion.spec),
            "manifest": codec.digest_of(champion.manifest),
            "seed": seed,
            "retained": _cases(roles, Role.RETAIN),
            "selected_with": _cases(roles, Role.VALIDATION),
            "environment": codec.encode(environment),
        }
    )


# --- private ---------------------------------------------------------------------------------------


def _derived(seed: int, number: int) -> int:
    return int(digest_json(["reference", seed, number])[:SEED_DIGITS], 16) & SEED_MASK


def _cases(roles: RoleTable, role: Role) -> Digest:
    rows = sorted((row.case_id, row.label_version, row.label, row.pixels) for row in roles.of(role))
    return digest_lines(canonical_json(list(row)) for row in rows)
