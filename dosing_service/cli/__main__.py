"""``python -m dosing_service.cli``."""

from dosing_service.cli import main

main()
