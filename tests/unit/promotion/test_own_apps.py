"""Which images of a repository are one's own, and which of their names belong together."""

from __future__ import annotations

import pytest

from promote.promotion.own_apps import called, own, tag_form
from promote.promotion.sightings import Origin, Sighting, split_name

ENTRY, CONTAINER, VALUES = Origin.ENTRY, Origin.CONTAINER, Origin.VALUES


def seen(
    image: str, *, name: str | None = None, overlay: str = "overlays/prod", origin: Origin = CONTAINER
) -> Sighting:
    pulled, colon, tag = image.rpartition(":") if ":" in image.rpartition("/")[2] else (image, "", "")
    return Sighting(overlay, name or pulled, pulled, tag if colon else None, origin)


def images(*sightings: Sighting) -> list[str]:
    return [app.image for app in own(sightings)[0]]


def test_a_commit_tag_tells_ones_own_apart_from_all_else():
    found, strangers = own([seen("r.example/acme/web:sha-0123456"), seen("r.example/acme/cache:7"), seen("redis:7")])
    assert ([app.image for app in found], strangers) == (["acme/web"], ("r.example/acme/cache", "redis"))


def test_else_what_overlays_rewrite_and_what_has_the_same_owner():
    rewritten = seen("r.example/acme/web:1.2", name="web", origin=ENTRY)
    assert images(rewritten, seen("r.example/acme/api:3"), seen("r.example/other/x:1")) == ["acme/api", "acme/web"]


def test_else_bare_names_that_a_tool_fills_in():
    assert images(seen("web"), seen("gcr.io/some/proxy:1"), seen("postgres")) == ["web"]


def test_else_all_that_is_not_well_known():
    sights = (
        seen("quay.io/acme/web:1"),
        seen("alpine:3"),
        seen("registry.k8s.io/pause:3"),
        seen("docker.io/library/redis"),
    )
    assert images(*sights) == ["acme/web"]


def test_where_only_the_well_known_is_left_it_is_proposed():
    assert images(seen("nginx:1")) == ["nginx"]


@pytest.mark.parametrize("tag", ["0123abc", "4f2a91c8" * 5])
def test_a_bare_hash_counts_where_an_overlay_pins_it(tag):
    pinned = seen(f"quay.io/acme/web:{tag}", name="web", origin=ENTRY)
    assert images(pinned, seen("quay.io/acme/web-db:1"), seen(f"quay.io/x/y:{tag}")) == ["acme/web"]


def test_what_a_name_is_rewritten_to_is_the_same_app_in_every_registry():
    sights = [
        seen("eu.example/acme/web:sha-0123456", name="web", origin=ENTRY),
        seen("us.example/mirror/web:sha-0123456", name="web", origin=ENTRY, overlay="overlays/us"),
        seen("web", overlay="overlays/dev"),
    ]
    (app,) = own(sights)[0]
    assert (app.image, app.names) == ("web", {"web", "eu.example/acme/web", "us.example/mirror/web"})
    assert [app.registry(s) for s in app.sightings] == ["eu.example/acme", "us.example/mirror", "docker.io"]


def test_a_placeholder_of_several_images_is_nobodys_name():
    sights = [seen(f"r.example/acme/{app}:sha-0123456", name="app", origin=ENTRY) for app in ("web", "api")]
    found = own(sights)[0]
    assert [(app.image, "app" in app.names) for app in found] == [("acme/api", False), ("acme/web", False)]


def test_a_bare_name_with_two_possible_owners_stays_apart():
    assert images(seen("r.example/a/web:1"), seen("r.example/b/web:1"), seen("web:1")) == ["a/web", "b/web", "web"]


def test_a_path_that_another_app_shows_to_be_the_registrys_is_no_part_of_an_image():
    sights = [
        seen("r.example/team/web:1", name="web", origin=ENTRY),
        seen("web:1", overlay="overlays/dev"),
        seen("r.example/team/api:1", name="api", origin=ENTRY),
    ]
    assert images(*sights) == ["api", "web"]


def test_an_app_is_called_by_the_directory_that_it_has_alone():
    sights = [
        seen("r.example/acme/frontend-service:sha-0123456", overlay="apps/shop/prod"),
        seen("r.example/acme/api:sha-0123456", overlay="apps/api/prod"),
    ]
    assert {name: app.image for name, app in called(own(sights)[0]).items()} == {
        "api": "acme/api", "shop": "acme/frontend-service",
    }  # fmt: skip


def test_apps_whose_images_end_alike_get_names_of_their_own():
    sights = [seen(f"r.example/{team}/web:sha-0123456") for team in ("a", "b", "c")]
    assert sorted(called(own(sights)[0])) == ["web", "web-2", "web-3"]


@pytest.mark.parametrize(
    ("tags", "form"),
    [
        (["sha-0123456", "sha-89abcdef"], r"sha-(?P<commit>[0-9a-f]{7,64})"),
        (["4f2a91c8" * 5], r"(?P<commit>[0-9a-f]{40})"),
        (["git-4f2a91c", "git-89abcde"], r"git-(?P<commit>[0-9a-f]{7,64})"),
        (["main-4f2a91c"], r"main-(?P<commit>[0-9a-f]{7,64})"),
        (["4f2a91c", "89abcde"], r"(?P<commit>[0-9a-f]{7,64})"),
        (["prod-4f2a91c-20240131120000"], r"[a-z]+-(?P<commit>[0-9a-f]{7,64})-[0-9]{10,14}"),
        (["v1.2.3"], None),
        (["20240101", "1234567"], None),
        (["deadbee", "4f2a91c", "1.0", "2.0", "3.0"], None),
    ],
)
def test_the_form_of_commit_tags_is_what_most_of_them_have(tags, form):
    sights = [seen(f"r.example/acme/web:{tag}", name="web", origin=ENTRY) for tag in tags]
    found = tag_form(own(sights)[0])
    assert (found.pattern if found else None) == form


def test_a_name_has_a_host_where_a_runtime_would_see_one():
    assert [split_name(n) for n in ("web", "acme/web", "r.example/web", "localhost/web", "r:5000/a/b")] == [
        ("", "web"), ("", "acme/web"), ("r.example", "web"), ("localhost", "web"), ("r:5000", "a/b"),
    ]  # fmt: skip
