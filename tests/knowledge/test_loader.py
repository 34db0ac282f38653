"""A fault in a knowledge file stops the service before it starts, with one line that says where and why."""

import hashlib
import importlib
import pkgutil
import shutil
from collections.abc import Iterator, Mapping
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pint
import pytest
import yaml

import dosing_service.rules
import schemas.fields as wire
from dosing_service import create_app
from dosing_service.config import Settings
from dosing_service.errors import KnowledgeError
from dosing_service.knowledge import load, schema
from dosing_service.knowledge.base import Effect, KnowledgeBase, TimeIs
from dosing_service.knowledge.quantities import registry
from dosing_service.model import Citations

FOLDER = Path(str(files("dosing_service.knowledge")))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the packaged knowledge files, to be spoilt."""
    copy = tmp_path / "knowledge"
    shutil.copytree(FOLDER, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return copy


def spoil(file: Path, old: str, new: str) -> None:
    """Replace the first place where a text stands in a file."""
    text = file.read_text(encoding="utf-8")
    assert old in text, "the row of the table no longer fits the file"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


DILTIAZEM = "agents/diltiazem.yaml"
STATES = "terminology/states.yaml"
ROWS = "interactions/comedication-1.yaml"
PATHWAY = "pathways/calcinosis.yaml"
DOSE = "{low: 2, high: 4, unit: mg/kg/d, per: day}"
LIMIT = (
    "{kind: daily-maximum, value: 360, unit: mg/d, effect: cap, applies_to: {formulation: immediate-release}"
    ", references: [compendium-doctorlib-diltiazem]}"
)
COMPARED = "compare_weights: {above_bmi: 30, references: [guide-ontario-ivig-dose]}"
POSITION = "amount: {low: 360, high: 360, unit: mg/d, per: day}"

Row = tuple[str, str, str, str, str, str]


def figure(new: str, path: str, reason: str, why: str) -> Row:
    """Return a row that replaces the dose of diltiazem."""
    return DILTIAZEM, DOSE, new, f"regimens.0.dose{path}", reason, why


def source(new: str, reason: str, why: str) -> Row:
    """Return a row that replaces the references of a study."""
    return DILTIAZEM, "references: [palmieri-1995]}", f"{new}}}", "evidence.studies.0.references", reason, why


def limit(old: str, new: str, path: str, reason: str, why: str) -> Row:
    """Return a row that changes the first maximum of diltiazem."""
    return DILTIAZEM, LIMIT, LIMIT.replace(old, new), path, reason, why


def ages(new: str, reason: str, why: str) -> Row:
    """Return a row that replaces the ages of a regimen."""
    return DILTIAZEM, "age: {from: 18, unit: a}", f"age: {new}", "regimens.1.population.age", reason, why


def frequency(new: str, reason: str, why: str) -> Row:
    """Return a row that replaces a frequency."""
    return DILTIAZEM, "frequency: not-stated", f"frequency: {new}", "regimens.0.frequency", reason, why


def bands(old: str, new: str, reason: str, why: str) -> Row:
    """Return a row that changes the bands below 60, from 60 to 100 and above 100 kg of abatacept."""
    return "agents/abatacept.yaml", old, new, "regimens.2.bands", reason, why


def infusion(old: str, new: str, path: str, reason: str, why: str) -> Row:
    """Return a row that changes how immunoglobulin runs in."""
    return "agents/ivig.yaml", old, new, f"regimens.0.infusion{path}", reason, why


def taper(old: str, new: str, path: str, reason: str, why: str) -> Row:
    """Return a row that changes the steps of the first taper of prednisone."""
    return "agents/prednisone.yaml", old, new, f"regimens.1.taper_steps{path}", reason, why


STEPS = "steps: {every: {value: 30, unit: min}}"
REDUCED = "reduced: {high: 0.03, rules: [kidney-risk, thrombosis-risk]}"
PAMIDRONATE = "agents/pamidronate.yaml"
MADE_UP = "dilution: {amount: {value: 90, unit: mg}, volume: {low: 250, high: 500, unit: mL}"

# Each row: the file, what is replaced by what, then path and reason of the error, and why the row is here.
FAULTS: list[Row] = [
    # ---- YAML
    (DILTIAZEM, "kind: drug", "kind: drug\nkind: drug", "line 4", "duplicate key 'kind'", "a key, kept in silence"),
    (DILTIAZEM, DOSE, DOSE.replace("low: 2", "low: 1, low: 2"), "line", "duplicate key 'low'", "a key in a figure"),
    ("references.yaml", "palmieri-1995:", "balin-2012:", "line", "duplicate key 'balin-2012'", "one id, two citations"),
    (DILTIAZEM, "kind: drug", "kind: [drug", "line", "", "bad YAML"),
    (DILTIAZEM, "kind: drug", "\tkind: drug", "line 3", "", "a tab, which YAML forbids"),
    (DILTIAZEM, "kind: drug", "kind: !!python/name:os.system", "line 3", "could not determine", "a tag that runs code"),
    (DILTIAZEM, "kind: drug", "kind: drug\n---\nkind: drug", "line", "another document", "a second document"),
    # ---- keys and words
    (DILTIAZEM, "kind: drug", "kind: drug\ncolour: red", "colour", "Unknown field", "an unknown key"),
    (DILTIAZEM, "    route: oral", "    rout: oral", "regimens.0.route", "Missing data", "a misspelt key"),
    (DILTIAZEM, "kind: drug", "kind: potion", "kind", "Must be one of: drug, procedure", "an unknown kind"),
    (DILTIAZEM, "off_label: true", "off_label: yes", "regimens.0.off_label", "Not a valid boolean", "yes is a word"),
    (DILTIAZEM, "verdict: weak", "verdict: advised-against", "evidence.finding", "needs a finding", "nothing to say"),
    # ---- a number never stands alone
    figure("{low: 2, high: 4, per: day}", ".unit", "Missing data", "no unit"),
    figure("{low: 2, high: 4, unit: mg/kg/d}", ".per", "Missing data", "no kind of amount"),
    figure("{low: 2, unit: mg/kg/d, per: day}", ".high", "Missing data", "half a range"),
    figure("2 to 4 mg/kg/d", "", "Invalid input type", "a sentence"),
    figure("null", "", "may not be null", "nothing"),
    source("references: []", "at least one reference", "no source"),
    source("references: palmieri-1995", "at least one reference", "no list"),
    source("references: [p-1995]", "unknown reference 'p-1995'", "a slip in a source"),
    source("references: [{id: p-1995, verified: false}]", "unknown reference 'p-1995'", "unverified is a source too"),
    source(
        "references: [{id: palmieri-1995, verified: true}]", "a reference is an id, or", "seen is said by the bare id"
    ),
    limit(
        ", references: [compendium-doctorlib-diltiazem]", "", "limits.0.references", "Missing data", "a limit of nobody"
    ),
    (
        *(DILTIAZEM, f"{POSITION}, references: [compendium-doctorlib-diltiazem]", POSITION),
        *("disagreements.0.positions.2.references", "need references", "a position of nobody"),
    ),
    # ---- numbers
    figure("{low: -2, high: 4, unit: mg/kg/d, per: day}", ".low", "not negative", "a negative dose"),
    figure('{low: "2", high: 4, unit: mg/kg/d, per: day}', ".low", "a number", "a number in quotes"),
    figure("{low: 2e0, high: 4, unit: mg/kg/d, per: day}", ".low", "a number", "an exponent"),
    figure("{low: 02, high: 4, unit: mg/kg/d, per: day}", ".low", "a number", "an octal in old YAML"),
    figure("{low: .nan, high: 4, unit: mg/kg/d, per: day}", ".low", "a number", "no number, by name"),
    figure("{low: 5, high: 4, unit: mg/kg/d, per: day}", ".low", "low is above high", "the wrong way round"),
    figure("{low: 2, high: 4, values: [5], unit: mg/kg/d, per: day}", ".values", "outside low to high", "out of range"),
    figure(
        "{low: 2, high: 4, unit: mg/kg/d, per: day, about: 1}", ".about", "Unknown field", "an unknown key, deep down"
    ),
    # ---- infusions, tapers, courses
    infusion(STEPS, "steps: {every: {value: 30, unit: h}}", ".steps", "so many min", "steps of 30 hours"),
    infusion(
        "solution: {value: 100, unit: mg/mL}", "solution: {value: 100, unit: mg}", ".solution", "in mg/mL", "a mass"
    ),
    infusion(REDUCED, "reduced: {high: 0.04, rules: [kidney-risk]}", ".reduced", "below the highest", "not lower"),
    infusion(REDUCED, "reduced: {high: 0.03, rules: []}", ".reduced.rules", "Shorter than", "for nobody"),
    (
        *("agents/ivig.yaml", "rules: [kidney-risk, thrombosis-risk]", "rules: [kidney]"),
        *("regimens.calcinosis-overview.infusion.reduced", "there is no rule 'kidney'", "a slip in a rule"),
    ),
    (
        PAMIDRONATE,
        "time: {low: 2, high: 24, unit: h}",
        "time: {low: 2, high: 24, unit: d}",
        *("regimens.0.infusion.time.unit", "min or h", "days"),
    ),
    (
        PAMIDRONATE,
        "time: {low: 2, high: 24, unit: h}",
        "time: {low: 24, high: 2, unit: h}",
        *("regimens.0.infusion.time.is", "a range is between", "the wrong way round"),
    ),
    (
        PAMIDRONATE,
        "time: {low: 2, high: 24, unit: h}",
        "time: {low: 2, high: 24, unit: h, is: about}",
        *("regimens.0.infusion.time.is", "a range is between", "a range that is no range"),
    ),
    (
        PAMIDRONATE,
        MADE_UP,
        MADE_UP.replace("unit: mL", "unit: mg"),
        "regimens.0.infusion.dilution",
        "so many mL",
        "a volume in mg",
    ),
    (
        PAMIDRONATE,
        MADE_UP,
        MADE_UP.replace("unit: mg}", "unit: mL}"),
        "regimens.0.infusion.dilution",
        "so many mL",
        "mL in mL",
    ),
    taper("percent: 25}", "percent: 60}", "", "each below the one before", "a taper that rises"),
    taper("{value: 4, unit: mo}", "{value: 1, unit: mo}", "", "later and later", "a step before the first"),
    taper("{value: 4, unit: mo}", "{value: 16, unit: wk}", "", "one unit", "months and weeks"),
    taper("{value: 4, unit: mo}", "{value: 4.5, unit: mo}", ".1.after", "whole d, wk or mo", "half a month"),
    taper("percent: 50}", "percent: 150}", ".0.percent", "", "more than the whole"),
    taper(
        "    taper: Half the dose at 2 months, a quarter at 4, an eighth at 6, stopped at 12 months.\n",
        "",
        "",
        "beside its words",
        "steps without words",
    ),
    (
        *("agents/minocycline.yaml", "length: {low: 6, high: 12, unit: wk}", "length: {low: 6, unit: wk}"),
        *("regimens.2.course", "low, high and unit", "half a range"),
    ),
    *(
        (
            *("agents/ivig.yaml", "starts: {on_days: [0, 14, 28], then_every: 1, unit: mo}", f"starts: {starts}"),
            *("regimens.2.course", reason, why),
        )
        for starts, reason, why in (
            ("{times: 1, every: 1, unit: mo}", "starts are", "no given days"),
            ("{on_days: [7, 14], then_every: 1, unit: mo}", "from day 0 on", "no first day"),
            ("14", "a frequency is", "a number"),
            ("not-stated", "starts are", "nothing"),
        )
    ),
    # ---- units
    figure("{low: 2, high: 4, unit: Mg/kg/d, per: day}", ".unit", "unknown unit 'Mg/kg/d'", "megagrams, known to pint"),
    figure(
        "{low: 2, high: 4, unit: U/kg/d, per: day}", ".unit", "unknown unit 'U/kg/d'", "enzyme units, known to pint"
    ),
    figure("{low: 2, high: 4, unit: mg / kg / d, per: day}", ".unit", "unknown unit", "an expression"),
    figure("{low: 2, high: 4, unit: mg/kg/d, per: week}", ".per", "is not an amount per week", "unit contradicts per"),
    figure("{low: 2, high: 4, unit: mg/kg, per: day}", ".per", "is not an amount per day", "a period is missing"),
    figure("{low: 2, high: 4, unit: mg/d, per: day}", "", "does not fit the basis", "unit contradicts basis"),
    figure("{low: 2, high: 4, unit: mg/m2/d, per: day}", "", "does not fit the basis", "square metres for kilograms"),
    (
        *("agents/warfarin.yaml", "basis: fixed", f"basis: fixed\n    {COMPARED}", "regimens.0.compare_weights"),
        *("only a dose per kg", "another weight for a fixed dose"),
    ),
    ("growth/cdc-2000.csv", "female,weight,0,", "girl,weight,0,", "line 2", "are expected", "an unknown sex"),
    limit("mg/d", "mg/wk", "limits.0.unit", "unit mg/wk is not an amount per day", "a limit on another period"),
    limit("daily-", "duration-", "limits.0.unit", "a duration-maximum, and nothing else", "milligrams for a duration"),
    (
        *(DILTIAZEM, LIMIT, "{kind: single-maximum, value: 1, unit: h, effect: cap, references: [unsourced]}"),
        *("regimens.calcinosis-overview.limits", "h cannot be expressed in mg", "hours for milligrams"),
    ),
    # ---- limits
    limit(
        *("{formulation: immediate-release}", "{dose: {above: 10, unit: mg/d}}", "limits.0.applies_to.dose"),
        *("the unit of this range is one of mg/kg/d", "a range of doses without the weight"),
    ),
    (
        *("agents/abatacept.yaml", "applies_to: {route: intravenous}", "applies_to: {dose: {above: 1, unit: mg/kg/d}}"),
        *("regimens.", "a maximum for a range of doses needs mg a day", "a dose that is not given daily"),
    ),
    # ---- lower doses
    (
        *("agents/treprostinil.yaml", "lowers_dose: {value: 0.25, unit: mg/d}", "lowers_dose: {value: 0.25, unit: mg}"),
        *("rules", "a lowered dose is in mg/d or mg/wk", "milligrams of no period"),
    ),
    (
        *("agents/treprostinil.yaml", "lowers_dose: {value: 0.25, unit: mg/d}", "lowers_dose: {percent: 50, value: 1}"),
        *("rules", "percent, or value and unit, is expected", "two figures"),
    ),
    (
        *("interactions/comedication-3.yaml", "lowers_dose: {tofacitinib:", "lowers_dose: {tofacitinip:"),
        *("", "there is no agent 'tofacitinip'", "a misspelt agent"),
    ),
    (
        *("agents/triamcinolone.yaml", "{strength: {from: 40, unit: mg/mL}}", "{strength: {from: 40, unit: mg}}"),
        *("rules", "the unit of this range is one of mg/mL", "a strength without a volume"),
    ),
    limit("immediate", "imediate", "limits", "no product has the formulation", "a formulation of no product"),
    (
        *(DILTIAZEM, "{low: 120, high: 480, unit: mg/d,", "{low: 120, high: 500, unit: mg/d,"),
        *(
            "regimens.label-coated-24-hour-capsule",
            "above its own daily-maximum of 480 mg/d",
            "usual dose above its cap",
        ),
    ),
    # ---- bands
    bands("{from: 60, to: 100", "{from: 61, to: 100", "leave a gap at 60", "60 to 61 kg in no band"),
    bands("{from: 60, to: 100", "{above: 60, to: 100", "leave a gap at 60", "exactly 60 kg in no band"),
    bands("{from: 60, to: 100", "{from: 59, to: 100", "overlap near 59", "59 kg in two bands"),
    bands("{below: 60,", "{to: 60,", "overlap near 60", "60 kg in two bands"),
    bands("{weight: {below: 60, unit: kg}", "{age: {below: 60, unit: a}", "exactly the keys weight and dose", "ages"),
    bands("unit: mg, per: administration}}", "unit: mg/d, per: day}}", "one kind of amount", "one daily amount"),
    # ---- ranges, frequencies, courses
    ages("{from: 18, unit: years}", "the unit of this range is one of a, mo, wk, d", "no UCUM code"),
    ages("{from: 18, to: 2, unit: a}", "ends before it starts", "an empty range"),
    ages("{from: 18, above: 18, unit: a}", "exclude each other", "two lower bounds"),
    ages("{unit: a}", "at least one bound", "no bound"),
    ages("{from: eighteen, unit: a}", "a bound is a number", "a word"),
    frequency("{times: 0, every: 1, unit: d}", "at least 1", "never"),
    frequency("{times: {low: 4, high: 3}, every: 1, unit: d}", "low is above high", "fewer than at least"),
    frequency("{times: 3, unit: d}", "has the keys times, every, unit", "three times in what?"),
    frequency("{on_days: [7, 0], unit: d}", "rising day numbers", "days that go back"),
    frequency("daily", "a frequency is", "a word for a frequency"),
    (
        *(DILTIAZEM, "frequency: not-stated", "frequency: not-stated\n    course: {length: {value: 20, unit: h}}"),
        *("regimens.0.course", "a length of time", "a course of hours"),
    ),
    # ---- links
    (DILTIAZEM, "default_regimen: calc", "default_regimen: ", "default_regimen", "there is no regimen", "the default"),
    (
        DILTIAZEM,
        "{says: best adult series, regimen: ",
        "{says: x, regimen: x",
        "disagreements.C04.positions",
        "no regimen",
        "a side",
    ),
    (
        *(DILTIAZEM, "compare: [per-kg]", "compare: [per-kg]\n    applies_to: {regimens: [nope]}"),
        *("disagreements.C04.applies_to.regimens", "there is no regimen 'nope'", "what a disagreement is about"),
    ),
    (
        *("agents/etidronate.yaml", "followed_by: label-ossification-cord-maintenance", "followed_by: nope"),
        *("regimens.label-ossification-cord-start.followed_by", "there is no regimen 'nope'", "what comes next"),
    ),
    (DILTIAZEM, "id: diltiazem", "id: verapamil", "id", "the id is not the file's name", "an id in the wrong file"),
    (
        DILTIAZEM,
        "- id: calcinosis-fixed-series",
        "- id: calcinosis-overview",
        "regimens.",
        "occurs twice",
        "two regimens",
    ),
    (DILTIAZEM, "id: ir-tablet-60", "id: ir-tablet-30", "products.ir-tablet-30", "occurs twice", "two products"),
    # ---- safety
    (DILTIAZEM, "condition: sick-sinus-syndrome", "condition: sick-sinus", "rules", "sick-sinus", "no such diagnosis"),
    (DILTIAZEM, 'observation: "8480-6"', 'observation: "8480-1"', "rules", "8480-1", "no such analyte"),
    (STATES, "condition: pregnancy", "condition: pregnant", "pregnant.condition", "no value set", "no such diagnosis"),
    (STATES, "lactating:", "nursing:", "lactating", "nvalid input", "a state that is missing"),
    (STATES, "no_days: 28", "no_days: 0", "pregnant.no_days", "at least 1", "an answer that never counts"),
    (STATES, "http://loinc.org", "urn:house", "pregnant.answers_yes", "one of", "an answer in no terminology"),
    (
        DILTIAZEM,
        '{observation: "8480-6", below: 90, unit: "mm[Hg]"}',
        "{pressure: 90}",
        "rules",
        "pressure",
        "no predicate",
    ),
    (ROWS, "agents: [diltiazem]", "agents: [diltiazen]", "B001", "no agent 'diltiazen'", "a row about nobody"),
    (
        ROWS,
        "kind: drug, atc: [C07, S01ED]",
        "kind: pill, atc: [C07]",
        "B001.with.kind",
        "not one of drug",
        "a partner of no kind",
    ),
    (PATHWAY, "activity: active}", "activities: active}", "scenarios.1.when", "Unknown field", "no such feature"),
    (
        PATHWAY,
        "regimen: calcinosis-monthly-series",
        "regimen: monthly",
        "",
        "with regimen 'monthly'",
        "no such regimen",
    ),
    # ---- the other files
    ("references.yaml", "seen: abstract", "seen: dream", "traineau-2020.seen", "Must be one of", "how much was seen"),
    ("release.yaml", "reviewed:", "revised:", "reviewed", "Missing data", "the state of review"),
    ("known_answers.yaml", "sentence:", "phrase:", "0.sentence", "Missing data", "a known answer without words"),
]


@pytest.mark.parametrize(("file", "old", "new", "path", "reason", "why"), FAULTS, ids=[row[-1] for row in FAULTS])
def test_fault_is_refused(folder: Path, file: str, old: str, new: str, path: str, reason: str, why: str) -> None:
    """The error is one line: the file, the path inside it, and the reason."""
    spoil(folder / file, old, new)

    with pytest.raises(KnowledgeError) as refused:
        load(folder)

    error = refused.value
    assert (file, True, True) == (error.file, error.path.startswith(path), reason in error.reason), (why, str(error))
    assert str(error) == f"{error.file}: {error.path}: {error.reason}"
    assert len(str(error).splitlines()) == 1


@pytest.mark.parametrize("file", ["references.yaml", "release.yaml", "known_answers.yaml", "growth/cdc-2000.csv"])
def test_missing_file_is_named(folder: Path, file: str) -> None:
    """Without one of its files the knowledge base does not load."""
    (folder / file).unlink()

    with pytest.raises(KnowledgeError) as refused:
        load(folder)

    assert str(refused.value) == f"{file}: the file is missing"


def test_service_does_not_start_with_broken_knowledge(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No request is ever answered from knowledge that does not load."""
    spoil(folder / DILTIAZEM, "mg/kg/d", "Mg/kg/d")
    monkeypatch.setattr("dosing_service.knowledge.loader.files", lambda _: folder)

    with pytest.raises(KnowledgeError, match="unknown unit 'Mg/kg/d'"):
        create_app(settings=Settings())


# ---------------------------------------------------------------- the digest


def test_digest_is_stable(folder: Path, knowledge: KnowledgeBase) -> None:
    """The same text has the same digest, wherever it lies and however often it is read."""
    assert {knowledge.digest} == {load(folder).digest, load(folder).digest}


@pytest.mark.parametrize("file", ["references.yaml", "release.yaml", "known_answers.yaml", "agents/ivig.yaml"])
def test_digest_changes_with_every_byte(folder: Path, knowledge: KnowledgeBase, file: str) -> None:
    """One byte more in any file, even in a comment, is another knowledge base."""
    with (folder / file).open("a", encoding="utf-8") as text:
        text.write("#")

    assert knowledge.digest != load(folder).digest


def test_digest_can_be_recomputed(knowledge: KnowledgeBase) -> None:
    """Whoever has the files can check the digest of an answer: name and text of each file, in order of name."""
    digest = hashlib.sha256()
    read = [*FOLDER.rglob("*.yaml"), *FOLDER.rglob("*.csv")]
    for name in sorted(path.relative_to(FOLDER).as_posix() for path in read):
        digest.update(name.encode() + b"\0" + (FOLDER / name).read_bytes() + b"\0")

    assert f"sha256:{digest.hexdigest()}" == knowledge.digest


# ---------------------------------------------------------------- units


@pytest.mark.parametrize("name", ["Mg", "MG", "unit", "units", "U", "IU", "kilogram", "pound", "kg", "D", "degC"])
def test_registry_of_units_is_closed(name: str) -> None:
    """What pint knows and nobody here wrote down is undefined."""
    with pytest.raises(pint.UndefinedUnitError):
        registry().parse_expression(name)


def test_dose_times_a_wrong_mass_is_an_error() -> None:
    """mg/kg of body weight times a mass of drug has no unit of dose; times a body weight it has."""
    dose = registry().Quantity(Decimal(2), "milligram / body_kilogram / day")

    assert (dose * registry().Quantity(Decimal(25), "body_kilogram")).to("milligram / day").magnitude == Decimal(50)
    for wrong in ("gram", "body_square_meter", "milliliter"):
        with pytest.raises(pint.DimensionalityError):
            (dose * registry().Quantity(Decimal(25), wrong)).to("milligram / day")


def test_dose_per_kilogram_is_no_frequency() -> None:
    """In pint's own registry 2 mg/kg a day is 0.0002 percent a day; here body weight is no mass."""
    with pytest.raises(pint.DimensionalityError):
        registry().Quantity(Decimal(2), "milligram / body_kilogram / day").to("1 / day")


# ---------------------------------------------------------------- nothing changes after loading


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("", "version"),
        ("agents.diltiazem", "name"),
        ("agents.diltiazem.evidence", "verdict"),
        ("agents.diltiazem.regimens.calcinosis-overview", "off_label"),
        ("agents.diltiazem.regimens.calcinosis-overview.figure", "high"),
        ("agents.diltiazem.regimens.calcinosis-overview.figure.unit", "code"),
        ("agents.diltiazem.regimens.calcinosis-overview.citations", "references"),
        ("agents.diltiazem.products.ir-tablet-30", "strength"),
        ("references.palmieri-1995", "citation"),
    ],
)
def test_knowledge_cannot_be_changed(knowledge: KnowledgeBase, path: str, name: str) -> None:
    """One request can never change what the next one is answered from."""
    value: Any = knowledge
    for step in filter(None, path.split(".")):
        value = value[step] if isinstance(value, Mapping) else getattr(value, step)
    before = getattr(value, name)

    with pytest.raises(AttributeError):
        setattr(value, name, None)
    assert before is getattr(value, name)


def test_collections_of_knowledge_cannot_be_changed(knowledge: KnowledgeBase) -> None:
    """Agents, regimens, products and references are read-only views; what else is listed is a tuple."""
    agent = knowledge.agents["diltiazem"]

    assert {MappingProxyType} == {type(view) for view in (knowledge.agents, knowledge.references)}
    assert {MappingProxyType} == {type(view) for view in (agent.regimens, agent.products)}
    listed = [knowledge.known_answers, agent.disagreements, agent.notes, agent.codings, agent.evidence.studies]
    listed += [
        part for regimen in agent.regimens.values() for part in (regimen.limits, regimen.bands, regimen.diseases)
    ]
    assert {tuple} == {type(part) for part in listed}


# ---------------------------------------------------------------- words that stand in two places


@pytest.mark.parametrize(
    ("of_answers", "of_knowledge"),
    [
        (wire.LIMIT_KINDS, tuple(schema.LIMIT_KINDS)),
        (wire.EFFECTS, tuple(effect.value for effect in Effect)),
        (wire.USES, schema.USES),
        (wire.ROUTES, schema.ROUTES),
        (wire.TIME_BOUNDS, tuple(bound.value for bound in TimeIs)),
    ],
    ids=["limit kinds", "effects", "uses", "routes", "bounds of a time"],
)
def test_words_of_answers_are_those_of_the_knowledge(
    of_answers: tuple[str, ...], of_knowledge: tuple[str, ...]
) -> None:
    """The contract promises exactly the words that a knowledge file may use."""
    assert sorted(of_answers) == sorted(of_knowledge)


def cited_by_files() -> Iterator[str]:
    """Yield every reference id that a knowledge file cites, read without the loader."""
    for file in FOLDER.rglob("*.yaml"):
        if file.name != "references.yaml":
            yield from cited(yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))


def cited(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "references":
                yield from (item if isinstance(item, str) else item["id"] for item in value)
            else:
                yield from cited(value)
    elif isinstance(node, list):
        for item in node:
            yield from cited(item)


def cited_by_rules() -> Iterator[str]:
    """Yield every reference id that a constant of a rule cites: formulas and definitions of units."""
    for info in pkgutil.iter_modules(dosing_service.rules.__path__):
        module = importlib.import_module(f"dosing_service.rules.{info.name}")
        for value in vars(module).values():
            if isinstance(value, Citations):
                yield from value.references


def test_every_reference_is_cited(knowledge: KnowledgeBase) -> None:
    """References.yaml holds no source that nothing rests on."""
    assert set() == set(knowledge.references) - set(cited_by_files()) - set(cited_by_rules())


def test_every_citation_of_a_rule_is_a_reference(knowledge: KnowledgeBase) -> None:
    """The loader checks what files cite; what the code cites is checked here."""
    in_rules = set(cited_by_rules())

    assert {"mosteller-1987", "ucum"} <= in_rules
    assert set() == in_rules - set(knowledge.references)


def test_what_is_followed_is_what_a_rule_asks_about() -> None:
    """Pamidronate is held when creatinine has risen (PAM-C3); no other rise is judged."""
    assert load().terminology.followed == {"creatinine"}
