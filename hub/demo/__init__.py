"""A partnership to try: the invented county of Thornshire, running partner stand-ins and an identity provider.

For: demonstrations and tests. Must never be imported outside demo mode, and must never hold anything
about a real person, place or organisation.
"""
