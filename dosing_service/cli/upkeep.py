"""The commands for those who run the service or write its knowledge."""

import os
import sys
from pathlib import Path

import click

from dosing_service import create_app, knowledge, service
from dosing_service.cli.reading import loaded, refuse
from dosing_service.config import Settings
from dosing_service.errors import DosingError, UnknownId


@click.group("knowledge")
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
    known = loaded()
    if agent is None:
        for item in known.agents.values():
            click.echo(f"{item.id:<34} {item.kind:<10} {item.evidence.verdict:<16} {item.default_regimen or '-'}")
        return
    try:
        found = service.find_agent(agent, known)
    except UnknownId as error:
        refuse(error)
    click.echo(f"{found.name} ({found.class_}): {found.evidence.verdict}. {found.evidence.summary}")
    for regimen in found.regimens.values():
        mark = "*" if regimen.id == found.default_regimen else " "
        click.echo(f"{mark} {regimen.id:<40} {regimen.use:<18} {regimen.name}")


@click.command()
def openapi() -> None:
    """Print the OpenAPI document that is generated from the code."""
    from dosing_service.api.contract import as_yaml_text  # noqa: PLC0415 - only needed here
    from dosing_service.api.specification import specification  # noqa: PLC0415 - only needed here

    click.echo(as_yaml_text(specification(create_app(Settings(), loaded()).test_client())), nl=False)


@click.command()
def serve() -> None:
    """Start gunicorn with gunicorn.conf.py of the current folder (HOST, PORT and WEB_CONCURRENCY are read there)."""
    if not Path("gunicorn.conf.py").is_file():
        click.echo("gunicorn.conf.py is not in this folder; run serve in the project's folder", err=True)
        sys.exit(1)
    arguments = [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py", "dosing_service.wsgi:application()"]
    os.execv(sys.executable, arguments)  # noqa: S606 - replaces this process, so that signals reach gunicorn
