"""``dosing-service check`` gives the answer of ``POST /v1/order-checks``, about one order or about a file of them."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient

from dosing_service.cli import main
from dosing_service.knowledge.base import KnowledgeBase

ADULT = ("--age", "50 a", "--weight", "70 kg", "--none", "medications")
PATIENT = {"age": {"value": 50, "unit": "a"}, "weight": {"value": 70, "unit": "kg"}, "medications": []}
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"


@pytest.fixture(autouse=True)
def loaded(monkeypatch: pytest.MonkeyPatch, knowledge: KnowledgeBase) -> None:
    """Hand out the knowledge base that is loaded already."""
    monkeypatch.setattr("dosing_service.knowledge.load", lambda: knowledge)


def run(*arguments: str, typed: str | None = None) -> Result:
    """Run the command with these arguments."""
    return CliRunner().invoke(main, ["check", *arguments], input=typed)


def test_order_is_caught_and_explained() -> None:
    """The verdict, the numbers, the slip behind them and what is documented stand in the lines."""
    result = run("--agent", "alendronate", "--dose", "70 mg", "--times", "1", "--every", "1 d", *ADULT)
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0] == "order, alendronate: stop"
    assert "  ratio        7 times the most" in lines
    assert any(line.startswith("  slip?        Given daily instead of once weekly?") for line in lines)
    assert "  documented * 70 mg weekly  (calcinosis-overview)" in lines
    assert "verdict: stop" in lines


@pytest.mark.parametrize(
    ("arguments", "order"),
    [
        (
            ("--agent", "diltiazem", "--dose", "60 mg", "--times", "3", "--every", "1 d", "--product", "ir-tablet-60"),
            {
                "agent": "diltiazem",
                "dose": {"value": 60, "unit": "mg"},
                "frequency": {"times": 3, "every": {"value": 1, "unit": "d"}},
                "product": {"id": "ir-tablet-60"},
            },
        ),
        (
            ("--agent", "rxnorm:198153", "--dose", "1 {tablet}", "--times", "2", "--every", "12 h", "--route", "oral"),
            {
                "agent": {"system": RXNORM, "code": "198153"},
                "dose": {"value": 1, "unit": "{tablet}"},
                "frequency": {"times": 2, "every": {"value": 12, "unit": "h"}},
                "route": "oral",
            },
        ),
        (
            (
                *("--agent", "ivig", "--dose", "0.4 g/kg", "--times", "1", "--every", "1 d", "--count", "5"),
                *("--repeat-every", "4 wk", "--infusion-rate", "2.8 mL/min", "--already-given", "0 g"),
            ),
            {
                "agent": "ivig",
                "dose": {"value": 0.4, "unit": "g/kg"},
                "frequency": {
                    "times": 1,
                    "every": {"value": 1, "unit": "d"},
                    "count": 5,
                    "repeat_every": {"value": 4, "unit": "wk"},
                },
                "infusion": {"rate": {"value": 2.8, "unit": "mL/min"}},
                "already_given": {"value": 0, "unit": "g"},
            },
        ),
        (
            ("--agent", "pamidronate", "--dose", "60 mg", "--once", "--infusion-duration", "4 h"),
            {
                "agent": "pamidronate",
                "dose": {"value": 60, "unit": "mg"},
                "frequency": {"once": True},
                "infusion": {"duration": {"value": 4, "unit": "h"}},
            },
        ),
        (
            ("--agent", "colchicine", "--dose", "0.5 mg", "--as-needed", "--duration", "10 d"),
            {
                "agent": "colchicine",
                "dose": {"value": 0.5, "unit": "mg"},
                "frequency": {"as_needed": True},
                "duration": {"value": 10, "unit": "d"},
            },
        ),
    ],
    ids=["product", "product code", "course", "single infusion", "as needed"],
)
def test_json_is_the_body_of_the_http_answer(
    client: FlaskClient, arguments: tuple[str, ...], order: dict[str, Any]
) -> None:
    """--json prints what POST /v1/order-checks answers to the same request, byte for byte."""
    response = client.post("/v1/order-checks", json={"patient": PATIENT, "orders": [{"id": "order", **order}]})
    result = run(*arguments, *ADULT, "--json")
    assert (response.status_code, result.exit_code) == (200, 0)
    assert response.get_data() + b"\n" == result.stdout_bytes


def test_file_holds_several_orders(tmp_path: Path) -> None:
    """--file reads the body of a request; the orders are judged together."""
    weekly = {"times": 1, "every": {"value": 1, "unit": "wk"}}
    orders = [
        {"id": "one", "agent": "methotrexate", "dose": {"value": 10, "unit": "mg"}, "frequency": weekly},
        {"id": "two", "agent": "acetaminophen"},
        {"id": "three", "agent": "methotrexate", "dose": {"value": 10, "unit": "mg"}, "frequency": weekly},
    ]
    file = tmp_path / "request.json"
    file.write_text(json.dumps({"patient": PATIENT, "orders": orders}), encoding="utf-8")
    result = run("--file", str(file))
    assert result.exit_code == 0
    assert "  ordered      20 mg per administration; 20 mg weekly; 86.96 mg monthly" in result.output
    assert "two, a drug without documented doses: incomplete" in result.output


@pytest.mark.parametrize(
    ("arguments", "typed", "error", "why"),
    [
        (("--agent", "diltiazen"), None, "/orders/0/agent: no drug has this id; expected: an agent id", "a slip"),
        ((), None, "/orders/0/agent: this field is required", "no agent"),
        (("--agent", "ivig", "--dose", "70 Mg"), None, "/orders/0/dose/unit: Mg is a megagram", "refused by name"),
        (("--file", "-"), "{", "request: ", "no JSON"),
        (("--file", "-"), '{"orders": []}', "/orders: too few or too many orders", "nothing to check"),
    ],
)
def test_mistake_is_one_line_and_exit_code_2(
    arguments: tuple[str, ...], typed: str | None, error: str, why: str
) -> None:
    """What is wrong stands in one line on the error stream."""
    result = run(*arguments, typed=typed)
    assert result.exit_code == 2, why
    assert error in result.stderr
