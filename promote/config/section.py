"""What every section of promote.yaml is made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

NAME = r"^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$"
"""Apps, environments and signers: what can stand in an argument, a path and a trailer without quoting."""

Name = Annotated[str, StringConstraints(pattern=NAME, max_length=63)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
Duration = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,4}[mhd]$")]
"""A whole number of minutes, hours or days: 30m, 24h, 7d."""


class Strict(BaseModel):
    """A mapping in which an unknown key is an error."""

    # Built when the whole file is first read, once: not each section by itself, and again in all that hold it.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)
