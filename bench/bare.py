"""A Flask application with one route that returns prepared bytes: what an answer costs when nothing is worked out."""

import os
from pathlib import Path

from flask import Flask, Response, request

#: Names the file with the answer to repeat, head and body as the service sent them.
ANSWER_FILE = "BENCH_ANSWER_FILE"
#: Werkzeug and gunicorn write these themselves.
_WRITTEN_BY_SERVER = {"server", "date", "connection", "content-length"}


def create_app() -> Flask:
    """Return the WSGI application."""
    head, _, body = Path(os.environ[ANSWER_FILE]).read_bytes().partition(b"\r\n\r\n")
    lines = (line.partition(": ") for line in head.decode("latin-1").split("\r\n")[1:])
    headers = [(name, value) for name, _, value in lines if name.lower() not in _WRITTEN_BY_SERVER]
    app = Flask(__name__, static_folder=None)

    @app.post("/<root>/<resource>")
    def repeat(root: str, resource: str) -> Response:  # noqa: ARG001 - the same for every resource
        # The service has to read what it is asked; a route that left the body on the socket would be spared that.
        request.get_data(cache=False)
        return Response(body, headers=headers)

    return app
