"""The contract, tried by a machine: valid and invalid requests made from openapi.yaml, and what came back.

Everything runs in process, on the same requests each time.
"""

import schemathesis
from schemathesis import Case
from schemathesis.checks import CheckContext
from schemathesis.config import SchemathesisConfig
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import positive_data_acceptance

from dosing_service import create_app
from dosing_service.config import Settings

#: What a JSON schema cannot say, and the service refuses with 422: how inputs fit together, and the finer bounds of
#: numbers, dates and strings. Any other code for a request that fits its schema is a fault of the contract.
BEYOND_A_SCHEMA = {
    *("missing", "unknown-regimen", "unknown-product", "other-formulation", "frequency-not-documented"),
    *("not-divisible", "not-documented", "two-ages", "impossible-birth-date", "unknown-parameter"),
    *("out-of-bounds", "number-too-long", "not-a-date", "bad-string"),
    *("future-date", "before-birth", "gestational-age-not-covered"),
    *("range-reversed", "contradiction", "duplicate-id", "unknown-agent", "other-drug"),
}


def fixed() -> SchemathesisConfig:
    """Return a configuration under which every run makes the same requests."""
    config = SchemathesisConfig(seed=20261121)
    config.projects.default.generation.update(deterministic=True, max_examples=200)
    # A list of 501 entries may make the body too large before anyone counts them.
    rejection = config.projects.default.checks.negative_data_rejection
    rejection.expected_statuses = [*rejection.expected_statuses, "413"]
    return config


# The plugin makes one test of each operation while tests are collected, so the application cannot be a fixture.
contract = schemathesis.openapi.from_wsgi("/openapi.json", create_app(settings=Settings()), config=fixed())


def refused_for_good_reason(_context: CheckContext, response: Response, case: Case) -> None:
    """Raise unless a request that fits its schema is answered, or refused for a reason that no schema can state."""
    if response.status_code != 422 or case.meta is None or not case.meta.generation.mode.is_positive:
        return
    codes = {problem["code"] for problem in response.json()["errors"]}
    if not codes <= BEYOND_A_SCHEMA:
        raise AssertionError(f"the contract allows what the service refuses as {sorted(codes - BEYOND_A_SCHEMA)}")


@contract.parametrize()
def test_service_keeps_its_contract(case: Case) -> None:
    """No 5xx; status, media type, headers and body of each answer are documented; bad requests and methods are refused.

    One default check is replaced: it takes every 422 to a request that fits its schema for a fault.
    """
    case.call_and_validate(excluded_checks=[positive_data_acceptance], additional_checks=[refused_for_good_reason])
