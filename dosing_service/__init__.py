"""Documented doses for the treatment of calcinosis cutis, with their working, their sources and what is not known.

Decision support for professionals, not clinically approved.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask import Flask

__all__ = ["__version__", "create_app"]
__version__ = "0.1.0"


def create_app(*args: Any, **kwargs: Any) -> "Flask":
    """Return the WSGI application; see :func:`dosing_service.app.create_app`. Flask is imported only when it is
    called.
    """
    from dosing_service.app import create_app as create  # noqa: PLC0415 - the command line and the rules must not need Flask

    return create(*args, **kwargs)
