"""Filling an instance: agencies, people, procedures, certificates. By the administrator, at the command line."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from dossiers.types import Account, Actor, Duplicate, Incomplete, NotFound, Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from _typeshed import DataclassInstance

    from dossiers.ports import Begin
    from dossiers.types import Agency, CertificateRecord, Procedure

#: Of a person's account what the log says before and after; a name or what opens it never stands there.
_OF_ACCOUNT = frozenset({"agency", "roles", "title", "active"})
#: In whose name the command line acts: whoever may run it on the machine.
CONSOLE = Actor(None, "console", "Dòng lệnh", "", frozenset({Role.ADMINISTRATOR}))


def keep_agencies(begin: Begin, agencies: Sequence[Agency]) -> None:
    """Add or change agencies; one that is above others comes in the same call or is there already.

    Raises:
        NotFound: An agency above is nowhere; nothing was changed.
    """
    with begin() as work:
        before = work.agencies.all()
        known = {a.code for a in (*before, *agencies)}
        for agency in _above_first(agencies):
            if agency.parent is not None and agency.parent not in known:
                raise NotFound(agency.parent)
            was = next((a for a in before if a.code == agency.code), None)
            work.agencies.keep(agency)
            work.audit.append(CONSOLE, "agency.kept", agency.code, **_change(was, agency))


def keep_procedures(begin: Begin, procedures: Sequence[Procedure]) -> None:
    """Add or change procedures."""
    with begin() as work:
        before = {p.code: p for p in work.procedures.all()}
        for procedure in procedures:
            work.procedures.keep(procedure)
            work.audit.append(
                CONSOLE, "procedure.kept", procedure.code, **_change(before.get(procedure.code), procedure)
            )


def keep_accounts(begin: Begin, accounts: Sequence[Account]) -> None:
    """Add people, or change them: a known user name keeps its id.

    Raises:
        NotFound: A person's agency isn't there; nothing was changed.
        Incomplete: A leader has no title: it must be printed above the name.
    """
    with begin() as work:
        for account in accounts:
            work.agencies.of(account.agency)
            if Role.LEADER in account.roles and not account.title.strip():
                raise Incomplete("title", (account.username,))
            try:
                was = work.accounts.of(account.username)
            except NotFound:
                was = None
            kept = account if was is None else replace(account, user_id=was.user_id)
            work.accounts.keep(kept)
            work.audit.append(
                CONSOLE, "account.kept", kept.username, agency=kept.agency, **_change(was, kept, of=_OF_ACCOUNT)
            )


def keep_certificate(begin: Begin, record: CertificateRecord, *, chain: Sequence[bytes], demo: bool = False) -> None:
    """Register a signing certificate; it and its chain help to build paths and tell where its status is published.

    Raises:
        NotFound: Its agency or its owner isn't there.
        Duplicate: It is another's already: a key speaks for one only.
    """
    with begin() as work:
        work.agencies.of(record.agency)
        known = work.certificates.all()
        owners = {(r.agency, r.owner) for r in known if r.sha256 == record.sha256}
        if owners - {(record.agency, record.owner)}:
            raise Duplicate(record.sha256, of="certificates")
        if record.owner and work.accounts.of(record.owner).agency != record.agency:
            raise NotFound(record.owner)
        work.certificates.keep(record)
        for der in chain:
            work.trust.add_certificate(der, demo=demo)
        work.audit.append(
            CONSOLE,
            "certificate.kept",
            record.sha256,
            agency=record.agency,
            owner=record.owner,
            before=[r.sha256 for r in known if r.active and (r.agency, r.owner) == (record.agency, record.owner)],
        )


def add_intermediates(begin: Begin, certificates: Sequence[bytes], *, demo: bool = False) -> None:
    """Add certificates that help to build paths and are trusted for nothing; for anchors see `dossiers.anchors`."""
    with begin() as work:
        for der in certificates:
            work.trust.add_certificate(der, demo=demo)
        work.audit.append(CONSOLE, "trust.added", "intermediates", count=len(certificates))


def _change(
    was: DataclassInstance | None, now: DataclassInstance, *, of: frozenset[str] | None = None
) -> dict[str, object]:
    """What is another one than before, for the log; nothing of what is new as a whole.

    Args:
        of: What may stand there; all if None. Of the rest it is said that it changed, and not how.
    """
    if was is None:
        return {}
    before, after = (
        {name: sorted(value) if isinstance(value, frozenset) else value for name, value in asdict(one).items()}
        for one in (was, now)
    )
    those = [name for name in after if before[name] != after[name]]
    open_ = [name for name in those if of is None or name in of]
    return {
        "before": {name: before[name] for name in open_},
        "after": {name: after[name] for name in open_},
        **({"withheld": hidden} if (hidden := sorted({*those} - {*open_})) else {}),
    }


def _above_first(agencies: Sequence[Agency]) -> list[Agency]:
    """Agencies in an order in which each comes after the one above it."""
    by_code = {a.code: a for a in agencies}
    ordered: dict[str, Agency] = {}

    def place(agency: Agency, below: frozenset[str]) -> None:
        above = by_code.get(agency.parent or "")
        if above is not None and above.code not in below:
            place(above, below | {agency.code})
        ordered[agency.code] = agency

    for agency in agencies:
        place(agency, frozenset())
    return list(ordered.values())
