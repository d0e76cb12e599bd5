"""One rule a file: facts in, verdict out, no I/O."""
