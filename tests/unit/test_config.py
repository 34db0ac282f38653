"""Settings come from the environment: complete, bounded, and refused by name when unknown or wrong."""

import json
from dataclasses import FrozenInstanceError

import pytest

from dosing_service import create_app, wsgi
from dosing_service.config import Settings, from_environment
from dosing_service.errors import SettingsError
from dosing_service.knowledge.base import KnowledgeBase


@pytest.mark.parametrize(
    ("environment", "expected", "why"),
    [
        ({}, 65_536, "nothing is set"),
        ({"DOSING_MAX_BODY_BYTES": "1024"}, 1024, "the least"),
        ({"DOSING_MAX_BODY_BYTES": "16777216"}, 16_777_216, "the most"),
        ({"MAX_BODY_BYTES": "9", "PATH": "/bin"}, 65_536, "variables of others are none of our business"),
    ],
)
def test_settings_come_from_the_environment(environment: dict[str, str], expected: int, why: str) -> None:
    """A variable is read if it is there; what is not set has its default."""
    assert expected == from_environment(environment).max_body_bytes, why


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("DOSING_MAX_BODY_BYTE", "2048", "a slip that would change nothing in silence"),
        ("DOSING_", "1", "no name at all"),
        ("DOSING_MAX_BODY_BYTES_", "2048", "a name that goes on"),
        ("DOSING_MAX_BODY_BYTES", "1023", "below the least"),
        ("DOSING_MAX_BODY_BYTES", "16777217", "above the most"),
        ("DOSING_MAX_BODY_BYTES", "", "set and empty"),
        ("DOSING_MAX_BODY_BYTES", "64k", "a suffix"),
        ("DOSING_MAX_BODY_BYTES", "-2048", "a sign"),
        ("DOSING_MAX_BODY_BYTES", "2_048", "Python's own spelling"),
        ("DOSING_MAX_BODY_BYTES", "2048.0", "no whole number"),
        ("DOSING_MAX_BODY_BYTES", " 2048", "a space"),
        ("DOSING_MAX_BODY_BYTES", "²⁰⁴⁸", "digits that int() does not take"),
        ("DOSING_MAX_BODY_BYTES", "٢٠٤٨", "digits that int() takes"),
    ],
)
def test_wrong_setting_is_named(name: str, value: str, why: str) -> None:
    """An operator learns which variable is wrong; its value, which could be a secret, is not repeated."""
    with pytest.raises(SettingsError) as refused:
        from_environment({name: value})

    assert str(refused.value).startswith(f"{name} is "), why
    assert not value or value not in str(refused.value)


def test_settings_do_not_change() -> None:
    """What the service was started with holds until it ends."""
    settings = Settings()

    with pytest.raises(FrozenInstanceError):
        settings.max_body_bytes = 1  # type: ignore[misc]  # what the test is about


def test_service_does_not_start_with_a_wrong_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process's own environment is read, and a wrong setting stops the start."""
    monkeypatch.setenv("DOSING_MAX_BODY_BYTES", "lots")

    with pytest.raises(SettingsError, match="DOSING_MAX_BODY_BYTES is a whole number from 1024 to 16777216"):
        create_app()


def test_server_ends_with_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever starts the server wrongly reads what is wrong, not a traceback."""
    monkeypatch.setenv("DOSING_MAX_BODY_BYTES", "lots")

    with pytest.raises(SystemExit) as ended:
        wsgi.application()

    assert ended.value.code == 1
    reason = "DOSING_MAX_BODY_BYTES is a whole number from 1024 to 16777216"
    assert f"dosing-service does not start: {reason}\n" == capsys.readouterr().err


def test_server_gets_the_application() -> None:
    """What the server starts answers."""
    assert wsgi.application().test_client().get("/livez").status_code == 200


def test_service_keeps_to_its_settings(knowledge: KnowledgeBase) -> None:
    """A smaller limit on bodies is the limit that callers meet and are told."""
    client = create_app(settings=Settings(max_body_bytes=1024), known=knowledge).test_client()
    body = json.dumps({"agent": "warfarin", "patient": {"age": {"value": 50, "unit": "a"}}})
    answers = [
        client.post("/v1/dose-calculations", data=body.ljust(size), content_type="application/json")
        for size in (1024, 1025)
    ]

    assert [answer.status_code for answer in answers] == [200, 413]
    assert answers[1].get_json()["errors"][0]["expected"] == "at most 1024 bytes"
