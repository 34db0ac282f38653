"""Which web pages may call the services from a browser."""

import pytest
from flask import Blueprint, Flask, Response, abort
from flask.testing import FlaskClient

from dosing_service import addresses
from dosing_service.cds_hooks import cors
from dosing_service.config import Settings
from dosing_service.errors import Untrusted

PAGE = "https://ehr.example.org"


@pytest.fixture
def client() -> FlaskClient:
    """A service that lets in nobody but answers preflights, with one page on its list."""
    listed = addresses.parse(PAGE)
    assert listed
    blueprint = Blueprint("cds", __name__)
    cors.register(blueprint, Settings(cds_origins=(listed,)))

    @blueprint.before_request
    def refuse() -> None:
        abort(401)

    @blueprint.route("/cds-services/<name>", methods=["GET", "POST"])
    def service(name: str) -> Response:
        raise Untrusted(name)

    app = Flask(__name__)
    app.register_blueprint(blueprint)
    return app.test_client()


def test_rule_34_preflight_needs_no_authentication(client: FlaskClient) -> None:
    """A browser asks first, without a token; it gets what it needs to go on."""
    answer = client.options(
        "/cds-services/x",
        headers={
            "Origin": PAGE,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        },
    )

    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, POST, OPTIONS"
    assert answer.headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type"
    assert answer.headers["Access-Control-Max-Age"] == "7200"
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "",
        "null",
        "*",
        "http://ehr.example.org",
        "https://ehr.example.org:8443",
        "https://ehr.example.org.evil.org",
    ],
)
def test_rule_34_other_pages_get_no_permission(origin: str | None, client: FlaskClient) -> None:
    """A page that is not on the list, and no page, are told nothing; caches are told that it depends on the page."""
    headers = {"Access-Control-Request-Method": "POST"} | ({} if origin is None else {"Origin": origin})
    for answer in (client.options("/cds-services/x", headers=headers), client.post("/cds-services/x", headers=headers)):
        assert not any(name.startswith("Access-Control") for name in answer.headers.keys())  # noqa: SIM118 - pairs
        assert "Origin" in answer.headers["Vary"]


def test_rule_34_errors_can_be_read_by_the_page(client: FlaskClient) -> None:
    """A refused request is marked too, so that the page learns the status and not only that something failed."""
    answer = client.post("/cds-services/x", headers={"Origin": PAGE})

    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (401, PAGE)
    assert "Access-Control-Allow-Methods" not in answer.headers


def test_options_that_is_no_preflight_is_a_request_like_others(client: FlaskClient) -> None:
    """Without the question of a browser, OPTIONS is no way round the check of the caller."""
    assert client.options("/cds-services/x", headers={"Origin": PAGE}).status_code == 401
