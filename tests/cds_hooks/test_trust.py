"""Which callers are believed: signed, named by the operator, meant for this service, in time, and once."""

import base64
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask, request
from joserfc.jwk import ECKey, RSAKey

from dosing_service.cds_hooks import signature
from dosing_service.cds_hooks.trust import Caller, Clients, Seen, clients_of, require_caller
from dosing_service.config import Settings, Trust
from dosing_service.errors import SettingsError, Untrusted
from dosing_service.issuers import Issuer

NOW = 1_795_000_000.0
PUBLIC = "https://cds.example.org/dosing"
PATH = "/cds-services/calcinosis-order-sign"
ISS = "https://ehr.example.org"

Sign = Callable[..., str]


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(key_set: Mapping[str, Any]) -> Settings:
    """Settings with one client, whose keys stand in them."""
    return Settings(cds_trust=Trust.JWT, cds_issuers=(Issuer(ISS, jwks=key_set),), cds_audiences=(PUBLIC,))


@pytest.fixture
def clients(settings: Settings, clock: Clock) -> Clients:
    return Clients(settings, clock)


def ask(clients: Clients | None, token: str | None, path: str = PATH, **headers: str) -> Caller | None:
    """Send a request with a token, and return who was recognised."""
    given = headers | ({} if token is None else {"Authorization": f"Bearer {token}"})
    with Flask(__name__).test_request_context(path, method="POST", headers=given):
        return require_caller(request, clients)


def why_refused(clients: Clients, token: str | None, path: str = PATH, **headers: str) -> str:
    with pytest.raises(Untrusted) as refused:
        ask(clients, token, path, **headers)
    return refused.value.reason


# ---- Rule 30: the token


@pytest.mark.parametrize("name", ["ec_key", "rsa_key"])
def test_rule_30_es384_and_rs384_are_taken(
    name: str, sign: Sign, clients: Clients, request: pytest.FixtureRequest
) -> None:
    """The two recommended algorithms are taken, each with its own type of key."""
    assert ask(clients, sign(key=request.getfixturevalue(name))) == Caller(ISS)


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512", "none", "RS256", "ES256", "PS384", "es384", "", 7])
def test_rule_30_no_other_algorithm_is_taken(algorithm: object, sign: Sign, clients: Clients) -> None:
    """No signature, shared secrets and other algorithms are refused by what the header says; no key is tried."""
    header, claims, mark = sign().split(".")
    content = json.loads(base64.urlsafe_b64decode(header + "==")) | {"alg": algorithm}
    changed = base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")

    assert why_refused(clients, f"{changed}.{claims}.{mark}") == "algorithm"


def test_rule_30_public_key_is_no_shared_secret(ec_key: ECKey, sign: Sign, clients: Clients) -> None:
    """A token signed by HMAC with the bytes of a public key, which everybody has, is refused."""
    header = base64.urlsafe_b64encode(b'{"alg":"HS384","kid":"ec","typ":"JWT"}').decode().rstrip("=")
    signed = f"{header}.{sign().split('.')[1]}"
    mark = hmac.digest(ec_key.as_pem(private=False), signed.encode(), "sha384")

    assert why_refused(clients, f"{signed}.{base64.urlsafe_b64encode(mark).decode().rstrip('=')}") == "algorithm"


def test_rule_30_key_of_another_type_is_refused(sign: Sign, clients: Clients) -> None:
    """The algorithm of the header must be that of the key it names."""
    header, claims, mark = sign(header={"kid": "rsa"}).split(".")

    assert why_refused(clients, f"{header}.{claims}.{mark}") == "signature"


@pytest.mark.parametrize(
    "header",
    [
        {"typ": None},
        {"typ": "JOSE"},
        {"typ": 1},
        {"kid": None},
        {"kid": ""},
        {"kid": 7},
        {"jku": 7},
        {"crit": ["exp"], "exp": 1},
        {"b64": False, "crit": ["b64"]},
    ],
)
def test_rule_30_header_is_complete(header: dict[str, Any], sign: Sign, clients: Clients) -> None:
    """Type and key id are required; what would have to be understood and is not is refused."""
    first, claims, mark = sign().split(".")
    content = json.loads(base64.urlsafe_b64decode(first + "==")) | header
    content = {name: value for name, value in content.items() if value is not None}
    changed = base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")

    assert why_refused(clients, f"{changed}.{claims}.{mark}") == "header"


def test_rule_30_keys_in_the_header_are_not_used(sign: Sign, clients: Clients) -> None:
    """A token that brings its own key, or says where it is, is checked with the keys of the settings."""
    own = ECKey.generate_key("P-384", {"kid": "ec"})
    header = {"jwk": own.as_dict(private=False), "x5u": "https://evil.example.org/c.pem"}
    forged = sign(key=own, header=header)

    assert why_refused(clients, forged) == "signature"


def test_rule_30_address_of_keys_in_the_header_is_not_called(sign: Sign, clients: Clients, site: Any) -> None:
    """Where the settings hold the keys, an address in the header changes nothing and is not called."""
    assert ask(clients, sign(header={"jku": f"{site.base}/keys"})) == Caller(ISS)
    assert site.asked == []


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a",
        "a.b",
        "a.b.c.d",
        "..",
        "é.é.é",
        "a.b.c",
        "W10.W10.W10",
        "a" * 9000 + ".b.c",
        ".".join([base64.urlsafe_b64encode(b"[" * 3000).decode()] * 2 + ["AA"]),
        "_w._w._w",
    ],
)
def test_rule_30_what_is_no_token_is_refused(token: str, clients: Clients) -> None:
    """Nothing that a caller writes into the header is more than a refusal."""
    assert why_refused(clients, token) == "malformed"


@pytest.mark.parametrize("header", [None, "Basic dTpw", "Bearer", "bearer"])
def test_rule_30_token_is_required(header: str | None, clients: Clients) -> None:
    """Without a bearer token nobody is recognised."""
    headers = {} if header is None else {"Authorization": header}

    assert why_refused(clients, None, **headers) in {"no token", "malformed"}


def test_header_name_may_have_any_case(sign: Sign, clients: Clients) -> None:
    """The scheme of the header is compared without case, as HTTP asks."""
    assert ask(clients, None, Authorization=f"bearer  {sign()}") == Caller(ISS)


def test_header_fields_nobody_knows_are_ignored(sign: Sign, clients: Clients) -> None:
    """A client may write more into the header than the standard names, and long key addresses."""
    assert ask(clients, sign(header={"x-site": 7, "jku": f"https://ehr.example.org/{'k' * 900}"})) == Caller(ISS)


# ---- Rule 31: the order of checks


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iss": None}, "issuer"),
        ({"iss": "https://other.example.org"}, "issuer"),
        ({"iss": ISS + "/"}, "issuer"),
        ({"iss": [ISS]}, "issuer"),
        ({"iss": {"a": 1}}, "issuer"),
        ({"aud": None}, "audience"),
        ({"aud": "https://other.example.org/cds-services/x"}, "audience"),
        ({"aud": PUBLIC + "/cds-services/calcinosis-order-select"}, "audience"),
        ({"aud": [[PUBLIC], {}, 7]}, "audience"),
        ({"aud": []}, "audience"),
        ({"exp": None}, "no times"),
        ({"exp": "soon"}, "no times"),
        ({"exp": True}, "no times"),
        ({"exp": -1}, "no times"),
        ({"exp": 10**400}, "no times"),
        ({"exp": float("nan")}, "no times"),
        ({"exp": float("inf")}, "no times"),
        ({"iat": None}, "no times"),
        ({"iat": "now"}, "no times"),
        ({"nbf": "now"}, "no times"),
        ({"exp": NOW - 60}, "expired"),
        ({"iat": NOW + 61}, "not valid yet"),
        ({"nbf": NOW + 61}, "not valid yet"),
        ({"exp": NOW + 3661}, "lives too long"),
        ({"jti": None}, "no jti"),
        ({"jti": ""}, "no jti"),
        ({"jti": 7}, "no jti"),
    ],
)
def test_rule_31_each_claim_is_checked(claims: dict[str, Any], reason: str, sign: Sign, clients: Clients) -> None:
    """A token that is signed, and wrong in one claim, is refused."""
    assert why_refused(clients, sign(**claims)) == reason


def test_rule_31_checks_come_in_order(settings: Settings, clock: Clock, sign: Sign) -> None:
    """Issuer, audience, time, tenant, signature, repetition: of several faults the first in this order is found."""
    issuer = replace(settings.cds_issuers[0], tenants=frozenset({"ward-1"}))
    clients = Clients(replace(settings, cds_issuers=(issuer,)), clock)
    stranger = ECKey.generate_key("P-384", {"kid": "ec"})
    right = {"iss": ISS, "aud": PUBLIC + PATH, "exp": NOW + 300, "tenant": "ward-1"}
    wrong = {"iss": "https://other.example.org", "aud": "https://other.example.org", "exp": 1, "tenant": "ward-2"}
    names = list(right)
    reasons = [
        why_refused(clients, sign(key=stranger, jti="once", **(wrong | {name: right[name] for name in names[:known]})))
        for known in range(5)
    ]

    assert reasons == ["issuer", "audience", "expired", "tenant", "signature"]
    assert ask(clients, sign(jti="once", **right)) == Caller(ISS, "ward-1")
    assert why_refused(clients, sign(jti="once", **right)) == "used before"


def test_rule_31_changed_token_is_refused(sign: Sign, clients: Clients) -> None:
    """A signature of other claims does not sign these."""
    header, _, mark = sign().split(".")
    claims = sign(tenant="other").split(".")[1]

    assert why_refused(clients, f"{header}.{claims}.{mark}") == "signature"


def test_rule_31_unknown_key_is_refused(sign: Sign, clients: Clients) -> None:
    """A key id that the issuer does not have is refused."""
    assert why_refused(clients, sign(header={"kid": "other"})) == "key"


def test_rule_31_token_counts_once(sign: Sign, clients: Clients, clock: Clock) -> None:
    """A token is taken once, as long as it would be valid, and its id may come again when it has expired."""
    token = sign(jti="same")

    assert ask(clients, token) == Caller(ISS)
    assert why_refused(clients, token) == "used before"
    clock.now = NOW + 359
    assert why_refused(clients, token) == "used before"
    clock.now = NOW + 361
    assert why_refused(clients, token) == "expired"
    assert ask(clients, sign(jti="same", iat=clock.now, exp=clock.now + 1)) == Caller(ISS)


def test_rule_31_refused_token_is_not_remembered(sign: Sign, clients: Clients) -> None:
    """A forged token cannot use up the id of the real one."""
    forged = sign(key=ECKey.generate_key("P-384", {"kid": "ec"}), jti="same")

    assert why_refused(clients, forged) == "signature"
    assert ask(clients, sign(jti="same")) == Caller(ISS)


def test_rule_31_two_issuers_may_use_one_id(
    settings: Settings, key_set: Mapping[str, Any], clock: Clock, sign: Sign
) -> None:
    """Ids of tokens are those of their issuer."""
    other = Issuer("https://other.example.org", jwks=key_set)
    clients = Clients(replace(settings, cds_issuers=(*settings.cds_issuers, other)), clock)

    assert ask(clients, sign(jti="1")) == Caller(ISS)
    assert ask(clients, sign(jti="1", iss=other.iss)) == Caller(other.iss)


def test_key_of_one_issuer_does_not_sign_for_another(
    settings: Settings, key_set: Mapping[str, Any], clock: Clock, sign: Sign
) -> None:
    """An issuer is believed with its own keys only."""
    own = ECKey.generate_key("P-384", {"kid": "ec"})
    other = Issuer("https://other.example.org", jwks={"keys": [own.as_dict(private=False)]})
    clients = Clients(replace(settings, cds_issuers=(*settings.cds_issuers, other)), clock)

    assert why_refused(clients, sign(key=own)) == "signature"
    assert ask(clients, sign(key=own, iss=other.iss)) == Caller(other.iss)


def test_seen_tokens_are_bounded() -> None:
    """A full list forgets what expires first, and forgets what has expired."""
    seen = Seen(capacity=2)
    assert [seen.is_first("i", jti, until=until, now=0) for jti, until in [("a", 9), ("b", 5), ("c", 7)]] == [True] * 3
    assert not seen.is_first("i", "c", until=7, now=0)
    assert seen.is_first("i", "b", until=5, now=0), "b expired first, so it gave way"
    assert seen.is_first("i", "a", until=99, now=10), "a has expired"


# ---- Rule 32: audiences


@pytest.mark.parametrize(
    ("path", "audience"),
    [
        (PATH, PUBLIC + PATH),
        (PATH, [PUBLIC + PATH, "https://other.example.org"]),
        (PATH, PUBLIC),
        (PATH, "urn:typed-by-hand"),
        (f"{PATH}/feedback", f"{PUBLIC}{PATH}/feedback"),
        (f"{PATH}/feedback", PUBLIC + PATH),
        ("/cds-services", f"{PUBLIC}/cds-services"),
    ],
)
def test_rule_32_accepted_audiences(path: str, audience: object, settings: Settings, clock: Clock, sign: Sign) -> None:
    """A token is for the public address of the endpoint, or for a value that the operator wrote down; one about
    feedback may name the service instead. It may be one of several.
    """
    clients = Clients(replace(settings, cds_audiences=(f"{PUBLIC}/", PUBLIC, "urn:typed-by-hand")), clock)

    assert ask(clients, sign(aud=audience), path) == Caller(ISS)


def test_rule_32_host_of_the_request_is_not_believed(sign: Sign, clients: Clients) -> None:
    """A token made for another service is refused, even when the caller writes that service's name into Host."""
    token = sign(aud=f"https://other.example.org{PATH}")

    assert why_refused(clients, token, Host="other.example.org", X_Forwarded_Proto="https") == "audience"


def test_rule_32_extra_claims_are_accepted(sign: Sign, clients: Clients) -> None:
    """Claims beyond those of CDS Hooks are no reason to refuse; 900 seconds of life are usual with one client."""
    assert ask(clients, sign(nbf=NOW, sub="subject", exp=NOW + 900, other={"a": [None]})) == Caller(ISS)


@pytest.mark.parametrize(
    "claims", [{"exp": NOW - 59.5}, {"iat": NOW + 60}, {"nbf": NOW + 60}, {"exp": NOW + 3660}, {"iat": NOW + 0.25}]
)
def test_rule_32_clocks_may_differ_by_a_minute(claims: dict[str, Any], sign: Sign, clients: Clients) -> None:
    """A minute is allowed on both sides."""
    assert ask(clients, sign(**claims)) == Caller(ISS)


@pytest.mark.parametrize(
    ("tenant", "expected"),
    [("ward-1", "ward-1"), ("ward-2", None), (None, None), (["ward-1"], None), ("", None)],
)
def test_tenants_are_those_of_the_list(
    tenant: object, expected: str | None, settings: Settings, clock: Clock, sign: Sign
) -> None:
    """Where the operator lists organisations, a token of another one, or of none, is refused."""
    issuer = replace(settings.cds_issuers[0], tenants=frozenset({"ward-1"}))
    clients = Clients(replace(settings, cds_issuers=(issuer,)), clock)
    token = sign(tenant=tenant)

    if expected:
        assert ask(clients, token) == Caller(ISS, expected)
    else:
        assert why_refused(clients, token) == "tenant"


def test_tenant_without_a_list_is_passed_on(sign: Sign, clients: Clients) -> None:
    """Where no organisation is listed, any is accepted; what is no name is left out."""
    assert ask(clients, sign(tenant="ward-9")) == Caller(ISS, "ward-9")
    assert ask(clients, sign(tenant=9)) == Caller(ISS, None)


# ---- Who asks for no signature


def test_without_trust_nothing_is_checked() -> None:
    """In the default settings a request needs no token, and a wrong one is not looked at."""
    assert clients_of(Settings()) is None
    assert ask(None, None) is None
    assert ask(None, "nonsense") is None


def test_settings_choose_the_clients(settings: Settings) -> None:
    """With trust by tokens there are clients to decide about, by the real clock."""
    clients = clients_of(settings)

    assert isinstance(clients, Clients)
    assert why_refused(clients, "nonsense") == "malformed"


# ---- Keys


@pytest.mark.parametrize(
    "change",
    [
        {"kid": None},
        {"kid": ""},
        {"kid": 3},
        {"use": "enc"},
        {"alg": "ES256"},
        {"crv": "P-256"},
        {"crv": 3},
        {"kty": "oct"},
        {"kty": "OKP"},
        {"kty": None},
        {"x": "AA"},
        {"x": 7},
        {"y": None},
    ],
)
def test_keys_for_other_uses_are_left_out(change: dict[str, Any], ec_key: ECKey) -> None:
    """A key set also holds keys that cannot check a signature here; they are no fault of the set."""
    entry = ec_key.as_dict(private=False) | change
    entry = {name: value for name, value in entry.items() if value is not None}

    assert signature.usable_keys({"keys": [entry, 7, None]}) == {}


@pytest.mark.parametrize("change", [{"n": "AQAB"}, {"n": 7}, {"e": None}, {"alg": "RS256"}, {"n": "!" * 400}])
def test_weak_and_broken_rsa_keys_are_left_out(change: dict[str, Any], rsa_key: RSAKey) -> None:
    """An RSA key below 2048 bits is as good as none."""
    entry = rsa_key.as_dict(private=False) | change
    entry = {name: value for name, value in entry.items() if value is not None}

    assert signature.usable_keys({"keys": [entry]}) == {}


def test_first_of_two_keys_with_one_id_counts(ec_key: ECKey, rsa_key: RSAKey) -> None:
    """An id that is used twice means the key that stands first."""
    first, second = (key.as_dict(private=False) | {"kid": "same"} for key in (ec_key, rsa_key))

    assert signature.usable_keys({"keys": [first, second]})["same"].key_type == "EC"


@pytest.mark.parametrize("key_set", [None, [], {}, {"keys": None}, {"keys": []}, "keys"])
def test_set_without_keys_is_empty(key_set: object) -> None:
    """What is no key set has no keys."""
    assert signature.usable_keys(key_set) == {}


def test_issuer_without_usable_key_stops_the_start(settings: Settings) -> None:
    """An issuer that nobody could ever be is a mistake in the settings."""
    issuers = (*settings.cds_issuers, Issuer("https://other.example.org", jwks={"keys": []}))

    with pytest.raises(SettingsError, match="DOSING_CDS_ISSUERS is not accepted: entry 2: no key with a kid"):
        Clients(replace(settings, cds_issuers=issuers))


def test_private_key_among_the_settings_stops_the_start(settings: Settings, ec_key: ECKey) -> None:
    """A private key in the settings is a secret in the wrong place."""
    issuer = Issuer(ISS, jwks={"keys": [ec_key.as_dict(private=True)]})

    with pytest.raises(SettingsError, match="entry 1: a private key stands among the keys"):
        Clients(replace(settings, cds_issuers=(issuer,)))


# ---- Keys that are fetched


@pytest.fixture
def remote(settings: Settings, site: Any, key_set: dict[str, Any], clock: Clock) -> Clients:
    """Clients of which one has its keys at an address."""
    site.says("/keys", key_set)
    return Clients(replace(settings, cds_issuers=(Issuer(ISS, jku=f"{site.base}/keys"),)), clock)


def test_keys_are_fetched_once(remote: Clients, site: Any, sign: Sign, clock: Clock) -> None:
    """The keys at the address of the settings are fetched with the first token and kept for an hour."""
    assert site.asked == []
    for _ in range(3):
        assert ask(remote, sign()) == Caller(ISS)
    assert len(site.asked) == 1
    clock.now = NOW + 3601
    assert ask(remote, sign(iat=clock.now, exp=clock.now + 9)) == Caller(ISS)
    assert len(site.asked) == 2
    assert "Authorization" not in site.asked[0][1]


def test_rule_30_only_the_listed_address_of_keys_is_taken(remote: Clients, site: Any, sign: Sign) -> None:
    """A header that names another address than the settings is refused, and nothing is called."""
    assert why_refused(remote, sign(header={"jku": f"{site.base}/other"})) == "key address"
    assert site.asked == []
    assert ask(remote, sign(header={"jku": f"{site.base}/keys"})) == Caller(ISS)


def test_new_key_is_found_after_a_pause(remote: Clients, site: Any, sign: Sign, clock: Clock) -> None:
    """A client that changes its key is recognised again after a minute at most; unknown ids cause no more requests."""
    new = ECKey.generate_key("P-384", {"kid": "new"})
    assert ask(remote, sign()) == Caller(ISS)
    site.says("/keys", {"keys": [new.as_dict(private=False)]})

    assert [why_refused(remote, sign(key=new)) for _ in range(3)] == ["key"] * 3
    assert len(site.asked) == 1
    clock.now = NOW + 60
    assert ask(remote, sign(key=new)) == Caller(ISS)
    assert why_refused(remote, sign()) == "key", "the old key was taken back by the client"


def test_keys_outlive_a_failure_for_a_day(
    remote: Clients, site: Any, sign: Sign, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """When the address fails, the keys that are known count for a day, and the log says so without the token."""
    assert ask(remote, sign()) == Caller(ISS)
    site.says("/keys", b"", status=500)
    clock.now = NOW + 86_000
    token = sign(iat=clock.now, exp=clock.now + 300)
    assert ask(remote, token) == Caller(ISS)
    assert f"could not be fetched from {site.base}/keys: status 500" in caplog.text
    clock.now = NOW + 86_401
    late = sign(iat=clock.now, exp=clock.now + 300)

    assert why_refused(remote, late) == "key"
    assert not any(part in caplog.text for text in (token, late) for part in text.split("."))


@pytest.mark.parametrize("body", [b"{}", b'{"keys": []}', b"<html>", b"[]", b'{"keys": [{"kty": "EC", "d": "AA"}]}'])
def test_address_without_keys_is_tried_again_soon(
    body: bytes, remote: Clients, site: Any, sign: Sign, clock: Clock, key_set: dict[str, Any]
) -> None:
    """While there is no key at all the next attempt comes after five seconds; a private key is none."""
    site.says("/keys", body)
    assert [why_refused(remote, sign()) for _ in range(2)] == ["key"] * 2
    assert len(site.asked) == 1
    site.says("/keys", key_set)
    clock.now = NOW + 5

    assert ask(remote, sign()) == Caller(ISS)


def test_keys_being_fetched_hold_up_nobody_who_has_one(remote: Clients, site: Any, sign: Sign, clock: Clock) -> None:
    """While one request fetches old keys anew, another goes on with the key that is known."""
    assert ask(remote, sign()) == Caller(ISS)
    clock.now = NOW + 3601
    inside: list[Caller | None] = []

    def answer(handler: Any) -> None:
        inside.append(ask(remote, sign(iat=clock.now, exp=clock.now + 9)))
        handler.send_error(503)

    site.answers["/keys"] = answer
    assert ask(remote, sign(iat=clock.now, exp=clock.now + 9)) == Caller(ISS)
    assert inside == [Caller(ISS)]
