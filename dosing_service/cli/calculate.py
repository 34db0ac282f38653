"""``dosing-service calculate``: the answer of ``POST /v1/dose-calculations``."""

import sys
from typing import Any

import click

from dosing_service import service
from dosing_service.cli.reading import Quantity, about_patient, body, loaded, refuse
from dosing_service.cli.text import of_dose
from dosing_service.errors import InvalidRequest, UnknownId

_ALONE = ("agent", "regimen", "as_of")
_GROUPS = {
    "indication": ("disease", "lesion"),
    "options": (
        *("times_per_day", "divided_over_days", "volume", "product", "dosing_weight", "jurisdiction"),
        *("start_date", "schedule_until", "courses", "already_given"),
        *("include_contraindicated", "include_outside_population", "body_surface_area_formula"),
    ),
}


@click.command()
@click.option("--agent", required=True, help="Agent id, for example diltiazem.")
@click.option("--regimen", help="Regimen id; default: the agent's own default.")
@click.option("--disease", help="Disease id, for example juvenile-dermatomyositis.")
@click.option("--lesion", help="small or large.")
@about_patient
@click.option("--start-date", help="First day of treatment, YYYY-MM-DD; dates administrations and monitoring.")
@click.option("--schedule-until", help="Last day of the schedule, YYYY-MM-DD; default: one course, or 12 weeks.")
@click.option("--courses", type=int, help="So many courses, where the source says when the next begins; default: 1.")
@click.option("--already-given", type=Quantity(), help='What was already given, for example "30 g"; "0 g" for nothing.')
@click.option("--jurisdiction", help="US, EU, UK, FR or AU; without it the strictest rule speaks.")
@click.option("--times-per-day", type=int, help="Divide a daily amount.")
@click.option("--divided-over-days", type=int, help="Divide a course total over so many days.")
@click.option("--volume", type=Quantity(), help='Volume given at one site, for example "0.5 mL".')
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

    known = loaded()
    try:
        assessment = service.calculate_dose(dose_request(body(given, _GROUPS, _ALONE)), known)
    except (InvalidRequest, UnknownId) as error:
        refuse(error)
    if as_json:
        sys.stdout.buffer.write(AnswerWriter(known).write(assessment) + b"\n")
    else:
        click.echo("\n".join(of_dose(assessment, known)))
