"""The hub's own errors: a code, a sentence for the person, and what to do next.

For: everything the hub refuses. Must never carry a name, date of birth, address or NHS number, because
errors reach logs. Pages and the API turn these into answers; nothing below them knows of HTTP.
"""


class HubError(Exception):
    """Something was refused or failed. `code` is stable; `sentence` and `next_steps` are for the person."""

    code = "error"

    def __init__(self, sentence: str, *, next_steps: tuple[str, ...] = ()) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.next_steps = next_steps


class SettingsRefused(HubError):
    """A setting is missing, unreadable or unsafe; the hub does not start."""

    code = "settings-refused"


class KeyRefused(HubError):
    """A key is missing, destroyed or does not open what it should."""

    code = "key-refused"


class SignInRefused(HubError):
    """The identity provider's answer was not acceptable, or the person has no current role."""

    code = "sign-in-refused"


class NotForYou(HubError):
    """This role may not do this. The same words whatever the reason (rule P50)."""

    code = "not-for-you"


class NotFound(HubError):
    """There is no such thing for this user: the same answer whether it is absent or not theirs."""

    code = "not-found"


class FormRefused(HubError):
    """What was typed cannot be used. `errors` maps a field to a sentence; nothing typed is lost."""

    code = "form-refused"

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("There is a problem with what was entered.")
        self.errors = errors


class TooFast(HubError):
    """Too many requests within a minute; whoever looks after the hub is told."""

    code = "too-fast"
    #: Seconds until it may be tried again.
    retry_after_s = 60


class Unavailable(HubError):
    """Nothing was asked and nothing is shown, because the trail or the database cannot be written."""

    code = "unavailable"
