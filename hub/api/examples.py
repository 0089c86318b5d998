"""One example for each operation of the interface, to copy: Python against `docs/examples/kith_client.py`.

For: the reference pages. Each goes on with the names that the ones before it made, in this order, and the tests run
them all against a hub; so an example that does not work is a test that fails. Nobody in them is real.
"""

from collections.abc import Mapping

#: What comes before every example: whose system it is, and for whom it asks. `make demo` writes both files.
PRACTICE = """\
from kith_client import Kith

kith, user = Kith.from_file("var/demo/client/client.json")
asking = kith.for_user(user)
"""
COUNCIL = """\
from kith_client import Kith

kith, user = Kith.from_file("var/demo/client/council.json")
asking = kith.for_user(user)
why = {"purpose": "S47_ENQUIRY", "agreement": "THORN-MASH/2"}
"""
BEGINNINGS: Mapping[str, str] = {"practice": PRACTICE, "council": COUNCIL}

#: By operation: whose example it is, and the example.
EXAMPLES: Mapping[str, tuple[str, str]] = {
    "gpCheck": (
        "practice",
        """\
said = asking.post(
    "/api/v1/gp-check",
    {
        "purpose": "GP_PACKAGE_CHECK",
        "agreement": "THORN-GP-CHECK/1",
        "subject": {"nhs_number": "999 700 0390"},
    },
)
print(said["answer"], said["sentence"], said["phone"])
""",
    ),
    "gpCheckMany": (
        "practice",
        """\
said = asking.post(
    "/api/v1/gp-checks",
    {
        "purpose": "GP_PACKAGE_CHECK",
        "agreement": "THORN-GP-CHECK/1",
        "subjects": [{"nhs_number": "999 700 0390"}, {"nhs_number": "999 700 0404"}],
    },
)
for one in said["results"]:
    print(one["position"], one["check"]["answer"] if one["check"] else one["problem"]["title"])
""",
    ),
    "listAgreements": (
        "practice",
        """\
for one in asking.get("/api/v1/agreements")["items"]:
    print(one["agreement"], one["title"], one["your_part"])
""",
    ),
    "getAgreement": (
        "practice",
        """\
print(asking.get("/api/v1/agreements/THORN-GP-CHECK/1")["purposes"])
""",
    ),
    "openEnquiry": (
        "council",
        """\
found = asking.post(
    "/api/v1/enquiries",
    {
        **why,
        "subject": {"name": "Maisie Tarrant", "nhs_number": "999 700 0048"},
        "reference": "REF/2026/0417",
        "rationale": "Bruising seen at school and the explanation does not fit",
        "threshold": "S47_DECISION",
    },
)
here = f"/api/v1/enquiries/{found['enquiry']['id']}"
for one in found["candidates"]:  # A worker looks at them and chooses.
    print(one["name"], one["strength"], one["reasons"])
""",
    ),
    "confirmPerson": (
        "council",
        """\
enquiry = asking.post(f"{here}/persons", {"candidate": found["candidates"][0]["candidate"]})
question = {**why, "subject": enquiry["subject"]}
""",
    ),
    "knownTo": (
        "council",
        """\
known = asking.post(f"{here}/known-to", question)
for cell in known["cells"]:
    print(cell["agency"], cell["state"], cell["sentence"])
""",
    ),
    "familyPicture": (
        "council",
        """\
picture = asking.post(f"{here}/picture", question)
for person in picture["people"]:
    print(person["label"], person["relation_to_subject"], person["warnings"])
""",
    ),
    "familyConsents": (
        "council",
        """\
consents = asking.post(f"{here}/consents", question)
for one in consents["consents"]:
    print(one["kind"], one["state"], one["in_force"])
""",
    ),
    "getReceipt": (
        "council",
        """\
print(asking.get(f"/api/v1/receipts/{picture['receipt']['eid']}")["proof"]["index"])
""",
    ),
    "searchInEnquiry": (
        "council",
        """\
more = asking.post(f"{here}/candidates", {**why, "subject": {"name": "Danielle Tarrant"}})
print(len(more["candidates"]), more["advice"])
""",
    ),
    "listEnquiries": (
        "council",
        """\
page = asking.get("/api/v1/enquiries")
while page["next"]:
    page = asking.get(f"/api/v1/enquiries?cursor={page['next']}")
""",
    ),
    "getEnquiry": (
        "council",
        """\
print(asking.get(here)["state"])
""",
    ),
    "closeEnquiry": (
        "council",
        """\
print(asking.post(f"{here}/close", {})["state"])
""",
    ),
}
