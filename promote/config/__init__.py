"""promote.yaml: read, checked, every problem reported at once."""
