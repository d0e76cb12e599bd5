"""Which files a kustomization can take in: more than kustomize reads, never less."""

from support.overlay_files import BASE, Files, overlay

from promote.overlays.closure import included, reaches


class Counting(Files):
    """A tree that counts what is read."""

    reads = 0

    def read(self, path):
        self.reads += 1
        return super().read(path)


def test_everything_that_could_be_a_path_is_followed():
    text = """
resources: [../base, "with blank.yaml", 'd.yaml']
components:
- ../part
- two words
configMapGenerator:
- {name: c, files: [key=c.txt], envs: [e.env]}
patches: [{path: p.yaml}]
replacements: [{path: r.yaml}]
transformers: [t]
openapi: {path: s.json}
"""
    mine = ["with blank.yaml", "d.yaml", "c.txt", "e.env", "p.yaml", "r.yaml", "s.json", "two words/kustomization.yaml"]
    others = ["part/kustomization.yaml", "o/t/Kustomization"]
    files = {f"o/{name}": "" for name in mine} | dict.fromkeys(others, "") | {"o/unused.yaml": "", "else/x.yaml": ""}
    tree = overlay(text, **files)
    assert included(tree, "o") == {*BASE, "o/kustomization.yaml", *(f"o/{name}" for name in mine), *others}


def test_circles_end_and_what_leads_elsewhere_is_left_out():
    tree = overlay("resources: [../o, ../base, ../../x, /etc/passwd, 'https://example.com/x']\n")
    assert included(tree, "o") == {"o/kustomization.yaml", *BASE}


def test_too_many_files_are_taken_for_everything():
    chain = {f"c{n}/kustomization.yaml": f"resources: [../c{n + 1}]" for n in range(6_000)}
    tree = overlay("resources: [../c0]\n", **chain)
    assert included(tree, "o") is None
    assert reaches(tree, "o", ["elsewhere.yaml"])


def test_a_thousand_overlays_are_asked_without_parsing_them(monkeypatch):
    def parse(*_arguments, **_options):
        raise AssertionError("parsed")

    monkeypatch.setattr("yaml.parse", parse)
    overlays = {
        f"env/{n}/kustomization.yaml": "resources: [../../base]\nimages: [{name: shop}]\n" for n in range(1_300)
    }
    tree = Counting.of({**BASE, **overlays, "env/7/kustomization.yaml": "resources: [../../part]\n",
                        "part/kustomization.yaml": "kind: Component\n"})  # fmt: skip
    assert [n for n in range(1_300) if reaches(tree, f"env/{n}", ["part/kustomization.yaml"])] == [7]
    assert tree.reads < 40 * 1_300
