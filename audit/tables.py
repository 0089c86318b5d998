"""The tables of the trail, and the guards that let nobody change or remove a row.

For: migrations (`metadata`, `create_guards`) and `Trail`. Nothing here may ever be updated or deleted. The guards
stop accidents and careless hands; against a database administrator, who can drop a trigger, it is the signed
tree that counts. Ruled by `docs/audit-format.md`.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    event,
    inspect,
    select,
    text,
)

metadata = MetaData()

#: SQLite counts rows by a plain INTEGER key; elsewhere an index needs eight bytes.
_Index = BigInteger().with_variant(Integer, "sqlite")

entries = Table(
    "audit_entry",
    metadata,
    Column("idx", _Index, primary_key=True, autoincrement=False),
    Column("eid", String(32), nullable=False, unique=True),
    Column("t", BigInteger, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("leaf_hash", LargeBinary(32), nullable=False),
    Column("leaf", LargeBinary(128), nullable=False),
    Column("envelope", LargeBinary, nullable=False),
)

#: Events about agreements are few, and are looked for at every request. The index holds them alone, so that appending
#: anything else costs nothing. Both engines use it for a query that has this very condition.
ABOUT_AGREEMENTS = text("substr(kind, 1, 10) = 'agreement:'")
Index("audit_entry_agreement", entries.c.idx, sqlite_where=ABOUT_AGREEMENTS, postgresql_where=ABOUT_AGREEMENTS)
#: The number of the newest event about an agreement; no row when there is none.
newest_agreement_event = select(entries.c.idx).where(ABOUT_AGREEMENTS).order_by(entries.c.idx.desc()).limit(1)

#: Hashes of complete subtrees above level 0 (that one is `audit_entry.leaf_hash`): less than one row per entry.
nodes = Table(
    "audit_node",
    metadata,
    Column("level", Integer, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    PrimaryKeyConstraint("level", "number"),
    sqlite_with_rowid=False,
)

checkpoints = Table(
    "audit_checkpoint",
    metadata,
    Column("size", _Index, primary_key=True, autoincrement=False),
    Column("t", BigInteger, nullable=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("note", Text, nullable=False),
)

#: Public keys: of those who signed leaves, so that a leaf's key hash can be resolved, and of the log itself.
keys = Table(
    "audit_key",
    metadata,
    Column("role", String(16), nullable=False),
    Column("key_hash", LargeBinary(32), nullable=False),
    Column("name", String(255), nullable=False),
    Column("public_key", LargeBinary(32), nullable=False),
    Column("t", BigInteger, nullable=False),
    PrimaryKeyConstraint("role", "key_hash"),
)

#: What witnesses said, as it was when it was checked. `t` is the hub's own time of hearing it; the witness's is in the
#: line. A witness may cosign one checkpoint again, later.
cosignatures = Table(
    "audit_cosignature",
    metadata,
    Column("size", _Index, nullable=False, autoincrement=False),
    Column("key_hash", LargeBinary(32), nullable=False),
    Column("t", BigInteger, nullable=False),
    Column("line", Text, nullable=False),
    PrimaryKeyConstraint("size", "key_hash", "t"),
    Index("audit_cosignature_newest", "key_hash", "t"),
)

#: PostgreSQL: what workers have handed in and the leader has not yet placed. A row leaves only by
#: `audit_outbox_clear()`, once its entry is in the trail or the row is refused; on SQLite nothing is ever here.
outbox = Table(
    "audit_outbox",
    metadata,
    Column("seq", _Index, Identity(), primary_key=True),
    Column("eid", String(32), nullable=False, unique=True),
    Column("t", BigInteger, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("leaf", LargeBinary(128), nullable=False),
    Column("envelope", LargeBinary, nullable=False),
)

#: PostgreSQL: rows of the outbox that no worker of ours signed, kept for whoever has to look into it.
refused = Table(
    "audit_refused",
    metadata,
    Column("seq", _Index, primary_key=True, autoincrement=False),
    Column("eid", String(32), nullable=False),
    Column("reason", String(40), nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("envelope", LargeBinary, nullable=False),
)

GUARDED = (entries, nodes, checkpoints, keys, cosignatures, outbox, refused)

#: The one function by which rows leave the outbox.
CLEARING = "audit_outbox_clear"

_REFUSAL = "the audit trail is append-only"

#: INSERT OR REPLACE removes the old row without asking the delete guard, unless recursive_triggers is on for that
#: connection (SQLite documentation, "REPLACE"); these conditions refuse it on every connection.
_SQLITE_ALREADY_THERE = {
    "audit_entry": "idx = NEW.idx OR eid = NEW.eid",
    "audit_node": "level = NEW.level AND number = NEW.number",
    "audit_checkpoint": "size = NEW.size",
    "audit_key": "role = NEW.role AND key_hash = NEW.key_hash",
    "audit_cosignature": "size = NEW.size AND key_hash = NEW.key_hash AND t = NEW.t",
    "audit_outbox": "seq = NEW.seq OR eid = NEW.eid",
    "audit_refused": "seq = NEW.seq",
}

#: A row of the outbox is done with when the very same is in the trail, or kept as refused.
_DONE_WITH = (
    "EXISTS (SELECT 1 FROM audit_entry e WHERE e.eid = {row}.eid AND e.leaf = {row}.leaf"
    " AND e.envelope = {row}.envelope) OR EXISTS (SELECT 1 FROM audit_refused r WHERE r.seq = {row}.seq"
    " AND r.leaf = {row}.leaf AND r.envelope = {row}.envelope)"
)
#: The clearing function runs with its owner's rights, so that the role that serves needs none but INSERT and SELECT;
#: the guard holds against the owner's own careless hands too.
_OUTBOX_STATEMENTS = (
    "CREATE OR REPLACE FUNCTION audit_outbox_refuse() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS"
    f" $$ BEGIN IF {_DONE_WITH.format(row='OLD')} THEN RETURN OLD; END IF;"
    f" RAISE EXCEPTION '{_REFUSAL}'; END $$",
    f"CREATE OR REPLACE FUNCTION {CLEARING}() RETURNS void LANGUAGE sql SECURITY DEFINER"  # noqa: S608
    f" SET search_path FROM CURRENT AS $$ DELETE FROM audit_outbox o WHERE {_DONE_WITH.format(row='o')} $$",
    f"REVOKE ALL ON FUNCTION {CLEARING}() FROM PUBLIC",
)


def create_guards(connection: Connection) -> None:
    """Make the triggers that refuse UPDATE, DELETE, REPLACE and TRUNCATE. May be called again at any time.

    Tables that an older migration does not know yet are guarded by the one that makes them.
    Effects: triggers (SQLite), a function and triggers (PostgreSQL).
    """
    there = [table.name for table in GUARDED if table.name not in missing_tables(connection)]
    for statement in _guard_statements(connection.dialect.name, there):
        connection.execute(text(statement))


def missing_guards(connection: Connection) -> list[str]:
    """Names of the guards that are not there, so that a trail without them does not start."""
    if connection.dialect.name == "sqlite":
        found = set(connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")))
    else:
        found = set(
            connection.scalars(
                text(
                    "SELECT t.tgname FROM pg_trigger t WHERE NOT t.tgisinternal AND t.tgenabled = 'O'"
                    " AND pg_table_is_visible(t.tgrelid)"
                )
            )
        )
    wanted = [name for table in GUARDED for name in _guard_names(connection.dialect.name, table.name)]
    return [name for name in wanted if name not in found]


def missing_tables(connection: Connection) -> list[str]:
    """Names of the tables that are not there."""
    inspector = inspect(connection)
    return [table.name for table in GUARDED if not inspector.has_table(table.name)]


def excess_rights(connection: Connection) -> list[str]:
    """What this connection's role may do to the trail beyond INSERT and SELECT, as `RIGHT on table` (PostgreSQL)."""
    if connection.dialect.name != "postgresql":
        return []
    ask = text("SELECT has_table_privilege(:name, :right)")
    return [
        f"{right} on {table.name}"
        for table in GUARDED
        for right in ("UPDATE", "DELETE", "TRUNCATE", "TRIGGER")
        if connection.scalar(ask, {"name": table.name, "right": right})
    ]


def _guard_names(dialect: str, table: str) -> list[str]:
    last = "no_replace" if dialect == "sqlite" else "no_truncate"
    return [f"{table}_no_update", f"{table}_no_delete", f"{table}_{last}"]


def _guard_statements(dialect: str, there: list[str]) -> list[str]:
    statements: list[str] = []
    if dialect == "sqlite":
        for table in there:
            for event_name, suffix in (("UPDATE", "no_update"), ("DELETE", "no_delete")):
                statements.append(
                    f"CREATE TRIGGER IF NOT EXISTS {table}_{suffix} BEFORE {event_name} ON {table}"
                    f" BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
                )
            # The names are this module's own constants; nothing from outside gets into the statement.
            statements.append(
                f"CREATE TRIGGER IF NOT EXISTS {table}_no_replace BEFORE INSERT ON {table}"  # noqa: S608
                f" WHEN EXISTS (SELECT 1 FROM {table} WHERE {_SQLITE_ALREADY_THERE[table]})"
                f" BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
            )
        return statements
    statements.append(
        "CREATE OR REPLACE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$"
    )
    if {outbox.name, refused.name} <= set(there):
        statements += _OUTBOX_STATEMENTS
    for table in there:
        for event_name, suffix, each in (
            ("UPDATE", "no_update", "ROW"),
            ("DELETE", "no_delete", "ROW"),
            ("TRUNCATE", "no_truncate", "STATEMENT"),
        ):
            outgoing = (table, event_name) == (outbox.name, "DELETE")
            function = "audit_outbox_refuse" if outgoing else "audit_refuse_change"
            statements.append(
                f"CREATE OR REPLACE TRIGGER {table}_{suffix} BEFORE {event_name} ON {table}"
                f" FOR EACH {each} EXECUTE FUNCTION {function}()"
            )
    return statements


@event.listens_for(metadata, "after_create")
def _guard_new_tables(_target: MetaData, connection: Connection, **_kw: Any) -> None:
    """`metadata.create_all` never leaves the tables unguarded."""
    create_guards(connection)
