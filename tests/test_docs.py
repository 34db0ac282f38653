"""The documents say what is true: commands, settings, examples, bounds, links, decisions."""

import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from dosing_service import __version__
from dosing_service.cds_hooks.callback import BUDGET_SECONDS
from dosing_service.cds_hooks.feedback import MAX_ENTRIES
from dosing_service.cds_hooks.markdown import MOST_SUMMARY
from dosing_service.cli import main
from dosing_service.config import Settings
from dosing_service.http.strict_json import MAX_DEPTH
from dosing_service.model import Status
from schemas.fields import MAX_DIGITS

PROJECT = Path(__file__).resolve().parents[1]
#: Stands for lines, entries or the rest of a line that a document leaves out.
GAP = "…"


def own_documents() -> Iterator[str]:
    """Yield every Markdown file of the project, without those of installed packages and caches."""
    for path in sorted(PROJECT.rglob("*.md")):
        name = path.relative_to(PROJECT)
        if not any(part.startswith(".") or part in {"build", "dist"} for part in name.parts):
            yield str(name)


DOCUMENTS = list(own_documents())


def read(name: str) -> str:
    return (PROJECT / name).read_text("utf-8")


def blocks(name: str) -> list[tuple[str, str]]:
    """Return language and text of every fenced block."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", read(name), re.MULTILINE | re.DOTALL)


def http_examples() -> list[Any]:
    """Return every curl command that is followed by a block of JSON, with that JSON."""
    return [
        pytest.param(command, answer, id=f"{name}-{index}")
        for name in DOCUMENTS
        for index, ((_, command), (language, answer)) in enumerate(pairwise(blocks(name)))
        if command.startswith("curl ") and language == "json"
    ]


def console_examples() -> list[Any]:
    """Return every command of a console block, with the lines shown below it."""
    return [
        pytest.param(command, shown, id=f"{name}-{command}")
        for name in DOCUMENTS
        for language, text in blocks(name)
        if language == "console"
        for command, shown in re.findall(r"^\$ (.+)\n((?:[^$\n].*\n)*)", text, re.MULTILINE)
    ]


def is_part(shown: Any, real: Any) -> bool:
    """Tell whether ``shown`` is ``real`` with fields left out of objects, and entries where a list shows a gap."""
    if isinstance(shown, dict):
        return isinstance(real, dict) and all(key in real and is_part(shown[key], real[key]) for key in shown)
    if isinstance(shown, list):
        rest = iter(real)
        in_order = all(any(is_part(item, other) for other in rest) for item in shown if item != GAP)
        return in_order and (GAP in shown or len(shown) == len(real))
    return bool(shown == real)


@pytest.mark.parametrize(("command", "shown"), http_examples())
def test_http_example_gives_what_is_shown(command: str, shown: str, client: FlaskClient) -> None:
    """The request of a curl command, sent to the service, gives the values that stand below it."""
    words = shlex.split(command)
    options = dict(pairwise(words))
    (address,) = [word for word in words if word.startswith("http://127.0.0.1:8080/")]
    path = address.removeprefix("http://127.0.0.1:8080")
    method = "POST" if "-d" in options else "GET"
    media_type = options.get("-H", "").removeprefix("Content-Type: ")
    answer = client.open(path, method=method, data=options.get("-d"), content_type=media_type)
    real = json.loads(answer.get_data(), parse_float=Decimal)
    assert is_part(json.loads(shown, parse_float=Decimal), real), json.dumps(real, indent=1, default=str)


@pytest.mark.parametrize(("command", "shown"), console_examples())
def test_console_example_prints_what_is_shown(command: str, shown: str) -> None:
    """The command prints the lines below it in this order; nothing is left out where no gap is shown."""
    program, *arguments = shlex.split(command)
    assert program == ".venv/bin/dosing-service"
    printed = CliRunner().invoke(main, arguments).output
    lines = [r"(?:.*\n)+" if line == GAP else re.escape(line).replace(GAP, ".*") + "\n" for line in shown.splitlines()]
    assert re.fullmatch("".join(lines), printed), printed


def test_readme_shows_both_faces() -> None:
    """The tour has examples of HTTP and of the command line for the two tests above, and none goes unseen by them."""
    languages = [language for language, _ in blocks("README.md")]
    assert languages.count("json") == sum(str(case.id).startswith("README.md") for case in http_examples()) > 0
    assert languages.count("console") == sum(str(case.id).startswith("README.md") for case in console_examples()) > 0


def test_commands_exist() -> None:
    """Every `make` goal in a document is one of the Makefile."""
    match = re.search(r"^\.PHONY: (.+)$", read("Makefile"), re.MULTILINE)
    assert match is not None
    named = {goal for name in DOCUMENTS for goal in re.findall(r"(?:`|^)make ([a-z]+)", read(name), re.MULTILINE)}
    assert {"run", "test", "bench"} <= named <= set(match[1].split())


@pytest.mark.parametrize("name", ["README.md", "docs/operations.md"])
def test_settings_are_those_of_the_code(name: str) -> None:
    """The table of settings names each environment variable that is read, with its default, and no other."""
    own = {f"DOSING_{field.name.upper()}": as_cell(field.default) for field in fields(Settings)}
    servers = re.findall(r'os\.environ\.get\("(\w+)", "(.*?)"\)', read("gunicorn.conf.py"))
    shown = dict(re.findall(r"^\| `([A-Z_]+)` \| (`.*?`|nothing) \|", read(name), re.MULTILINE))
    assert own | {variable: as_cell(default) for variable, default in servers} == shown


def as_cell(default: object) -> str:
    """Return a default as a table shows it; an empty list and a file that is not named are nothing."""
    return "nothing" if default in ((), None) else f"`{default}`"


def test_no_document_names_a_setting_that_does_not_exist() -> None:
    """A variable with the service's prefix is a setting, except the one that shows how an unknown one is refused."""
    known = {f"DOSING_{field.name.upper()}" for field in fields(Settings)}
    named = {word for name in DOCUMENTS for word in re.findall(r"DOSING_[A-Z_]+", read(name))}
    assert known == named - {"DOSING_FOO"}


@pytest.mark.parametrize("bound", [f"{MAX_DEPTH} levels", f"{MAX_DIGITS} digits", f"{Settings().max_body_bytes} bytes"])
def test_bounds_of_input_are_those_of_the_code(bound: str) -> None:
    """SECURITY.md states the bounds that the reader of requests holds."""
    assert bound in read("SECURITY.md")


def test_prefetch_to_type_in_is_that_of_discovery(client: FlaskClient) -> None:
    """Whoever types the queries of the guide in by hand asks for what discovery asks for, in every service."""
    text = next(text for _, text in blocks("docs/cds-hooks.md") if text.startswith("patient "))
    queries = re.findall(r"^(\w+) +(.+\n(?: +.+\n)*)", text, re.MULTILINE)
    shown = {key: "".join(query.split()) for key, query in queries}
    services = client.get("/cds-services").get_json()["services"]
    assert [shown] * len(services) == [service["prefetch"] for service in services]


@pytest.mark.parametrize(
    ("bound", "name"),
    [
        (f"{BUDGET_SECONDS} seconds", "docs/cds-hooks.md"),
        (f"{BUDGET_SECONDS} seconds", "docs/operations.md"),
        (f"{Settings().cds_max_body_bytes} bytes", "docs/cds-hooks.md"),
        (f"{Settings().cds_max_body_bytes} bytes", "SECURITY.md"),
        (f"{MAX_ENTRIES} entries", "docs/cds-hooks.md"),
        (f"{MOST_SUMMARY} characters", "docs/cds-hooks.md"),
    ],
)
def test_bounds_of_cds_hooks_are_those_of_the_code(bound: str, name: str) -> None:
    """A time or size that a client has to reckon with is the one that holds."""
    assert bound in read(name)


@pytest.mark.parametrize("status", list(Status))
def test_guide_says_what_to_do_with_each_status(status: Status) -> None:
    """No status of an answer is missing in the integration guide."""
    assert f"| `{status}` |" in read("docs/integration.md")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_relative_links_resolve(name: str) -> None:
    """A link to a file of the project leads to a file or folder that exists."""
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", read(name))
    missing = [
        target for target in targets if "://" not in target and not (PROJECT / name).parent.joinpath(target).exists()
    ]
    assert missing == []


def test_every_decision_is_listed() -> None:
    """The list of decisions links each record once, in order."""
    records = sorted(path.name for path in (PROJECT / "docs/adr").glob("[0-9]*.md"))
    assert records == re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", read("docs/adr/README.md"))


def test_every_dependency_has_its_reason() -> None:
    """The record of dependencies names what pyproject.toml asks for, and nothing else."""
    project = tomllib.loads(read("pyproject.toml"))
    asked = [
        *project["project"]["dependencies"],
        *(item for group in project["dependency-groups"].values() for item in group),
    ]
    names = {re.split(r"[^\w-]", requirement)[0].lower() for requirement in asked}
    assert names == set(re.findall(r"^\| `([\w-]+)` \|", read("docs/adr/0007-dependencies.md"), re.MULTILINE))


def test_changelog_describes_this_version() -> None:
    """The version of the package has a dated entry with a section on knowledge."""
    entry = re.search(
        rf"^## {re.escape(__version__)} - \d{{4}}-\d\d-\d\d$(.*?)(?=^## |\Z)", read("CHANGELOG.md"), re.M | re.S
    )
    assert entry is not None
    assert "### Knowledge" in entry[1]
    for part in ("Impacted agents", "Impacted patients", "Details"):
        assert part in entry[1]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_speak_of_the_product_alone(name: str) -> None:
    """No document names a folder of one person's machine or how its text came about."""
    foreign = r"(?<![\w.])/(?:work|tmp|home|root|Users)\b|\b(?:sessions?|workplaces?)\b"
    assert re.findall(foreign, read(name), re.IGNORECASE) == []
