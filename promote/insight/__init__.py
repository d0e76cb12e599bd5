"""What git says that runs where, and since when: read only, and from the diffs; a commit message is a claim."""
