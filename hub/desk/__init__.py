"""The desk of information governance: alerts of the misuse radar from NEW to CLOSED, samples, figures and accounts.

For: IG officers and privacy officers. Must never show content, and never hold a name or address: persons are keyed
marks here. Every change is an event. The rules are in `hub.radar`; the pages in `hub.web.desk`.
"""
