"""What information governance takes away: the register as a file, with the proof of every line.

For: a data protection officer's report, a court, a family's solicitor. The export is itself an entry of the trail,
written before anything leaves; every file carries its number. Must never hold what was disclosed, and no cell that a
spreadsheet would run.
"""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC

from audit import Receipt, verifier_source
from hub import fhir_audit, prov
from hub.assembly import Hub
from hub.context import RequestContext
from hub.enquiries import user_of
from hub.errors import FormRefused
from hub.oversight import Entered, Filter, matching_entries, require_audit_access
from policies.vocabulary import AccessMode, DataCategory, Purpose

#: Entries of one export; more wants a shorter time.
MOST = 1_000
COLUMNS = (
    "recorded_utc", "event", "kind", "outcome", "user", "user_name", "role", "agency", "purpose", "enquiry", "basis",
    "agreement", "sources", "persons", "shown", "withheld", "entry_number", "export_receipt",
)  # fmt: skip
#: With these a spreadsheet begins a formula (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
READ_ME = """Disclosures recorded by {origin}, as information governance asked for them.

This export is an entry of the trail itself: {receipt}. Every file and every line of it carries that number.

disclosures.csv         one line for each entry; what was shown by kind and count, never the information itself
disclosures.fhir.json   the same as FHIR R4 AuditEvent; disclosures follow IHE BALP (PrivacyDisclosure.Source)
disclosures.prov.json   the same as W3C PROV (PROV-JSON)
proofs/                 the proof of each entry, in the form of c2sp.org/tlog-proof
kith_verify.py          checks a proof on any computer with Python and the package cryptography:

    python kith_verify.py proofs/EVENT.tlog-proof --key VKEY [--policy FILE]

VKEY, the trail's key, and the policy of its witnesses come from the hub's operator or from a partner, not from here.
manifest.json           SHA-256 of every file
"""


@dataclass(frozen=True, slots=True)
class Exported:
    """The archive, and the record of the export."""

    archive: bytes
    receipt: Receipt


def export_register(hub: Hub, ctx: RequestContext, wanted: Filter) -> Exported:
    """The register, filtered, as an archive.

    Raises FormRefused without a case reference, for nothing, or for too much. Effects: one `export` event.
    """
    if wanted.case_reference is None:
        raise FormRefused({"case_reference": "Enter the case reference: an export needs one."})
    rationale = f"Export of the register of disclosures for case {wanted.case_reference}"
    for mode in (AccessMode.SEARCH_NAME, AccessMode.EXPORT) if wanted.person else (AccessMode.EXPORT,):
        require_audit_access(hub, ctx, mode=mode, rationale=rationale)
    found, total = matching_entries(hub, wanted, most=MOST)
    if not found:
        raise FormRefused({"from": "Nothing is recorded that fits, so there is nothing to export."})
    if total > MOST:
        raise FormRefused({"from": f"{total:,} entries fit; an export takes {MOST:,}. Choose a shorter time."})
    receipt = hub.trail.append(
        "export",
        now=ctx.now,
        user=user_of(ctx),
        purpose=Purpose.IG_AUDIT,
        trace=ctx.request_id,
        recipient=ctx.actor.agency,
        subjects=[wanted.person] if wanted.person else [],
        data=[
            {
                "agency": ctx.actor.agency,
                "category": DataCategory.AUDIT_METADATA,
                "label": "register",
                "count": len(found),
            }
        ],
        object={"type": "case", "id": wanted.case_reference},
    )
    return Exported(_archive(_files(hub, found, receipt)), receipt)


def _files(hub: Hub, found: list[Entered], receipt: Receipt) -> dict[str, str]:
    origin = hub.trail.verifier_key.name
    agencies = {p.code: p.name for p in hub.partners.values()}
    names = fhir_audit.Names(hub.settings.base_url, origin, agencies)
    recorded = [
        fhir_audit.Recorded(e.entry.eid, e.entry.kind, e.at, e.entry.fields, e.persons, e.user_name) for e in found
    ]
    at = found[-1].at
    return {
        "README.txt": READ_ME.format(origin=origin, receipt=receipt.eid),
        "disclosures.csv": _csv(found, receipt.eid),
        "disclosures.fhir.json": _json(fhir_audit.bundle(recorded, names, receipt=receipt.eid, at=at)),
        "disclosures.prov.json": _json(prov.document(recorded, names, receipt=receipt.eid)),
        "kith_verify.py": verifier_source(),
        **{f"proofs/{e.entry.eid}.tlog-proof": e.proof.tlog_proof() for e in found if e.proof},
    }


def _archive(files: Mapping[str, str]) -> bytes:
    """A zip archive of these texts, with a manifest of their hashes."""
    sums = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in files.items()}
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in {**files, "manifest.json": _json(sums)}.items():
            # The time of the entry would be that of this machine; the trail has the true one.
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), text, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def _csv(found: Iterable[Entered], receipt: str) -> str:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    for one in found:
        writer.writerow([neutral(cell) for cell in _cells(one, receipt)])
    return text.getvalue()


def neutral(cell: object) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe before what would begin one."""
    text = str(cell)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _cells(one: Entered, receipt: str) -> list[object]:
    fields = one.entry.fields
    user = fields.get("user", {})
    basis = [f"{name}:{code}" for name, codes in sorted(fields.get("basis", {}).items()) for code in codes]
    return [
        one.at.astimezone(UTC).isoformat(timespec="milliseconds"),
        one.entry.eid,
        one.entry.kind,
        fields.get("outcome") or fields.get("decision", {}).get("outcome") or fields.get("reason", ""),
        user.get("subject") or fields.get("client", {}).get("id", ""),
        one.user_name,
        user.get("role", ""),
        user.get("agency", ""),
        fields.get("purpose", ""),
        fields.get("enquiry", ""),
        " ".join(basis),
        " ".join(f"{a['ref']}/{a.get('version', '')}" for a in fields.get("agreement", ())),
        " ".join(fields.get("source", ())),
        " ".join(person or "erased" for person in one.persons),
        " ".join(f"{r['agency']}:{r['category']}:{r.get('count', '')}" for r in fields.get("data", ())),
        " ".join(f"{r['agency']}:{r['category']}:{'+'.join(r['rules'])}" for r in fields.get("withheld", ())),
        one.entry.index,
        receipt,
    ]


def _json(document: Mapping[str, object]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"
