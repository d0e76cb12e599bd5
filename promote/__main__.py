"""`python -m promote`."""

from promote.cli.main import entry

entry()
