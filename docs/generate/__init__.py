"""The pages of docs/ that are made from the code and from runs of it: `make docs-write` writes them anew."""
