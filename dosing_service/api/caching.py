"""Answers that depend only on knowledge: encoded once, with a strong ETag."""

import hashlib

from flask import Request, Response, make_response


class Document:
    """Bytes that stay the same as long as the process runs."""

    def __init__(self, body: bytes, media_type: str = "application/json") -> None:
        self.body = body
        self.media_type = media_type
        self.etag = hashlib.sha256(body).hexdigest()

    def answer(self, request: Request) -> Response:
        """Return the document, or 304 when the caller has it."""
        response = Response(self.body, mimetype=self.media_type)
        response.set_etag(self.etag)
        response.headers["Cache-Control"] = "no-cache"
        return make_response(response.make_conditional(request))
