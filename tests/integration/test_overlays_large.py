"""Manifests of megabytes that an overlay vendors: looked at, never edited."""

import pytest
from support.overlay_files import DEPLOYMENT, DIGEST, PULL, TAG, Files, promote

from promote.errors import Refusal
from promote.overlays.reader import MAX_EDIT_BYTES

LARGE = DEPLOYMENT + "".join(f"# {'x' * 1000}\n" for _ in range(MAX_EDIT_BYTES // 1000))
ENTRY = f"images:\n- name: shop\n  newName: {PULL}\n  newTag: {TAG}\n  digest: {DIGEST}\n"


def test_an_entry_is_added_for_an_image_in_a_large_manifest():
    tree = Files.of({"o/kustomization.yaml": "resources: [install.yaml]\n", "o/install.yaml": LARGE})
    made, found = promote(tree)
    assert made == {"o/kustomization.yaml": f"resources: [install.yaml]\n{ENTRY}".encode()}
    assert found.images == ("Deployment web spec.template.spec.containers[web].image",)
    assert promote(Files({**tree, **made}))[0] == {}


def test_a_small_manifest_beside_it_is_edited():
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: z}\nspec: {containers: [{name: z, image: 'acme/shop:1'}]}\n"
    files = {"o/kustomization.yaml": "resources: [install.yaml, z.yaml]\n", "o/install.yaml": LARGE, "o/z.yaml": pod}
    made, found = promote(Files.of(files))
    assert sorted(made) == ["o/kustomization.yaml", "o/z.yaml"]
    assert len(found.images) == 2


def test_what_no_entry_reaches_in_a_large_file_is_refused():
    files = {"o/values.yaml": "image: {repository: shop, tag: v1}\n" + LARGE[len(DEPLOYMENT) :]}
    with pytest.raises(Refusal) as caught:
        promote(Files.of(files))
    assert caught.value.code == "overlay-ambiguous"
    size = len(files["o/values.yaml"])
    assert caught.value.message == f"o/values.yaml:1:1: got {size} bytes, expected at most {MAX_EDIT_BYTES}"
    assert "split the file" in caught.value.hint
