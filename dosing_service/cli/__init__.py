"""The command line: the same answers as over HTTP, for people and scripts."""

import click

from dosing_service import __version__
from dosing_service.cli.calculate import calculate
from dosing_service.cli.check import check
from dosing_service.cli.terminology import terminology_
from dosing_service.cli.upkeep import knowledge_, openapi, serve


@click.group()
@click.version_option(__version__)
def main() -> None:
    """Documented doses for calcinosis cutis. Decision support for professionals, not clinically approved."""


for _command in (calculate, check, knowledge_, openapi, serve, terminology_):
    main.add_command(_command)
