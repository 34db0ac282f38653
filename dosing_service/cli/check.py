"""``dosing-service check``: the answer of ``POST /v1/order-checks``, about one order or about a file with several."""

import sys
from collections.abc import Mapping
from typing import Any, BinaryIO

import click

from dosing_service import service
from dosing_service.cli.reading import Code, Quantity, about_patient, body, loaded, refuse
from dosing_service.cli.text import of_orders
from dosing_service.errors import InvalidRequest, MalformedBody

_ORDER = ("agent", "regimen", "dose", "route", "duration", "already_given")
_FREQUENCY = ("times", "every", "once", "as_needed", "count", "repeat_every")


@click.command()
@click.option("--file", type=click.File("rb"), help="The body of a request with one or several orders; - reads stdin.")
@click.option("--agent", type=Code(), help="Agent id, rxnorm:CODE (also of a product) or atc:CODE.")
@click.option("--dose", type=Quantity(), help='What is given each time: "70 mg", "2 mg/kg/d", "1 {tablet}".')
@click.option("--times", type=int, help="So many times in each --every.")
@click.option("--every", type=Quantity(), help='The period of the frequency, for example "1 d", "8 h", "1 wk".')
@click.option("--once", is_flag=True, help="A single dose.")
@click.option("--as-needed", is_flag=True, help="As needed; --times and --every are the most.")
@click.option("--count", type=int, help="Number of administrations of one course.")
@click.option("--repeat-every", type=Quantity(), help='When the next course begins, for example "4 wk".')
@click.option("--route", help="oral, intravenous, subcutaneous, ...")
@click.option("--duration", type=Quantity(), help='How long it is given, for example "30 d".')
@click.option("--product", help="Product id of the agent.")
@click.option("--regimen", help="The regimen that is meant; default: all that apply.")
@click.option("--infusion-duration", type=Quantity(), help='Over how long it runs, for example "2 h".')
@click.option("--infusion-rate", type=Quantity(), help='How fast it runs, for example "100 mL/h".')
@click.option("--already-given", type=Quantity(), help='What was given before, for example "30 g"; "0 g" for nothing.')
@about_patient
@click.option("--jurisdiction", help="US, EU, UK, FR or AU; without it the strictest rule speaks.")
@click.option("--json", "as_json", is_flag=True, help="Print the body of POST /v1/order-checks.")
def check(*, file: BinaryIO | None, as_json: bool, **given: Any) -> None:
    """Check a proposed order against the documented doses and the patient."""
    from dosing_service.api.order_checks import OrderCheckWriter  # noqa: PLC0415 - only needed here; the other commands start faster
    from dosing_service.http.strict_json import decode  # noqa: PLC0415 - as above
    from schemas.reading import order_request  # noqa: PLC0415 - as above

    if file is not None and any(value not in (None, (), False) for value in given.values()):
        raise click.UsageError("--file holds the whole request: leave the other options out")
    known = loaded()
    try:
        document = decode(file.read()) if file is not None else _document(given)
        answer = service.check_orders(order_request(document), known)
    except InvalidRequest as error:
        refuse(error)
    except MalformedBody as error:
        refuse(InvalidRequest(error.problem))
    if as_json:
        sys.stdout.buffer.write(OrderCheckWriter(known).write(answer) + b"\n")
    else:
        click.echo("\n".join(of_orders(answer, known)))


def _document(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options as a request about one order."""
    groups = {"options": ("jurisdiction",), "order": _ORDER, "frequency": _FREQUENCY}
    document = body(given, groups, ("as_of",))
    order = {"id": "order"} | document.pop("order", {})
    if "frequency" in document:
        order["frequency"] = document.pop("frequency")
    if given["product"] is not None:
        order["product"] = {"id": given["product"]}
    infusion = {name: given[f"infusion_{name}"] for name in ("duration", "rate") if given[f"infusion_{name}"]}
    if infusion:
        order["infusion"] = infusion
    return document | {"orders": [order]}
