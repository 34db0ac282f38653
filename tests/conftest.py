"""What most tests need: the shipped knowledge base, the application and a client of it."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dosing_service import create_app
from dosing_service.knowledge import load
from dosing_service.knowledge.base import KnowledgeBase


@pytest.fixture(scope="session")
def knowledge() -> KnowledgeBase:
    """The shipped knowledge base."""
    return load()


@pytest.fixture(scope="session")
def app(knowledge: KnowledgeBase) -> Flask:
    """The application over the shipped knowledge base."""
    return create_app(known=knowledge)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client of the application, in process."""
    return app.test_client()
