"""What the server starts: the application, or one clear line and an exit."""

import sys

from flask import Flask

from dosing_service.app import create_app
from dosing_service.errors import DosingError


def application() -> Flask:
    """Return the application; a setting or a knowledge file that is wrong ends the process with its one-line reason."""
    try:
        return create_app()
    except DosingError as error:
        print(f"dosing-service does not start: {error}", file=sys.stderr)  # noqa: T201 - no logging is set up yet
        sys.exit(1)
