"""Reading SPDX and CycloneDX documents."""
