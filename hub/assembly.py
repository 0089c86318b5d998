"""Puts the parts together: the one object that every use-case is handed.

For: opening the database, the keys, the trail, the partners and the agreements at start, and closing them.
Must never be imported by a leaf, and never hold anything about one request.
"""

import gc
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import Cosigners, Event, Steady, Trail, since_boot
from connectors import Connector, Gatherer, Partner, build_connector, load_partners
from hub.db import Database, make_engine
from hub.device import DeviceLogKey
from hub.erasure import KeyStore, SubjectKeys, month_of, staff_subject
from hub.errors import SettingsRefused
from hub.keys import HUB, KeyRing, new_signing_key, read_signing_key
from hub.migrations import current, newest
from hub.register.standing import Mark, Register, Standing
from hub.register.watching import tell_of
from hub.settings import Settings
from hub.witnesses import Watch, policy_of
from policies import GatewayEntry, SharingAgreement, bundle_hash, gateway_register, load_filed, load_signatories
from policies.vocabulary import AgencyType

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The hub's clock: read once per request."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Hub:
    """Everything a use-case needs, opened once per process."""

    settings: Settings
    db: Database
    keys: KeyRing
    subject_keys: SubjectKeys
    trail: Trail
    #: Who asks the witnesses; None when the settings name none.
    cosigners: Cosigners | None
    partners: Mapping[str, Partner]
    connectors: Mapping[str, Connector]
    gatherer: Gatherer
    agreements: tuple[SharingAgreement, ...]
    #: Parties that count as not signed although their file says so: one sentence each.
    not_signed: tuple[str, ...]
    #: References under which nothing flows, because the register does not hold what the trail says was enacted.
    stopped: tuple[str, ...]
    gateways: tuple[GatewayEntry, ...]
    #: Names the rules, agreements and gateways that decide, in every recorded decision.
    policy_bundle: str
    clock: Clock
    #: The files of agreements as they were at start, to which the register's changes are added.
    register: Register
    #: How far the register's changes have been read.
    register_mark: Mark

    def as_agreed_now(self) -> "Hub":
        """The same hub with the agreements as they stand now, if the register has changed since; else itself.

        One request works with one hub from beginning to end, so it never sees two states of an agreement.
        """
        if self.register.mark() == self.register_mark:
            return self
        standing = self.register.standing()
        tell_of(self.trail, self.clock(), standing)
        return replace(self, **_agreed(standing, self.gateways))

    def close(self) -> None:
        """Ends the trail's writer, the partners' connections and the database's."""
        if self.cosigners is not None:
            self.cosigners.close()
        self.gatherer.close()
        self.trail.close()
        self.db.engine.dispose()


def _agreed(standing: Standing, gateways: tuple[GatewayEntry, ...]) -> dict[str, Any]:
    """What of a hub changes with the register."""
    return {
        "agreements": standing.agreements,
        "not_signed": standing.not_signed,
        "stopped": standing.stopped,
        "register_mark": standing.mark,
        "policy_bundle": bundle_hash(standing.agreements, gateways),
    }


def open_hub(settings: Settings, *, clock: Clock = utc_now, steady: Steady | None = since_boot) -> Hub:
    """Opens the parts in order and re-derives the trail before anything can be asked.

    Takes: `steady`, against which the clock is held; None for a clock that may be moved, as tests do.
    Raises SettingsRefused, ConnectorError or AgreementError for a file that is wrong, TrailCorrupt when the
    trail is smaller than or different from what was last signed.
    """
    partners = _in_reading_order(load_partners(settings.partners_folder))
    signatories = load_signatories(settings.signatories_file) if settings.signatories_file else None
    filed, faults = load_filed(settings.agreements_folder, checked=signatories is not None)
    gateways = gateway_register(settings.gateways_file)
    policy = policy_of(settings.witness_policy_file)
    database = Database(make_engine(settings.database_url))
    _require_newest_tables(database)
    keys = KeyRing(settings.master_key, database.session)
    submitter_key = _signing_key(settings.keys_folder / "submitter.key")
    log_key = DeviceLogKey(settings.device) if settings.device else _signing_key(settings.keys_folder / "log.key")
    subject_keys = SubjectKeys(KeyStore(settings.subject_keys_folder, settings.master_key), keys, database.session)

    def seal_subject(event: Event, person: str, plaintext: bytes) -> bytes:
        agency = event.fields.get("custodian") or event.fields.get("user", {}).get("agency")
        return subject_keys.seal(agency if agency in partners else HUB, month_of(event.t), person, plaintext)

    def seal_staff(event: Event, who: Mapping[str, str], plaintext: bytes) -> bytes:
        agency = who["agency"] if who["agency"] in partners else HUB
        return subject_keys.seal(agency, month_of(event.t), staff_subject(who["subject"]), plaintext)

    trail = Trail(
        database.engine,
        submitter_key=submitter_key,
        log_key=log_key,
        origin=settings.origin,
        seal_subject=seal_subject,
        seal_staff=seal_staff,
        clock=clock,
        max_wait_s=settings.trail_wait_s,
        state_folder=settings.keys_folder,
        steady=steady,
        policy=policy,
    )
    cosigners = None
    if policy is not None:
        cosigners = Cosigners(
            database.engine, key=trail.verifier_key, policy=policy, clock=clock, tell=Watch(trail, clock)
        )
    try:
        trail.start(before_signing=cosigners.require_not_behind if cosigners else lambda: None)
        subject_keys.require_store()
        keys.make_sure_of([HUB, *partners])
        connectors = {
            code: build_connector(partner, open_session=database.session, keys=keys)
            for code, partner in partners.items()
        }
    except BaseException:
        trail.close()
        database.engine.dispose()
        raise
    if cosigners is not None:
        cosigners.start()
    register = Register(database.session, keys, trail.agreement_events, filed, faults, signatories)
    standing = register.standing()
    tell_of(trail, clock(), standing)
    gatherer = Gatherer(connectors, total_s=settings.gather_deadline_s, each_s=settings.partner_deadline_s)
    return Hub(
        settings=settings,
        db=database,
        keys=keys,
        subject_keys=subject_keys,
        trail=trail,
        cosigners=cosigners,
        partners=partners,
        connectors=connectors,
        gatherer=gatherer,
        gateways=gateways,
        clock=clock,
        register=register,
        **_agreed(standing, gateways),
    )


def _require_newest_tables(database: Database) -> None:
    """Raises SettingsRefused when the tables are not those that this version was written for."""
    try:
        found = current(database.engine)
    finally:  # A start that is refused further on leaves no connection open.
        database.engine.dispose()
    if found == newest(database.engine):
        return
    raise SettingsRefused(
        "The database's tables are not the ones of this version: run the migrations.",
        next_steps=("python -m hub migrate",),
    )


def calm_collector() -> None:
    """Tells Python's garbage collector that what was loaded at start stays, and to look less often.

    A picture makes some hundred thousand short-lived values; looking through everything loaded for each of them
    took about a sixth of its time (measured with `python -m hub bench picture`).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def _in_reading_order(partners: Mapping[str, Partner]) -> dict[str, Partner]:
    """Partners as pages list them: by kind, in the order of the dictionary, then by name."""
    order = list(AgencyType)
    return {p.code: p for p in sorted(partners.values(), key=lambda p: (order.index(p.type), p.name))}


def _signing_key(path: Path) -> Ed25519PrivateKey:
    """The Ed25519 key in this file; made at the first start."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        new_signing_key(path)
    return read_signing_key(path)
