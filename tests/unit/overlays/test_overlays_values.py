# ruff: noqa: E501  what is edited reads best on one line
"""Images outside of containers: Helm values, objects of Flux and Argo CD, and fields that promote.yaml names."""

import pytest
from support.overlay_files import DIGEST, NAMES, OLD, OLD_TAG, PULL, RELEASE, TAG, Files, overlay, promote

from promote.errors import Refusal
from promote.model.environment import FieldForm, ImageField
from promote.overlays.sites import pins

VERSION = f"{TAG}@{DIGEST}"


def edited(text, file="o/values.yaml", fields=(), **files):
    """`file` after the promotion, of an overlay without a kustomization."""
    made, found = promote(Files.of({file: text, **files}), fields=fields)
    assert list(made) == [file]
    assert found.blind or found.doubts
    return made[file].decode()


def refused(text, fields=(), file="o/values.yaml"):
    with pytest.raises(Refusal) as caught:
        promote(Files.of({file: text}), fields=fields)
    assert caught.value.exit_code == 16
    return caught.value


VALUES = {
    "in parts": (
        f"replicas: 2\nimage:\n  repository: acme/shop  # r\n  tag: '{OLD_TAG}'\n  digest: \"{OLD}\"\n",
        f"replicas: 2\nimage:\n  repository: {PULL}  # r\n  tag: '{TAG}'\n  digest: \"{DIGEST}\"\n",
    ),
    "no key for a digest": (
        "image:\n  repository: reg.new/acme/shop\n  tag: v1\n  pullPolicy: Always\n",
        f"image:\n  repository: {PULL}\n  tag: {VERSION}\n  pullPolicy: Always\n",
    ),
    "no tag": (
        "web:\n    image:\n        repository: acme/shop\n",
        f"web:\n    image:\n        repository: {PULL}\n        tag: {VERSION}\n",
    ),
    "a registry of its own": (
        "image: {registry: reg.old, repository: acme/shop, tag: v1, digest: ''}\n",
        f"image: {{registry: reg.new, repository: acme/shop, tag: {TAG}, digest: '{DIGEST}'}}\n",
    ),
    "empty values": (
        "image:\n  repository: acme/shop\n  tag:\n  digest: # none\n",
        f'image:\n  repository: {PULL}\n  tag: "{TAG}"\n  digest: "{DIGEST}" # none\n',
    ),
    "a whole reference": ("web:\n- image: acme/shop:v1\n", f"web:\n- image: {RELEASE}\n"),
    "a key that ends with image": (
        "workerImage: {name: acme/shop, tag: v1}\nimage: {repository: acme/shopper, tag: v1}\n",
        f"workerImage: {{name: {PULL}, tag: {VERSION}}}\nimage: {{repository: acme/shopper, tag: v1}}\n",
    ),
    "several": (
        "a: {image: {repository: acme/shop, tag: v1}}\nb: {image: {repository: acme/shop, tag: v2}}\n",
        f"a: {{image: {{repository: {PULL}, tag: {VERSION}}}}}\nb: {{image: {{repository: {PULL}, tag: {VERSION}}}}}\n",
    ),
    "crlf, no final newline": (
        "image:\r\n  repository: acme/shop\r\n  tag: v1",
        f"image:\r\n  repository: {PULL}\r\n  tag: {VERSION}",
    ),
}


@pytest.mark.parametrize("name", VALUES)
def test_values_of_a_chart_are_edited(name):
    before, after = VALUES[name]
    assert edited(before) == after
    tree = Files.of({"o/values.yaml": after})
    assert promote(tree)[0] == {}
    assert {(p.name, p.tag, p.digest) for p in pins(tree, "o", NAMES)} == {(PULL, TAG, DIGEST)}


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("x: &i {repository: acme/shop, tag: v1}\nimage: *i\n", "1,2"),
        ("image: {repository: acme/shop, tag: &t v1}\nother: *t\n", "1,2"),
        ("image:\n  repository: acme/shop\n  tag: v1\n  tag: v2\n", "3,4"),
        ("image: {repository: acme/shop, tag: '{{ .Values.tag }}'}\n", "1"),
        ("image: {repository: 'acme/shop:v1', tag: v1}\n", "1"),
        ("image: {repository: acme/shop, tag: v1}\nsops: {mac: x}\n", "1"),
    ],
)
def test_values_that_cannot_be_told_are_refused_with_their_lines(text, lines):
    problem = refused(text)
    assert problem.code == "overlay-ambiguous"
    assert problem.message.startswith(f"o/values.yaml:{lines}: ")


OBJECTS = {
    "a HelmRelease": (
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: h}\nspec:\n  values:\n    image:\n      repository: acme/shop\n      tag: v1\n",
        f"apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: h}}\nspec:\n  values:\n    image:\n      repository: {PULL}\n      tag: {VERSION}\n",
    ),
    "a HelmRelease with a post renderer": (
        "kind: HelmRelease\nmetadata: {name: h}\nspec:\n  postRenderers:\n  - kustomize:\n      images:\n      - name: acme/shop\n        newTag: v1\n",
        f"kind: HelmRelease\nmetadata: {{name: h}}\nspec:\n  postRenderers:\n  - kustomize:\n      images:\n      - name: acme/shop\n        newName: {PULL}\n        newTag: {TAG}\n        digest: {DIGEST}\n",
    ),
    "a Kustomization of Flux": (
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: k}\nspec:\n  images:\n  - name: shop\n    newTag: v1\n",
        f"apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: k}}\nspec:\n  images:\n  - name: shop\n    newName: {PULL}\n    newTag: {TAG}\n    digest: {DIGEST}\n",
    ),
    "an Application with images": (
        "kind: Application\nmetadata: {name: a}\nspec:\n  source:\n    kustomize:\n      images:\n      - shop=reg.old/acme/shop:v1\n      - 'acme/shop:v1'\n      - shopper:v1\n",
        f"kind: Application\nmetadata: {{name: a}}\nspec:\n  source:\n    kustomize:\n      images:\n      - shop={RELEASE}\n      - 'acme/shop={RELEASE}'\n      - shopper:v1\n",
    ),
    "an Application with values": (
        "kind: Application\nmetadata: {name: a}\nspec:\n  sources:\n  - helm:\n      valuesObject: {image: {repository: acme/shop, tag: v1}}\n  - helm:\n      values: |\n        # v\n        image:\n          repository: acme/shop\n",
        f"kind: Application\nmetadata: {{name: a}}\nspec:\n  sources:\n  - helm:\n      valuesObject: {{image: {{repository: {PULL}, tag: {VERSION}}}}}\n  - helm:\n      values: |\n        # v\n        image:\n          repository: {PULL}\n          tag: {VERSION}\n",
    ),
    "an Application with parameters": (
        "kind: Application\nmetadata: {name: a}\nspec:\n  source:\n    helm:\n      parameters:\n      - name: web.image.tag\n        value: v1 # t\n        forceString: true\n      - name: web.image.repository\n        value: 'acme/shop'\n      - {name: image.repository, value: acme/shopper}\n      - {name: image.tag, value: v1}\n      - {name: sideImage, value: 'acme/shop:1'}\n",
        f"kind: Application\nmetadata: {{name: a}}\nspec:\n  source:\n    helm:\n      parameters:\n      - name: web.image.tag\n        value: {VERSION} # t\n        forceString: true\n      - name: web.image.repository\n        value: '{PULL}'\n      - {{name: image.repository, value: acme/shopper}}\n      - {{name: image.tag, value: v1}}\n      - {{name: sideImage, value: '{RELEASE}'}}\n",
    ),
    "an Application with parameters for every part": (
        "kind: Application\nmetadata: {name: a}\nspec:\n  source:\n    helm:\n      parameters: [{name: registry, value: reg.old}, {name: repository, value: acme/shop}, {name: tag, value: v1}, {name: digest, value: ''}]\n",
        f"kind: Application\nmetadata: {{name: a}}\nspec:\n  source:\n    helm:\n      parameters: [{{name: registry, value: reg.new}}, {{name: repository, value: acme/shop}}, {{name: tag, value: {TAG}}}, {{name: digest, value: '{DIGEST}'}}]\n",
    ),
    "a HelmChart of k3s": (
        "apiVersion: helm.cattle.io/v1\nkind: HelmChart\nmetadata: {name: a}\nspec:\n  valuesContent: |-\n    image:\n      repository: acme/shop\n      tag: v1\n",
        f"apiVersion: helm.cattle.io/v1\nkind: HelmChart\nmetadata: {{name: a}}\nspec:\n  valuesContent: |-\n    image:\n      repository: {PULL}\n      tag: {VERSION}\n",
    ),
    "an ApplicationSet": (
        "kind: ApplicationSet\nmetadata: {name: a}\nspec: {template: {spec: {source: {kustomize: {images: ['shop:v1']}}}}}\n",
        f"kind: ApplicationSet\nmetadata: {{name: a}}\nspec: {{template: {{spec: {{source: {{kustomize: {{images: ['shop={RELEASE}']}}}}}}}}}}\n",
    ),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_objects_of_deployers_are_edited(name):
    before, after = OBJECTS[name]
    tree = overlay("resources: [x.yaml]\n", **{"o/x.yaml": before})
    made, found = promote(tree)
    assert made["o/x.yaml"].decode() == after
    assert found.doubts
    assert promote(Files({**tree, **made}))[0] == {}


def test_values_that_are_no_block_literal_are_refused():
    text = 'kind: Application\nspec: {source: {helm: {values: "image: {repository: acme/shop, tag: v1}"}}}\n'
    with pytest.raises(Refusal, match="a text in quotes") as caught:
        promote(overlay("resources: [x.yaml]\n", **{"o/x.yaml": text}))
    assert caught.value.code == "overlay-ambiguous"


def test_values_that_a_kustomization_takes_in_are_edited():
    text = "helmCharts:\n- {name: c, valuesFile: v.yaml, valuesInline: {image: {repository: acme/shop, tag: v1}}}\n"
    made, found = promote(overlay(text, **{"o/v.yaml": "image: {repository: acme/shop, tag: v1}\n"}))
    assert sorted(made) == ["o/kustomization.yaml", "o/v.yaml"]
    assert all(VERSION.encode() in content for content in made.values())
    assert "has helmCharts" in found.blind[0]


# -- fields


def field(path, form=FieldForm.IMAGE, app=None, file="cr.yaml"):
    return ImageField(file, tuple(path.split("/")), form, app)


CR = f"kind: Shop\nspec:\n  image: shop:v1 # i\n  version: {OLD_TAG}\n  sum: '{OLD}'\n  full: {OLD_TAG}@{OLD}\n  list:\n  - {{name: a, ref: shop:v1}}\n  - {{name: b, ref: other:v1}}\n"


def crd(fields, text=CR):
    return edited(text, file="o/cr.yaml", fields=fields)


def test_a_field_may_be_a_whole_reference_or_a_part():
    assert crd([field("spec/image")]) == CR.replace("shop:v1 #", f"{RELEASE} #")
    parts = [field("spec/version", FieldForm.TAG, "web"), field("spec/sum", FieldForm.DIGEST, "web")]
    assert crd(parts) == CR.replace(f"version: {OLD_TAG}", f"version: {TAG}").replace(f"'{OLD}'", f"'{DIGEST}'")
    assert crd([field("spec/full", FieldForm.TAG_AND_DIGEST)]) == CR.replace(
        f"full: {OLD_TAG}@{OLD}", f"full: {VERSION}"
    )


def test_a_tag_and_its_digest_are_one_pin():
    parts = [field("spec/version", FieldForm.TAG, "web"), field("spec/sum", FieldForm.DIGEST, "web")]
    (pin,) = pins(Files.of({"o/cr.yaml": CR}), "o", NAMES, parts)
    assert (pin.tag, str(pin.digest)) == (OLD_TAG, OLD)


def test_a_field_is_found_by_its_place_in_a_list_or_by_a_value():
    for step in ("[0]", "[name=a]"):
        assert crd([field(f"spec/list/{step}/ref")]) == CR.replace("ref: shop:v1", f'ref: "{RELEASE}"'.replace('"', ""))
    with pytest.raises(Refusal, match="nothing in the overlay"):
        promote(Files.of({"o/cr.yaml": CR}), fields=[field("spec/list/[name=b]/ref")])


def test_a_field_may_lead_to_values_without_a_name():
    values = [field("image", file="values-prod.yaml")]
    text = "image:\n  tag: v1 # t\n"
    assert edited(text, "o/values-prod.yaml", values) == f"image:\n  tag: {VERSION} # t\n"


def test_fields_take_the_place_of_the_rule_for_values():
    files = {"o/values.yaml": "image: {repository: acme/shop, tag: v1}\n"}
    assert edited("image: {tag: v1}\n", "o/values-prod.yaml", [field("image", file="values-prod.yaml")], **files)


@pytest.mark.parametrize(
    ("path", "file", "code", "words"),
    [
        ("spec/nothing", "cr.yaml", "no-overlay", "no such path in the file"),
        ("spec/image", "gone.yaml", "no-overlay", "no such file in the overlay"),
        ("spec/image", "../x.yaml", "no-overlay", "no such file in the overlay"),
        ("spec/list", "cr.yaml", "overlay-ambiguous", "got no image at spec.list"),
        ("a/b", "cr.yaml", "overlay-ambiguous", "got 2 values at a.b"),
    ],
)
def test_a_field_that_leads_to_nothing_or_to_two_is_refused(path, file, code, words):
    problem = refused(CR + "---\na: {b: shop:v1}\n---\na: {b: shop:v1}\n", [field(path, file=file)], "o/cr.yaml")
    assert problem.code == code
    assert words in problem.message


def test_a_field_through_an_alias_is_refused():
    problem = refused("x: &x shop:v1\ny: *x\n", [field("y", file="cr.yaml")], "o/cr.yaml")
    assert problem.message.startswith("o/cr.yaml:1,2: ")


REPOSITORY = "{name: image.repository, value: acme/shop}"


@pytest.mark.parametrize(
    ("parameters", "lines"),
    [
        ([REPOSITORY], "6"),
        ([REPOSITORY, "{name: image.digest, value: x}"], "6"),
        ([REPOSITORY, "{name: image.tag, value: a}", "{name: image.tag, value: b}"], "7,8"),
        (["{name: image.repository, value: 'acme/shop:v1'}", "{name: image.tag, value: a}"], "6"),
        ([REPOSITORY, "{name: image.tag, value: '{{ tag }}'}"], "7"),
        ([REPOSITORY, "{name: x, value: &t v1}", "{name: image.tag, value: *t}"], "7,8"),
    ],
)
def test_parameters_that_cannot_be_edited_alone_are_refused(parameters, lines):
    items = "".join(f"      - {item}\n" for item in parameters)
    text = f"kind: Application\nspec:\n  source:\n    helm:\n      parameters:\n{items}"
    with pytest.raises(Refusal) as caught:
        promote(Files.of({"o/kustomization.yaml": "resources: [a.yaml]", "o/a.yaml": text}))
    assert caught.value.code == "overlay-ambiguous"
    assert caught.value.message.startswith(f"o/a.yaml:{lines}: ")


@pytest.mark.parametrize("parameters", ["[]", "{a: b}", "[{name: image.tag, value: v1}]", "[{name: [x], value: acme/shop}]", "[{name: repository}]", "[acme/shop]"])  # fmt: skip
def test_parameters_that_name_no_image(parameters):
    text = f"kind: Application\nspec: {{source: {{helm: {{parameters: {parameters}}}}}}}\nnote: shop\n"
    files = Files.of({"o/kustomization.yaml": "resources: [a.yaml]", "o/a.yaml": text})
    assert pins(files, "o", NAMES) == ()
