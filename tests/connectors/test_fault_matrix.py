"""Every fault, for every way to a partner: the right answer, nothing that was held is lost, nobody else is shown."""

import sqlite3
from contextlib import closing

import pytest

from connectors import ConnectorError, ExtractConnector, Gatherer, build_connector, load_drop, moved
from connectors.simulator import Fault, SimulatedPartner
from policies.vocabulary import AnswerState, DataCategory

from .conftest import NOW

WAYS = ("extract", "rest", "fhir", "sql")
#: Seconds for one question: for a partner that never answers, and for all others, however busy the machine.
SHORT_S, LONG_S = 0.3, 9.0
FOUND, NOTHING, NONE = AnswerState.FOUND, AnswerState.NOTHING_HELD, AnswerState.NO_ANSWER
GOOD = {"id": "v1", "service": "Team", "since": "2024-01-02"}
ENDLESS = "(SELECT max(x) FROM (WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n))"
QUERY = "SELECT ref, nominal_ref, unit,"
LAST_GOOD = (FOUND, None, {"v1": "Team"})

#: Faults of rows, the same for every way: rows about the person, what is answered, and where a way differs.
ROWS = {
    "nothing is held": ([], (NOTHING, None, {}), {}),
    "one row has no id": ([GOOD, {**GOOD, "id": ""}], (FOUND, None, {"v1": "Team"}), {}),
    "no row has an id": ([{**GOOD, "id": ""}], (NONE, "MALFORMED", {}), {}),
    "a date that is none": ([{**GOOD, "since": "2024-31-31"}], (FOUND, None, {"v1": "Team"}), {}),
    "markup in a value": ([{**GOOD, "service": "<script>x</script>"}], (FOUND, None, {"v1": "<script>x</script>"}), {}),
    "signs that turn the text": ([{**GOOD, "service": "Te\u202eam\x07"}], (FOUND, None, {"v1": "Team"}), {}),
    "a value like a document": ([{**GOOD, "service": "x" * 5000}], (FOUND, None, {"v1": None}), {}),
    "a flood of rows": (
        [{**GOOD, "id": f"v{n}"} for n in range(2500)],
        (FOUND, None, {f"v{n}": "Team" for n in range(2500)}),
        {"sql": (NONE, "MALFORMED", {})},
    ),
}
#: Faults of the partner itself: what each way does then. A drop that fails leaves the last good load as it was.
TROUBLES = {
    "only somebody else's": {
        "extract": (NOTHING, None, {}),
        **dict.fromkeys(("rest", "fhir", "sql"), (NONE, "WRONG_SUBJECT", {})),
    },
    "somebody else's too": dict.fromkeys(WAYS, LAST_GOOD),
    "gone": {"extract": LAST_GOOD, **dict.fromkeys(("rest", "fhir", "sql"), (NONE, "ERROR", {}))},
    "silent": {"extract": LAST_GOOD, **dict.fromkeys(("rest", "fhir", "sql"), (NONE, "TIMEOUT", {}))},
    "broken off": {"extract": LAST_GOOD, **dict.fromkeys(("rest", "fhir", "sql"), (NONE, "ERROR", {}))},
    "another shape": {"extract": LAST_GOOD, **dict.fromkeys(("rest", "fhir", "sql"), (NONE, "MALFORMED", {}))},
    "other bytes": {
        "extract": (FOUND, None, {"v1": None}),
        "rest": (NONE, "MALFORMED", {}),
        "fhir": (NONE, "MALFORMED", {}),
        "sql": (FOUND, None, {"v1": None}),
    },
}
HTTP = {
    "only somebody else's": Fault.WRONG_SUBJECT,
    "somebody else's too": Fault.STRANGERS_TOO,
    "silent": Fault.SILENT,
    "broken off": Fault.TRUNCATED,
    "another shape": Fault.NO_LIST,
    "other bytes": Fault.NOT_UTF8,
}
SQL = {
    "only somebody else's": (("WHERE nominal_ref IN :records", "WHERE nominal_ref NOT IN :records"),),
    "somebody else's too": (("WHERE nominal_ref IN :records", "WHERE 1 OR nominal_ref IN :records"),),
    "silent": ((QUERY, f"SELECT ref, {ENDLESS} AS nominal_ref, unit,"),),
    "broken off": (("first_seen, last_seen, phone", "first_seen, last_seen, gone"),),
    "another shape": ((QUERY, "SELECT 1 AS other, unit,"),),
    "other bytes": ((QUERY, "SELECT ref, nominal_ref, X'fffe' AS unit,"),),
}
HEAD = "involvement_id,person_id,team,start_date\n"


@pytest.fixture
def answer_of(example, tmp_path, session, open_session, keys, ask_about):
    """Asks as the hub does, with little time, about one person of a partner in the given trouble."""

    def gathered(connector, trouble):
        wanted = {DataCategory.SERVICE_INVOLVEMENT: frozenset({"involved", "service", "since"})}
        gatherer = Gatherer(
            {connector.partner.code: connector},
            each_s=SHORT_S if trouble == "silent" and connector.partner.way != "extract" else LONG_S,
            total_s=LONG_S,
        )
        try:
            (answer,) = gatherer.gather([ask_about(connector.partner, "c1", wanted=wanted)]).values()
        finally:
            gatherer.close()
        return answer

    def http(way, rows, trouble):
        if way == "rest":
            told = [
                {"ref": r["id"], "client_ref": "c1", "service": {"name": r["service"]}, "started": r["since"]}
                for r in rows
            ]
            code, path = "sms", "/episodes/search"
        else:
            told = [
                {
                    "resourceType": "EpisodeOfCare",
                    "id": r["id"],
                    "patient": {"reference": "Patient/c1"},
                    "type": [{"text": r["service"]}],
                    "period": {"start": r["since"]},
                }
                for r in rows
            ]
            code, path = "gp-millbrook", "EpisodeOfCare"
        people = [{"resourceType": "Patient", "id": "c1"}] if way == "fhir" else []
        with SimulatedPartner(moved(example(code), deadline_s=3.0), {path: told}, people) as simulated:
            simulated.fault = HTTP.get(trouble)
            connector = build_connector(simulated.partner, open_session=None, keys=None)
            if trouble == "gone":
                simulated.__exit__()
            with closing(connector):
                return gathered(connector, trouble)

    def sql(rows, trouble):
        path = tmp_path / "police.db"
        with closing(sqlite3.connect(path)) as made, made:
            made.execute("CREATE TABLE involvement (ref, nominal_ref, unit, first_seen, last_seen, phone)")
            told = [(r["id"], "c1", r["service"], r["since"], None, None) for r in rows]
            told.append(("s1", "stranger", "Stranger's", "2024-01-02", None, None))
            made.executemany("INSERT INTO involvement VALUES (?, ?, ?, ?, ?, ?)", told)
        if trouble == "gone":
            path.unlink()
        connector = build_connector(
            moved(example("police", *SQL.get(trouble, ())), url=f"sqlite:///{path}", deadline_s=3.0),
            open_session=None,
            keys=None,
        )
        with closing(connector):
            return gathered(connector, trouble)

    def extract(rows, trouble):
        partner, folder = example("csc"), tmp_path / "drops" / "csc"
        folder.mkdir(parents=True)
        people = "person_id,forenames,surname,dob,sex,nhs_number\nc1,Ada,Quill,01/02/1990,F,\ns1,Ben,Stranger,,M,\n"
        (folder / "people.csv").write_text(people, "utf-8")
        (folder / "plans.csv").write_text("plan_id,person_id\n", "utf-8")

        def drop(lines):
            others = [f"o{n},stranger,Stranger's,02/01/2024" for n in range(4)]
            (folder / "involvement.csv").write_bytes(HEAD.encode() + "\n".join([*lines, *others, ""]).encode("latin-1"))
            with pytest.MonkeyPatch.context() as patched:
                if trouble == "silent" and lines != told:
                    patched.setattr("connectors.loading._make_visible", broken_off)
                return load_drop(session, keys, partner, tmp_path / "drops", now=NOW)

        def broken_off(*_args):
            raise ConnectorError("BROKEN_OFF", "The power went.")

        told = [f"{r['id']},c1,{r['service']},{_british(r['since'])}" for r in rows]

        def next_load():
            if trouble == "gone":
                (folder / "involvement.csv").unlink()
                load_drop(session, keys, partner, tmp_path / "drops", now=NOW)
            elif trouble == "another shape":
                (folder / "involvement.csv").write_text("a,b\n1,2\n", "utf-8")
                load_drop(session, keys, partner, tmp_path / "drops", now=NOW)
            elif trouble == "broken off":
                (folder / "involvement.csv").write_text(HEAD + 'v2,c1,"Te', "utf-8")
                load_drop(session, keys, partner, tmp_path / "drops", now=NOW)
            else:
                drop(["v9,c1,Later,02/01/2025"])

        if trouble == "only somebody else's":
            drop([])
        elif trouble == "other bytes":
            drop(["v1,c1,T\xe9am,02/01/2024"])
        elif trouble in ("gone", "silent", "broken off", "another shape"):
            drop(told)
            with pytest.raises(ConnectorError):
                next_load()
        else:
            (folder / "involvement.csv").write_text(
                HEAD + "\n".join([*told, *(f"o{n},stranger,Stranger's,02/01/2024" for n in range(4)), ""]), "utf-8"
            )
            load_drop(session, keys, partner, tmp_path / "drops", now=NOW)
        return gathered(ExtractConnector(partner, open_session, keys), trouble)

    def ask(way, rows, trouble=None):
        if way in ("rest", "fhir"):
            return http(way, rows, trouble)
        return (sql if way == "sql" else extract)(rows, trouble)

    return ask


@pytest.fixture(params=[0, 1200], ids=["close by", "far apart"])
def load_two(request, example, tmp_path, session, open_session, keys, ask_about):
    """A drop in which one id stands for two people's rows: what is answered about each."""
    partner, folder = example("csc"), tmp_path / "drops" / "csc"
    folder.mkdir(parents=True)
    between = "".join(f"o{n},other,Team,\n" for n in range(request.param))
    (folder / "people.csv").write_text("person_id,forenames\nc1,Ada\nc2,Ben\n", "utf-8")
    (folder / "plans.csv").write_text("plan_id,person_id\n", "utf-8")
    (folder / "involvement.csv").write_text(HEAD + "v1,c1,Team,\n" + between + "v1,c2,Team,\n", "utf-8")
    load_drop(session, keys, partner, tmp_path / "drops", now=NOW)
    connector = ExtractConnector(partner, open_session, keys)
    return [connector.fetch(ask_about(partner, who), deadline_s=9) for who in ("c1", "c2")]


def _british(iso):
    return "/".join(reversed(iso.split("-")))


def seen(answer):
    services = {i.id: i.values["service"].text if "service" in i.values else None for i in answer.items}
    return answer.state, answer.reason, services


def check(answer, expected):
    assert seen(answer) == expected
    assert {item.record for item in answer.items} <= {"c1"}
    assert "Stranger" not in repr(answer)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fault", ROWS)
def test_a_fault_in_the_rows_costs_what_is_broken_and_nothing_else(answer_of, way, fault):
    rows, expected, differs = ROWS[fault]
    answer = answer_of(way, rows)
    check(answer, differs.get(way, expected))
    if fault == "a date that is none":
        assert all("since" not in item.values for item in answer.items)
    if fault in ("one row has no id", "no row has an id"):
        assert answer.dropped >= 1


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_partner_in_trouble_has_not_answered_or_shows_its_last_good_load(answer_of, way, trouble):
    check(answer_of(way, [GOOD], trouble), TROUBLES[trouble][way])


def test_an_id_that_two_people_share_hides_neither(load_two):
    first, second = load_two
    assert (first.state, second.state, second.reason) == (FOUND, NONE, "MALFORMED")


def test_the_matrix_is_as_large_as_it_claims():
    assert len(ROWS) + len(TROUBLES) >= 12
    assert all(set(ways) == set(WAYS) for ways in TROUBLES.values())
