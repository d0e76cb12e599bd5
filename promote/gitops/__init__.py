"""The GitOps repository: its history, the commit, and the push that lands."""
