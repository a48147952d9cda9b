"""SQL against the evaluator: hundreds of drawn predicates and cohorts, every case the same answer."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from helpers.cohorts import NOW, fill, make_case, undone
from maintain.cohort import ConsentFact, LabelFact, matching_ids, replace_scores, select, select_stored, unknown_stored
from maintain.cohort.where import LONGEST_GLOB, MOST_TESTS, condition, fits
from maintain.database import Database, UnitOfWork, create_database
from maintain.errors import UnknownNameError
from maintain.predicate import (
    FIELDS,
    OPERATORS,
    AllOf,
    AnyOf,
    Compare,
    Kind,
    Not,
    Operator,
    Predicate,
    Shape,
    absent_values,
    check,
    date_interval,
    describe,
    field_named,
    matches,
)
from maintain.records import Case, Device
from maintain.vocabulary import ConsentStatus, Eye, Unit

#: What texts may look like where somebody wants to be misunderstood. The last ones differ in one thing each.
TEXTS = (
    *(
        "",
        " ",
        "%",
        "_",
        "*",
        "?",
        "[",
        "]",
        "[a]",
        "[a-z]",
        "[!a]",
        "[^a]",
        "\\",
        "\\*",
        "'",
        '"',
        "';--",
        "a%",
        "a_b",
    ),
    *("a*b", "a?b", "a]b", "a[b", "a\nb", "a\tb", "NULL", "null", "0012", "12", "12.0", "1e1", "true"),
    *(
        "Å",
        "A\u030a",
        "ß",
        "ẞ",
        "ss",
        "İ",
        "i",
        "I",
        "日本",
        "🙂",
        "👩‍⚕️",
        "\u200b",
        "a",
        "A",
        "aB",
        "AB",
        "a ",
        " a",
        "aa",
    ),
)
DATES = (
    *("2024", "2024-02", "2024-02-28", "2024-02-29", "2024-03", "2024-03-01", "2024-03-31", "2023", "2023-02"),
    *("2023-02-28", "2023-12-31", "2025-01-01", "0001", "0001-01-01", "9999-12", "9999-12-31", "2024-12", "2000-02"),
)
NUMBERS = (-1, 0, 17, 18, 64, 64.0, 64.5, 89, 90, 91, 10**30, -(10**30), 1e300, -0.0)
LABELS = ("diagnosis", "quality", "grade-2")
SCORES = ("outlier", "quality.field")
COHORTS, PREDICATES = 20, 28


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = create_database(tmp_path_factory.mktemp("oracle") / "maintain.db")
    yield database
    database.close()


def some(draw: random.Random, values: tuple[Any, ...]) -> Any:
    """One of them, or nothing."""
    return None if draw.random() < 0.2 else draw.choice(values)


def draw_device(draw: random.Random, texts: tuple[str, ...]) -> Device:
    manufacturer, model, raw, serial, station = (some(draw, texts) for _ in range(5))
    return Device(manufacturer, model, raw, serial, station, tuple(draw.sample(texts, draw.randint(0, 3))))


def draw_cohort(draw: random.Random, unit: UnitOfWork) -> tuple[Case, ...]:
    texts = tuple(draw.sample(TEXTS, 7))
    devices = [draw_device(draw, texts) for _ in range(3)]
    patients = {f"p{n}": some(draw, ("F", "M", "O")) for n in range(4)}
    studies = {f"s{n}": (f"p{n % 4}", some(draw, DATES), some(draw, texts)) for n in range(6)}
    series = {f"r{n}": (f"s{n % 6}", draw.choice(devices)) for n in range(8)}
    cases = []
    for number in range(16):
        name, (study, device) = draw.choice(sorted(series.items(), key=lambda item: item[0]))
        patient, day, site = studies[study]
        place = {"patient": patient, "study": study, "series": name, "device": device, "study_date": day, "site": site}
        facts = {"sex": patients[patient], "age": some(draw, (0, 17, 64, 90)), "eye": some(draw, tuple(Eye))}
        cases.append(make_case(number, **place, **facts, pixels=f"{draw.randrange(10):064d}"))
    store = fill(unit, cases, labels=None)
    for _ in range(3):  # said again, an answer is corrected
        answers = [(case, name) for case in cases for name in LABELS if draw.random() < 0.4]
        store.record_labels([LabelFact(c.case_id, name, draw.choice(texts)) for c, name in answers], now=NOW)
    for name in SCORES:
        values = {case.case_id: float(draw.choice(NUMBERS)) for case in cases if draw.random() < 0.7}
        replace_scores(unit, name, values, method="drawn", version=1, now=NOW)
    known = tuple(ConsentStatus)
    store.record_consents([ConsentFact(patient, draw.choice(known), None) for patient in patients])
    return store.cases()


def texts_of(cases: tuple[Case, ...]) -> tuple[str, ...]:
    """Texts that are there, so that predicates meet something."""
    return tuple(
        sorted({text for case in cases for text in (case.site, case.device.model, *case.device.software) if text})
    )


def draw_value(draw: random.Random, field: str, operator: Operator, there: tuple[str, ...]) -> Any:
    kind = field_named(field).kind  # type: ignore[union-attr]  # every drawn field is known
    if kind is Kind.NUMBER:
        return draw.choice(NUMBERS)
    if kind is Kind.DATE:
        return draw.choice(DATES)
    choices = FIELDS[field].choices if field in FIELDS else ()
    text = draw.choice(choices or (there if there and draw.random() < 0.7 else TEXTS))
    if operator is Operator.MATCHES:
        return "".join(draw.choice(("*", "?", sign, sign)) for sign in text + draw.choice(("", "*", "["))) or "*"
    return text


def draw_compare(draw: random.Random, there: tuple[str, ...] = ()) -> Compare:
    fields = [*(name for name in FIELDS if not FIELDS[name].family), *(f"label.{name}" for name in LABELS)]
    fields += [f"score.{name}" for name in SCORES]
    field = draw.choice(fields)
    kind = field_named(field).kind  # type: ignore[union-attr]  # every drawn field is known
    operator = draw.choice([operator for operator, rule in OPERATORS.items() if kind in rule.kinds])
    match OPERATORS[operator].shape:
        case Shape.FLAG:
            return Compare(field, operator, draw.random() < 0.5)
        case Shape.MANY:
            return Compare(
                field, operator, tuple(draw_value(draw, field, operator, there) for _ in range(draw.randint(1, 5)))
            )
        case Shape.PAIR:
            pair = [draw_value(draw, field, operator, there) for _ in range(2)]
            pair.sort(key=lambda one: date_interval(one) if kind is Kind.DATE else one)
            return Compare(field, operator, tuple(pair))
        case _:
            return Compare(field, operator, draw_value(draw, field, operator, there))


def draw_predicate(draw: random.Random, there: tuple[str, ...], depth: int = 2) -> Predicate:
    shape = draw.random() if depth else 0.0
    if shape < 0.4:
        return draw_compare(draw, there)
    if shape < 0.55:
        return Not(draw_predicate(draw, there, depth - 1))
    terms = tuple(draw_predicate(draw, there, depth - 1) for _ in range(draw.randint(1, 3)))
    return AllOf(terms) if shape < 0.75 else AnyOf(terms)


def test_a_field_of_no_table_is_refused(database: Database) -> None:
    for field in ("device.modl", "label.", "score.", "attribute.Laterality"):
        with pytest.raises(UnknownNameError):
            condition(Compare(field, Operator.EQ, "x"))
        with pytest.raises(UnknownNameError):
            condition(Compare(field, Operator.EXISTS, True))


@pytest.mark.parametrize("seed", range(COHORTS))
def test_sql_and_evaluator_agree_case_by_case(database: Database, seed: int) -> None:
    draw = random.Random(seed)
    telling = 0
    with undone(database) as unit:
        cases = draw_cohort(draw, unit)
        there = texts_of(cases)
        for _ in range(PREDICATES):
            predicate = draw_predicate(draw, there)
            expected = {case.case_id: matches(predicate, case) for case in cases}
            found = matching_ids(unit, predicate)
            said = {case.case_id: case.case_id in found for case in cases}
            assert said == expected, describe(predicate)
            assert fits(predicate)
            kind = draw.choice(list(Unit))
            assert select_stored(unit, predicate, kind) == select(cases, predicate, kind), describe(predicate)
            telling += len(set(expected.values())) == 2
    assert telling > PREDICATES / 6  # predicates that every case, or none, matches show little


def test_at_least_five_hundred_pairs_are_drawn_and_every_operator_of_every_field_is_among_them() -> None:
    drawn = Counter[tuple[str, Operator]]()
    draw = random.Random(0)
    for _ in range(COHORTS * PREDICATES * 3):
        compare = draw_compare(draw)
        drawn[compare.field, compare.operator] += 1
    single = [name for name in FIELDS if not FIELDS[name].family]
    asked = {
        (name, operator) for name in single for operator, rule in OPERATORS.items() if FIELDS[name].kind in rule.kinds
    }
    assert asked <= set(drawn)
    assert COHORTS * PREDICATES >= 500


def test_each_single_test_agrees_on_each_nasty_value(database: Database) -> None:
    with undone(database) as unit:
        fill(unit, [make_case(n, site=text) for n, text in enumerate((*TEXTS, None))], labels=None)
        for number, day in enumerate((*DATES, None), start=500):
            fill(unit, [make_case(number, study_date=day)], labels=None)
        cases = fill(unit, [], labels=None).cases()
        asked = [Compare("site", o, v) for o in (Operator.EQ, Operator.NE, Operator.MATCHES) for v in TEXTS]
        asked += [Compare("site", o, TEXTS[:9]) for o in (Operator.IN, Operator.NOT_IN)]
        for operator in (Operator.EQ, Operator.NE, Operator.BEFORE, Operator.AFTER):
            asked += [Compare("study.date", operator, day) for day in DATES]
        pairs = [(a, b) for a in DATES for b in DATES]
        asked += [c for pair in pairs if not check(c := Compare("study.date", Operator.BETWEEN, pair))]
        for compare in asked:
            expected = {case.case_id for case in cases if matches(compare, case)}
            assert matching_ids(unit, compare) == expected, describe(compare)


@pytest.mark.parametrize("text", ["\0", "a\0", "\ud800", "a\udfffb"])
@pytest.mark.parametrize("operator", [Operator.EQ, Operator.NE, Operator.IN, Operator.NOT_IN, Operator.MATCHES])
def test_text_that_no_database_holds_is_answered_all_the_same(
    database: Database, operator: Operator, text: str
) -> None:
    compare = Compare("site", operator, (text,) if OPERATORS[operator].shape is Shape.MANY else text)
    with undone(database) as unit:
        cases = fill(unit, [make_case(1), make_case(2, site=None)], labels=None).cases()
        assert matching_ids(unit, compare) == {case.case_id for case in cases if matches(compare, case)}


def test_what_is_too_long_for_the_database_is_answered_by_the_evaluator(database: Database) -> None:
    long = AnyOf(tuple(Compare("patient.age", Operator.EQ, n) for n in range(MOST_TESTS + 1)))
    dates = Compare("study.date", Operator.IN, tuple(f"{year:04}" for year in range(1, 400)) + ("2024",))
    glob = Compare("site", Operator.MATCHES, "*" * (LONGEST_GLOB + 1) + "e1f0d0")
    texts = Compare("site", Operator.IN, tuple(f"v{n}" for n in range(40_000)) + ("e1f0d0",))
    with undone(database) as unit:
        cases = fill(unit, [make_case(1), make_case(2, site=None, age=None, study_date=None)]).cases()
        for predicate in (long, dates, glob, texts):
            assert matching_ids(unit, predicate) == {"case-0001"}
        for predicate in (long, dates, glob):
            assert select_stored(unit, predicate, Unit.STUDY) == select(cases, predicate, Unit.STUDY)
    assert [fits(predicate) for predicate in (long, dates, glob, texts)] == [False, False, False, True]


def test_the_longest_that_fits_is_taken_by_the_database(database: Database) -> None:
    dates = Compare("study.date", Operator.NOT_IN, tuple(f"{year:04}" for year in range(1, MOST_TESTS + 1)))
    deep: Predicate = Compare("site", Operator.MATCHES, "[" * LONGEST_GLOB)
    for _ in range(30):
        deep = Not(AllOf((deep, Compare("patient.age", Operator.GE, 3))))
    with undone(database) as unit:
        (case,) = fill(unit, [make_case(1)]).cases()
        for predicate in (dates, deep):
            assert fits(predicate)
            assert matching_ids(unit, predicate) == ({"case-0001"} if matches(predicate, case) else set())


@pytest.mark.parametrize("seed", range(5))
def test_unknown_values_agree_and_a_corrected_label_is_known(database: Database, seed: int) -> None:
    draw = random.Random(seed)
    with undone(database) as unit:
        cases = draw_cohort(draw, unit)
        there = texts_of(cases)
        for _ in range(20):
            predicate = draw_predicate(draw, there)
            latest = [absent for absent in absent_values(predicate, cases) if not absent.field.startswith("label.")]
            ever = [absent for absent in unknown_stored(unit, predicate) if not absent.field.startswith("label.")]
            assert ever == latest
        store = fill(unit, [make_case(99)], labels="mark")
        store.record_labels([LabelFact("case-0099", "mark", "other")], now=NOW)
        assert unknown_stored(unit, Compare("label.mark", Operator.EQ, "drusen")) == ()
        (absent,) = unknown_stored(unit, Compare("label.mark", Operator.EQ, "druse"))
        assert absent.nearest == "drusen"
