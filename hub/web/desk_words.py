"""The desk's words: states, outcomes, acts, and what explains a look."""

from collections.abc import Mapping

from hub.desk.alerts import Alert
from hub.register.watching import ALARM_WORDS as REGISTER_ALARMS
from hub.witnesses import ALARM_WORDS
from hub.words import ALERT_WORDS, ROLE_WORDS, SIGNAL_WORDS, THRESHOLD_WORDS
from policies import RULES
from policies.vocabulary import Role, Threshold

STATE_WORDS: Mapping[str, str] = {
    "NEW": "New",
    "OPEN": "Being looked into",
    "WITH_MANAGER": "With the manager",
    "ANSWERED": "The manager has answered",
    "CLOSED": "Closed",
}
OUTCOME_WORDS: Mapping[str, str] = {
    "EXPECTED": "To be expected of the work",
    "LEARNING": "Right, but done in the wrong way",
    "NOT_JUSTIFIED": "Not justified",
    "FALSE_ALARM": "False alarm",
    "NOT_EXPECTED": "Not to be expected of the work",
}
OUTCOME_CHOICES = [
    {"value": "EXPECTED", "text": OUTCOME_WORDS["EXPECTED"]},
    {"value": "FALSE_ALARM", "text": OUTCOME_WORDS["FALSE_ALARM"]},
    {"value": "LEARNING", "text": OUTCOME_WORDS["LEARNING"]},
    {"value": "NOT_JUSTIFIED", "text": OUTCOME_WORDS["NOT_JUSTIFIED"]},
]
ACT_WORDS: Mapping[str, str] = {
    "OPENED": "Opened",
    "REFERRED": "Referred to the worker's manager",
    "ANSWERED": "The manager's answer",
    "ACCOUNT_SHUT": "The worker's account was shut",
    "CLOSED": "Closed",
}
RELATION_WORDS: Mapping[str | None, str] = {
    "CASELOAD": "The worker's employer says that the case is theirs",
    "REGISTERED_LIST": "The person is on the practice's list",
    "OWN_ENQUIRY": "In an open enquiry that the worker opened themselves",
    "TEAM_ENQUIRY": "In an open enquiry that a colleague opened",
    None: "No open enquiry, caseload or list explains the look",
}
TIMING_WORDS: Mapping[str | None, str] = {
    "ON_SHIFT": "The rota has the worker on shift",
    "OFFICE_HOURS": "In office hours",
    "ROUND_THE_CLOCK": "The role works round the clock",
    "USUAL_FOR_THEM": "The worker has long worked at this hour, or went on with work of the day",
    "THEIR_CASE": "The worker's own case, by day at a weekend or in the evening",
    None: "Nothing explains the hour",
}
#: Signals that are about no single look.
WITHOUT_LOOK = frozenset({"UNDER_SHARING", "ALARM"})


def signal_title(signal: str, reason: str | None) -> str:
    """What an alert is called; another part's alarm by its own words, or by the rules that raised it."""
    if reason is None:
        return SIGNAL_WORDS[signal][0]
    words = {**ALARM_WORDS, **REGISTER_ALARMS, **ALERT_WORDS}
    if reason in words:
        return words[reason]
    titles = [RULES[rule].title for rule in reason.split("+") if rule in RULES]
    if titles:
        return "; ".join(titles[:2])
    return reason.replace("-", " ").replace("_", " ").capitalize()


def explained(alert: Alert) -> list[tuple[str, str]]:
    """What the enquiry, the caseload and the rota say about the look that raised an alert."""
    if alert.signal in WITHOUT_LOOK or alert.user is None or (alert.relation is None and alert.signal == "BOILERPLATE"):
        return []
    hour = "The rota has the worker off shift" if alert.on_shift is False else TIMING_WORDS[alert.timing]
    return [("Work", RELATION_WORDS[alert.relation]), ("Hour", hour)]


def threshold_words(threshold: str | None, by_role: str | None) -> str:
    """What was recorded about the threshold, and by which role."""
    if threshold is None or threshold not in Threshold.__members__:
        return "No threshold is recorded"
    role = ROLE_WORDS[Role(by_role)] if by_role and by_role in Role.__members__ else "role not kept"
    return f"{THRESHOLD_WORDS[Threshold(threshold)]} ({role})"
