"""What a meeting about a family takes along and what it decides: numbered packs, outcomes, decisions not to share.

For: strategy discussions and other meetings of several agencies. Must never let anything into a pack by another way
than that of every disclosure.
"""
