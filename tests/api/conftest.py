"""What the tests of the HTTP face share: asking for a dose and reading the answer exactly."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient

DOSES = "/v1/dose-calculations"


@pytest.fixture
def calculate(client: FlaskClient) -> Callable[[Any], dict[str, Any]]:
    """Post a request that must succeed; return its answer with every number as it stands in the body."""

    def post(body: Any) -> dict[str, Any]:
        response = client.post(DOSES, json=body)
        assert (response.status_code, response.mimetype) == (200, "application/json"), response.get_data(as_text=True)
        answer: dict[str, Any] = json.loads(response.get_data(), parse_float=Decimal)
        return answer

    return post


@pytest.fixture
def refuse(client: FlaskClient) -> Callable[[Any], list[tuple[int, str, str]]]:
    """Post a request that must fail; return status, pointer and code of each problem."""

    def post(body: Any) -> list[tuple[int, str, str]]:
        response = client.post(DOSES, json=body)
        assert response.mimetype == "application/problem+json", response.get_data(as_text=True)
        problems = response.get_json()["errors"]
        return [(response.status_code, problem["pointer"], problem["code"]) for problem in problems]

    return post
