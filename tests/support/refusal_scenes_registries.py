"""Scenes of registries that are asked for the image, and of credentials for them."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

from support.gitops_repo import TAG
from support.refusal_world import Scene, World
from support.registry_server import Answer, Request, Tamper, when
from support.scene_makers import PROMOTE, ROOT, case, from_server, written

MANY = {
    "schemaVersion": 2,
    "mediaType": "application/vnd.oci.image.index.v1+json",
    "manifests": [
        {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": f"sha256:{n:064x}", "size": 2}
        for n in range(2000)
    ],
}
PART = when("GET", "/blobs/sha256:", Tamper(cut=20))


def _refused_login(world: World) -> tuple[str, ...]:
    server = world.server(auth="basic")
    world.make(staging=server.address)
    (world.home / "docker").mkdir()
    login = {"auths": {server.address: {"username": "promoter", "password": "wrong"}}}
    (world.home / "docker" / "config.json").write_text(json.dumps(login))
    world.patch.setenv("DOCKER_CONFIG", str(world.home / "docker"))
    return PROMOTE


def _environ(name: str, value: str, text: str | None = None) -> Scene:
    def scene(world: World) -> tuple[str, ...]:
        world.make(staging=world.server(auth="basic").address)
        if text is not None:
            (world.home / value).write_text(text)
        world.patch.setenv(name, str(world.home / value))
        return PROMOTE

    return scene


def _helper(world: World) -> tuple[str, ...]:
    server = world.server(auth="basic")
    world.make(staging=server.address)
    (world.home / "docker").mkdir()
    (world.home / "docker" / "config.json").write_text(json.dumps({"credHelpers": {server.address: "gone"}}))
    world.patch.setenv("DOCKER_CONFIG", str(world.home / "docker"))
    return PROMOTE


def _endless(*, names_itself: bool = False) -> Any:
    """A list of referrers whose every page names another, of this registry or of one elsewhere."""
    numbers = count(1)

    def hook(request: Request) -> Tamper | None:
        if "/referrers/" not in request.target:
            return None
        where = f"{request.path}?page={next(numbers)}" if names_itself else "http://mirror.example/v2/acme/shop"
        return Tamper(headers={"Link": f'<{where}>; rel="next"'})

    return hook


def _proposed(change: Any) -> Scene:
    """`promote init` of an image whose list of referrers is changed."""

    def scene(world: World) -> tuple[str, ...]:
        from_server(when("GET", "/referrers/", Tamper(body=change)))(world)
        address = world.repo.config["environments"]["staging"]["registry"]
        return ("init", "--from", f"{address}/acme/shop:{TAG}", "--trusted-root", ROOT, "--dry-run")

    return scene


def _elsewhere(request: Request) -> Answer | None:
    if "/blobs/sha256:" not in request.target or "range" not in request.headers:
        return None
    return Answer(206, {"Content-Range": "bytes 0-9/10", "Content-Length": "10"}, b"0123456789")


SCENES: dict[str, Scene] = {
    "credentials-missing": from_server(auth="basic"),
    "credentials-refused": _refused_login,
    "registry-unreachable": case("v3-keyless", staging="127.0.0.1:1"),
    "unexpected-answer": from_server(when("GET", "/manifests/", Answer(418, {}, b""))),
    "registry-busy": from_server(when("GET", "/token", Answer(503, {"Retry-After": "0"}, b"")), auth="token"),
    "answer-malformed": from_server(when("GET", "/referrers/", Tamper(body=lambda _: b"<html>log in</html>"))),
    "auth-file-missing": _environ("REGISTRY_AUTH_FILE", "missing.json"),
    "auth-file-malformed": _environ("REGISTRY_AUTH_FILE", "auth.json", "{"),
    "ca-unusable": written(
        "certs/ca.pem",
        "no certificate\n",
        registries={"127.0.0.1:1": {"plain_http": False, "ca": "certs/ca.pem"}},
        staging="127.0.0.1:1",
    ),
    "credential-helper-failed": _helper,
    "too-many-redirects": from_server(
        when("GET", "/manifests/", Answer(307, {"Location": "/v2/loop/manifests/x"}, b""))
    ),
    "unsafe-redirect": from_server(when("GET", "/manifests/", Answer(307, {"Location": "ftp://mirror.example/"}, b""))),
    "unsafe-page": from_server(_endless()),
    "list-too-long": from_server(_endless(names_itself=True)),
    "unsafe-token-realm": from_server(auth="token", realm="http://login.example/token"),
    "token-malformed": from_server(when("GET", "/token", Answer(200, {}, b"<html>")), auth="token"),
    "answer-too-large": from_server(when("GET", "/manifests/", Tamper(body=lambda body: body + b" " * 9_000_000))),
    "graph-too-large": _proposed(lambda _: json.dumps(MANY).encode()),
    "blob-missing": from_server(when("GET", "/blobs/sha256:", Answer(404, {}, b""))),
    "content-encoding": from_server(when("GET", "/blobs/sha256:", Tamper(headers={"Content-Encoding": "gzip"}))),
    "download-broken": from_server(PART),
    "resume-refused": from_server(_elsewhere, PART),
}
"""Each code that asking a registry can end a run with, and how."""
