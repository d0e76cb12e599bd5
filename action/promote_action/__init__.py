"""The GitHub Action around promote: inputs to a command line, a result to outputs, summary and annotations."""
