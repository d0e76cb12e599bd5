"""Run promote for the action: `python -I action`, by the interpreter of the environment that install.py made."""

from __future__ import annotations

import os
import sys

from promote_action.run import main

sys.exit(main(os.environ))
