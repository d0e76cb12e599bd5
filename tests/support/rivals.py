"""Two who promote other releases of one app at the same time."""

from __future__ import annotations

import json
from pathlib import Path

from support.gitops_repo import TAG, GitopsRepo, make

OTHER = "sha-0123456"
"""Another tag of the same image."""


def rivals(home: Path) -> tuple[GitopsRepo, GitopsRepo]:
    """Two clones, and two tags of the image that staging runs or ran."""
    repo = make(home, gates={"deployed": "off"})
    index = repo.layout("staging") / "index.json"
    document = json.loads(index.read_bytes())
    name = "org.opencontainers.image.ref.name"
    tagged = next(d for d in document["manifests"] if d.get("annotations", {}).get(name) == TAG)
    document["manifests"].append({**tagged, "annotations": {name: OTHER}})
    index.write_text(json.dumps(document))
    return repo, repo.clone("rival")
