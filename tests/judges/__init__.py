"""Verifiers that others wrote, held against our receipts, tiles and witnesses: `make judges`."""
