"""Registries as their products are: each a small description of one `RegistryServer`.

    with running(GITLAB) as world:
        load_layout(layout_directory, world.server, "acme/web")

A profile is strict where distribution-spec 1.1 is strict, and odd where the product is known to be odd; who said so
stands beside each oddity.  They are descriptions and no substitute for the products: docs/registries.md says which of
them were tried.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from support.registry_server import Answer, Hook, RegistryServer, Repository, Request, digest_of, signed

IDENTITY_TOKEN = "identity-token-of-the-test"
FOUR_MIB = 4 * 1024 * 1024

Quirk = Callable[[RegistryServer], Hook]


@dataclass(frozen=True)
class Profile:
    """One product: the options of its `RegistryServer`, and its `quirks`, of which the first with an answer wins.

    `identity_token`: it is logged in to by a refresh token and not by a password.  `tokens_elsewhere`: the token
    service is another host.  `storage_elsewhere`: blobs are handed out by another host, at presigned addresses.
    `immutable` is how a PUT of a tag that exists is answered once tags are set to be immutable, None where that is not
    known.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    quirks: tuple[Quirk, ...] = ()
    identity_token: bool = False
    tokens_elsewhere: bool = False
    storage_elsewhere: bool = False
    immutable: Answer | None = None


@dataclass(frozen=True)
class Running:
    """A profile that listens.  `tokens` and `storage` are `server` itself where the product has no other hosts."""

    profile: Profile
    server: RegistryServer
    tokens: RegistryServer
    storage: RegistryServer

    @property
    def login(self) -> dict[str, str]:
        """The entry of an auth file that is good here."""
        if self.profile.identity_token:
            nobody = base64.b64encode(b"00000000-0000-0000-0000-000000000000:").decode()
            return {"auth": nobody, "identitytoken": IDENTITY_TOKEN}
        return {"username": self.server.username, "password": self.server.password}

    @property
    def auth_file(self) -> str:
        """An auth file that is good here and nowhere else."""
        return json.dumps({"auths": {self.server.address: self.login}})


@contextmanager
def running(profile: Profile) -> Iterator[Running]:
    """`profile` with everything that belongs to it, listening on 127.0.0.1."""
    with ExitStack() as stack:
        server = stack.enter_context(RegistryServer(**profile.options))
        tokens = storage = server
        server.faults = [quirk(server) for quirk in profile.quirks]
        if profile.identity_token:
            server.identity_token = IDENTITY_TOKEN
        if profile.tokens_elsewhere:
            tokens = stack.enter_context(RegistryServer(auth="token", one_scope=server.one_scope))
            tokens.tokens, server.realm = server.tokens, f"{tokens.url}/token"
        if profile.storage_elsewhere:
            storage = stack.enter_context(RegistryServer(faults=[_only_presigned]))
            storage.repositories, server.storage = server.repositories, storage.url
        yield Running(profile, server, tokens, storage)


def error(status: int, code: str) -> Answer:
    """An answer with one error code of distribution-spec 1.1, "Error Codes"."""
    body = json.dumps({"errors": [{"code": code, "message": "as the product says it", "detail": {}}]}).encode()
    return Answer(status, {"Content-Type": "application/json"}, body)


# -- quirks


def referrers_answer(answer: Answer) -> Quirk:
    """The endpoint of the referrers API answers this."""
    return lambda _: lambda request: answer if "/referrers/" in request.target else None


def no_chunks(_: RegistryServer) -> Hook:
    """A blob is uploaded whole or not at all."""
    return lambda request: error(405, "UNSUPPORTED") if request.method == "PATCH" else None


def chunks_up_to_four_mib(_: RegistryServer) -> Hook:
    """A larger chunk is out of range."""

    def hook(request: Request) -> Answer | None:
        large = int(request.headers.get("content-length", 0)) > FOUR_MIB
        return error(416, "BLOB_UPLOAD_INVALID") if request.method == "PATCH" and large else None

    return hook


def pages_up_to_a_thousand(_: RegistryServer) -> Hook:
    """A longer page of tags is an error and not a shorter page."""

    def hook(request: Request) -> Answer | None:
        asked = request.path.endswith("/tags/list") and int(request.query.get("n", 0)) > 1000
        return error(400, "UNSUPPORTED") if asked else None

    return hook


def digest_tags(server: RegistryServer) -> Hook:
    """``sha256-<hex>`` is answered with the manifest of that digest where no such tag is."""
    return lambda request: _as_digest(server, request, even_if_tagged=False)


def digest_tags_always(server: RegistryServer) -> Hook:
    """The same where there is such a tag: then no list can be kept there."""
    return lambda request: _as_digest(server, request, even_if_tagged=True)


def no_cookies_of_a_browser(_: RegistryServer) -> Hook:
    """Who sends the session's cookie back is taken for a browser, and a browser's writes need a CSRF token."""

    def hook(request: Request) -> Answer | None:
        writes = request.method not in {"GET", "HEAD"}
        return error(403, "FORBIDDEN") if writes and "cookie" in request.headers else None

    return hook


def subject_first(server: RegistryServer) -> Hook:
    """What belongs to an image is refused before the image is there, by subject and by cosign's tag alike."""
    return lambda request: _before_subject(server, request)


def mount_from_unknown_is_unauthorized(server: RegistryServer) -> Hook:
    """A mount from a project that is not there is answered as one that may not be read."""

    def hook(request: Request) -> Answer | None:
        source = request.query.get("from", "")
        unknown = request.method == "POST" and "mount" in request.query and source not in server.repositories
        return error(401, "UNAUTHORIZED") if unknown and _asks_with_credentials(server, request) else None

    return hook


def mount_needs_from(_: RegistryServer) -> Hook:
    """A mount that names no source is an error and not an upload."""

    def hook(request: Request) -> Answer | None:
        mounts = request.method == "POST" and "mount" in request.query
        return error(400, "BLOB_UPLOAD_INVALID") if mounts and not request.query.get("from") else None

    return hook


def absent_is_forbidden(server: RegistryServer) -> Hook:
    """What is not there is 403: to every HEAD, and to a GET of a tag."""
    return lambda request: _forbidden(server, request)


def uploads_stay(_: RegistryServer) -> Hook:
    """Nobody here may delete, an upload included."""
    return lambda request: error(403, "DENIED") if request.method == "DELETE" else None


def _asks_with_credentials(server: RegistryServer, request: Request) -> bool:
    return server.auth is None or "authorization" in request.headers


def _place(request: Request, kind: str) -> tuple[str, str] | None:
    """Repository and last part of a path below ``manifests`` or ``blobs``."""
    name, found, ref = request.path.removeprefix("/v2/").partition(f"/{kind}/")
    return (name, ref) if found and "/" not in ref else None


def _as_digest(server: RegistryServer, request: Request, *, even_if_tagged: bool) -> Answer | None:
    place = _place(request, "manifests")
    if place is None or request.method not in {"GET", "HEAD"} or not _asks_with_credentials(server, request):
        return None
    repository, digest = server.repositories.get(place[0], Repository()), place[1].replace("-", ":", 1)
    if digest not in repository.manifests or (place[1] in repository.tags and not even_if_tagged) or ":" in place[1]:
        return None
    media_type, content = repository.manifests[digest]
    return Answer(200, {"Content-Type": media_type, "Docker-Content-Digest": digest_of(content)}, content)


def _before_subject(server: RegistryServer, request: Request) -> Answer | None:
    place = _place(request, "manifests")
    if place is None or request.method != "PUT" or not place[1].startswith("sha256-"):
        return None
    digest, dot, _ = place[1].replace("-", ":", 1).partition(".")
    absent = digest not in server.repositories.get(place[0], Repository()).manifests
    return error(404, "MANIFEST_UNKNOWN") if dot and absent else None


def _forbidden(server: RegistryServer, request: Request) -> Answer | None:
    place, blob = _place(request, "manifests"), _place(request, "blobs")
    if request.method not in {"GET", "HEAD"} or not (place or blob) or not _asks_with_credentials(server, request):
        return None
    name, ref = place or blob or ("", "")
    repository = server.repositories.get(name, Repository())
    there = ref in repository.blobs if blob else ref in {*repository.manifests, *repository.tags}
    return None if there or (request.method == "GET" and ":" in ref) else error(403, "UNAUTHORIZED")


def _only_presigned(request: Request) -> Answer | None:
    """Object storage: an address is good as it was signed, and credentials beside a signature are an error."""
    if {"authorization", "cookie"} & request.headers.keys():
        return Answer(400, {"Content-Type": "application/xml"}, b"<Error><Code>InvalidArgument</Code></Error>")
    if request.target != signed(request.path) or not parse_qsl(urlsplit(request.target).query):
        return Answer(403, {"Content-Type": "application/xml"}, b"<Error><Code>SignatureDoesNotMatch</Code></Error>")
    return None


# -- products

GHCR = Profile(
    "ghcr",
    # no referrers API; the challenge names the placeholder "repository:user/image:pull" whatever is asked for
    {"referrers": False, "auth": "token", "scope": "repository:user/image:pull"},
    (
        # 303 to a page for people: artifacthub/hub #4785
        referrers_answer(Answer(303, {"Location": "https://github.example.invalid/orgs/acme/packages"})),
        # 416 for a ranged chunk above 4 MiB: oras-project/rust-oci-client #35
        chunks_up_to_four_mib,
    ),
)

ECR = Profile(
    "ecr",
    {
        "auth": "basic",  # ECR user guide, "Private registry authentication": user AWS, the token as password
        "create_on_push": False,  # a repository is created by API before the first push
        "patch_status": 201,  # aws/containers-roadmap #2831
        "mount": False,  # only with the account setting BLOB_MOUNTING; else 202: aws/containers-roadmap #2860
    },
    (pages_up_to_a_thousand,),  # google/go-containerregistry #1091
    storage_elsewhere=True,  # layers come from S3
    immutable=error(
        400, "TAG_INVALID"
    ),  # "... cannot be overwritten because the tag is immutable": moby/buildkit #3776
)

ECR_PUBLIC = Profile(
    "ecr-public",
    # the scope of public.ecr.aws is the word "aws"; 405 to the referrers API: aws/containers-roadmap #2783
    {"auth": "token", "scope": "aws", "create_on_push": False, "referrers": False, "mount": False},
    (referrers_answer(error(405, "UNSUPPORTED")), pages_up_to_a_thousand),
    storage_elsewhere=True,
)

GAR = Profile(
    "gar",
    {"auth": "token"},
    (no_chunks,),  # Artifact Registry documentation, "Known limitations"; kitops-ml/kitops #777
)

ACR = Profile(
    "acr",
    {"auth": "token", "absolute_locations": False},
    identity_token=True,  # `az acr login` stores a refresh token: Azure/acr, docs/AAD-OAuth.md
    storage_elsewhere=True,  # layers come from blob storage, unless dedicated data endpoints are on
    # a locked image or repository: "The operation is disallowed on this registry, repository or image"
    immutable=error(405, "REGISTRY_DISALLOWED_OPERATION"),
)

DOCKER_HUB = Profile(
    "docker-hub",
    # no referrers API: docker/roadmap #724; limits are told with every answer: Docker Hub documentation, "Pull usage"
    {
        "referrers": False,
        "auth": "token",
        "headers": {"ratelimit-limit": "100;w=21600", "ratelimit-remaining": "99;w=21600"},
    },
    tokens_elsewhere=True,  # auth.docker.io
    storage_elsewhere=True,  # a CDN
)

GITLAB = Profile(
    "gitlab",
    # of two scopes in one request one was granted: estesp/manifest-tool #53
    {"referrers": False, "auth": "token", "one_scope": True},
    (digest_tags,),  # oras-project/oras #2148, oras-project/oras-go #1396
    tokens_elsewhere=True,  # the main GitLab host, /jwt/auth
)

HARBOR = Profile(
    "harbor",
    {"auth": "token", "headers": {"Set-Cookie": "sid=1; Path=/; HttpOnly"}},
    (
        no_cookies_of_a_browser,
        subject_first,  # goharbor/harbor #17095
        mount_from_unknown_is_unauthorized,  # goharbor/harbor #17097
    ),
    immutable=error(412, "PRECONDITION"),  # goharbor/harbor #9427
)

QUAY = Profile("quay", {"auth": "token", "absolute_locations": True}, (mount_needs_from,))

ARTIFACTORY = Profile(
    "artifactory",
    {"auth": "basic", "mount": False},
    (
        # of a virtual repository: google/go-containerregistry #1691, sigstore/cosign #2973
        absent_is_forbidden,
        uploads_stay,  # an account without the delete permission: oras-project/rust-oci-client #205
    ),
    immutable=error(403, "DENIED"),  # overwriting takes the delete permission
)

DISTRIBUTION_2 = Profile(
    "distribution-2",
    {"referrers": False, "auth": "basic", "absolute_locations": True},
    # no such handler, so that the router answers
    (referrers_answer(Answer(404, {"Content-Type": "text/plain; charset=utf-8"}, b"404 page not found\n")),),
)

DISTRIBUTION_3 = Profile(
    "distribution-3",
    {"referrers": False, "page_size": 1000},
    (referrers_answer(Answer(404, {"Content-Type": "text/plain; charset=utf-8"}, b"404 page not found\n")),),
)

ZOT = Profile("zot", {"auth": "basic", "page_size": 2})
"""As strict as the specification, with short pages."""

PROFILES = (
    GHCR,
    ECR,
    ECR_PUBLIC,
    GAR,
    ACR,
    DOCKER_HUB,
    GITLAB,
    HARBOR,
    QUAY,
    ARTIFACTORY,
    DISTRIBUTION_2,
    DISTRIBUTION_3,
    ZOT,
)
