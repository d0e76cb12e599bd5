# ruff: noqa: E501  what is edited reads best on one line
"""Overlays in every style that people write: sixty-some spellings of the same promotion, and mutations of them.

Each is a map of files with an overlay `o` in which the image `shop` of one container is pinned, or is to be.
"""

from __future__ import annotations

import random
import re
from itertools import product

from support.overlay_files import BASE, OLD, OLD_TAG

HEAD = "resources:\n- ../base\n"
FILE = "o/kustomization.yaml"
_PAIRS = {"name": "shop", "newName": "reg.old/acme/shop", "newTag": OLD_TAG, "digest": OLD}
_QUOTES = {"plain": "", "single": "'", "double": '"'}


def _entry(indent: int, quote: str, keys: tuple[str, ...], gap: str = " ") -> str:
    pairs = [f"{key}:{gap}{quote}{_PAIRS[key]}{quote}" for key in keys]
    pad = " " * indent
    return f"{pad}- " + f"\n{pad}  ".join(pairs) + "\n"


def _block_styles() -> dict[str, str]:
    """Indentation, quotes, order and presence of keys."""
    found = {}
    for (name, quote), indent in product(_QUOTES.items(), (0, 2, 4)):
        found[f"{name} quotes, {indent} blanks"] = f"{HEAD}images:\n{_entry(indent, quote, tuple(_PAIRS))}"
    orders = [
        ("name",),
        ("name", "newTag"),
        ("newTag", "name"),
        ("name", "digest"),
        ("digest", "newTag", "newName", "name"),
        ("newName", "name", "digest"),
    ]
    for keys in orders:
        found[f"keys {', '.join(keys)}"] = f"{HEAD}images:\n{_entry(2, '', keys)}"
    return found


def _endings(text: str) -> dict[str, str]:
    """The same file in other encodings of its lines."""
    return {
        "crlf": text.replace("\n", "\r\n"),
        "byte-order mark": "\ufeff" + text,
        "no final newline": text.rstrip("\n"),
        "crlf, mark, no final newline": "\ufeff" + text.rstrip("\n").replace("\n", "\r\n"),
        "blanks at line ends": text.replace("\n", "  \n"),
        "tabs at line ends": text.replace("\n", "\t\n"),
        "blank lines everywhere": text.replace("\n", "\n\n"),
        "many final newlines": text + "\n\n\n",
        "comments everywhere": "# a\n" + text.replace("\n", "   # b: [c]\n") + "# d\n",
        "comment lines between": re.sub(r"(?m)^", "# e: 'f\n", text),
        "document markers": f"---\n{text}...\n",
        "marker, empty second document": f"---\n{text}---\n",
        "directive": f"%YAML 1.1\n---\n{text}",
        "wide colons": re.sub(r"(?m)^( *(?:- )?\w+):( |$)", r"\1   :\2", text),
    }


def _flow_styles() -> dict[str, str]:
    image = f'{{name: shop, newTag: "{OLD_TAG}"}}'
    return {
        "flow entry": f"{HEAD}images:\n- {image}\n",
        "flow list": f"{HEAD}images: [{image}]\n",
        "flow list, trailing comma": f"{HEAD}images: [{image},]\n",
        "flow over lines": f"{HEAD}images: [\n  {{name: shop,\n   newTag: {OLD_TAG}\n  }}\n]\n",
        "flow with comments": f"{HEAD}images: [ # a\n  {{ name: shop, # b\n    newTag: {OLD_TAG} }} # c\n] # d\n",
        "all flow": f"{{resources: [../base], images: [{image}]}}\n",
        "json": f'{{"resources":["../base"],"images":[{{"name":"shop","newTag":"{OLD_TAG}"}}]}}',
        "json, indented": '{\n  "resources": ["../base"],\n  "images": [\n    {\n      "name": "shop",\n      "newTag": "v1"\n'
        "    }\n  ]\n}\n",
        "json, tabs": '{\n\t"resources": ["../base"],\n\t"images": [{"name": "shop", "digest": "' + OLD + '"}]\n}\n',
    }


def _odd_styles() -> dict[str, str]:
    entry = _entry(0, "", ("name", "newTag"))
    other = "- name: shopper\n  newTag: '2'\n"
    return {
        "other entry before": f"{HEAD}images:\n{other}{entry}",
        "other entry after": f"{HEAD}images:\n{entry}{other}",
        "images first": f"images:\n{entry}{HEAD}",
        "in the middle": f"namespace: ns\nimages:\n{entry}\n# x\n{HEAD}namePrefix: p-\n",
        "keys in other cases": f"{HEAD}Images:\n- Name: shop\n  NewTag: v1\n  DIGEST: {OLD}\n",
        "old name of the list": f"{HEAD}imageTags:\n{entry}",
        "folded value": f"{HEAD}images:\n- name: shop\n  newTag: >-\n    {OLD_TAG}\n",
        "literal value": f"{HEAD}images:\n- name: shop\n  newTag: |-\n    {OLD_TAG}\n  digest: {OLD}\n",
        "null values": f"{HEAD}images:\n- name: shop\n  newName: ~\n  newTag: null\n  digest:\n",
        "tag and digest in one": f"{HEAD}images:\n- name: shop\n  newTag: {OLD_TAG}@{OLD}\n",
        "tag in the name": f"{HEAD}images:\n- name: shop\n  newName: acme/shop:v1\n",
        "yaml tags": f"{HEAD}images:\n- name: !!str shop\n  newTag: !!str 12\n",
        "unused anchor": f"{HEAD}images:\n- &e\n  name: &n shop\n  newTag: v1\n",
        "anchors elsewhere": f"commonLabels: {{a: &l x, b: *l}}\n{HEAD}images:\n{entry}",
        "other languages": f"# é 日本 🎉\n{HEAD}images:\n- name: shop # ü\n  newTag: v1 # ß\n",
        "dash on its own line": f"{HEAD}images:\n-\n  name: shop\n  newTag: v1\n",
        "quoted keys": f'{HEAD}"images":\n- \'name\': shop\n  "newTag": v1\n',
    }


def _added() -> dict[str, str]:
    """Kustomizations that pin nothing yet: the entry is added."""
    return {
        "no images": HEAD,
        "no images, no final newline": HEAD.rstrip("\n"),
        "no images, crlf": HEAD.replace("\n", "\r\n"),
        "no images, indented list": "resources:\n    -   ../base\n",
        "no images, flow list": "resources: [../base]\n",
        "no images, comment at the end": f"{HEAD}# end\n",
        "no images, patch at the end": f"{HEAD}patches:\n- target: {{kind: X}}\n  patch: |-\n    - op: remove\n      path: /a\n",
        "no images, markers": f"---\n{HEAD}...\n",
        "no images, an empty list at the end": f"{HEAD}patches: []\n",
        "no images, an empty list at the end, no final newline": f"{HEAD}patches :  [ ]  # none",
        "no images, an empty mapping in the last item": f"{HEAD}labels:\n- pairs: {{}}\n# end\n",
        "no images, json that ends in an empty list": '{"resources": ["../base"], "patches": []}',
        "no images, json": '{"resources": ["../base"]}',
        "no images, indented json": '{\n  "resources": [\n    "../base"\n  ]\n}\n',
        "images of others": f"{HEAD}images:\n  -  name: shopper\n     newTag: v2 # x\n",
        "images of others, flow": f"{HEAD}images: [{{name: shopper, newTag: v2}}]\n",
        "images of others, flow over lines": f"{HEAD}images: [\n  {{name: shopper, newTag: v2}},\n]\n",
        "empty images": f"{HEAD}images: []\n",
        "null images": f"images:\n{HEAD}",
    }


def _elsewhere() -> dict[str, dict[str, str]]:
    """Pins that are not in `images:`."""
    patch = "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n      containers:\n      - name: web\n        image: shop:v1 # x\n"
    inline = "".join(f"    {line}\n" for line in patch.splitlines())
    operation = "- op: replace\n  path: /spec/template/spec/containers/0/image\n  value: 'shop:v1'\n"
    inline_operation = "".join(f"    {line}\n" for line in operation.splitlines())
    target = "target: {kind: Deployment}"
    rollout = BASE["base/d.yaml"].replace("apps/v1", "argoproj.io/v1alpha1").replace("Deployment", "Rollout")
    return {
        "patch file": {FILE: f"{HEAD}patches: [{{path: p.yaml}}]\n", "o/p.yaml": patch},
        "patch file, old key": {FILE: f"{HEAD}patchesStrategicMerge: [p.yaml]\n", "o/p.yaml": patch},
        "inline patch": {FILE: f"{HEAD}patches:\n- patch: |-\n{inline}"},
        "inline patch, crlf": {FILE: f"{HEAD}patches:\n- patch: |\n{inline}".replace("\n", "\r\n")},
        "json patch file": {FILE: f"{HEAD}patches: [{{path: p.yaml, {target}}}]\n", "o/p.yaml": operation},
        "inline json patch": {FILE: f"{HEAD}patches:\n- {target}\n  patch: |-\n{inline_operation}"},
        "own manifest": {FILE: "resources: [d.yaml]\n", "o/d.yaml": BASE["base/d.yaml"]},
        "own rollout": {FILE: "resources: [d.yaml]\n", "o/d.yaml": rollout},
        "own list": {
            FILE: "resources: [d.yaml]\n",
            "o/d.yaml": "kind: List\napiVersion: v1\nitems:\n- kind: Pod\n  apiVersion: v1\n  metadata: {name: p}\n"
            "  spec: {containers: [{name: a, image: 'shop:v1'}]}\n",
        },
        "image transformer": {
            FILE: f"{HEAD}transformers: [t.yaml]\n",
            "o/t.yaml": "apiVersion: builtin\nkind: ImageTagTransformer\nmetadata:\n  name: t\nimageTag:\n  name: shop # n\n  newTag: v1\n",
        },
        "own component": {
            FILE: f"{HEAD}components: [../part]\n",
            "part/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
            "images:\n- name: shop\n  newTag: v1\n",
        },
    }


def corpus() -> dict[str, dict[str, str]]:
    """Every overlay of the corpus by what is special about it; without the base that most of them build on."""
    plain = f"{HEAD}images:\n{_entry(2, '', tuple(_PAIRS))}"
    single = {**_block_styles(), **_endings(plain), **_flow_styles(), **_odd_styles(), **_added()}
    return {name: {FILE: text} for name, text in single.items()} | _elsewhere()


def mutated(text: str, chance: random.Random) -> str:
    """`text` with other comments, blanks, blank lines and newlines, which mean the same."""
    lines = text.split("\n")
    found: list[str] = []
    for written in lines:
        line = written
        if chance.random() < 0.2 and not line.startswith(("%", "\ufeff")) and found:
            found.append(chance.choice(["", "# name: shop", "   # images:", "#\tnewTag: {{ x }}"[:1]]))
        if line.strip() and not line.lstrip().startswith("#") and line[-1:] not in "|>-{[,\r" and chance.random() < 0.3:
            line += chance.choice([" ", "  # c", " # 'x", " #: y"])
        found.append(line)
    return chance.choice(["\n", "\r\n"]).join(part.rstrip("\r") for part in found)
