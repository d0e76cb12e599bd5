"""promote: build once, promote by digest."""

__version__ = "0.1.0"
