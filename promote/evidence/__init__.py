"""Signatures and attestations: found, verified, and their claims checked."""
