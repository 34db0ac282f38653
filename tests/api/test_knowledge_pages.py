"""What the service says about itself: agents, references, the knowledge base, its health, and how it may be cached."""

from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask
from flask.testing import FlaskClient

import dosing_service
from dosing_service import create_app
from dosing_service.config import Settings
from dosing_service.knowledge.base import KnowledgeBase

FOLDER = Path(str(files("dosing_service.knowledge")))


def written(name: str) -> Any:
    """Return a knowledge file as PyYAML reads it, without the loader that is tested."""
    return yaml.load((FOLDER / name).read_text("utf-8"), Loader=yaml.CSafeLoader)


AGENTS = {path.stem: written(f"agents/{path.name}") for path in sorted((FOLDER / "agents").glob("*.yaml"))}
REFERENCES = written("references.yaml")
REGIMENS = [regimen for agent in AGENTS.values() for regimen in agent["regimens"]]


# ---------------------------------------------------------------- agents


def ids(client: FlaskClient, query: dict[str, str]) -> set[str]:
    """Return the ids in the list of agents."""
    return {agent["id"] for agent in client.get("/v1/agents", query_string=query).get_json()["agents"]}


def test_list_holds_every_agent(client: FlaskClient) -> None:
    """Without a filter, each knowledge file is an agent in the list."""
    assert set(AGENTS) == ids(client, {})


@pytest.mark.parametrize(
    ("query", "expected", "why"),
    [
        ({"class": "immunoglobulin"}, {"ivig"}, "one class"),
        ({"kind": "procedure"}, {id_ for id_, agent in AGENTS.items() if agent["kind"] == "procedure"}, "one kind"),
        (
            {"indication": "juvenile-dermatomyositis"},
            {
                id_
                for id_, agent in AGENTS.items()
                if any("juvenile-dermatomyositis" in regimen["diseases"] for regimen in agent["regimens"])
            },
            "a disease of any regimen",
        ),
        ({"kind": "drug", "class": "immunoglobulin", "indication": "crest"}, {"ivig"}, "all filters must fit"),
        ({"kind": "procedure", "class": "immunoglobulin"}, set(), "nothing fits both"),
        ({"kind": "Drug"}, set(), "words are compared as they are"),
        ({"kind": ""}, set(), "an empty filter fits nothing"),
    ],
)
def test_list_is_filtered(client: FlaskClient, query: dict[str, str], expected: set[str], why: str) -> None:
    """The list holds exactly the agents that fit every filter."""
    assert expected == ids(client, query), why


@pytest.mark.parametrize(
    ("query", "code", "why"),
    [
        ("diseases=crest", "unknown-parameter", "a misspelt filter would show everything"),
        ("kind=drug&page=2", "unknown-parameter", "beside one that is known"),
        ("kind=drug&kind=procedure", "repeated-parameter", "which of the two?"),
    ],
)
def test_query_that_is_not_understood_is_refused(client: FlaskClient, query: str, code: str, why: str) -> None:
    """A filter is applied or refused, never passed over."""
    response = client.get(f"/v1/agents?{query}")

    assert response.status_code == 422, why
    assert [("/query", code)] == [(item["pointer"], item["code"]) for item in response.get_json()["errors"]]


@pytest.mark.parametrize("id_", list(AGENTS))
def test_monograph_holds_what_the_file_says(client: FlaskClient, id_: str) -> None:
    """Each agent has a monograph with all its regimens, products and disagreements, in the order of the file."""
    source = AGENTS[id_]
    page = client.get(f"/v1/agents/{id_}").get_json()

    assert (source["name"], source["kind"], source["class"]) == (page["name"], page["kind"], page["class"])
    assert source.get("default_regimen") == page["default_regimen"]
    for part in ("regimens", "products", "disagreements"):
        assert [item["id"] for item in source.get(part, [])] == [item["id"] for item in page[part]]


def test_monograph_gives_doses_as_they_were_written(client: FlaskClient) -> None:
    """Figures stand in the source's own unit, with their references."""
    regimens = {item["id"]: item for item in client.get("/v1/agents/diltiazem").get_json()["regimens"]}
    overview = regimens["calcinosis-overview"]

    assert overview["dose"] == {"low": 2, "high": 4, "unit": "mg/kg/d", "per": "day", "values": None}
    assert (overview["references"], overview["verified"]) == (["treatment-overview"], True)


# ---------------------------------------------------------------- references


def test_every_reference_has_its_page(client: FlaskClient) -> None:
    """Each citation of references.yaml is answered with the words of that file."""
    for id_, source in REFERENCES.items():
        page = client.get(f"/v1/references/{id_}").get_json()
        assert source | {"id": id_} == {name: value for name, value in page.items() if value is not None}


def test_unknown_reference_comes_with_the_nearest_ids(client: FlaskClient) -> None:
    """A slip in a citation is answered with 404 and the ids that are spelled alike."""
    response = client.get("/v1/references/palmieri-1996")

    assert response.status_code == 404
    (problem,) = response.get_json()["errors"]
    assert problem["code"] == "unknown-reference"
    assert "palmieri-1995" in problem["expected"]


# ---------------------------------------------------------------- the knowledge base


def test_knowledge_is_counted(client: FlaskClient) -> None:
    """The counts are those of the files."""
    counts = {
        "agents": len(AGENTS),
        "drugs": sum(agent["kind"] == "drug" for agent in AGENTS.values()),
        "procedures": sum(agent["kind"] == "procedure" for agent in AGENTS.values()),
        "regimens": len(REGIMENS),
        "references": len(REFERENCES),
    }
    page = client.get("/v1/knowledge").get_json()

    assert counts == {name: page["counts"][name] for name in counts}
    assert len(REGIMENS) == sum(page["coverage"]["regimens_by_use"].values())
    assert [id_ for id_, agent in AGENTS.items() if not agent["regimens"]] == page["coverage"]["agents_without_dose"]


def test_knowledge_lists_the_disagreements(client: FlaskClient) -> None:
    """The register of contradictions names every agent that one concerns."""
    register: dict[str, list[str]] = {}
    for id_, agent in AGENTS.items():
        for item in agent.get("disagreements", []):
            register.setdefault(item["id"], []).append(id_)
    page = client.get("/v1/knowledge").get_json()

    assert register == {item["id"]: item["agents"] for item in page["disagreements"]}


def test_knowledge_says_which_version_it_is(client: FlaskClient, knowledge: KnowledgeBase) -> None:
    """Version, digest, date and review state are those of the files."""
    release = written("release.yaml")
    page = client.get("/v1/knowledge").get_json()

    assert release == {name: page[name] for name in release}
    assert (knowledge.digest, 64) == (page["digest"], len(page["digest"].removeprefix("sha256:")))


def test_knowledge_carries_its_self_test(client: FlaskClient) -> None:
    """All known answers were tried, and none of them failed."""
    page = client.get("/v1/knowledge").get_json()

    assert {"doses": len(written("known_answers.yaml")), "failures": []} == page["self_test"]


# ---------------------------------------------------------------- health


@pytest.fixture(scope="session")
def wrong(knowledge: KnowledgeBase) -> Flask:
    """An application whose first known answer does not come out."""
    first, *others = knowledge.known_answers
    spoilt = replace(first, expected={"status": "computed", "amounts": [{"per": "day", "low": 51}]})
    return create_app(settings=Settings(), known=replace(knowledge, known_answers=(spoilt, *others)))


def test_service_is_alive_and_ready(client: FlaskClient, knowledge: KnowledgeBase) -> None:
    """A service that computes its known answers gets patients."""
    ready = {"status": "ready", "known_answers": len(knowledge.known_answers), "failures": []}

    assert client.get("/livez").get_json() == {"status": "alive"}
    assert (200, ready) == (client.get("/readyz").status_code, client.get("/readyz").get_json())


def test_service_that_computes_wrongly_is_not_ready(wrong: Flask, knowledge: KnowledgeBase) -> None:
    """One known answer that does not come out, and the service asks for no patients and says which."""
    response = wrong.test_client().get("/readyz")

    assert (response.status_code, response.get_json()["status"]) == (503, "not-ready")
    assert [knowledge.known_answers[0].sentence] == response.get_json()["failures"]


def test_service_that_computes_wrongly_is_alive_and_admits_it(wrong: Flask, knowledge: KnowledgeBase) -> None:
    """It need not be restarted, which would not help; the page about its knowledge names the failure too."""
    client = wrong.test_client()

    assert client.get("/livez").status_code == 200
    assert [knowledge.known_answers[0].sentence] == client.get("/v1/knowledge").get_json()["self_test"]["failures"]


def test_version_is_that_of_the_package_and_its_knowledge(client: FlaskClient, knowledge: KnowledgeBase) -> None:
    """An operator sees what is running."""
    versions = {
        "service": dosing_service.__version__,
        "knowledge": {"version": knowledge.version, "digest": knowledge.digest},
    }

    assert versions == client.get("/__version__").get_json()


# ---------------------------------------------------------------- caching and headers

KEPT = ["/v1/agents", "/v1/agents?kind=drug", "/v1/agents/ivig", "/v1/references/palmieri-1995", "/v1/knowledge"]
CONTRACT = ["/openapi.json", "/openapi.yaml", "/docs"]


@pytest.mark.parametrize("path", KEPT + CONTRACT)
def test_page_is_sent_once(client: FlaskClient, path: str) -> None:
    """What depends on knowledge alone has a strong ETag and is revalidated; whoever has it gets 304 without a body."""
    first = client.get(path)
    etag = first.headers["ETag"]

    assert first.headers["Cache-Control"] == "no-cache"
    assert (etag[0], etag[-1]) == ('"', '"')
    for method in ("GET", "HEAD"):
        again = client.open(path, method=method, headers={"If-None-Match": etag})
        assert (again.status_code, again.get_data()) == (304, b"")
        assert (etag, "no-cache") == (again.headers["ETag"], again.headers["Cache-Control"])


@pytest.mark.parametrize("path", KEPT + CONTRACT)
def test_page_is_sent_again_to_whoever_has_another(client: FlaskClient, path: str) -> None:
    """Another ETag means another page: it is sent in full."""
    first = client.get(path)
    again = client.get(path, headers={"If-None-Match": '"0123456789abcdef"'})

    assert (200, first.get_data()) == (again.status_code, again.get_data())


@pytest.mark.parametrize("path", [*KEPT, *CONTRACT, "/livez", "/__version__"])
def test_head_is_get_without_the_body(client: FlaskClient, path: str) -> None:
    """HEAD announces the length of what GET sends."""
    got, asked = client.get(path), client.head(path)

    assert (asked.status_code, asked.get_data()) == (200, b"")
    assert (len(got.get_data()), got.mimetype) == (asked.content_length, asked.mimetype)


def test_etag_follows_the_content(client: FlaskClient) -> None:
    """Two pages never share an ETag."""
    etags = [client.get(path).headers["ETag"] for path in (*KEPT, *CONTRACT)]

    assert len(etags) == len(set(etags))


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/__version__"])
def test_health_is_not_kept(client: FlaskClient, path: str) -> None:
    """A cache between a probe and the service would answer for it."""
    assert client.get(path).headers["Cache-Control"] == "no-store"


def answers(client: FlaskClient) -> Iterator[Any]:
    """Yield one answer of each kind."""
    yield client.get("/livez")
    yield client.get("/docs")
    yield client.get("/v1/agents", headers={"If-None-Match": client.get("/v1/agents").headers["ETag"]})
    yield client.post("/v1/dose-calculations", json={"agent": "ivig", "patient": {}})
    yield client.post("/v1/dose-calculations", data="{")
    yield client.get("/nope")
    yield client.delete("/livez")


def test_every_answer_carries_the_security_headers(client: FlaskClient) -> None:
    """Whatever the status, a browser may not guess the type, frame the page, load anything or say whence it came."""
    statuses = []
    for answer in answers(client):
        statuses.append(answer.status_code)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        policy = answer.headers["Content-Security-Policy"]
        assert ("default-src 'none'" in policy, "frame-ancestors 'none'" in policy) == (True, True)

    assert statuses == [200, 200, 304, 422, 415, 404, 405]


def test_contract_page_needs_nothing_that_its_policy_forbids(client: FlaskClient) -> None:
    """The page of the contract shows every operation without a script, a style or anything from elsewhere."""
    page = client.get("/docs").get_data(as_text=True)

    operations = client.get("/openapi.json").get_json()["paths"]
    assert all(path in page for path in operations)
    assert [word for word in ("<script", "<style", "style=", "onclick=", "src=") if word in page] == []
