"""Pull and merge requests: one file a host, one protocol for all, one HTTP client below them."""
