"""The small family of errors that the trail raises; each has a code and a sentence, none holds personal data.

For: callers that must stop when the trail cannot be written (rule: no receipt, no page). Must never carry a
name, an identifier or a field value in its text. Ruled by `docs/audit-format.md`.
"""


class AuditError(Exception):
    """Base of every error of this package."""

    code = "audit-error"


class EventInvalid(AuditError):
    """The caller's event breaks the closed list: wrong kind, key, type or value. A fault in our code, never retried."""

    code = "event-invalid"


class EventConflict(AuditError):
    """The event id was already used for something else; the earlier entry stands."""

    code = "event-conflict"


class EntryUnknown(AuditError):
    """No entry has this event id."""

    code = "entry-unknown"


class TrailUnavailable(AuditError):
    """Nothing durable was acknowledged within the time allowed: ask nobody, show nothing, answer 503."""

    code = "trail-unavailable"


class TrailCorrupt(TrailUnavailable):
    """The stored trail is not the one that was last signed; nothing is signed until a person has looked.

    A caller that stops for `TrailUnavailable` stops for this as well.
    """

    code = "trail-corrupt"


class ProofError(AuditError):
    """A proof, hash or checkpoint does not hold. Raised, never returned, so that it cannot be dropped."""

    code = "proof-invalid"


class StampRefused(AuditError):
    """The time-stamping authority gave no time-stamp that fits; what was published stands without one."""

    code = "stamp-refused"


class PolicyInvalid(AuditError):
    """The witness policy file cannot be read as it stands; the hub does not start with half a policy."""

    code = "policy-invalid"
