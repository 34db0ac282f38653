"""The commands for terminologies that are not part of the service: a local index of RxNorm."""

import sys
from pathlib import Path

import click

from dosing_service.terminology import IndexFault
from dosing_service.terminology.release import import_release

_FILE = click.Path(path_type=Path)


@click.group("terminology")
def terminology_() -> None:
    """Look after the local RxNorm index."""


@terminology_.command("import")
@click.argument("concepts", type=_FILE, metavar="RXNCONSO.RRF")
@click.argument("relations", type=_FILE, metavar="RXNREL.RRF")
@click.option(
    "--to", "target", type=_FILE, default=Path("rxnorm.sqlite"), show_default=True, help="The index to write."
)
def import_(concepts: Path, relations: Path, target: Path) -> None:
    """Build the index that DOSING_RXNORM_INDEX names, out of two files of a public RxNorm release."""
    try:
        counts = import_release(concepts, relations, target)
    except IndexFault as fault:
        click.echo(str(fault), err=True)
        sys.exit(1)
    click.echo(
        f"{target}: {counts.concepts} codes, {counts.ingredients} ingredients; "
        f"{counts.resolved} of {counts.drugs} clinical and branded drugs have their ingredients"
    )
