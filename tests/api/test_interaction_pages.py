"""GET /v1/interactions: the rows about an agent, about a partner, or about both, in either direction."""

from typing import Any

import pytest
from flask.testing import FlaskClient

PAGE = "/v1/interactions"


def rows(client: FlaskClient, **query: str) -> list[dict[str, Any]]:
    """Return the rows that a query finds."""
    response = client.get(PAGE, query_string=query)
    assert (response.status_code, response.mimetype) == (200, "application/json"), response.get_data(as_text=True)
    found: list[dict[str, Any]] = response.get_json()["interactions"]
    return found


def ids(client: FlaskClient, **query: str) -> set[str]:
    """Return the ids of the rows that a query finds."""
    return {row["id"] for row in rows(client, **query)}


# ---------------------------------------------------------------- the whole list


def test_list_is_complete(client: FlaskClient) -> None:
    """All 402 rows of the reviewed table are there, each once; the 15 that must stay silent have no grade."""
    found = rows(client)

    assert len({row["id"] for row in found}) == len(found) == 402
    silent = {row["id"] for row in found if row["severity"] is None}
    assert len(silent) == 15
    assert all(id_.startswith("N") for id_ in silent)


def test_each_row_says_what_happens_and_what_to_do(client: FlaskClient) -> None:
    """A row has its agents, its partner, a grade of the contract, a mechanism, and a citation that has its page."""
    cited = set()
    for row in rows(client):
        assert row["agents"], row["id"]
        assert row["with"]["name"], row["id"]
        assert row["severity"] in {"contraindicated", "major", "moderate", "minor", None}, row["id"]
        assert row["mechanism"], row["id"]
        assert row["references"], row["id"]
        cited.update(row["references"])
        if row["severity"] is not None:
            assert (bool(row["effect"]), bool(row["management"])) == (True, True), row["id"]
    for id_ in cited:
        assert client.get(f"/v1/references/{id_}").status_code == 200


# ---------------------------------------------------------------- filters

# Query, a row of the reviewed table that must be found, one that must not, and why the row is here.
FOUND: list[tuple[dict[str, str], str, str, str]] = [
    ({"agent": "diltiazem"}, "B008", "B239", "rows of the agent"),
    ({"agent": "diltiazem", "with": "simvastatin"}, "B008", "A001", "a partner by name"),
    ({"agent": "diltiazem", "with": "36567"}, "B008", "A001", "the same by RxNorm ingredient"),
    ({"agent": "diltiazem", "with": "C10AA01"}, "B008", "A001", "the same by ATC"),
    ({"agent": "diltiazem", "with": "colchicine"}, "A001", "B008", "another agent by id"),
    ({"agent": "diltiazem", "with": "2683"}, "A001", "B008", "another agent by RxNorm"),
    ({"agent": "diltiazem", "with": "M04AC01"}, "A001", "B008", "another agent by ATC"),
    ({"agent": "colchicine", "with": "diltiazem"}, "A001", "B008", "the other direction"),
    ({"with": "colchicine"}, "A001", "B008", "a partner without an agent"),
    ({"with": "simvastatin"}, "B008", "A001", "all agents with one partner"),
    ({"agent": "methotrexate", "with": "probenecid"}, "A048", "A001", "a row in which methotrexate is the partner"),
    ({"agent": "probenecid", "with": "L01BA01"}, "A048", "A001", "the second ATC code of methotrexate"),
    ({"agent": "ivig", "with": "J07BD52"}, "B239", "B008", "a vaccine by a code under the prefix J07BD"),
    ({"agent": "methotrexate", "with": "J07BD01"}, "B212", "B239", "the same vaccine, another agent"),
]


@pytest.mark.parametrize(("query", "inside", "outside", "why"), FOUND, ids=lambda value: str(value)[:60])
def test_rows_are_found_by_id_name_and_code(
    client: FlaskClient, query: dict[str, str], inside: str, outside: str, why: str
) -> None:
    """A filter finds the rows about what it names, however it is named, and no others."""
    found = ids(client, **query)

    assert inside in found, why
    assert outside not in found, why


@pytest.mark.parametrize(
    ("one", "other"),
    [("diltiazem", "warfarin"), ("methotrexate", "probenecid"), ("ivig", "prednisone"), ("alendronate", "etidronate")],
)
def test_both_directions_give_the_same_rows(client: FlaskClient, one: str, other: str) -> None:
    """Who is the agent and who the partner makes no difference."""
    assert ids(client, **{"agent": one, "with": other}) == ids(client, **{"agent": other, "with": one})


@pytest.mark.parametrize(
    ("name", "rxnorm", "atc"),
    [("diltiazem", "3443", "C08DB01"), ("colchicine", "2683", "M04AC01"), ("probenecid", "8698", "M04AB01")],
)
def test_each_name_of_a_drug_finds_the_same(client: FlaskClient, name: str, rxnorm: str, atc: str) -> None:
    """Id, RxNorm ingredient and ATC code of one drug are one drug."""
    found = ids(client, **{"with": name})

    assert found
    assert found == ids(client, **{"with": rxnorm}) == ids(client, **{"with": atc})


def test_pair_without_a_row_is_an_empty_list(client: FlaskClient) -> None:
    """A known drug about which nothing is written gives no row; that is an answer, not an error."""
    assert rows(client, agent="curettage", **{"with": "N02BE01"}) == []


# ---------------------------------------------------------------- what is not understood


@pytest.mark.parametrize(
    ("query", "pointer", "code", "nearest", "why"),
    [
        ({"agent": "diltiazen"}, "/query/agent", "unknown-agent", "diltiazem", "a slip in the agent"),
        ({"agent": "diltiazen", "with": "warfarin"}, "/query/agent", "unknown-agent", "diltiazem", "with a partner"),
        ({"agent": ""}, "/query/agent", "unknown-agent", "", "an empty agent is no agent"),
        ({"agent": "diltiazem", "with": "simvastatn"}, "/query/with", "unknown-partner", "simvastatin", "a slip"),
        ({"with": "grapefruit"}, "/query/with", "unknown-partner", "grapefruit-juice", "half a name"),
        ({"with": "99999999"}, "/query/with", "unknown-partner", "", "an RxNorm code that nothing here knows"),
        ({"with": "c10aa01"}, "/query/with", "unknown-partner", "", "ATC codes are written in capitals"),
        ({"with": ""}, "/query/with", "unknown-partner", "", "an empty partner"),
    ],
)
def test_unknown_name_comes_with_the_nearest(
    client: FlaskClient, query: dict[str, str], pointer: str, code: str, nearest: str, why: str
) -> None:
    """A name that nothing knows is 404 with what is spelled alike; an empty list would read as "no interaction"."""
    response = client.get(PAGE, query_string=query)

    assert (response.status_code, response.mimetype) == (404, "application/problem+json"), why
    (problem,) = response.get_json()["errors"]
    assert (pointer, code) == (problem["pointer"], problem["code"]), why
    assert nearest in problem["expected"], why


@pytest.mark.parametrize(
    ("query", "code", "why"),
    [
        ("drug=diltiazem", "unknown-parameter", "a misspelt filter would show everything"),
        ("agent=diltiazem&page=2", "unknown-parameter", "beside one that is known"),
        ("agent=diltiazem&agent=warfarin", "repeated-parameter", "which of the two?"),
        ("with=warfarin&with=simvastatin", "repeated-parameter", "the same for the partner"),
    ],
)
def test_query_that_is_not_understood_is_refused(client: FlaskClient, query: str, code: str, why: str) -> None:
    """A filter is applied or refused, never passed over."""
    response = client.get(f"{PAGE}?{query}")

    assert response.status_code == 422, why
    assert [("/query", code)] == [(item["pointer"], item["code"]) for item in response.get_json()["errors"]]


# ---------------------------------------------------------------- caching


@pytest.mark.parametrize("query", ["", "?agent=diltiazem", "?agent=diltiazem&with=simvastatin"])
def test_list_is_cached_by_its_etag(client: FlaskClient, query: str) -> None:
    """The rows change with the knowledge alone: a strong ETag, and 304 for a caller who has them."""
    first = client.get(PAGE + query)
    again = client.get(PAGE + query, headers={"If-None-Match": first.headers["ETag"]})

    assert first.headers["ETag"].startswith('"')
    assert first.headers["Cache-Control"] == "no-cache"
    assert (again.status_code, again.get_data(), again.headers["ETag"]) == (304, b"", first.headers["ETag"])


def test_each_filter_has_an_etag_of_its_own(client: FlaskClient) -> None:
    """A caller who has one list does not get 304 for another."""
    first = client.get(f"{PAGE}?agent=diltiazem")
    other = client.get(f"{PAGE}?agent=warfarin", headers={"If-None-Match": first.headers["ETag"]})

    assert other.status_code == 200
