"""A policy file to a `Policy`: all mistakes at once, each with its line and column, or none.

Nothing is guessed: a key that is unknown, or known and not enforced by this version, refuses the
whole file, since a policy that is only half obeyed is worse than none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from maintain.errors import InputError
from maintain.records import Scalar as PlainValue
from maintain.vocabulary import Alias, Claim, Reason, Unit
from maintain_policies.catalogues import Catalogues
from maintain_policies.choices import read_gates, read_methods, read_requests
from maintain_policies.cron import read_cron
from maintain_policies.language import KEYS, Form, Key, children, not_yet, unknown
from maintain_policies.model import Limits, ModelTarget, NothingToForget, Policy, UnlearnSpec
from maintain_policies.reading import found_as, read_choice, read_integer, read_number, read_text
from maintain_policies.schedule import Schedule, read_zone
from maintain_policies.tree import LARGEST_BYTES, Hole, Node, Notes, Pairs, Place, notes_for, read_tree
from maintain_policies.tree import Scalar as Word
from maintain_policies.where import read_where


def load_policy(path: Path, catalogues: Catalogues) -> Policy:
    """The policy of a file. Raises `PolicyError` with every mistake, `InputError` if it is unreadable."""
    return parse_policy(read_file(path), source=str(path), catalogues=catalogues)


def parse_policy(text: str, *, source: str, catalogues: Catalogues) -> Policy:
    """The policy of a text. Raises `PolicyError` with every mistake at once."""
    notes = notes_for(text, source=source)
    root = read_tree(text, notes)
    found = _read_keys(root, notes)
    policy = _resolve(found, root.place, catalogues, notes)
    if policy is None or notes.problems:
        raise notes.stop()
    return policy


def read_file(path: Path) -> str:
    """The text of a policy or of a part of its test. Raises `InputError` if it cannot be read."""
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST_BYTES + 1)
        return data.decode("utf-8-sig", errors="strict" if len(data) <= LARGEST_BYTES else "replace")
    except OSError as error:
        raise InputError(
            f"The policy {path} cannot be read: {error.strerror}.",
            remedy="Name a policy file; `maintain policy new` writes one to start from.",
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"The policy {path} is not UTF-8 text.", remedy="Save it as UTF-8.") from error


# --- private: keys ---------------------------------------------------------------------------------


@dataclass(slots=True)
class _Found:
    """What the file says: plain values by path, and the nodes of all keys that stand in it."""

    values: dict[str, PlainValue] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)

    def value(self, path: str) -> PlainValue | None:
        """The value, its default where the file says nothing, None where it was refused."""
        return self.values.get(path) if path in self.nodes else KEYS[path].default

    def word(self, path: str) -> str | None:
        """The same, for keys that are read as text."""
        value = self.value(path)
        return value if isinstance(value, str) else None


def _read_keys(root: Node, notes: Notes) -> _Found:
    found = _Found()
    if isinstance(root, Pairs):
        _read_mapping("", root, found, notes)
    elif not isinstance(root, Hole):
        notes.add(root.place, f"a policy is a mapping of keys, found {found_as(root)}")
    return found


def _read_mapping(prefix: str, node: Pairs, found: _Found, notes: Notes) -> None:
    known = children(prefix)
    for word, value in node.pairs:
        if word.text in known:
            path = f"{prefix}.{word.text}" if prefix else word.text
            found.nodes[path] = value
            _read_key(path, known[word.text], word, value, found, notes)
        else:
            notes.add(word.place, _unknown_key(prefix, word.text, tuple(known)))
    where = prefix or "the policy"
    present = {word.text for word, _ in node.pairs}
    for name, key in known.items():
        if key.required and name not in present:
            notes.add(node.place, f"{where} lacks the key {name!r}: {key.doc}")


def _read_key(path: str, key: Key, word: Word, node: Node, found: _Found, notes: Notes) -> None:
    value: PlainValue | None = None
    match key.form:
        case Form.LATER:
            notes.add(word.place, not_yet(path))
        case Form.MAPPING:
            if isinstance(node, Pairs):
                _read_mapping(path, node, found, notes)
            elif not isinstance(node, Hole):
                such = f" such as {key.example}" if key.example else ""
                notes.add(node.place, f"{path} must be a mapping{such}, found {found_as(node)}")
        case Form.TEXT:
            value = read_text(node, notes, name=path, pattern=key.pattern, pattern_doc=key.pattern_doc)
            if value is not None and key.longest is not None and len(value) > key.longest:
                notes.add(node.place, f"{path} is longer than {key.longest} characters")
        case Form.CHOICE:
            value = read_choice(node, notes, name=path, choices=key.choices, later=key.later)
        case Form.INTEGER:
            value = read_integer(node, notes, name=path, minimum=key.minimum, maximum=key.maximum)
        case Form.NUMBER:
            value = read_number(node, notes, name=path, minimum=key.minimum, above=key.above, maximum=key.maximum)
        case Form.WHERE | Form.METHODS | Form.OPTIONS | Form.GATES:
            pass
    if value is not None:
        found.values[path] = value


def _unknown_key(prefix: str, name: str, known: tuple[str, ...]) -> str:
    elsewhere = [path for path in KEYS if path.rpartition(".")[2] == name]
    if elsewhere:
        place = elsewhere[0] if "." in elsewhere[0] else "the top of the file"
        return f"the key {name!r} does not belong here; its place is {place}"
    return unknown(f"key of {prefix}" if prefix else "key", name, known)


# --- private: meaning ------------------------------------------------------------------------------


def _resolve(found: _Found, root: Place, catalogues: Catalogues, notes: Notes) -> Policy | None:
    reason, claim = _reason_and_claim(found, catalogues, notes)
    where_node = found.nodes.get("forget.where")
    where = None if where_node is None else read_where(where_node, notes)
    tried = read_methods(found.nodes.get("unlearn.methods"), claim, catalogues, notes)
    requests, whole_label = read_requests(found.nodes.get("unlearn.options"), tried, catalogues, notes)
    claim_node = found.nodes.get("claim")
    elsewhere = root if claim_node is None else claim_node.place
    gates = read_gates(found.nodes.get("gates"), claim, catalogues, notes, elsewhere=elsewhere)
    schedule = _schedule(found, notes)
    if notes.problems or where is None or reason is None or claim is None:
        return None
    spec = UnlearnSpec(
        requests=requests,
        whole_label=whole_label,
        auto=tried.auto,
        budget_steps=_whole(found, "unlearn.budget.steps"),
        seed=_whole(found, "unlearn.seed"),
    )
    return Policy(
        version=_whole(found, "version"),
        name=_word(found, "name"),
        owner=_word(found, "owner"),
        reason=reason,
        claim=claim,
        model=ModelTarget(name=_word(found, "model.name"), alias=Alias(_word(found, "model.alias"))),
        where=where,
        unit=_unit(found, reason),
        limits=_limits(found),
        unlearn=spec,
        gates=gates.requests,
        gate_set=gates.gate_set,
        nothing_to_forget=NothingToForget(_word(found, "nothing_to_forget")),
        register_alias=Alias(_word(found, "register.alias")),
        looser=gates.looser,
        schedule=schedule,
    )


def _reason_and_claim(found: _Found, catalogues: Catalogues, notes: Notes) -> tuple[Reason | None, Claim | None]:
    """Both words; the claim is None too where it is refused, so that nothing is judged by it."""
    reason_word, claim_word = found.word("reason"), found.word("claim")
    reason = None if reason_word is None else Reason(reason_word)
    if claim_word is None:
        return reason, None
    claim, place = Claim(claim_word), found.nodes["claim"].place
    if reason is not None and reason.personal and claim is not Claim.NEVER_SAW:
        message = f"the reason {reason.value} needs the claim {Claim.NEVER_SAW.value}, found {claim.value}"
        notes.add(place, f"{message}: a person is owed a model that was not trained on these cases")
        return reason, None
    if not catalogues.provable(claim):
        notes.add(place, not_yet(f"claim: {claim.value}"))
        return reason, None
    return reason, claim


def _schedule(found: _Found, notes: Notes) -> Schedule | None:
    """When it is due; None where the file does not say so, or cannot be followed, which is noted."""
    cron = _followed("schedule.cron", read_cron, found, notes)
    zone = _followed("schedule.zone", read_zone, found, notes)
    return None if cron is None or zone is None else Schedule(cron, zone)


def _followed(path: str, read: Callable[[str], object], found: _Found, notes: Notes) -> str | None:
    """The text of a key that a reader of its own understands, or None with a note."""
    text = found.word(path)
    try:
        if text is not None:
            read(text)
    except InputError as error:
        notes.add(found.nodes[path].place, f"{path}: {error.message} {error.remedy}")
        return None
    return text


def _unit(found: _Found, reason: Reason) -> Unit:
    """A person's wish is about the person: all their images, unless the policy says otherwise."""
    given = found.word("forget.unit")
    if given is not None:
        return Unit(given)
    return Unit.PATIENT if reason.personal else Unit.IMAGE


def _limits(found: _Found) -> Limits:
    patients, label = found.value("limits.max_patients"), found.value("limits.max_percent_of_any_label")
    return Limits(
        max_patients=None if patients is None else int(patients),
        max_percent=float(found.value("limits.max_percent") or 0),
        max_percent_of_any_label=None if label is None else float(label),
    )


def _whole(found: _Found, path: str) -> int:
    value = found.value(path)
    assert isinstance(value, int)
    return value


def _word(found: _Found, path: str) -> str:
    value = found.word(path)
    assert value is not None
    return value
