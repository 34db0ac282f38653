"""The command line gives the answers of the service to people and scripts, and says in one line what is wrong."""

import os
import shutil
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from flask.testing import FlaskClient

from dosing_service import __version__
from dosing_service.cli import main
from dosing_service.errors import KnowledgeError
from dosing_service.knowledge import load
from dosing_service.knowledge.base import KnowledgeBase

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
SNOMED = "http://snomed.info/sct"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(str(files("dosing_service.knowledge")))


def run(*arguments: str) -> Result:
    """Run the command with these arguments."""
    return CliRunner().invoke(main, arguments)


@pytest.fixture(autouse=True)
def loaded(monkeypatch: pytest.MonkeyPatch, knowledge: KnowledgeBase) -> None:
    """Hand out the knowledge base that is loaded already; a folder that is named is really read."""
    monkeypatch.setattr("dosing_service.knowledge.load", lambda folder=None: load(folder) if folder else knowledge)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the packaged knowledge files, to be spoilt."""
    copy = tmp_path / "knowledge"
    shutil.copytree(FOLDER, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return copy


def spoil(file: Path, old: str, new: str) -> None:
    """Replace a text that occurs in a file, once."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


# ---------------------------------------------------------------- calculate

CHILD = ("--age", "9 a", "--weight", "25 kg")

PLANS: list[tuple[tuple[str, ...], list[str], str]] = [
    (
        ("ivig", "--divided-over-days", "2", "--product", "solution-10-percent-50ml", "--none", "conditions"),
        [
            "  infusion     250 mL on each of 2 days",
            "  infusion     at the start 0.01 mL/kg/minute (15 mL/h) for 30 minutes",
            "  infusion     at most 0.04 mL/kg/minute, 60 mL/h without a risk factor",
            "  infusion     at least 4 hours 10 minutes on each of 2 days",
            "  schedule     2026-12-30  25 g",
            "  schedule     2026-12-31  25 g",
            "  schedule     50 g in all",
        ],
        "a whole course",
    ),
    (
        ("ceftriaxone", "--already-given", "39 g", "--include-outside-population"),
        ["  infusion     over 30 minutes", "  schedule     2026-12-30  1 g", "  total        1 g of 40 g left"],
        "the rest of a course",
    ),
    (
        ("infliximab", "--regimen", "juvenile-calcinosis-start"),
        [
            "  schedule     2027-03-10 (to 2027-04-07)  75 mg",
            "  schedule     … (no end is documented; shown for 12 weeks)",
            "  schedule     300 mg in what is shown",
        ],
        "a range of days, and no end",
    ),
    (
        ("iloprost", "--regimen", "systemic-sclerosis-monthly", "--include-outside-population"),
        [
            "  infusion     3.75 to 15 mL/h",
            "  infusion     over 6 hours",
            "  schedule     2026-12-30 to 2027-01-03 (at most to 2027-01-04)  12.5 to 50 nanograms/minute",
        ],
        "a range of lengths",
    ),
    (
        ("minocycline", "--include-outside-population"),
        [
            "  schedule     2026-12-30 to no end  50 to 100 mg daily",
            (
                "  total        70,000 mg in all: reached after 700 to 1,400 days on 50 to 100 mg daily, "
                "if none was given before"
            ),
        ],
        "without an end, and a total over all courses",
    ),
]


@pytest.mark.parametrize(("arguments", "expected", "why"), PLANS)
def test_table_shows_how_and_when(arguments: tuple[str, ...], expected: list[str], why: str) -> None:
    """The table names volumes, rates, days and totals, in this order."""
    agent, *more = arguments
    result = run("calculate", "--agent", agent, *CHILD, "--start-date", "2026-12-30", *more)

    lines = result.output.splitlines()
    assert [line for line in lines if line in expected] == expected, (why, result.output)


def test_dose_is_shown_with_its_working() -> None:
    """A person sees regimen, dose, working, findings, alternatives, what was not checked, version and notice."""
    result = run("calculate", "--agent", "diltiazem", *CHILD)
    lines = result.stdout.splitlines()

    assert (result.exit_code, result.stderr) == (0, "")
    assert lines[0] == "diltiazem: computed"
    assert "  regimen      calcinosis-overview (Larger lesions, weight-based; oral)" in lines
    assert "  dose         50 to 100 mg daily" in lines
    assert "  working      2 mg/kg/d × 25 kg = 50 mg/d  [treatment-overview]" in lines
    assert {"findings", "alternatives", "not checked"} <= set(lines)
    assert any(line.startswith("  child-hypertension ") and "37.5 to 50 mg daily" in line for line in lines)
    assert lines[-2].startswith("knowledge ")
    assert "not clinically approved" in lines[-1]


@pytest.mark.parametrize(
    ("arguments", "expected", "why"),
    [
        (("--agent", "warfarin", "--age", "6 a"), "warfarin: no-documented-dose", "no dose, and it says so"),
        (
            ("--agent", "methotrexate", "--age", "12 a", "--weight", "40 kg"),
            "not computed  (underlying-disease, applies)",
            "an alternative without its height",
        ),
        (
            ("--agent", "warfarin", "--age", "60 a"),
            "  major                    Warfarin should not be used",
            "a grave finding",
        ),
        (
            ("--agent", "alendronate", "--age", "60 a"),
            "  possibly contraindicated Allergy to alendronate (not known for this patient).",
            "a grave finding that may apply",
        ),
        (
            ("--agent", "alendronate", "--age", "60 a"),
            "  not-given    25-hydroxyvitamin D  (before the start)",
            "what to watch",
        ),
        (("--agent", "alendronate", "--age", "60 a"), "[patient.medications]", "a field that would let a check run"),
        (("--agent", "pamidronate", "--age", "60 a"), "overview text, every week: 90 mg weekly", "a contradiction"),
        (
            ("--agent", "sodium-thiosulfate", "--regimen", "topical-25-percent", "--age", "60 a"),
            "25 %",
            "a preparation of which only the strength is documented",
        ),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else None,
)
def test_table_leaves_nothing_out(arguments: tuple[str, ...], expected: str, why: str) -> None:
    """What matters in the answer is in the table as well."""
    result = run("calculate", *arguments)

    assert result.exit_code == 0, result.stderr
    assert expected in result.stdout, why


@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        (
            ("--agent", "diltiazem", "--age", "9 a", "--weight", "25.4 kg"),
            {"agent": "diltiazem", "patient": {"age": "9 a", "weight": "25.4 kg"}},
        ),
        (
            ("--agent", "diltiazem", "--age", "18 mo", "--weight", "22 lb", "--times-per-day", "3"),
            {"agent": "diltiazem", "patient": {"age": "18 mo", "weight": "22 lb"}, "options": {"times_per_day": 3}},
        ),
        (
            ("--agent", "ivig", "--disease", "crest", "--weight", "25 kg", "--divided-over-days", "2"),
            {
                "agent": "ivig",
                "indication": {"disease": "crest"},
                "patient": {"weight": "25 kg"},
                "options": {"divided_over_days": 2},
            },
        ),
        (
            ("--agent", "warfarin", "--birth-date", "1966-01-01", "--as-of", "2026-11-21", "--lesion", "large"),
            {
                "agent": "warfarin",
                "indication": {"lesion": "large"},
                "patient": {"birth_date": "1966-01-01"},
                "as_of": "2026-11-21",
            },
        ),
        (
            (
                *("--agent", "ivig", "--regimen", "guideline-ideal-weight", "--age", "50 a", "--weight", "90 kg"),
                *("--height", "180 cm", "--sex", "male", "--dosing-weight", "ideal"),
            ),
            {
                "agent": "ivig",
                "regimen": "guideline-ideal-weight",
                "patient": {"age": "50 a", "weight": "90 kg", "height": "180 cm", "sex": "male"},
                "options": {"dosing_weight": "ideal"},
            },
        ),
        (
            (
                *("--agent", "rituximab", "--age", "50 a", "--weight", "70 kg", "--height", "170 cm"),
                *("--body-surface-area-formula", "dubois"),
            ),
            {
                "agent": "rituximab",
                "patient": {"age": "50 a", "weight": "70 kg", "height": "170 cm"},
                "options": {"body_surface_area_formula": "dubois"},
            },
        ),
        (
            ("--agent", "triamcinolone", "--age", "50 a", "--volume", "0.5 mL"),
            {"agent": "triamcinolone", "patient": {"age": "50 a"}, "options": {"volume": "0.5 mL"}},
        ),
        (
            ("--agent", "diltiazem", "--age", "50 a", "--weight", "100 kg", "--product", "ir-tablet-60"),
            {
                "agent": "diltiazem",
                "patient": {"age": "50 a", "weight": "100 kg"},
                "options": {"product": "ir-tablet-60"},
            },
        ),
        (
            ("--agent", "ceftriaxone", "--age", "6 a", "--include-outside-population"),
            {"agent": "ceftriaxone", "patient": {"age": "6 a"}, "options": {"include_outside_population": True}},
        ),
        (
            (
                *("--agent", "alendronate", "--age", "62 a", "--sex", "female", "--not-pregnant", "--not-lactating"),
                *("--condition", "icd10:K22.0", "--condition", "raynaud-phenomenon", "--allergy", "rxnorm:2193"),
                *("--medication", "rxnorm:1364430", "--medication", "atc:C10AA01", "--result", "2160-0 1.1 mg/dL"),
            ),
            {
                "agent": "alendronate",
                "patient": {
                    "age": "62 a",
                    "sex": "female",
                    "pregnant": False,
                    "lactating": False,
                    "conditions": [{"system": ICD, "code": "K22.0"}, "raynaud-phenomenon"],
                    "allergies": [{"system": RXNORM, "code": "2193"}],
                    "medications": [{"system": RXNORM, "code": "1364430"}, {"system": ATC, "code": "C10AA01"}],
                    "observations": [{"code": "2160-0", "value": 1.1, "unit": "mg/dL"}],
                },
            },
        ),
        (
            (
                *("--agent", "methotrexate", "--age", "30 a", "--pregnant", "--include-contraindicated"),
                *("--none", "medications", "--none", "conditions", "--jurisdiction", "US"),
                *("--condition", "snomed:89155008", "--start-date", "2026-12-01"),
            ),
            {
                "agent": "methotrexate",
                "patient": {
                    "age": "30 a",
                    "pregnant": True,
                    "medications": [],
                    "conditions": [{"system": SNOMED, "code": "89155008"}],
                },
                "options": {"include_contraindicated": True, "jurisdiction": "US", "start_date": "2026-12-01"},
            },
        ),
        (
            (
                *("--agent", "ivig", "--age", "9 a", "--weight", "25 kg", "--divided-over-days", "2", "--courses", "2"),
                *("--start-date", "2026-12-01", "--schedule-until", "2026-12-29", "--already-given", "30 g"),
            ),
            {
                "agent": "ivig",
                "patient": {"age": "9 a", "weight": "25 kg"},
                "options": {
                    "divided_over_days": 2,
                    "courses": 2,
                    "start_date": "2026-12-01",
                    "schedule_until": "2026-12-29",
                    "already_given": "30 g",
                },
            },
        ),
    ],
    ids=[
        *(
            "decimal",
            "division",
            "days",
            "birth date",
            "ideal weight",
            "area",
            "volume",
            "product",
            "outside",
            "safety",
            "none",
        ),
        "schedule",
    ],
)
def test_json_is_the_body_of_the_http_answer(client: FlaskClient, arguments: tuple[str, ...], body: Any) -> None:
    """--json prints what POST /v1/dose-calculations answers to the same request, byte for byte."""
    response = client.post("/v1/dose-calculations", json=written_out(body))
    result = run("calculate", *arguments, "--json")

    assert (response.status_code, result.exit_code) == (200, 0)
    assert response.get_data() + b"\n" == result.stdout_bytes


def written_out(node: Any) -> Any:
    """Return a request whose quantities are written as "25 kg" with those quantities as objects."""
    if isinstance(node, dict):
        return {name: written_out(value) for name, value in node.items()}
    if isinstance(node, list):
        return [written_out(value) for value in node]
    if isinstance(node, str) and " " in node:
        number, unit = node.split(" ")
        return {"value": float(number) if "." in number else int(number), "unit": unit}
    return node


@pytest.mark.parametrize(
    ("arguments", "error", "why"),
    [
        (
            ("--agent", "diltiazem", "--weight", "25 Mg"),
            "/patient/weight/unit: Mg is a megagram, one million grams; expected: one of: kg, g, [lb_av]",
            "a unit, refused by name",
        ),
        (("--agent", "diltiazem", "--age", "9 a"), "/patient/weight: the dose is counted per kg", "a missing weight"),
        (("--agent", "diltiazem", "--weight", "0 kg"), "/patient/weight/value: no person has this", "no weight"),
        (("--agent", "diltiazen"), "no agent has this id; did you mean diltiazem?", "a slip"),
        (("--agent", "xyzzy"), "no agent has this id", "nothing is near"),
        (("--agent", "ivig", "--regimen", "nope", *CHILD), "/regimen: this agent has no regimen", "a regimen"),
        (("--agent", "ivig", "--birth-date", "1.1.2017"), "/patient/birth_date: a calendar date", "a date"),
        (
            ("--agent", "ivig", "--divided-over-days", "9", *CHILD),
            "/options/divided_over_days: this division",
            "an option",
        ),
    ],
)
def test_refused_request_ends_with_2_and_names_the_field(arguments: tuple[str, ...], error: str, why: str) -> None:
    """A script sees exit code 2 and nothing on standard output; a person reads which field and what is accepted."""
    result = run("calculate", *arguments)

    assert (result.exit_code, result.stdout) == (2, ""), why
    assert result.stderr.startswith(error)


@pytest.mark.parametrize(
    ("arguments", "option", "why"),
    [
        (("--agent", "ivig", "--weight", "25"), "--weight", "a number without a unit"),
        (("--agent", "ivig", "--weight", "kg"), "--weight", "a unit without a number"),
        (("--agent", "ivig", "--weight", "-25 kg"), "--weight", "a sign"),
        (("--agent", "ivig", "--weight", "1e3 g"), "--weight", "an exponent"),
        (("--agent", "ivig", "--weight", "25,4 kg"), "--weight", "a decimal comma, which some read as thousands"),
        (("--agent", "ivig", "--times-per-day", "three"), "--times-per-day", "a word"),
        ((), "--agent", "no agent"),
        (("--agent", "ivig", "--condition", "icd9:250"), "--condition", "a terminology that is not read"),
        (("--agent", "ivig", "--medication", "name:warfarin"), "--medication", "no terminology at all"),
        (("--agent", "ivig", "--result", "2160-0 1.1"), "--result", "a value without a unit"),
        (("--agent", "ivig", "--result", "creatinine 1.1 mg/dL"), "--result", "a word instead of a LOINC code"),
        (("--agent", "ivig", "--result", "2160-0 1,1 mg/dL"), "--result", "a decimal comma"),
        (("--agent", "ivig", "--none", "drugs"), "--none", "a list that does not exist"),
    ],
)
def test_option_that_cannot_be_read_is_named(arguments: tuple[str, ...], option: str, why: str) -> None:
    """What cannot even be asked ends with 2 as well, and names the option."""
    result = run("calculate", *arguments)

    assert (result.exit_code, result.stdout) == (2, ""), why
    assert f"'{option}'" in result.stderr


# ---------------------------------------------------------------- safety


def section(text: str, title: str) -> list[str]:
    """Return the lines below a title, without their indent."""
    lines = text.splitlines()
    below = lines[lines.index(title) + 1 :]
    ends = (index for index, line in enumerate(below) if not line.startswith("  "))
    return [line.strip() for line in below[: next(ends)]]


def test_contraindicated_dose_is_not_printed() -> None:
    """Achalasia (K22.0) forbids alendronate: the status and the reason are printed, no amount and no working."""
    result = run("calculate", "--agent", "alendronate", "--age", "62 a", "--condition", "icd10:K22.0")
    lines = result.stdout.splitlines()

    assert (result.exit_code, lines[0]) == (0, "alendronate: contraindicated")
    assert section(result.stdout, "findings")[0].startswith(
        "contraindicated          The oesophagus empties too slowly"
    )
    assert not [line for line in lines if line.startswith(("  dose ", "  working "))]
    assert all("not computed" in line for line in section(result.stdout, "alternatives"))


def test_contraindicated_dose_is_printed_when_asked_for() -> None:
    """--include-contraindicated shows the dose below a status that still says contraindicated."""
    arguments = ("--agent", "alendronate", "--age", "62 a", "--condition", "icd10:K22.0", "--include-contraindicated")
    lines = run("calculate", *arguments).stdout.splitlines()

    assert lines[0] == "alendronate: contraindicated"
    assert "  dose         70 mg weekly" in lines


def test_pregnancy_is_asked_in_three_values() -> None:
    """--pregnant, --not-pregnant and neither: forbidden, silent, and possible with the field to give."""
    asked = ("calculate", "--agent", "methotrexate", "--age", "30 a", "--sex", "female")
    yes, no, unknown = (run(*asked, *flag).stdout for flag in (("--pregnant",), ("--not-pregnant",), ()))

    assert "contraindicated          Pregnancy; " in yes
    assert "Pregnancy; " not in no
    assert "possibly contraindicated Pregnancy; " in unknown
    assert "[patient.pregnant]" in unknown


def test_interaction_is_printed_with_both_names() -> None:
    """Apixaban (RxNorm 1364430) with diltiazem is a finding that names both."""
    result = run("calculate", "--agent", "diltiazem", *CHILD, "--medication", "rxnorm:1364430")

    assert any(
        line.startswith("major ") and "diltiazem with apixaban" in line for line in section(result.stdout, "findings")
    )


@pytest.mark.parametrize(
    ("flags", "is_open"), [((), True), (("--none", "medications"), False), (("--medication", "warfarin"), False)]
)
def test_no_medication_is_not_unknown_medication(flags: tuple[str, ...], is_open: bool) -> None:
    """Without a list interactions were not checked, and the table says so; --none medications is an answer."""
    printed = section(run("calculate", "--agent", "diltiazem", *CHILD, *flags).stdout, "not checked")

    assert is_open == any(line.startswith("interactions: without the current medication") for line in printed)


def test_unknown_code_is_printed() -> None:
    """A code that nothing knows stands under "not checked" with its place."""
    result = run("calculate", "--agent", "diltiazem", *CHILD, "--medication", "rxnorm:99999999")

    (line,) = [line for line in section(result.stdout, "not checked") if line.startswith("drugs: ")]
    assert line.endswith("[patient.medications[0]]")


def test_monitoring_shows_results_actions_and_dates() -> None:
    """A result is shown with what to do about it; with a start date each interval has a day."""
    given = ("--result", "2777-1 1.4 mg/dL", "--start-date", "2026-12-01")
    result = run("calculate", "--agent", "aluminium-hydroxide", "--age", "50 a", *given)

    expected = "out-of-range phosphate 1.4 mg/dL: Stop.  (at 2 weeks, then monthly; next on 2026-12-31)"
    assert expected in section(result.stdout, "monitoring")


def test_monitoring_without_a_start_has_no_dates() -> None:
    """No day is made up."""
    result = run("calculate", "--agent", "aluminium-hydroxide", "--age", "50 a")

    assert not any("next on" in line for line in section(result.stdout, "monitoring"))


def test_result_in_another_unit_counts_the_same() -> None:
    """Creatinine of 221 umol/L is 2.5 mg/dL: 29.75 mL/min for this woman, below the 35 of alendronate."""
    woman = ("--age", "50 a", "--weight", "70 kg", "--sex", "female")
    for given in ("2160-0 2.5 mg/dL", "14682-9 221 umol/L"):
        result = run("calculate", "--agent", "alendronate", *woman, "--result", given)
        assert (
            "  major                    Creatinine clearance below 35 mL/min, or kidney disease of stage 4 or 5 "
            "(creatinine clearance 29.75" in result.stdout
        )


# ---------------------------------------------------------------- knowledge


def test_packaged_knowledge_is_valid(knowledge: KnowledgeBase) -> None:
    """The counts and the digest of what was checked are printed."""
    result = run("knowledge", "validate")

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(f"{len(knowledge.agents)} agents, ")
    assert f"{len(knowledge.references)} references: valid ({knowledge.digest})\n" in result.stdout


def test_copied_knowledge_is_the_same(folder: Path) -> None:
    """A folder of knowledge is checked like the packaged one, and its digest depends on nothing but its text."""
    assert run("knowledge", "validate").stdout == run("knowledge", "validate", str(folder)).stdout


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "why"),
    [
        (
            "agents/diltiazem.yaml",
            "unit: mg/kg/d, per: day",
            "unit: Mg/kg/d, per: day",
            "agents/diltiazem.yaml: regimens.0.dose.unit: unknown unit 'Mg/kg/d'",
            "a unit",
        ),
        ("references.yaml", "kind: review", "kind: rumour", "references.yaml: traineau-2020.kind: ", "a citation"),
        ("release.yaml", "version:", "verson:", "release.yaml: ", "a key"),
    ],
)
def test_broken_knowledge_is_one_line(folder: Path, file: str, old: str, new: str, line: str, why: str) -> None:
    """Whoever edits knowledge gets exit code 1 and one line with file, path and reason; no traceback."""
    spoil(folder / file, old, new)

    result = run("knowledge", "validate", str(folder))

    assert (result.exit_code, result.stdout) == (1, ""), why
    assert result.stderr.startswith(line)
    assert result.stderr.count("\n") == 1


def test_known_answer_that_does_not_come_out_is_named(folder: Path) -> None:
    """An edit that changes a dose worked out by hand is not valid, and the sentence that is no longer true is shown."""
    spoil(folder / "agents" / "diltiazem.yaml", "{low: 2, high: 4, unit: mg/kg/d", "{low: 2, high: 5, unit: mg/kg/d")

    result = run("knowledge", "validate", str(folder))

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [
        "known_answers.yaml: does not come out: A child of 25 kg gets 50 to 100 mg of diltiazem a day."
    ]


def test_folder_that_does_not_exist_is_named() -> None:
    """A path that is wrong is a matter of the command line."""
    result = run("knowledge", "validate", "/does/not/exist")

    assert result.exit_code == 2
    assert "/does/not/exist" in result.stderr


def test_every_agent_is_listed(knowledge: KnowledgeBase) -> None:
    """One line for each agent, which begins with its id."""
    result = run("knowledge", "show")

    assert list(knowledge.agents) == [line.split()[0] for line in result.stdout.splitlines()]


def test_one_agent_is_shown(knowledge: KnowledgeBase) -> None:
    """The evidence in a sentence, then each regimen; the default is marked."""
    first, *others = run("knowledge", "show", "diltiazem").stdout.splitlines()

    assert first.startswith("diltiazem (calcium-channel-blocker): weak. ")
    assert list(knowledge.agents["diltiazem"].regimens) == [line[2:].split()[0] for line in others]
    assert [line[0] for line in others].index("*") == 0


def test_unknown_agent_is_not_shown() -> None:
    """The nearest ids are offered."""
    result = run("knowledge", "show", "diltiazen")

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "no agent has this id; did you mean diltiazem?\n"


@pytest.mark.parametrize("arguments", [("calculate", "--agent", "ivig"), ("knowledge", "show"), ("openapi",)])
def test_command_ends_when_the_knowledge_does_not_load(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    """Without its knowledge no command does anything but say so."""

    def fail(_: Any = None) -> None:
        raise KnowledgeError("agents/ivig.yaml", "id", "the id is not the file's name")

    monkeypatch.setattr("dosing_service.knowledge.load", fail)

    result = run(*arguments)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "agents/ivig.yaml: id: the id is not the file's name\n"


# ---------------------------------------------------------------- the rest


def test_contract_is_printed() -> None:
    """`openapi` prints the contract, ready to be written to openapi.yaml."""
    result = run("openapi")

    assert result.exit_code == 0
    assert yaml.safe_load(result.stdout)["info"]["version"] == __version__
    assert (ROOT / "openapi.yaml").read_text(encoding="utf-8") == result.stdout


def test_version_is_printed() -> None:
    """--version says what is installed."""
    assert __version__ in run("--version").stdout


def test_server_does_not_start_outside_the_project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without gunicorn.conf.py the server would start with settings that nobody chose."""
    monkeypatch.chdir(tmp_path)

    result = run("serve")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "gunicorn.conf.py is not in this folder; run serve in the project's folder\n"


def test_server_replaces_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the project's folder gunicorn takes the place of the command, so that signals reach it."""
    started: list[Any] = []
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(os, "execv", lambda program, arguments: started.extend((program, arguments)))

    result = run("serve")

    assert result.exit_code == 0
    program, arguments = started
    assert program == sys.executable
    assert arguments[1:5] == ["-m", "gunicorn", "--config", "gunicorn.conf.py"]


def test_dated_weights_are_part_of_the_request() -> None:
    """The day of a weight and an earlier weight reach the rules: a jump of 2.2 is named on the command line."""
    arguments = [
        *("calculate", "--agent", "diltiazem", "--age", "9 a", "--as-of", "2026-11-21"),
        *("--weight", "55.1 kg", "--weight-measured-on", "2026-11-21"),
        *("--previous-weight", "25 kg", "--previous-weight-measured-on", "2026-10-21"),
    ]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert "the factor between is that of pounds and kilograms" in result.output
    assert "weight-date" not in result.output
