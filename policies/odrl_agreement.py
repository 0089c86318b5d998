"""Our agreements as ODRL policies, and a decision request as an ODRL request: for systems that read ODRL.

For: publishing who may read what for which purpose, in words that an ODRL evaluator can weigh, and reading such a
policy back. ODRL has no words for lawful basis, consent, relationship, shields and seals: every permission therefore
asks that the hub's rules are met (`rulesMet`), which only the hub can state, so that a policy never permits what
`decide` refuses. It must never make an agreement of a policy that does not carry one. W3C ODRL Information Model 2.2
and Vocabulary 2.2 (Recommendations of 15 February 2018).
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, time, timedelta
from urllib.parse import quote
from zoneinfo import ZoneInfo

from rdflib import DCTERMS, RDF, Graph, Literal, Namespace, URIRef
from rdflib.term import Node

from policies.agreement import SharingAgreement
from policies.agreement_files import agreement_of, written
from policies.case import Agreement, Clause, DecisionRequest, Party
from policies.decide import decide
from policies.form import FormError
from policies.mais import absolute_uri
from policies.odrl import NOW, ODRL
from policies.rules.facts import Facts, months_before
from policies.vocabulary import (
    AgreementStatus,
    DataCategory,
    DataSubject,
    FieldKind,
    PartyRole,
    PartyStatus,
    Purpose,
    Role,
)

#: The profile that our operands belong to, and the names of agencies and of the dictionary's words.
KITH = Namespace("urn:kith:odrl:")
LONDON = ZoneInfo("Europe/London")
#: What an agreement says that ODRL has no words for, in sentences for whoever exports one.
NOT_SAID = (
    "ODRL has no words for lawful bases, consent models, limbs of confidentiality, response targets, reviews, impact "
    "assessments and signatures: the agreement itself travels beside the policy and says them.",
    "Each permission holds only where the hub states that its rules are met (rulesMet): consent, relationship, seals, "
    "shields and approvals are decided by the hub alone. Roles that may see a shielded address are not permitted here.",
    "A newer version of the agreement, a later withdrawal or suspension is not seen by who holds an older policy.",
)


def name(word: object, of: str) -> URIRef:
    """Return the name of a word or an agency, such as `urn:kith:odrl:purpose:S47_ENQUIRY`."""
    return KITH[f"{of}:{quote(str(word), safe='')}"]


def policy_graph(one: SharingAgreement, uri: str) -> Graph:
    """Return an agreement as an ODRL policy that carries it; only an ACTIVE version permits anything.

    Takes the absolute URI that names the policy. Raises FormError for another.
    """
    graph, policy = Graph(), URIRef(absolute_uri(uri, "uri"))
    graph.bind("odrl", ODRL)
    graph.bind("kith", KITH)
    graph.bind("dct", DCTERMS)
    said: list[tuple[Node, Node]] = [
        (RDF.type, ODRL.Agreement),
        (ODRL.uid, policy),
        (ODRL.profile, URIRef("urn:kith:odrl:")),
        (ODRL.conflict, ODRL.prohibit),
        (DCTERMS.title, Literal(one.title)),
    ]
    for key, value in said:
        graph.add((policy, key, value))
    carrier = URIRef(f"{uri}#agreement")
    graph.add((carrier, RDF.type, KITH.SharingAgreement))
    graph.add((carrier, DCTERMS.isPartOf, policy))
    text = json.dumps(written(one), sort_keys=True, ensure_ascii=False)
    graph.add((carrier, RDF.value, Literal(text)))
    if one.status == AgreementStatus.ACTIVE:
        for number, clause in enumerate(one.clauses, 1):
            _permit(graph, policy, f"#clause-{number}", ODRL.read, one, clause)
            if clause.onward_to:
                onward = _permit(graph, policy, f"#clause-{number}-onward", ODRL.distribute, one, clause)
                _constrain(graph, onward, "next", KITH.nextRecipient, ODRL.isAnyOf, _names(clause.onward_to, "agency"))
    if not any(clause.onward_to for clause in one.clauses):
        graph.add((policy, ODRL.prohibition, URIRef(f"{uri}#onward")))
        graph.add((URIRef(f"{uri}#onward"), ODRL.action, ODRL.distribute))
    return graph


def _permit(graph: Graph, policy: URIRef, at: str, action: URIRef, one: SharingAgreement, clause: Clause) -> URIRef:
    """Add what a clause permits, between the parties that have signed."""
    rule = URIRef(f"{policy}{at}")
    signed = [party for party in one.parties if party.status == PartyStatus.SIGNED]
    owners = _names((party.agency for party in signed if party.role != PartyRole.RECIPIENT), "agency")
    receivers = _names((party.agency for party in signed if party.role != PartyRole.DISCLOSER), "agency")
    graph.add((policy, ODRL.permission, rule))
    graph.add((rule, ODRL.action, action))
    for key, values in (
        (ODRL.assigner, owners),
        (ODRL.assignee, receivers or [KITH.nobody]),
        (ODRL.target, _names(clause.categories, "category")),
    ):
        for value in values:
            graph.add((rule, key, value))
    among: list[tuple[str, URIRef, list[URIRef]]] = [
        ("purpose", ODRL.purpose, _names(clause.purposes, "purpose")),
        ("owner", KITH.owner, owners or [KITH.nobody]),
        ("role", KITH.recipientRole, _names(clause.recipient_roles, "role")),
        ("subject", KITH.dataSubject, _names(clause.data_subjects, "subject")),
        ("kind", KITH.fieldKind, _names(clause.field_kinds, "kind")),
    ]
    for what, operand, names in among:
        _constrain(graph, rule, what, operand, ODRL.isAnyOf, names)
    _constrain(graph, rule, "rules", KITH.rulesMet, ODRL.eq, [KITH.true])
    start = datetime.combine(one.effective_from, time(), LONDON)
    _constrain(graph, rule, "from", ODRL.dateTime, ODRL.gteq, [Literal(start)])
    if one.expires_on is not None:
        end = datetime.combine(one.expires_on + timedelta(days=1), time(), LONDON)
        _constrain(graph, rule, "until", ODRL.dateTime, ODRL.lt, [Literal(end)])
    if clause.lookback_months is not None:
        _constrain(graph, rule, "age", KITH.monthsOld, ODRL.lteq, [Literal(clause.lookback_months)])
    return rule


def _constrain(
    graph: Graph, rule: URIRef, what: str, operand: URIRef, operator: URIRef, values: Iterable[Node]
) -> None:
    node = URIRef(f"{rule}-{what}")
    graph.add((rule, ODRL.constraint, node))
    graph.add((node, ODRL.leftOperand, operand))
    graph.add((node, ODRL.operator, operator))
    for value in values:
        graph.add((node, ODRL.rightOperand, value))


def _names(words: Iterable[object], of: str) -> list[URIRef]:
    return [name(word, of) for word in words]


def carried_by(graph: Graph) -> SharingAgreement:
    """Return the agreement that an ODRL policy carries.

    Raises FormError when there is none, or when the policy says anything else than the agreement that it carries.
    """
    carriers = list(graph.subjects(RDF.type, KITH.SharingAgreement))
    texts = [text for carrier in carriers for text in graph.objects(carrier, RDF.value)]
    policies = [policy for carrier in carriers for policy in graph.objects(carrier, DCTERMS.isPartOf)]
    if len(carriers) != 1 or len(texts) != 1 or len(policies) != 1:
        why = "the policy carries no agreement: lawful bases, roles and consent are not in ODRL and would be guessed"
        raise FormError("SharingAgreement", why)
    try:
        one = agreement_of(json.loads(str(texts[0])))
    except (ValueError, RecursionError) as error:
        if isinstance(error, FormError):
            raise
        raise FormError("SharingAgreement", "what it carries is not JSON") from None
    if set(graph) != set(policy_graph(one, str(policies[0]))):
        raise FormError("policy", "it says other than the agreement that it carries")
    return one


def asked_as_odrl(request: DecisionRequest, offered: FieldKind) -> tuple[Graph, Graph]:
    """Return an ODRL request for this kind of field, and the state of the world; ODRL decides partner access only.

    `rulesMet` is stated where the hub's rules would show the kind if an agreement allowed everything between the two.
    """
    facts = Facts(request)
    receiver = request.actor.agency if facts.onward else request.recipient.agency
    graph, world = Graph(), Graph()
    asked, wanted = KITH.request, KITH["request:permission"]
    graph.add((asked, RDF.type, ODRL.Request))
    graph.add((asked, ODRL.permission, wanted))
    graph.add((wanted, ODRL.assignee, name(receiver, "agency")))
    graph.add((wanted, ODRL.action, ODRL.distribute if facts.onward else ODRL.read))
    graph.add((wanted, ODRL.target, name(request.item.category, "category")))
    stated: list[tuple[str, URIRef, Node]] = [
        ("purpose", ODRL.purpose, name(request.purpose, "purpose")),
        ("owner", KITH.owner, name(request.owner.agency, "agency")),
        ("role", KITH.recipientRole, name(facts.receiving_role, "role")),
        ("subject", KITH.dataSubject, name(DataSubject.ADULT if facts.adult else DataSubject.CHILD, "subject")),
        ("kind", KITH.fieldKind, name(offered, "kind")),
        ("age", KITH.monthsOld, Literal(_months_old(facts))),
        ("next", KITH.nextRecipient, name(request.recipient.agency, "agency")),
    ]
    if _rules_met(request, offered):
        stated.append(("rules", KITH.rulesMet, KITH.true))
    for what, operand, value in stated:
        _constrain(graph, wanted, what, operand, ODRL.eq, [value])
    world.add((NOW, DCTERMS.issued, Literal(request.now)))
    return graph, world


def _months_old(facts: Facts) -> int:
    """In how many months' look-back the item lies, at the least (P09)."""
    today, then = facts.today, facts.request.item.occurred_on
    months = max(0, (today.year - then.year) * 12 + today.month - then.month)
    while months and months_before(today, months - 1) <= then:
        months -= 1
    while months_before(today, months) > then:
        months += 1
    return months


def _rules_met(request: DecisionRequest, offered: FieldKind) -> bool:
    """Would the hub show this kind if an agreement allowed everything? What is left then is law and consent."""
    wide = Agreement(
        reference="everything",
        version=1,
        status=AgreementStatus.ACTIVE,
        effective_from=request.now.date(),
        parties=tuple(
            Party(agency=agency, role=PartyRole.BOTH, status=PartyStatus.SIGNED)
            for agency in sorted({request.owner.agency, request.recipient.agency, request.actor.agency})
        ),
        clauses=(
            Clause(
                purposes=frozenset(Purpose),
                recipient_roles=frozenset(Role),
                categories=frozenset(DataCategory),
                data_subjects=frozenset(DataSubject),
                field_kinds=frozenset(FieldKind),
                onward_to=frozenset({request.recipient.agency}),
            ),
        ),
    )
    decision = decide(replace(request, agreements=(wide,)))
    return any(field.name in decision.fields for field in request.item.fields if field.kind == offered)
