"""How fast the service is, against what, as ratios in one run: ``python -m bench``."""
