"""Whatever the formatting: only value bytes change, and another reader sees exactly those values changed."""

import re

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from promote.model.digest import Digest
from promote.overlays.edits import plan_edits
from promote.overlays.spelling import is_string_when_plain

NAMES = frozenset({"shop", "acme/shop", "reg.old/shop"})
FILE = "o/kustomization.yaml"
OLD = {"newName": "reg.old/shop", "newTag": "sha-0ld0ld0", "digest": f"sha256:{'a1' * 32}"}
OTHER = {"newName": "reg.old/acme/shop-admin", "newTag": "v1", "digest": f"sha256:{'c3' * 32}"}
DIGEST = Digest("sha256", "b2" * 32)

BLANKS = st.sampled_from(["", " ", "   "])
COMMENT = st.sampled_from(["", " # c", "  # newTag: v1", "\t# é 🎉", "   ", "\t"])
BETWEEN = st.lists(st.sampled_from(["", "# comment", "   # shop: 1", "  "]), max_size=2)
QUOTE = st.sampled_from(["", "'", '"'])
TAGS = st.text("0123456789abcdef", min_size=7, max_size=64) | st.sampled_from(
    ["sha-0123456", "0e12345", "1234567", "553640e6"]
)


class Files(dict):
    def read(self, path):
        return self.get(path)


@st.composite
def entries(draw, name, values):
    """One entry of `images:` in block or flow style."""
    pairs = draw(st.permutations([("name", name), *values.items()]))
    if draw(st.booleans()):
        inside = ",".join(
            f"{draw(BLANKS)}{k}: {draw(BLANKS)}{q}{v}{q}{draw(BLANKS)}" for k, v in pairs for q in [draw(QUOTE)]
        )
        return [f"{{{inside}}}{draw(COMMENT)}"]
    lines = []
    for key, value in pairs:
        quote = draw(QUOTE)
        lines.append(f"{key}{draw(BLANKS)}: {draw(BLANKS)}{quote}{value}{quote}{draw(COMMENT)}")
        lines += draw(BETWEEN) if key != pairs[-1][0] else []
    return lines


@st.composite
def kustomizations(draw):
    """A kustomization with three entries, the one that matters somewhere among them."""
    indent, gap = " " * draw(st.integers(0, 5)), " " * draw(st.integers(1, 4))
    listed = [("db", {"newTag": "v1"}), ("acme/shop-admin", OTHER), ("shop", OLD)]
    lines = [*draw(BETWEEN), f"images:{draw(COMMENT)}"]
    for name, values in draw(st.permutations(listed)):
        lines += draw(BETWEEN)
        first, *rest = draw(entries(name, values))
        lines.append(f"{indent}-{gap}{first}")
        lines += [
            f"{indent} {gap}{line}" if line.strip() and not line.lstrip().startswith("#") else line for line in rest
        ]
    lines += [*draw(BETWEEN), "namespace: é", *draw(BETWEEN)]
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    text = draw(st.sampled_from(["", "\ufeff", "---" + newline])) + newline.join(lines)
    return (text + draw(st.sampled_from(["", newline]))).encode()


def load(content):
    return yaml.load(content, Loader=yaml.CSafeLoader)


def changed(content, tag):
    """What `content` holds, with the three values of the entry `shop` as they shall be."""
    expected = load(content)
    for entry in expected["images"]:
        if entry["name"] == "shop":
            entry.update({"newName": "reg.new/acme/shop", "newTag": tag, "digest": str(DIGEST)})
    return expected


@settings(max_examples=150)
@given(kustomizations(), TAGS)
def test_only_the_bytes_of_the_three_values_change(before, tag):
    (edit,) = plan_edits(Files({FILE: before}), "o", NAMES, "reg.new/acme/shop", tag, DIGEST)
    quote = "" if is_string_when_plain(tag) else '"'
    text = before.decode().replace(OLD["newName"], "reg.new/acme/shop").replace(OLD["digest"], str(DIGEST))
    text = re.sub(r"(['\"]?)sha-0ld0ld0\1", lambda m: (m[1] or quote) + tag + (m[1] or quote), text)
    assert edit.after.decode() == text
    assert load(edit.after) == changed(before, tag)
    assert plan_edits(Files({FILE: edit.after}), "o", NAMES, "reg.new/acme/shop", tag, DIGEST) == ()


@settings(max_examples=100)
@given(kustomizations(), st.sets(st.sampled_from(["newName", "newTag", "digest"]), min_size=1))
def test_missing_keys_are_added_without_moving_anything(before, missing):
    lines = before.decode().splitlines(keepends=True)
    kept = [line for line in lines if not any(re.match(rf" +{key} *:", line) for key in missing)]
    text = "".join(kept).encode()
    (edit,) = plan_edits(Files({FILE: text}), "o", NAMES, "reg.new/acme/shop", "sha-0123456", DIGEST)
    assert load(edit.after) == changed(text, "sha-0123456")
    untouched = [line for line in text.splitlines() if b"shop" not in line and b"sha" not in line]
    assert [line for line in edit.after.splitlines() if b"shop" not in line and b"sha" not in line] == untouched
