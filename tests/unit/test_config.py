"""Settings come from the environment: complete, bounded, and refused by name when unknown or wrong."""

import json
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest

from dosing_service import create_app, wsgi
from dosing_service.config import Profile, Settings, Trust, from_environment
from dosing_service.errors import SettingsError
from dosing_service.issuers import Issuer
from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.model import Severity


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
        ("DOSING_CDS_TRUST", "JWT", "another spelling"),
        ("DOSING_CDS_TRUST", "", "set and empty"),
        ("DOSING_CDS_PROFILE", "cerner", "a client without a profile"),
        ("DOSING_CDS_LEAST_SEVERITY_ORDER_SELECT", "severe", "no severity of ours"),
        ("DOSING_CDS_LEAST_SEVERITY_ORDER_SIGN", "", "set and empty"),
        ("DOSING_CDS_ORIGINS", "*", "every page"),
        ("DOSING_CDS_ORIGINS", "null", "pages without an origin"),
        ("DOSING_CDS_ORIGINS", "https://*.example.org", "a pattern"),
        ("DOSING_CDS_ORIGINS", "https://ehr.example.org/app", "an address below an origin"),
        ("DOSING_CDS_ORIGINS", "https://app.example.org,", "an empty part"),
        ("DOSING_CDS_ORIGINS", "", "set and empty"),
        ("DOSING_CDS_FHIR_SERVERS", "http://fhir.example.org/r4", "a token in clear text"),
        ("DOSING_CDS_FHIR_SERVERS", "https://name:pass@fhir.example.org/r4", "a user name"),
        ("DOSING_CDS_FHIR_SERVERS", "https://fhir.example.org/r4?x=1", "a query"),
        ("DOSING_CDS_FHIR_SERVERS", "https://fhir.example.org/../r4", "a way up"),
        ("DOSING_CDS_FHIR_SERVERS", "https://fhir.example.org:70000/r4", "no port"),
        ("DOSING_CDS_FHIR_SERVERS", "ftp://fhir.example.org/r4", "no http"),
        ("DOSING_CDS_FHIR_SERVERS", "https://fhir.example.org/" + "r" * 2048, "endless"),
        ("DOSING_CDS_AUDIENCES", "https://a.example.org,", "an empty part"),
        ("DOSING_CDS_AUDIENCES", "https://a.example.org https://b.example.org", "separated by a space"),
        ("DOSING_CDS_AUDIENCES", "https://a.example\n.org", "a line end"),
        ("DOSING_FEEDBACK_DATABASE", "feedback.db", "wherever the service was started"),
        ("DOSING_FEEDBACK_DATABASE", "", "set and empty"),
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


KEYS = {"keys": [{"kty": "EC"}]}


def as_text(**changes: Any) -> str:
    """Return a list of one issuer as JSON; ``None`` takes a name away."""
    entry = {"iss": "https://ehr.example.org", "jwks": KEYS} | changes
    return json.dumps([{name: value for name, value in entry.items() if value is not None}])


def trusting(**changes: Any) -> dict[str, str]:
    """Return an environment in which CDS clients sign, with one issuer."""
    return {
        "DOSING_CDS_TRUST": "jwt",
        "DOSING_CDS_AUDIENCES": "https://cds.example.org/dosing",
        "DOSING_CDS_ISSUERS": as_text(**changes),
    }


def test_settings_of_cds_hooks_are_read() -> None:
    """Every setting of CDS Hooks arrives as what it means; addresses lose a slash at the end and a usual port."""
    settings = from_environment(
        trusting(tenants=["ward-1"])
        | {
            "DOSING_CDS_ORIGINS": "https://ehr.example.org, http://localhost:8000",
            "DOSING_CDS_FHIR_SERVERS": "HTTPS://FHIR.example.org:443/R4/,http://127.0.0.1:9/fhir",
            "DOSING_CDS_PROFILE": "epic",
            "DOSING_CDS_LEAST_SEVERITY_ORDER_SELECT": "contraindicated",
            "DOSING_CDS_LEAST_SEVERITY_ORDER_SIGN": "info",
            "DOSING_FEEDBACK_DATABASE": "/data/feedback.db",
        }
    )

    assert Trust.JWT is settings.cds_trust
    assert settings.cds_issuers == (
        Issuer("https://ehr.example.org", jwks=KEYS, jku=None, tenants=frozenset({"ward-1"})),
    )
    assert settings.cds_audiences == ("https://cds.example.org/dosing",)
    assert list(map(str, settings.cds_origins)) == ["https://ehr.example.org", "http://localhost:8000"]
    assert list(map(str, settings.cds_fhir_servers)) == ["https://fhir.example.org/R4", "http://127.0.0.1:9/fhir"]
    assert Profile.EPIC is settings.cds_profile
    assert Severity.CONTRAINDICATED is settings.cds_least_severity_order_select
    assert Severity.INFO is settings.cds_least_severity_order_sign
    assert settings.feedback_database == "/data/feedback.db"


def test_nobody_is_asked_for_a_signature_by_default() -> None:
    """Without settings no client signs, no page and no FHIR server is on a list, and nothing is written to a file."""
    settings = from_environment({})

    assert Trust.NONE is settings.cds_trust
    assert settings.cds_issuers == settings.cds_audiences == settings.cds_origins == settings.cds_fhir_servers == ()
    assert (
        settings.cds_least_severity_order_select,
        settings.cds_least_severity_order_sign,
    ) == (Severity.MAJOR, Severity.MODERATE)
    assert settings.feedback_database is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": None}, "entry 1: iss is missing"),
        ({"iss": 7}, "entry 1: iss is missing"),
        ({"iss": " "}, "entry 1: iss is missing"),
        ({"jwks": None}, "entry 1: exactly one of jwks, jwks_file and jku says where its keys are"),
        ({"jku": "https://ehr.example.org/keys"}, "entry 1: exactly one of jwks, jwks_file and jku"),
        ({"jwks": []}, "entry 1: the keys are a JSON Web Key Set"),
        ({"jwks": {"keys": {}}}, "entry 1: the keys are a JSON Web Key Set"),
        ({"jwks": None, "jku": "http://ehr.example.org/keys"}, "entry 1: jku is an https address"),
        ({"jwks": None, "jku": "file:///keys.json"}, "entry 1: jku is an https address"),
        ({"jwks": None, "jku": 1}, "entry 1: jku is an https address"),
        ({"jwks": None, "jwks_file": "/nowhere/keys.json"}, "entry 1: jwks_file cannot be read"),
        ({"jwks": None, "jwks_file": 1}, "entry 1: jwks_file is the path of a file"),
        ({"tenants": []}, "entry 1: tenants is a list of names"),
        ({"tenants": "ward-1"}, "entry 1: tenants is a list of names"),
        ({"tenants": [1]}, "entry 1: tenants is a list of names"),
        ({"audience": "x"}, "entry 1 is an object with iss, jku, jwks, jwks_file, sandbox, tenants and nothing else"),
        ({"sandbox": "yes"}, "entry 1: sandbox is true or left out"),
    ],
)
def test_wrong_issuer_is_named_by_its_place(changes: dict[str, Any], reason: str) -> None:
    """An operator learns which entry is wrong in which way."""
    with pytest.raises(SettingsError, match=reason):
        from_environment(trusting(**changes))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[", "the list is not JSON"),
        ("[" * 100_000, "the list is not JSON"),
        ("[]", "it holds no list of issuers"),
        ("[1]", "entry 1 is an object with"),
        ("/nowhere/issuers.json", "the file cannot be read"),
        ("\0", "the file cannot be read"),
    ],
)
def test_list_of_issuers_that_is_none_is_refused(text: str, reason: str) -> None:
    """What is neither a list of issuers nor a file with one stops the start."""
    with pytest.raises(SettingsError, match=f"^DOSING_CDS_ISSUERS is a JSON list of issuers, .*: {reason}"):
        from_environment(trusting() | {"DOSING_CDS_ISSUERS": text})


def test_issuer_stands_once() -> None:
    """Two entries of one issuer would leave open whose keys count."""
    twice = json.dumps(json.loads(as_text()) * 2)

    with pytest.raises(SettingsError, match="two entries have the same iss"):
        from_environment(trusting() | {"DOSING_CDS_ISSUERS": twice})


def test_issuers_and_keys_may_stand_in_files(tmp_path: Path) -> None:
    """A setting too long for an environment variable is a file, and so is the key set of an issuer."""
    (tmp_path / "keys.json").write_text(json.dumps(KEYS))
    (tmp_path / "issuers.json").write_text(as_text(jwks=None, jwks_file=str(tmp_path / "keys.json")))

    settings = from_environment(trusting() | {"DOSING_CDS_ISSUERS": str(tmp_path / "issuers.json")})

    assert settings.cds_issuers == (Issuer("https://ehr.example.org", jwks=KEYS),)


def test_file_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    """A file whose JSON is no list has no issuers."""
    (tmp_path / "issuers.json").write_text('{"iss": "https://ehr.example.org"}')

    with pytest.raises(SettingsError, match="it holds no list of issuers"):
        from_environment(trusting() | {"DOSING_CDS_ISSUERS": str(tmp_path / "issuers.json")})


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://sandbox.cds-hooks.org"},
        {"iss": "HTTPS://Sandbox.CDS-Hooks.org/"},
        {"jwks": None, "jku": "https://sandbox.cds-hooks.org/.well-known/jwks.json"},
    ],
)
def test_rule_33_public_sandbox_is_believed_only_when_asked_for(changes: dict[str, Any]) -> None:
    """The private key of the sandbox is public: it is refused as an issuer unless its entry says that it is a test."""
    with pytest.raises(SettingsError, match="the private key of this issuer is public"):
        from_environment(trusting(**changes))

    assert len(from_environment(trusting(**changes, sandbox=True)).cds_issuers) == 1


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"DOSING_CDS_TRUST": "jwt"}, "DOSING_CDS_ISSUERS is missing"),
        (
            {"DOSING_CDS_TRUST": "jwt", "DOSING_CDS_ISSUERS": as_text()},
            "DOSING_CDS_AUDIENCES is missing",
        ),
        ({"DOSING_CDS_ISSUERS": as_text()}, "DOSING_CDS_ISSUERS is without effect"),
        (
            {"DOSING_CDS_TRUST": "none", "DOSING_CDS_AUDIENCES": "https://cds.example.org"},
            "DOSING_CDS_AUDIENCES is without effect",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(environment: dict[str, str], reason: str) -> None:
    """Signatures that nobody could pass, and a list of clients that nobody reads, stop the start."""
    with pytest.raises(SettingsError, match=reason):
        from_environment(environment)


def test_settings_show_no_keys() -> None:
    """Settings that end in a log name the issuers without their keys."""
    assert "kty" not in repr(from_environment(trusting()))
