"""What a kustomization says beside `images:` about images: configurations, variables, replacements, selectors."""

import pytest
from support.overlay_configured import CONFIGURED, DOUBTED
from support.overlay_files import BASE, RELEASE, Files, promote

from promote.errors import Refusal


@pytest.mark.parametrize("name", CONFIGURED)
def test_what_changes_no_image_in_a_way_of_its_own_leaves_no_doubt(name):
    files, images = CONFIGURED[name]
    made, found = promote(Files.of({**BASE, **files}))
    assert list(made) == ["o/kustomization.yaml"]
    assert (found.images, found.doubts, found.blind) == (images, (), ())


@pytest.mark.parametrize("name", DOUBTED)
def test_what_may_change_an_image_is_a_doubt(name):
    found = promote(Files.of({**BASE, **DOUBTED[name]}))[1]
    assert len(found.doubts) == 1


def test_a_field_that_goes_on_naming_another_release_is_left_over():
    files, _ = CONFIGURED["a field of an operator's object"]
    plain = Files.of({**BASE, **files, "o/c.yaml": "images: []\n"})
    with pytest.raises(Refusal) as caught:
        promote(plain)
    assert caught.value.code == "no-effect"
    assert RELEASE not in caught.value.message
