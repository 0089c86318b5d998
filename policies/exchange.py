"""Agreements to and from other systems' forms: MAIS SharingPolicy (JSON) and ODRL (Turtle).

For: one way out and one way in, whatever the form; both carry the agreement itself, so that nothing is lost, and what
the form has no words for is said aloud. It must never bring an agreement in otherwise than as a draft that nobody has
signed. The forms are in policies/mais.py and policies/odrl_agreement.py.
"""

import json
from collections.abc import Mapping
from enum import StrEnum

from policies import mais
from policies.agreement import SharingAgreement
from policies.agreement_files import with_word
from policies.form import FormError


class ExchangeForm(StrEnum):
    """A form that other systems read."""

    MAIS = "mais"
    ODRL = "odrl"


class ExchangeRefused(ValueError):
    """This agreement cannot be said in that form, or that text is none; the sentence says why."""


def export_agreement(
    one: SharingAgreement,
    form: ExchangeForm,
    *,
    uri: str,
    system: str = "",
    contact: str = "",
    names: Mapping[str, str] | None = None,
) -> tuple[str, tuple[str, ...]]:
    """Return an agreement as text, and sentences about what the form has no words for.

    Takes where the policy is published; for MAIS also the URI of the identifiers' system, whom to ask, and the
    parties' names by code. Raises ExchangeRefused.
    """
    try:
        if form == ExchangeForm.MAIS:
            policy = mais.policy_of(one, uri=uri, system=system, contact=contact, names=names)
            return json.dumps(mais.to_mais(policy), indent=2, ensure_ascii=False) + "\n", mais.NOT_SAID
        from policies import odrl_agreement  # Loads rdflib, which nothing else of the hub needs.

        return odrl_agreement.policy_graph(one, uri).serialize(format="turtle"), odrl_agreement.NOT_SAID
    except FormError as error:
        raise ExchangeRefused(f"{error.path}: {with_word(error)}.") from None
    except ValueError as error:
        raise ExchangeRefused(str(error)) from None


def import_agreement(text: str, form: ExchangeForm) -> str:
    """Return the agreement that a policy carries as the text of a file: a draft that nobody has signed.

    Raises ExchangeRefused when it carries none, says other than it carries, or cannot be read.
    """
    try:
        if form == ExchangeForm.MAIS:
            one = mais.carried(mais.from_mais(json.loads(text)))
        else:
            from policies import odrl, odrl_agreement

            one = odrl_agreement.carried_by(odrl.read_turtle(text))
        return mais.as_toml(mais.as_draft(one))
    except FormError as error:
        raise ExchangeRefused(f"{error.path}: {with_word(error)}.") from None
    except (ValueError, RecursionError) as error:
        raise ExchangeRefused(f"The text cannot be read as {form} ({type(error).__name__}).") from None
