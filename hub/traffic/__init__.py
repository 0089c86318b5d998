"""What keeps the interface for machines honest under retries and floods: once, limits, and marks that only we can make.

For: `hub/api`. It must never decide who may see something, and never keep an answer longer than a retry needs.
"""
