"""What an overlay pins, by template and by reading it: always the same answer."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.git_insight import digest, kustomization
from support.release_world import tag

from promote.insight.layout import Slot, Where
from promote.insight.overlay_state import ABSENT, Files, State, read_states
from promote.model.record import Pinned

DIRECTORY = "overlays/prod"
PATH = f"{DIRECTORY}/kustomization.yaml"
WEB = Slot("prod", "web", 0, 0)
MEMBERS = {WEB: Where(DIRECTORY, frozenset({"web", "acme/web"}))}
STYLES = (
    kustomization("web", 1),
    f"images: [{{name: web, newTag: {tag(1)}, digest: '{digest(1)}'}}]\n",
    f"images:\n- digest: {digest(1)}\n  name: acme/web\n  newTag: '{tag(1)}' # it\n",
    f'{{"images": [{{"name": "web", "newTag": "{tag(1)}@{digest(1)}"}}]}}',
    f"\ufeffimages:\r\n- name: web\r\n  newName: r.example/acme/web\r\n  newTag: {tag(1)}\r\n  digest: {digest(1)}\r\n",
    f"x: &t {tag(1)}\nimages:\n- name: web\n  newTag: *t\n  digest: {digest(1)}\n",
)


def files(content: dict[str, str]) -> Files:
    blobs = {hashlib.sha256(text.encode()).hexdigest(): text.encode() for text in content.values()}
    oids = {path: hashlib.sha256(text.encode()).hexdigest() for path, text in content.items()}
    return Files(oids, set(), blobs.__getitem__)


def read(text: str) -> State:
    return read_states(files({PATH: text}), DIRECTORY, MEMBERS)[0][WEB]


@pytest.mark.parametrize("text", STYLES)
def test_a_template_reads_the_next_version_as_the_parser_does(text):
    _, template = read_states(files({PATH: text}), DIRECTORY, MEMBERS)
    assert template is not None
    newer = text.replace(tag(1), tag(2)).replace(digest(1), digest(2))
    assert template.match(newer.encode()) == read(newer) == State((Pinned(tag(2), digest(2)),))


WORDS = st.one_of(
    st.sampled_from(
        ["null", "true", "0x1f", "1e3", "1_000", "on", "..", "-a", "a b", "a: b", "a#b", "a #b", "&x", "*t", ""]
    ),
    st.text(alphabet="aZ0_.-:#\"'\n\\{}[],&*!|>%@` ", max_size=12),
)


@settings(max_examples=150)
@given(st.sampled_from(STYLES), WORDS, st.one_of(st.just(digest(3)), WORDS), st.booleans())
def test_whatever_stands_in_the_place_of_the_tag_is_read_as_the_parser_does_or_left_to_it(text, word, other, comment):
    _, template = read_states(files({PATH: text}), DIRECTORY, MEMBERS)
    assert template is not None
    newer = text.replace(tag(1), word).replace(digest(1), other) + ("# more\n" if comment else "")
    found = template.match(newer.encode())
    assert found is None or found == read(newer)


@pytest.mark.parametrize(
    "text",
    [
        f"# {tag(1)}\n" + kustomization("web", 1),
        kustomization("web", 1).replace(f'"{tag(1)}"', '"' + tag(1).replace("-", "\\x2d") + '"') + f"# {tag(1)}\n",
        kustomization("web", 1).replace(f"    digest: {digest(1)}\n", ""),
        kustomization("web", 1) + kustomization("acme/web", 2).removeprefix("images:\n"),
    ],
)
def test_where_a_word_could_mean_two_places_there_is_no_template(text):
    assert read_states(files({PATH: text}), DIRECTORY, MEMBERS)[1] is None


def test_no_overlay_no_pin_and_an_unreadable_one_are_three_things():
    assert read_states(files({}), DIRECTORY, MEMBERS)[0][WEB] == ABSENT
    assert read("resources: []\n") == State()
    assert read("images: [\n").problem is not None


def test_apps_of_one_overlay_are_read_together_and_each_gets_its_own():
    api = Slot("prod", "api", 0, 0)
    members = {**MEMBERS, api: Where(DIRECTORY, frozenset({"api"}))}
    text = kustomization("web", 1) + kustomization("api", 2).removeprefix("images:\n")
    states, template = read_states(files({PATH: text}), DIRECTORY, members)
    assert states == {WEB: State((Pinned(tag(1), digest(1)),)), api: State((Pinned(tag(2), digest(2)),))}
    assert template is None


def test_apps_whose_names_overlap_are_read_one_by_one():
    api = Slot("prod", "api", 0, 0)
    members = {**MEMBERS, api: Where(DIRECTORY, frozenset({"web"}))}
    states, _ = read_states(files({PATH: kustomization("web", 1)}), DIRECTORY, members)
    assert states[WEB] == states[api] == State((Pinned(tag(1), digest(1)),))
