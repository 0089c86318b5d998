"""A partner's file says everything, and what it says wrongly stops the start with a sentence that helps."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from connectors import (
    ConnectorError,
    ItemMapping,
    NoAnswerReason,
    load_partner,
    load_partners,
    moved,
    person_mapping,
)
from connectors.partner import _REACH_KEYS, SOURCE_KEY
from policies.vocabulary import DataCategory, FieldKind

from .conftest import DOCUMENT, examples


def test_the_four_partners_of_the_document_can_be_connected(tmp_path):
    for name, text in examples().items():
        (tmp_path / name).write_text(text, "utf-8")
    partners = load_partners(tmp_path)
    assert {code: p.way for code, p in partners.items()} == {
        "csc": "extract",
        "gp-millbrook": "fhir",
        "police": "sql",
        "sms": "rest",
    }
    assert all(DataCategory.SERVICE_INVOLVEMENT in p.offers for p in partners.values())
    plan = {f.name: f.kind for f in partners["csc"].offers[DataCategory.SOCIAL_CARE_STATUS]}
    assert plan["plan_reason"] is FieldKind.RISK
    assert plan["type"] is FieldKind.STATUS


CSC, SMS, GP, POLICE = "csc.toml", "sms.toml", "gp-millbrook.toml", "police.toml"
REFUSALS = [
    (CSC, 'code = "csc"', 'code = "csc"\ncolour = "blue"', "colour", "is not a known key"),
    (CSC, 'code = "csc"', 'code = "CSC"', "code", "other characters"),
    (CSC, 'code = "csc"', 'code = "csc2"', "code", "not the name of the file"),
    (CSC, 'type = "CHILDRENS_SOCIAL_CARE"', 'type = "COUNCIL"', "type", "not a word of AgencyType"),
    (CSC, "public_authority = true", 'public_authority = "yes"', "public_authority", "wrong type"),
    (CSC, "public_authority = true\n", "", "public_authority", "is missing"),
    (CSC, 'out_of_hours = "01632 960102"', "", "contact.out_of_hours", "is missing"),
    (CSC, 'in_hours = "01632 960101"', 'in_hours = ""', "contact.in_hours", "is empty"),
    (CSC, "ages = [0, 25]", "ages = [25, 0]", "coverage.ages", "not a span"),
    (CSC, "since = 2015-04-01", 'since = "April"', "coverage.since", "wrong type"),
    (CSC, 'way = "extract"', 'way = "post"', "reach.way", "is not known"),
    (CSC, 'folder = "csc"', 'folder = "../csc"', "reach.folder", "leads out"),
    (CSC, 'folder = "csc"', 'folder = "/etc"', "reach.folder", "leads out"),
    (CSC, 'folder = "csc"', "", "reach.folder", "is missing"),
    (CSC, 'folder = "csc"', 'folder = "csc"\nencoding = "utf-7"', "reach.encoding", "is not known"),
    (CSC, 'folder = "csc"', 'folder = "csc"\ndelimiter = "x"', "reach.delimiter", "is not known"),
    (CSC, 'file = "people.csv"', 'file = "people.csv"\nencoding = "latin-1"', "people.encoding", "for all files"),
    (CSC, 'folder = "csc"', 'folder = "csc"\nbase_url = "https://a"', "reach.base_url", "not a key of way"),
    (CSC, 'file = "plans.csv"', 'file = "../plans.csv"', "items[1].file", "not a plain file name"),
    (CSC, 'file = "plans.csv"', 'path = "/plans"', "items[1].file", "is missing"),
    (CSC, 'id = "plan_id"', "", "items[1].id", "is missing"),
    (CSC, 'category = "SOCIAL_CARE_STATUS"', 'category = "PLANS"', "items[1].category", "not a word"),
    (CSC, 'category = "SERVICE_INVOLVEMENT"', 'category = "EDUCATION"', "items", "no SERVICE_INVOLVEMENT"),
    (CSC, 'plan_reason = "RISK"', 'plan_reason = "SECRET"', "items[1].kinds.plan_reason", "not a word of FieldKind"),
    (CSC, 'kinds = { plan_reason = "RISK" }', "", "items[1].values.plan_reason", "not a standard field"),
    (CSC, '{ plan_reason = "RISK" }', '{ plan_reason = "RISK", type = "NEED" }', "items[1].kinds.type", "standard"),
    (CSC, '{ plan_reason = "RISK" }', '{ plan_reason = "RISK", other = "NEED" }', "items[1].other", "only in kinds"),
    (CSC, "words = { type =", "words = { kind =", "items[1].words.kind", "not one of values"),
    (CSC, 'fixed = { involved = "Yes" }', 'fixed = { service = "Yes" }', "items[0].service", "named twice"),
    (CSC, 'service = "team",', 'Service = "team",', "items[0].values.Service", "not a field name"),
    (CSC, 'sex = { column = "sex"', 'gendr = { column = "sex"', "gendr", "unknown key"),
    (CSC, 'file = "people.csv"\n', "", "people.file", "is missing"),
    (CSC, 'record = "person_id"\ndate_formats = ["%d/%m/%Y", "%Y-%m-%d"]', "", "record", "is missing"),
    (CSC, '[people]\nfile = "people.csv"', '[people]\nquery = "SELECT 1"\nfile = "people.csv"', "people.query", "way"),
    (SMS, "http://127.0.0.1:8802/api", "http://127.0.0.1:8802/api/", "reach.base_url", "not a plain URL"),
    (SMS, "http://127.0.0.1:8802/api", "http://a:b@127.0.0.1/api", "reach.base_url", "not a plain URL"),
    (SMS, "http://127.0.0.1:8802/api", "http://127.0.0.1:x/api", "reach.base_url", "not a URL"),
    (SMS, 'network = "loopback"', "", "reach.base_url", "is not https"),
    (SMS, 'network = "loopback"', 'network = "any"', "reach.network", "is not known"),
    (SMS, 'network = "loopback"', 'network = "loopback"\ndeadline_s = 30', "reach.deadline_s", "too long"),
    (SMS, 'network = "loopback"', 'network = "loopback"\nkey_file = "k"', "reach.key_file", "certificate_file"),
    (SMS, "/episodes/search", "/episodes/{record}", "items[0].path", "not a plain path"),
    (SMS, "/episodes/search", "/../search", "items[0].path", "not a plain path"),
    (SMS, 'rows = "episodes[]"', 'rows = "episodes"', "items[0].rows", "not a path to a list"),
    (SMS, 'service = "service.name"', 'service = "service..name"', "items[0].values.service", "not a dotted path"),
    (GP, 'resource = "Flag"', 'resource = "Observation"', "items[2].resource", "not a resource"),
    (GP, 'resource = "Flag"', 'resource = "Flag"\nid = "id"', "items[2].id", "not a known key"),
    (POLICE, "sqlite:///var/demo/police.db", "mysql://h/d", "reach.url", "another database"),
    (POLICE, "sqlite:///var/demo/police.db", "postgresql+psycopg://u:p@h/d", "reach.url", "holds a password"),
    (POLICE, "WHERE nominal_ref IN :records", "", "items[0].query", "given records only"),
    (POLICE, "SELECT ref, nominal_ref, unit", "DELETE FROM t; SELECT ref", "items[0].query", "not one SELECT"),
]


@pytest.mark.parametrize(("name", "old", "new", "key", "reason"), REFUSALS)
def test_a_wrong_word_stops_the_start_and_says_where_and_why(tmp_path, name, old, new, key, reason):
    text = examples()[name]
    assert old in text
    path = tmp_path / name
    path.write_text(text.replace(old, new, 1) if name == POLICE else text.replace(old, new), "utf-8")
    with pytest.raises(ConnectorError) as refused:
        load_partner(path)
    assert refused.value.code == "PARTNER_FILE"
    assert name in refused.value.sentence
    assert key in refused.value.sentence
    assert reason in refused.value.sentence


@pytest.mark.parametrize("data", [b"code = ", b"\xff\xfe"])
def test_a_file_that_is_not_toml_is_refused(tmp_path, data):
    path = tmp_path / "csc.toml"
    path.write_bytes(data)
    with pytest.raises(ConnectorError, match=r"csc\.toml: is not TOML"):
        load_partner(path)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ConnectorError, match=r"nobody\.toml: cannot be read"):
        load_partner(Path(tmp_path / "nobody.toml"))


def test_a_partner_can_be_placed_elsewhere_but_only_where_its_file_could_have_put_it(example):
    sms = example("sms")
    assert moved(sms, base_url="http://127.0.0.1:5/api").reach["base_url"] == "http://127.0.0.1:5/api"
    with pytest.raises(ConnectorError, match="is not https"):
        moved(sms, base_url="http://partner.example/api", network="public")
    with pytest.raises(ConnectorError, match="not a key of way"):
        moved(sms, colour="blue")


def test_people_are_described_without_the_keys_that_say_where_they_come_from(example):
    mapping = person_mapping(example("sms"))
    assert mapping is not None
    assert "name.given" in mapping.columns()
    police = person_mapping(example("police"))
    assert police is not None
    assert police.query is not None


def test_every_key_of_a_partner_file_has_its_line_in_the_document():
    text = DOCUMENT.read_text("utf-8")
    keys = {key for keys in _REACH_KEYS.values() for key in keys}
    keys |= {"way", "find", "rows", *SOURCE_KEY.values(), *(f.name for f in fields(ItemMapping) if f.name != "source")}
    missing = [key for key in sorted(keys) if f"`{key}`" not in text]
    assert missing == []


def test_every_reason_for_no_answer_has_its_line_in_the_document():
    text = DOCUMENT.read_text("utf-8")
    assert [reason for reason in NoAnswerReason if f"| {reason} |" not in text] == []


@pytest.mark.parametrize("path", sorted((DOCUMENT.parents[1] / "connectors").rglob("*.py")), ids=lambda p: p.name)
def test_this_room_imports_nothing_of_ours_but_the_dictionary(path):
    for line in path.read_text("utf-8").splitlines():
        found = re.match(r"(?:from|import) (hub|audit|consent|policies|flask)\b(.*)", line)
        assert found is None or (found[1] == "policies" and found[2].startswith(".vocabulary"))
