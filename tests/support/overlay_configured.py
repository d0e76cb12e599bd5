# ruff: noqa: E501  what is rendered reads best on one line
"""Overlays whose images depend on more than `images:`, with what runs the release after a promotion."""

from __future__ import annotations

from support.overlay_files import DEPLOYMENT

WEB = "Deployment web spec.template.spec.containers[web].image"
ENTRY = "images: [{name: shop, newTag: v1}]\n"
FILE = "o/kustomization.yaml"
SHOP = "apiVersion: acme.example/v1\nkind: Shop\nmetadata: {name: s}\nspec: {image: 'shop:1', jobs: [{image: 'shop:2'}], note: 'shop:1'}\n"
FIELDS = "images:\n- {path: spec/image, kind: Shop}\n- {path: spec/jobs/image, group: acme.example}\n- {path: spec/note, kind: Other}\n"
NOTED = DEPLOYMENT.replace(
    "  template:\n", "  template:\n    metadata: {annotations: {acme.example/image: 'shop:1'}}\n"
)
HASHED = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: b}\n"


def _replacement(source: str, target: str) -> str:
    select = "select: {kind: Deployment}"
    return f"resources: [../base, c.yaml]\n{ENTRY}replacements:\n- source: {source}\n  targets: [{{{select}, fieldPaths: [{target}]}}]\n"


CONFIGURED: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "a field of an operator's object": (
        {FILE: f"resources: [../base, s.yaml]\nconfigurations: [c.yaml]\n{ENTRY}", "o/s.yaml": SHOP, "o/c.yaml": FIELDS, "base/d.yaml": DEPLOYMENT.replace("shop:1", "other:1")},
        ("Shop s spec.image", "Shop s spec.jobs[0].image"),
    ),
    "a field, and no entry yet": (
        {FILE: "resources: [s.yaml]\nconfigurations: [c.yaml]\n", "o/s.yaml": SHOP, "o/c.yaml": FIELDS},
        ("Shop s spec.image", "Shop s spec.jobs[0].image"),
    ),
    "an annotation beside the container": (
        {FILE: f"resources: [../base]\nconfigurations: [c.yaml]\n{ENTRY}", "base/d.yaml": NOTED, "o/c.yaml": r"images: [{path: spec/template/metadata/annotations/acme.example\/image, kind: Deployment}]"},
        (WEB,),
    ),
    "the configuration of a base": (
        {FILE: f"resources: [../base]\n{ENTRY}", "base/kustomization.yaml": "resources: [d.yaml]\nconfigurations: [c.yaml]\n", "base/d.yaml": SHOP, "base/c.yaml": FIELDS},
        ("Shop s spec.image", "Shop s spec.jobs[0].image"),
    ),
    "a configuration about names": (
        {FILE: f"resources: [../base]\nconfigurations: [c.yaml]\n{ENTRY}", "o/c.yaml": "nameReference: []\nvarReference: [{path: spec/x, kind: Shop}]\n"},
        (WEB,),
    ),
    "variables that no image has": (
        {FILE: f"resources: [../base]\nvars: [{{name: V, objref: {{apiVersion: apps/v1, kind: Deployment, name: web}}}}]\n{ENTRY}"},
        (WEB,),
    ),
    "a replacement of a name": ({FILE: _replacement("{kind: ConfigMap, name: c}", "spec.template.spec.serviceAccountName").replace("fieldPaths", "options: {create: true}, fieldPaths"), "o/c.yaml": HASHED}, (WEB,)),
    "a replacement in a file": (
        {FILE: f"resources: [../base, c.yaml]\n{ENTRY}replacements: [{{path: r.yaml}}]\n", "o/c.yaml": HASHED,
         "o/r.yaml": "- source: {kind: ConfigMap, name: c, fieldPath: data.a}\n  targets: [{select: {kind: Deployment}, options: {create: true}, fieldPaths: [spec.template.spec.hostname]}]\n"},
        (WEB,),
    ),
    "a transformer of labels": (
        {FILE: f"resources: [../base]\ntransformers: [t.yaml]\n{ENTRY}",
         "o/t.yaml": "apiVersion: builtin\nkind: LabelTransformer\nmetadata: {name: t}\nlabels: {a: b}\nfieldSpecs: [{path: metadata/labels, create: true}]\n"},
        (WEB,),
    ),
    "a patch by label": (
        {FILE: f"resources: [../mid]\npatches: [{{target: {{labelSelector: 'tier in (front),!x'}}, path: p.yaml}}]\n{ENTRY}",
         "mid/kustomization.yaml": "resources: [../base]\nlabels: [{pairs: {tier: front}}]\n",
         "o/p.yaml": "- {op: remove, path: /spec/template/spec/initContainers}\n"},
        (WEB,),
    ),
    "a patch by annotation, which fits nothing": (
        {FILE: f"resources: [../base]\npatches: [{{target: {{annotationSelector: 'tier=front'}}, path: p.yaml}}]\n{ENTRY}", "o/p.yaml": "- {op: replace, path: /spec/template/spec/containers/0/image, value: other}\n"},
        (WEB,),
    ),
    "a patch that changes the kind and the name": (
        {FILE: f"resources: [../base]\npatches: [{{target: {{kind: Deployment}}, path: p.yaml, options: {{allowKindChange: true, allowNameChange: true}}}}]\n{ENTRY}",
         "o/p.yaml": "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: set}\nspec: {replicas: 1}\n"},
        (WEB.replace("Deployment web", "StatefulSet set"),),
    ),
    "a patch that keeps the kind and the name": (
        {FILE: f"resources: [../base]\npatches: [{{target: {{kind: Deployment}}, path: p.yaml}}]\n{ENTRY}",
         "o/p.yaml": "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: set}\nspec: {replicas: 1}\n"},
        (WEB,),
    ),
    "a patch for another version": (
        {FILE: f"resources: [../base]\npatches: [{{target: {{group: apps, version: v1beta1, kind: Deployment}}, path: p.yaml}}]\n{ENTRY}", "o/p.yaml": "- {op: replace, path: /spec/template/spec/containers/0/image, value: other}\n"},
        (WEB,),
    ),
}  # fmt: skip

DOUBTED: dict[str, dict[str, str]] = {
    "a variable in an image": {FILE: f"resources: [../base]\nvars: [{{name: V, objref: {{apiVersion: apps/v1, kind: Deployment, name: web}}}}]\n{ENTRY}", "base/d.yaml": DEPLOYMENT.replace("busybox:1", "busybox:$(V)")},
    "a replacement of an image": {FILE: _replacement("{kind: ConfigMap, name: c, fieldPath: data.a}", "spec.template.spec.initContainers.0.image"), "o/c.yaml": HASHED},
    "a replacement of more than a text": {FILE: _replacement("{kind: ConfigMap, name: c, fieldPath: spec.a}", "spec.template.spec"), "o/c.yaml": HASHED},
    "a replacement in a file that is not there": {FILE: f"resources: [../base]\n{ENTRY}replacements: [{{path: r.yaml}}]\n"},
    "a configuration that is not there": {FILE: f"resources: [../base]\n{ENTRY}configurations: [c.yaml]\n"},
    "a configuration with more in it": {FILE: f"resources: [../base]\n{ENTRY}configurations: [c.yaml]\n", "o/c.yaml": "transform: all\n"},
    "a selector after a transformer of labels": {
        FILE: f"resources: [../mid]\npatches: [{{target: {{labelSelector: a=b}}, path: p.yaml}}]\n{ENTRY}", "o/p.yaml": "[]",
        "mid/kustomization.yaml": "resources: [../base]\ntransformers: [t.yaml]\n", "mid/t.yaml": "kind: LabelTransformer\nlabels: {a: b}\n",
    },
    "a transformer that is not known": {FILE: f"resources: [../base]\n{ENTRY}transformers: [t.yaml]\n", "o/t.yaml": "kind: PatchTransformer\n"},
    "a transformer that is not there": {FILE: f"resources: [../base]\n{ENTRY}transformers: [t.yaml]\n"},
    "a transformer that cannot be read": {FILE: f"resources: [../base]\n{ENTRY}transformers: [t.yaml]\n", "o/t.yaml": "a: [b"},
    "an image transformer of other fields": {FILE: f"resources: [../base]\n{ENTRY}transformers: [t.yaml]\n", "o/t.yaml": "kind: ImageTagTransformer\nimageTag: {name: other}\nfieldSpecs: [{path: spec/image}]\n"},
    "a selector that is none": {FILE: f"resources: [../base]\n{ENTRY}patches: [{{target: {{labelSelector: 'a>1'}}, path: p.yaml}}]\n", "o/p.yaml": "[]"},
}  # fmt: skip
