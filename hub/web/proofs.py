"""An entry of the trail and its proof, in words: for information governance and for whoever holds a receipt.

For: turning a decoded event into what a page says. Must never add anything that the event does not hold.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from audit import ReceiptProof
from hub.assembly import Hub
from hub.oversight import Entered
from hub.pictures.proof import consistency_steps
from hub.proving import Proven
from hub.register.watching import ALARM_WORDS as REGISTER_ALARMS
from hub.witnesses import ALARM_WORDS
from hub.words import (
    ALERT_WORDS,
    ARTICLE6_WORDS,
    ARTICLE9_WORDS,
    CATEGORY_WORDS,
    OUTCOME_WORDS,
    PURPOSE_WORDS,
    ROLE_WORDS,
    field_words,
)
from policies import RULES
from policies.vocabulary import (
    AnswerState,
    Article6Basis,
    Article9Condition,
    DataCategory,
    Para18Reason,
    Purpose,
    Role,
)

KIND_WORDS: Mapping[str, str] = {
    "disclosure:made": "Family picture shown",
    "disclosure:requested": "Partners asked",
    "disclosure:refused": "Refused",
    "check": "GP check",
    "search": "Search for a person",
    "alarm": "Alert",
    "audit:read": "Look at the record of disclosures",
    "break-glass": "Emergency access",
    "collect": "Records taken in",
    "match:proposed": "Records compared",
    "match:confirmed": "Records joined as one person",
    "match:rejected": "Records kept apart",
    "match:split": "Record taken out of a person",
    "sign-in": "Sign-in",
    "sign-out": "Sign-out",
    "erase": "Erasure or legal hold",
    "approval": "Word about a proposed change",
    "agreement:drafted": "Proposed change of an agreement",
    "agreement:signed": "Agreement signed by a party",
    "agreement:activated": "Agreement put in force",
    "agreement:amended": "Agreement changed",
    "agreement:suspended": "Agreement stopped",
    "agreement:resumed": "Agreement in force again",
    "agreement:ended": "Agreement ended",
}
#: Stands on the page for somebody whose key is destroyed.
ERASED = "Erased: nobody can say any more who this was"
OUTCOME_LABELS: Mapping[str, str] = {
    **{str(outcome): words for outcome, words in OUTCOME_WORDS.items()},
    "DECLARED": "Declared",
    "YES": "Answered yes",
    "NO": "Answered no",
    "NOT_AVAILABLE": "No answer may be given",
    "NOT_REACHED": "System did not answer",
    "MATCH_UNCONFIRMED": "Match not certain",
    "TOO_WIDE": "Search was too wide",
    "SHOWN": "Shown to a data steward",
    "SAME": "The same person",
    "NOT_SAME": "Not the same person",
    "CANNOT_TELL": "Cannot tell",
    "SPLIT": "Not the same person",
    "KEPT-TOGETHER": "One person, whatever differs",
    "HELD-BACK-LISTED": "Records that are held back were listed",
    "RELEASE-ASKED": "Release of a record asked for",
    "RECORD-RELEASED": "Record released",
    "RECORD-KEPT": "Record stays held back",
    "QUALITY-SHOWN": "Data quality shown to the agency",
    "QUALITY-EXPORTED": "Data quality given to the agency as a file",
    "ORDERED": "Ordered",
    "ERASED": "Keys destroyed",
    "HELD": "Held: nothing may be destroyed",
    "RELEASED": "Hold ended",
    "STOPPED": "Stopped by a legal hold",
    "REWRAPPED": "Keys wrapped anew",
    "REJECTED": "Rejected",
    "WITHDRAWN": "Withdrawn",
    "NOT_ENACTED": "Not put in force: something else was meanwhile",
    "COUNTED": "Counted; nothing of a case was shown",
}


def outcome_words(code: str | None) -> str:
    """An outcome or the reason of an alarm in words; a search says how many it found."""
    for words in (ALARM_WORDS, REGISTER_ALARMS, ALERT_WORDS):
        if code and code in words:
            return words[code]
    if code and code.startswith("FOUND-"):
        count = code.removeprefix("FOUND-")
        return "Nobody found" if count == "0" else f"{count} found"
    return OUTCOME_LABELS.get(code or "", code or "Recorded")


def proof_view(hub: Hub, proof: ReceiptProof) -> dict[str, Any]:
    """What the receipt page renders."""
    return {
        "entry": {
            "eid": proof.eid,
            "kind_words": KIND_WORDS.get(proof.kind, proof.kind),
            "recorded_at": _moment(proof.t),
        },
        "verdict": _verdict(True, proof),
        "proof": _proof(proof) | _witnessed(hub, proof),
        "download_href": f"/receipts/{proof.eid}",
    }


def entry_view(hub: Hub, entered: Entered) -> dict[str, Any]:
    """What the page of one entry renders: codes in words, persons as opaque ids, never content."""
    found, fields = entered.entry, entered.entry.fields
    names = {p.code: p.name for p in hub.partners.values()}
    user = fields.get("user", {})
    agreements = fields.get("agreement", [])
    return {
        "entry": {
            "eid": found.eid,
            "t": entered.at,
            "kind_words": KIND_WORDS.get(found.kind, found.kind),
            "who": {
                "name": entered.user_name,
                "role_words": _word(ROLE_WORDS, Role, user.get("role")),
                "agency_name": names.get(user.get("agency", ""), user.get("agency", "")),
            },
            "subjects": [person or ERASED for person in entered.persons],
            "purpose_words": _word(PURPOSE_WORDS, Purpose, fields.get("purpose")) or "Not stated",
            "reference": fields.get("enquiry"),
            "basis": _basis(fields.get("basis", {})),
            "agreement": ", ".join(f"{a['ref']} version {a['version']}" for a in agreements),
            "outcome_words": outcome_words(fields.get("outcome") or fields.get("decision", {}).get("outcome")),
            "shown": [_shown(row, names) for row in fields.get("data", [])],
            "withheld": [_withheld(row, names) for row in fields.get("withheld", [])],
            "answers": [
                {
                    "agency_name": names.get(row["agency"], row["agency"]),
                    "state": AnswerState(row["state"]),
                    "as_of": _moment(row["as_of"]) if "as_of" in row else None,
                }
                for row in fields.get("answers", [])
            ],
        },
        "verdict": _verdict(entered.verified, entered.proof, entered.verification),
        "proof": _proof(entered.proof) | _witnessed(hub, entered.proof) if entered.proof else None,
        "download_href": f"/receipts/{found.eid}",
        "why_href": f"/ig/entries/{found.eid}/why" if "record" in fields.get("decision", {}) else None,
    }


def check_view(found: Proven) -> dict[str, Any]:
    """What the page of a check renders."""
    view: dict[str, Any] = {
        "verdict": {"ok": found.ok, "word": "Untouched" if found.ok else "Does not verify", "sentence": None},
        "sentences": found.sentences,
        "proof": _proof(found.proof) if found.proof else None,
    }
    if found.checked:
        both = found.checked.consistency
        complete = both.earlier.size & (both.earlier.size - 1) == 0
        path = [node.hex() for node in both.path]
        rest = path if complete else path[1:]
        view["grown"] = {
            "first": both.earlier.size,
            "second": both.later.size,
            "path": path,
            "root1": both.earlier.root.hex(),
            "root2": both.later.root.hex(),
            "shared": both.earlier.root.hex() if complete or not path else path[0],
            "steps": consistency_steps(both.earlier.size, both.later.size, rest),
        }
    return view


def _shown(row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "agency_name": names.get(row["agency"], row["agency"]),
        "category_words": _word(CATEGORY_WORDS, DataCategory, row["category"]),
        "fields_words": ", ".join(field_words(name) for name in row.get("fields", [])),
        "count": row.get("count", ""),
    }


def _withheld(row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "agency_name": names.get(row["agency"], row["agency"]),
        "category_words": _word(CATEGORY_WORDS, DataCategory, row["category"]),
        "rules": [{"id": rule, "title": RULES[rule].title if rule in RULES else ""} for rule in row["rules"]],
    }


def _basis(basis: Mapping[str, list[str]]) -> list[str]:
    lines = [_word(ARTICLE6_WORDS, Article6Basis, code) for code in basis.get("article6", [])]
    lines += [_word(ARTICLE9_WORDS, Article9Condition, code) for code in basis.get("article9", [])]
    lines += [f"DPA 2018 Schedule 1, {_paragraph(code)}" for code in basis.get("schedule1", [])]
    lines += [f"Power to share: {_statute(code)}" for code in basis.get("gateway", [])]
    return lines


#: Why consent was not the basis (DPA 2018 Schedule 1 paragraph 18(2)).
_WITHOUT_CONSENT = {
    Para18Reason.CONSENT_CANNOT_BE_GIVEN: "consent cannot be given",
    Para18Reason.NOT_REASONABLE_TO_OBTAIN: "it cannot reasonably be obtained",
    Para18Reason.WOULD_PREJUDICE_PROTECTION: "asking would prejudice the protection",
}


def _paragraph(code: str) -> str:
    """A condition, or the reason recorded with it: `P2_18` or `P2_18:WOULD_PREJUDICE_PROTECTION`."""
    condition, _, reason = code.partition(":")
    part, _, number = condition.removeprefix("P").partition("_")
    why = f": {_WITHOUT_CONSENT[Para18Reason(reason)]}" if reason in Para18Reason.__members__ else ""
    return f"Part {part} paragraph {number}{why}"


#: The short forms of statutes in gateway codes.
_STATUTES = {
    "CA1989": "Children Act 1989",
    "CA2004": "Children Act 2004",
    "CARE2014": "Care Act 2014",
    "HSCA2012": "Health and Social Care Act 2012",
    "CDA1998": "Crime and Disorder Act 1998",
    "CJA2003": "Criminal Justice Act 2003",
    "VPA2024": "Victims and Prisoners Act 2024",
    "PCSC2022": "Police, Crime, Sentencing and Courts Act 2022",
    "HA1996": "Housing Act 1996",
    "DEA2017": "Digital Economy Act 2017",
    "CTSA2015": "Counter-Terrorism and Security Act 2015",
}


def _statute(code: str) -> str:
    act, _, sections = code.partition("_")
    if act not in _STATUTES:
        return code.replace("_", " ").lower()
    return f"{_STATUTES[act]} {' and '.join('s' + part.removeprefix('S') for part in sections.split('_'))}"


def _verdict(verified: bool, proof: ReceiptProof | None, sentence: str | None = None) -> dict[str, Any]:
    if not verified or proof is None:
        return {"ok": False, "word": "Does not verify", "sentence": sentence or "Tell your data protection officer."}
    return {
        "ok": True,
        "word": "Verified",
        "sentence": sentence
        or f"Checked just now: entry {proof.index + 1} of {proof.size} of the signed trail, unchanged since written.",
    }


def _witnessed(hub: Hub, proof: ReceiptProof) -> dict[str, Any]:
    """Who cosigned the tree that the proof leads to, and whether anybody is asked to."""
    witnesses = [{"name": name, "at": _moment(t_s * 1000)} for name, t_s in sorted(proof.witnesses)]
    return {"witnesses": witnesses, "has_policy": hub.cosigners is not None}


def _proof(proof: ReceiptProof) -> dict[str, Any]:
    return {
        "index": proof.index,
        "size": proof.size,
        "leaf": proof.leaf_hash.hex(),
        "root": proof.root.hex(),
        "siblings": [node.hex() for node in proof.path],
    }


def _word(words: Mapping[Any, str], kind: Any, code: str | None) -> str:
    try:
        return words[kind(code)]
    except (ValueError, KeyError):
        return code or ""


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
