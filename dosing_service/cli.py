"""The command line: the same answers as over HTTP, for people and scripts."""

import os
import re
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

import click

from dosing_service import __version__, create_app, knowledge, service
from dosing_service.errors import DosingError, InvalidRequest, UnknownId
from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.model import Assessment, Dose, Finding, MonitoringItem, NotChecked, ScheduleEntry, Step, Verdict
from dosing_service.units import display_range, exact_text

_SYSTEMS = {
    "rxnorm": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "atc": "http://www.whocc.no/atc",
    "snomed": "http://snomed.info/sct",
    "icd10": "http://hl7.org/fhir/sid/icd-10-cm",
}
_RESULT = re.compile(r"\s*([0-9]+-[0-9])\s+(-?[0-9]+(?:\.[0-9]+)?)\s+(\S+)\s*")
_QUANTITY = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z\[][A-Za-z_\]]*)\s*")


class _Quantity(click.ParamType[dict[str, Any]]):
    """A number with its unit, ``25 kg``; which units fit is decided by the contract, not here."""

    name = "quantity"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, Any]:
        match = _QUANTITY.fullmatch(str(value))
        if match is None:
            self.fail('a number and a unit are expected, for example "25 kg"', param, ctx)
        return {"value": Decimal(match[1]), "unit": match[2]}


class _Code(click.ParamType[Any]):
    """A code with its terminology, ``icd10:K22.4``, or an id of the knowledge base."""

    name = "code"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        prefix, _, code = str(value).partition(":")
        if not code:
            return value
        if prefix not in _SYSTEMS:
            self.fail(f"{prefix!r} is none of {', '.join(_SYSTEMS)}", param, ctx)
        return {"system": _SYSTEMS[prefix], "code": code}


class _Result(click.ParamType[dict[str, Any]]):
    """A laboratory value or vital sign, ``2160-0 1.1 mg/dL``."""

    name = "result"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, Any]:
        match = _RESULT.fullmatch(str(value))
        if match is None:
            self.fail('LOINC code, value and unit are expected, for example "2160-0 1.1 mg/dL"', param, ctx)
        return {"code": match[1], "value": Decimal(match[2]), "unit": match[3]}


_LIST_NAMES = ("conditions", "allergies", "medications", "observations")
_GROUPS = {
    "patient": (
        *("age", "birth_date", "sex", "weight", "previous_weight", "height", "pregnant", "lactating"),
        *_LIST_NAMES,
    ),
    "indication": ("disease", "lesion"),
    "options": (
        *("times_per_day", "divided_over_days", "volume", "product", "dosing_weight", "jurisdiction"),
        *("start_date", "schedule_until", "courses", "already_given"),
        *("include_contraindicated", "include_outside_population", "body_surface_area_formula"),
    ),
}


@click.group()
@click.version_option(__version__)
def main() -> None:
    """Documented doses for calcinosis cutis. Decision support for professionals, not clinically approved."""


@main.command()
@click.option("--agent", required=True, help="Agent id, for example diltiazem.")
@click.option("--regimen", help="Regimen id; default: the agent's own default.")
@click.option("--disease", help="Disease id, for example juvenile-dermatomyositis.")
@click.option("--lesion", help="small or large.")
@click.option("--age", type=_Quantity(), help='Age, for example "9 a" or "18 mo".')
@click.option("--birth-date", help="Birth date, YYYY-MM-DD, instead of the age.")
@click.option("--as-of", help="The day on which the age counts, YYYY-MM-DD; default: today.")
@click.option("--sex", help="female, male or other.")
@click.option("--weight", type=_Quantity(), help='Body weight, for example "25 kg" or "55.1 lb".')
@click.option("--weight-measured-on", help="The day of the weight, YYYY-MM-DD.")
@click.option("--previous-weight", type=_Quantity(), help="An earlier weight, to find a jump.")
@click.option("--previous-weight-measured-on", help="The day of the earlier weight, YYYY-MM-DD.")
@click.option("--height", type=_Quantity(), help='Height, for example "128 cm".')
@click.option("--pregnant/--not-pregnant", default=None, help="Pregnancy; unknown when left out.")
@click.option("--lactating/--not-lactating", default=None, help="Breast-feeding; unknown when left out.")
@click.option(
    "--condition", "conditions", multiple=True, type=_Code(), help="Diagnosis: an id, snomed:CODE or icd10:CODE."
)
@click.option("--allergy", "allergies", multiple=True, type=_Code(), help="Allergy: an id, rxnorm:CODE or snomed:CODE.")
@click.option("--medication", "medications", multiple=True, type=_Code(), help="An id, rxnorm:CODE or atc:CODE.")
@click.option("--none", "none", multiple=True, type=click.Choice(_LIST_NAMES), help="Say that there are none of these.")
@click.option("--result", "observations", multiple=True, type=_Result(), help='"LOINC VALUE UNIT", "2160-0 1.1 mg/dL".')
@click.option("--start-date", help="First day of treatment, YYYY-MM-DD; dates administrations and monitoring.")
@click.option("--schedule-until", help="Last day of the schedule, YYYY-MM-DD; default: one course, or 12 weeks.")
@click.option("--courses", type=int, help="So many courses, where the source says when the next begins; default: 1.")
@click.option(
    "--already-given", type=_Quantity(), help='What was already given, for example "30 g"; "0 g" for nothing.'
)
@click.option("--jurisdiction", help="US, EU, UK, FR or AU; without it the strictest rule speaks.")
@click.option("--times-per-day", type=int, help="Divide a daily amount.")
@click.option("--divided-over-days", type=int, help="Divide a course total over so many days.")
@click.option("--volume", type=_Quantity(), help='Volume given at one site, for example "0.5 mL".')
@click.option("--product", help="Product id of the agent; its formulation decides which maximum applies.")
@click.option("--dosing-weight", help="actual, ideal, adjusted or lean.")
@click.option("--body-surface-area-formula", help="mosteller (default), dubois, haycock, gehan-george or boyd.")
@click.option("--include-contraindicated", is_flag=True, help="Show a dose that is contraindicated.")
@click.option(
    "--include-outside-population", is_flag=True, help="Compute a regimen that is not documented for this patient."
)
@click.option("--json", "as_json", is_flag=True, help="Print the body of POST /v1/dose-calculations.")
def calculate(*, as_json: bool, **given: Any) -> None:
    """Compute the documented dose of one agent for one patient."""
    from dosing_service.api.answers import AnswerWriter  # noqa: PLC0415 - only needed here; the other commands start faster
    from schemas.reading import dose_request  # noqa: PLC0415 - as above

    known = _knowledge()
    try:
        assessment = service.calculate_dose(dose_request(_document(given)), known)
    except (InvalidRequest, UnknownId) as error:
        _refuse(error)
    if as_json:
        sys.stdout.buffer.write(AnswerWriter(known).write(assessment) + b"\n")
    else:
        click.echo("\n".join(_table(assessment, known)))


def _document(given: dict[str, Any]) -> dict[str, Any]:
    """Return the options of the command line as the body of a request. A list that was not given is unknown."""
    present = {name: _exact(value) for name, value in given.items() if value is not None and value != ()}
    for name in ("weight", "previous_weight"):
        if name in present and f"{name}_measured_on" in present:
            present[name] |= {"measured_on": present[f"{name}_measured_on"]}
    present |= {name: [] for name in given.get("none", ()) if name not in present}
    for flag in ("include_contraindicated", "include_outside_population"):
        if not present.get(flag):
            present.pop(flag, None)
    document: dict[str, Any] = {name: present[name] for name in ("agent", "regimen", "as_of") if name in present}
    for group, names in _GROUPS.items():
        members = {name: present[name] for name in names if name in present}
        if members:
            document[group] = members
    return document


def _exact(value: Any) -> Any:
    """Return a value of the command line as the strict JSON reader would: numbers as decimals, several as a list."""
    if isinstance(value, tuple):
        return list(value)
    return Decimal(value) if type(value) is int else value


def _refuse(error: InvalidRequest | UnknownId) -> NoReturn:
    if isinstance(error, UnknownId):
        nearest = f"; did you mean {' or '.join(error.nearest)}?" if error.nearest else ""
        click.echo(f"{error}{nearest}", err=True)
    else:
        for item in error.problems:
            click.echo(f"{item.pointer or 'request'}: {item.detail}; expected: {item.expected}", err=True)
    sys.exit(2)


def _knowledge() -> KnowledgeBase:
    try:
        return knowledge.load()
    except DosingError as error:
        click.echo(str(error), err=True)
        sys.exit(1)


def _table(assessment: Assessment, known: KnowledgeBase) -> Iterator[str]:
    agent = known.agents[assessment.agent]
    regimen = agent.regimens[assessment.regimen] if assessment.regimen else None
    yield f"{agent.name}: {assessment.status.value}"
    if regimen:
        yield f"  regimen      {regimen.id} ({regimen.name}; {regimen.route})"
    if assessment.dose:
        strength = [assessment.dose.concentration] if assessment.dose.concentration else []
        for amount in (*assessment.dose.amounts, *strength):
            yield f"  dose         {amount.text}"
        yield from _plan(assessment.dose)
        for made in assessment.dose.practical or ():
            yield f"  in products  {made.text}"
    yield from _working(assessment.derivation)
    yield from _section("findings", (_finding_line(item) for item in assessment.findings), assessment.findings)
    yield from _section("monitoring", (_monitoring_line(item) for item in assessment.monitoring), assessment.monitoring)
    yield from _alternatives(assessment, known)
    yield from _section(
        "not checked", (_not_checked_line(item) for item in assessment.not_checked), assessment.not_checked
    )
    yield f"knowledge {known.version} {known.digest[:19]}…"
    yield service.NOTICE


def _plan(dose: Dose) -> Iterator[str]:
    """Yield how the dose runs in, on which days it is given, and what is left of it."""
    if dose.infusion:
        volumes, steps, maxima = dose.infusion.volumes, dose.infusion.steps, dose.infusion.maxima
        lines = [*(item.text for item in volumes), *(item.text for item in steps)]
        lines += [text for item in maxima for text in (item.text, *(span.text for span in item.shortest))]
        lines += [item.text for item in (dose.infusion.rate, dose.infusion.time) if item]
        yield from (f"  infusion     {line}" for line in lines)
    for entry in dose.schedule or ():
        yield f"  schedule     {_days(entry)}  {entry.text}"
    summary = dose.schedule_summary
    if summary and summary.why:
        yield f"  schedule     … ({summary.why})"
    if summary and summary.total:
        total = display_range(summary.total.low, summary.total.high, summary.total.unit)
        yield f"  schedule     {total} in {'all' if summary.complete else 'what is shown'}"
    texts = [*([dose.remaining.text] if dose.remaining else []), *(item.text for item in dose.cumulative)]
    yield from (f"  total        {text}" for text in texts)


def _days(entry: ScheduleEntry) -> str:
    """Return the day of an entry, or its first and last day; where a day may come later, until when."""
    first = f"{entry.on} (to {entry.on_latest})" if entry.on_latest else f"{entry.on}"
    if entry.until == entry.on:
        return first
    last = f"{entry.until}" if entry.until else "no end"
    latest = f" (at most to {entry.until_latest})" if entry.until_latest else ""
    return f"{first} to {last}{latest}"


def _working(steps: tuple[Step, ...]) -> Iterator[str]:
    for step in steps:
        yield f"  working      {step.expression} = {step.result}  [{', '.join(step.references)}]"


def _section(title: str, lines: Iterator[str], items: tuple[object, ...]) -> Iterator[str]:
    if items:
        yield title
        yield from (f"  {line}" for line in lines)


def _finding_line(item: Finding) -> str:
    grade = f"possibly {item.severity.value}" if item.verdict is Verdict.POSSIBLE else item.severity.value
    lines = [f"{grade:<24} {item.summary}"]
    lines += [f"{'':<24}   {position.says}: {position.text}" for position in item.positions]
    return "\n  ".join(lines)


def _monitoring_line(item: MonitoringItem) -> str:
    when = item.interval or ("before the start" if item.baseline else "")
    result = f" {exact_text(item.result.value)} {item.result.unit}" if item.result else ""
    action = f": {item.action}" if item.action else ""
    due = f"; next on {item.next_on}" if item.next_on else ""
    return f"{item.status.value:<12} {item.parameter}{result}{action}  ({when}{due})"


def _not_checked_line(item: NotChecked) -> str:
    """Return a check that did not run, with the fields of a request that would let it run."""
    needs = f"  [{', '.join(item.needs)}]" if item.needs else ""
    return f"{item.check}: {item.why}{needs}"


def _alternatives(assessment: Assessment, known: KnowledgeBase) -> Iterator[str]:
    regimens = known.agents[assessment.agent].regimens
    lines = []
    for item in assessment.alternatives:
        texts = item.dose.amounts if item.dose else ()
        amount = texts[0].text if texts else "not computed"
        lines.append(f"{item.regimen:<40} {amount}  ({regimens[item.regimen].use}, {item.verdict.value})")
    yield from _section("alternatives", iter(lines), assessment.alternatives)


@main.group("knowledge")
def knowledge_() -> None:
    """Look at the knowledge base."""


@knowledge_.command()
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
def validate(folder: Path | None) -> None:
    """Check the knowledge files (in FOLDER, or those of the service) and reproduce the known answers."""
    from dosing_service.selftest import failures  # noqa: PLC0415 - only needed here

    try:
        known = knowledge.load(folder)
    except DosingError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    failed = failures(known)
    for sentence in failed:
        click.echo(f"known_answers.yaml: does not come out: {sentence}", err=True)
    if failed:
        sys.exit(1)
    regimens = sum(len(agent.regimens) for agent in known.agents.values())
    click.echo(
        f"{len(known.agents)} agents, {regimens} regimens, {len(known.references)} references: valid ({known.digest})"
    )


@knowledge_.command()
@click.argument("agent", required=False)
def show(agent: str | None) -> None:
    """List the agents, or the regimens of one AGENT."""
    known = _knowledge()
    if agent is None:
        for item in known.agents.values():
            click.echo(f"{item.id:<34} {item.kind:<10} {item.evidence.verdict:<16} {item.default_regimen or '-'}")
        return
    try:
        found = service.find_agent(agent, known)
    except UnknownId as error:
        _refuse(error)
    click.echo(f"{found.name} ({found.class_}): {found.evidence.verdict}. {found.evidence.summary}")
    for regimen in found.regimens.values():
        mark = "*" if regimen.id == found.default_regimen else " "
        click.echo(f"{mark} {regimen.id:<40} {regimen.use:<18} {regimen.name}")


@main.command()
def openapi() -> None:
    """Print the OpenAPI document that is generated from the code."""
    from dosing_service.api.contract import as_yaml_text  # noqa: PLC0415 - only needed here
    from dosing_service.api.specification import specification  # noqa: PLC0415 - only needed here

    click.echo(as_yaml_text(specification(create_app(known=_knowledge()).test_client())), nl=False)


@main.command()
def serve() -> None:
    """Start gunicorn with gunicorn.conf.py of the current folder (HOST, PORT and WEB_CONCURRENCY are read there)."""
    if not Path("gunicorn.conf.py").is_file():
        click.echo("gunicorn.conf.py is not in this folder; run serve in the project's folder", err=True)
        sys.exit(1)
    arguments = [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py", "dosing_service.wsgi:application()"]
    os.execv(sys.executable, arguments)  # noqa: S606 - replaces this process, so that signals reach gunicorn


if __name__ == "__main__":
    main()
