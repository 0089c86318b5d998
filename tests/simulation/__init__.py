"""Proofs of the trail under faults: each prints its figure with `python -m tests.simulation NAME`."""
