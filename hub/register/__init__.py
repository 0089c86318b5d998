"""The register of sharing agreements: what each allows, who signed it, and how it is changed.

Ruled by docs/writing-agreements.md and docs/adr/0007-agreements-are-changed-in-the-register.md. What an agreement
allows is asked of `policies.decide`; this room decides nothing about information.
"""
