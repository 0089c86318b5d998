"""From what a use-case gives to what the interface answers: plain values in the shapes of `hub/api/schemas.py`.

For: every answer. Must never decide or leave out anything: what it is given may be shown.
"""

from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any

from audit import Receipt, ReceiptProof
from consent import ConsentRecord
from hub.assembly import Hub
from hub.checks import GpCheck
from hub.enquiries import Enquiry
from hub.family_consent import FamilyConsents
from hub.people import Candidate
from hub.picture import FamilyPicture, Grounds, PersonView
from hub.register import overview
from hub.words import GP_ANSWER_WORDS
from policies import SharingAgreement
from policies.vocabulary import AnswerState


def receipt(one: Receipt) -> dict[str, Any]:
    """Where it is recorded."""
    return {"eid": one.eid, "recorded_at": datetime.fromtimestamp(one.t / 1000, UTC)}


def grounds(one: Grounds) -> dict[str, Any]:
    """On which basis, under which agreements."""
    return {"lawful_basis": one.basis, "agreements": one.agreements}


def check(one: GpCheck) -> dict[str, Any]:
    """One of five answers."""
    return {
        "answer": one.answer,
        "state": one.state,
        "sentence": GP_ANSWER_WORDS[one.answer][1],
        "phone": one.phone,
        "as_of": one.as_of,
        "coverage": [{"agency": agency, "sentence": sentence} for agency, sentence in one.coverage],
        "receipt": receipt(one.receipt),
        **grounds(one.grounds),
    }


def known_to(picture: FamilyPicture, enquiry: Enquiry, made: Receipt) -> dict[str, Any]:
    """The known-to matrix."""
    incomplete = any(cell.state == AnswerState.NO_ANSWER for cell in picture.cells)
    return {
        "enquiry": enquiry.id,
        "purpose": enquiry.purpose,
        "subject": picture.subject,
        "state": "INCOMPLETE" if incomplete else "COMPLETE",
        "as_of": picture.made_at,
        "coverage": [{"agency": a.code, "sentence": a.coverage} for a in picture.agencies],
        "people": [_person(one) for one in picture.people],
        "agencies": [asdict(one) for one in picture.agencies],
        "cells": [asdict(one) for one in picture.cells],
        "notes": picture.notes,
        "receipt": receipt(made),
        **grounds(picture.grounds),
    }


def family_picture(picture: FamilyPicture, enquiry: Enquiry, made: Receipt) -> dict[str, Any]:
    """The combined family picture."""
    return known_to(picture, enquiry, made) | {
        "relations": [asdict(one) for one in picture.relations],
        "events": [asdict(one) for one in picture.events],
        "no_export": picture.no_export,
    }


def _person(one: PersonView) -> dict[str, Any]:
    return asdict(one)


def enquiry(one: Enquiry) -> dict[str, Any]:
    """Where an enquiry stands."""
    return {
        "id": one.id,
        "reference": one.reference,
        "purpose": one.purpose,
        "opened_at": one.opened_at,
        "closed_at": one.closed_at,
        "subject": one.subject,
        "state": "CLOSED" if one.closed_at else "OPEN",
    }


def candidate(one: Candidate, mark: str) -> dict[str, Any]:
    """Somebody who could be meant; which agencies know them is decided later, person by person."""
    return {
        "candidate": mark,
        "name": one.name,
        "age": one.age,
        "date_of_birth": one.date_of_birth.date if one.date_of_birth else None,
        "sex_code": one.sex_code,
        "strength": one.strength,
        "reasons": one.reasons,
    }


def consents(held: FamilyConsents, picture: FamilyPicture, enquiry: Enquiry, made: Receipt) -> dict[str, Any]:
    """What is on record about the family's consent."""
    current = {one.id for one in held.current}
    return {
        "enquiry": enquiry.id,
        "purpose": enquiry.purpose,
        "subject": picture.subject,
        "state": AnswerState.FOUND if held.history or held.decision else AnswerState.NOTHING_HELD,
        "as_of": picture.made_at,
        "coverage": [{"agency": "hub", "sentence": "What was recorded in Kith; paper on file is not here."}],
        "people": [_person(one) for one in picture.people],
        "consents": [_consent(one, one.id in current) for one in held.history],
        "about_asking": held.decision,
        "receipt": receipt(made),
        **grounds(picture.grounds),
    }


def _consent(one: ConsentRecord, in_force: bool) -> dict[str, Any]:
    names = ConsentRecord.__dataclass_fields__
    return {name: getattr(one, name) for name in names} | {"in_force": in_force}


def agreement(hub: Hub, one: SharingAgreement, agency: str, today: date) -> dict[str, Any]:
    """One version of an agreement, to somebody of this agency."""
    return {
        "agreement": f"{one.reference}/{one.version}",
        "title": one.title,
        "status": one.status,
        "in_force": overview.counts_now(hub, one, today),
        "effective_from": one.effective_from,
        "expires_on": one.expires_on,
        "review": one.review,
        "dpia_reference": one.dpia_reference,
        "parties": one.parties,
        "purposes": sorted({purpose for clause in one.clauses for purpose in clause.purposes}),
        "your_part": next((party.role for party in one.parties if party.agency == agency), None),
    }


def proof(one: ReceiptProof) -> dict[str, Any]:
    """The proof of one entry."""
    return {
        "eid": one.eid,
        "recorded_at": datetime.fromtimestamp(one.t / 1000, UTC),
        "proof": one.document(with_envelope=False),
    }
