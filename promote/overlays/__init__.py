"""Finding and editing image references in kustomize overlays, byte by byte."""
