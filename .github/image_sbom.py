"""Print a CycloneDX SBOM of the machine this runs on: its Debian packages, and the distributions this Python sees.

Run inside the image, by its own interpreter, from standard input, so that nothing is added to what is described:

    podman run --rm -i --entrypoint /opt/promote/bin/python IMAGE -I - REVISION < .github/image_sbom.py

Standard library only.  Sorted, and without a time or a random number: the same image gives the same bytes.
"""  # noqa: INP001 - a script, of no package

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import metadata
from urllib.parse import quote

DPKG = ("dpkg-query", "--show", "--showformat=${Package}\t${Version}\t${Architecture}\n")


def main(revision: str) -> None:
    """Write the document for the image of `revision`, a commit of promote, to standard output."""
    components = sorted([*debian_packages(), *python_distributions()], key=lambda component: component["purl"])
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "container", "name": "promote", "version": revision}},
        "components": components,
    }
    json.dump(document, sys.stdout, indent=1)
    sys.stdout.write("\n")


def debian_packages() -> list[dict[str, str]]:
    """A component for every installed Debian package."""
    listed = subprocess.run(DPKG, check=True, capture_output=True, text=True).stdout  # noqa: S603 - a constant
    return [
        component(name, version, f"pkg:deb/debian/{quote(name)}@{quote(version)}?arch={architecture}")
        for name, version, architecture in (line.split("\t") for line in listed.splitlines())
    ]


def python_distributions() -> list[dict[str, str]]:
    """A component for every distribution that this interpreter can import from, promote among them."""
    found = ((one.metadata["Name"], one.version) for one in metadata.distributions())
    return [
        # the purl type pypi asks for the name as an index normalizes it
        component(name, version, f"pkg:pypi/{quote(re.sub(r'[-_.]+', '-', name).lower())}@{quote(version)}")
        for name, version in found
    ]


def component(name: str, version: str, purl: str) -> dict[str, str]:
    """One library."""
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


if __name__ == "__main__":
    main(*sys.argv[1:])
