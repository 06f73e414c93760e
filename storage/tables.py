"""The tables, as SQLAlchemy Core sees them. `migrations` makes them; a test holds the two equal.

A column is named for the field of the frozen type it keeps, so that `rows` can carry values over without a list of
names. A value inside a value is spread: the `ObjectKey` in `scan` lies in `scan_sha256`, `scan_size` and
`scan_media_type`. Procrastinate's tables stand beside these and belong to it.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR, UUID

from dossiers.anchors import AnchorState
from dossiers.fixity import FoundAs
from dossiers.holds import InStore
from dossiers.parcels import ParcelState
from dossiers.transfers import TransferLine
from dossiers.types import (
    AgencyKind,
    ComponentKind,
    ComponentState,
    DigitisationProfile,
    DossierState,
    KeyHeld,
    PageState,
    PinAsked,
    ReceiptLine,
    ResultState,
    TransferState,
)
from dossiers.verdict_reports import ReportState
from signing.types import Place, StoreName
from storage.columns import Corrections, JsonRows, JsonTuple, Named, Roles, Tuple

metadata = sa.MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)


def _text(name: str, **more: Any) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, **more)


def _moment(name: str, *, nullable: bool = False, **more: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.TIMESTAMP(timezone=True), nullable=nullable, **more)


def _agency(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, sa.ForeignKey("agencies.code"), nullable=nullable)


def _id(name: str, reference: str | None = None, *, nullable: bool = False, **more: Any) -> sa.Column[Any]:
    references = [sa.ForeignKey(reference, **more)] if reference else []
    return sa.Column(name, UUID(as_uuid=True), *references, nullable=nullable)


def _object(name: str, *, nullable: bool = True) -> list[sa.Column[Any]]:
    """The three columns an `ObjectKey` is spread over."""
    return [
        sa.Column(f"{name}_sha256", sa.Text, nullable=nullable),
        sa.Column(f"{name}_size", sa.BigInteger, nullable=nullable),
        sa.Column(f"{name}_media_type", sa.Text, nullable=nullable),
    ]


agencies = sa.Table(
    "agencies",
    metadata,
    sa.Column("code", sa.Text, primary_key=True),
    _text("name"),
    sa.Column("kind", Named(AgencyKind), nullable=False),
    _agency("parent", nullable=True),
    _text("parent_name"),
    _text("letterhead"),
    _text("symbol"),
    _text("place"),
    _text("phone"),
    sa.Column("digitisation", Named(DigitisationProfile), nullable=False),
    sa.Column("valid_from", sa.Date),
    sa.Column("valid_to", sa.Date),
)

procedures = sa.Table(
    "procedures",
    metadata,
    sa.Column("code", sa.Text, primary_key=True),
    _text("name"),
    sa.Column("components", JsonRows(ComponentKind), nullable=False),
    sa.Column("working_days", sa.Integer, nullable=False),
    _text("result_name"),
    _text("result_symbol"),
    _text("result_template"),
    _text("field_name"),
    sa.Column("archive_within_days", sa.Integer, nullable=False, server_default="365"),
)

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("user_id", UUID(as_uuid=True), primary_key=True),
    _text("username", unique=True),
    _text("name"),
    _agency("agency"),
    sa.Column("roles", Roles, nullable=False),
    _text("password_hash"),
    _text("title"),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("failed_sign_ins", sa.Integer, nullable=False),
    _moment("locked_until", nullable=True),
    sa.Index(None, "agency"),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("token_sha256", sa.Text, primary_key=True),
    _id("user_id", "accounts.user_id", ondelete="CASCADE"),
    _moment("expires_at"),
    sa.Index(None, "expires_at"),
)

#: How often something was tried in its present window; a bucket's row is used again for its next window.
tries = sa.Table(
    "tries",
    metadata,
    sa.Column("bucket", sa.Text, primary_key=True),
    _moment("ends_at"),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Index(None, "ends_at"),
)

certificates = sa.Table(
    "certificates",
    metadata,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    _agency("agency"),
    _text("owner"),
    _text("subject"),
    _text("issuer"),
    _text("serial"),
    _text("sha256"),
    _moment("valid_from"),
    _moment("valid_to"),
    _text("key_file"),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("held", Named(KeyHeld), nullable=False),
    _text("locator"),
    sa.Column("pin_asked", Named(PinAsked), nullable=False),
    sa.Column("der", sa.LargeBinary, nullable=False),
)
#: A person has one certificate in use, an agency one seal.
sa.Index(
    "certificates_one_of_person",
    certificates.c.owner,
    unique=True,
    postgresql_where=sa.text("active AND owner <> ''"),
)
sa.Index(
    "certificates_one_seal",
    certificates.c.agency,
    unique=True,
    postgresql_where=sa.text("active AND owner = ''"),
)

trust_certificates = sa.Table(
    "trust_certificates",
    metadata,
    sa.Column("sha256", sa.Text, primary_key=True),
    sa.Column("der", sa.LargeBinary, nullable=False),
    sa.Column("demo", sa.Boolean, nullable=False),
    _moment("added_at", server_default=sa.func.now()),
)

trust_anchors = sa.Table(
    "trust_anchors",
    metadata,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("store", Named(StoreName), nullable=False),
    _text("sha256"),
    sa.Column("der", sa.LargeBinary, nullable=False),
    sa.Column("state", Named(AnchorState), nullable=False),
    _moment("trusted_from"),
    _moment("trusted_to", nullable=True),
    _text("reason"),
    _text("proposed_by"),
    _moment("proposed_at"),
    _text("confirmed_by"),
    _moment("confirmed_at", nullable=True),
    sa.Column("broken", sa.Boolean, nullable=False),
    _text("ended_by"),
    _moment("ended_at", nullable=True),
    _text("end_reason"),
    sa.Column("demo", sa.Boolean, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
)
#: One decision at a time about a certificate, two people wherever one is trusted: the rules of the office, once more.
sa.Index(
    "trust_anchors_one_live",
    trust_anchors.c.sha256,
    unique=True,
    postgresql_where=sa.text("state IN ('proposed', 'trusted')"),
)

crls = sa.Table(
    "crls",
    metadata,
    sa.Column("url", sa.Text, primary_key=True),
    sa.Column("der", sa.LargeBinary, nullable=False),
    _moment("fetched_at"),
    _text("sha256"),
)

ocsp_answers = sa.Table(
    "ocsp_answers",
    metadata,
    sa.Column("certificate", sa.Text, primary_key=True),
    sa.Column("der", sa.LargeBinary, nullable=False),
    _moment("made"),
    _moment("ends"),
    _moment("fetched_at"),
)

timestamp_authorities = sa.Table(
    "timestamp_authorities",
    metadata,
    sa.Column("url", sa.Text, primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    _moment("rests_until", nullable=True),
    sa.Column("seconds", sa.Double),
    _moment("noted_at"),
)

dossiers = sa.Table(
    "dossiers",
    metadata,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    _text("code", unique=True),
    _text("lookup_code", unique=True),
    sa.Column("procedure", sa.Text, sa.ForeignKey("procedures.code"), nullable=False),
    _text("applicant_name"),
    _text("applicant_id_number"),
    _text("applicant_phone"),
    _text("applicant_address"),
    _agency("receiving"),
    _agency("competent"),
    _agency("helped_at", nullable=True),
    _agency("paper_at"),
    sa.Column("state", Named(DossierState), nullable=False),
    _text("opened_by"),
    _moment("opened_at"),
    _moment("received_at", nullable=True),
    sa.Column("due_on", sa.Date),
    _text("note"),
    _agency("paper_to", nullable=True),
    _id("transfer", "transfers.id", nullable=True),
    _text("paper_note"),
    sa.Column("back_file", sa.Boolean, nullable=False, server_default=sa.false()),
    # What its receipt says was handed in; empty until it is received, and where that was before this was kept.
    sa.Column("receipt", JsonRows(ReceiptLine, id_of="component_id"), nullable=False, server_default="[]"),
    sa.Column("version", sa.Integer, nullable=False),
    # When it came to its end, and when it was taken into the archive; empty again once it is taken up again.
    _moment("finished_at", nullable=True),
    _moment("archived_at", nullable=True),
    # How many years it is kept, for ever by 0; until when, empty until it has ended; and when all of its objects were
    # last seen to be locked for so long.
    sa.Column("kept_years", sa.Integer),
    _moment("kept_until", nullable=True),
    _moment("lock_checked_at", nullable=True),
    # The words of the applicant's name and the code as `words` splits them: as written, and without accents. Empty
    # where a program of an earlier version kept the row while this one was being started.
    sa.Column("written", TSVECTOR, nullable=False, server_default=""),
    sa.Column("folded", TSVECTOR, nullable=False, server_default=""),
    sa.Index("dossiers_written_idx", "written", postgresql_using="gin"),
    sa.Index("dossiers_folded_idx", "folded", postgresql_using="gin"),
    sa.Index(None, "receiving", "state"),
    sa.Index(None, "competent", "state"),
    sa.Index(None, "helped_at", "state"),
    sa.Index(None, "paper_at"),
    # An agency's newest first, wherever there are too many to put in order.
    sa.Index(None, "receiving", "opened_at", "id"),
    sa.Index(None, "competent", "opened_at", "id"),
    sa.Index(None, "helped_at", "opened_at", "id"),
    # A paper on its way has both: where to, and on which slip.
    sa.CheckConstraint("(transfer IS NULL) = (paper_to IS NULL)", name="dossiers_travelling_check"),
)

#: The clock of the archive looks at these and at no others, and counts them without the dossiers themselves.
sa.Index(
    "dossiers_to_archive",
    dossiers.c.finished_at,
    postgresql_include=["procedure"],
    postgresql_where=sa.text("finished_at IS NOT NULL AND archived_at IS NULL"),
)

sa.Index(
    "dossiers_without_period",
    dossiers.c.procedure,
    postgresql_where=sa.text("finished_at IS NOT NULL AND kept_until IS NULL AND kept_years IS DISTINCT FROM 0"),
)
sa.Index("dossiers_kept_until", dossiers.c.kept_until, postgresql_where=sa.text("kept_until IS NOT NULL"))
sa.Index(
    "dossiers_to_lock",
    dossiers.c.lock_checked_at,
    postgresql_where=sa.text("finished_at IS NOT NULL AND kept_years IS NOT NULL"),
)

#: How long dossiers of a procedure are kept: the newest is in force, the others are history.
retention_rules = sa.Table(
    "retention_rules",
    metadata,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("procedure", sa.Text, sa.ForeignKey("procedures.code"), nullable=False),
    sa.Column("years", sa.Integer, nullable=False),
    _text("basis"),
    _text("set_by"),
    _moment("set_at"),
    _moment("reached_at", nullable=True),
    sa.Index(None, "procedure", "set_at"),
)

transfers = sa.Table(
    "transfers",
    metadata,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    _text("code", unique=True),
    _agency("sender"),
    _agency("receiver"),
    sa.Column("state", Named(TransferState), nullable=False),
    _text("sent_by"),
    _moment("sent_at"),
    sa.Column("lines", JsonRows(TransferLine, id_of="dossier_id"), nullable=False),
    _text("closed_by"),
    _moment("closed_at", nullable=True),
    _text("note"),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Index(None, "sender", "state"),
    sa.Index(None, "receiver", "state"),
)

#: What counters send, on its way in. The parts of one lie in `parcel_parts` until it is whole and in the store.
parcels = sa.Table(
    "parcels",
    metadata,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    _agency("agency"),
    _text("sent_by"),
    _text("desk"),
    _text("filename"),
    sa.Column("size", sa.BigInteger, nullable=False),
    _text("sha256"),
    sa.Column("state", Named(ParcelState), nullable=False),
    _moment("begun_at"),
    _moment("touched_at"),
    _id("dossier_id", "dossiers.id", nullable=True),
    _text("folder"),
    _text("kind"),
    _text("name"),
    sa.Column("pages_declared", sa.Integer),
    _id("replaces", nullable=True),
    sa.Column("arrived", sa.BigInteger, nullable=False),
    *_object("file"),
    sa.Column("pages", sa.Integer),
    _id("component_id", "components.id", nullable=True),
    _text("trouble"),
    _id("phone_link", nullable=True),
    sa.Column("version", sa.Integer, nullable=False),
    # Which came first, whatever the clocks of the machines that were asked say.
    sa.Column("serial", sa.BigInteger, sa.Identity(), nullable=False),
    sa.Index(None, "agency", "state"),
    sa.Index(None, "state", "touched_at"),
    sa.Index(None, "dossier_id"),
)

parcel_parts = sa.Table(
    "parcel_parts",
    metadata,
    _id("parcel_id", "parcels.id", ondelete="CASCADE"),
    sa.Column("start", sa.BigInteger, nullable=False),
    sa.Column("bytes", sa.LargeBinary, nullable=False),
    sa.PrimaryKeyConstraint("parcel_id", "start"),
)

#: Dossiers opened to telephones for a few minutes.
phone_links = sa.Table(
    "phone_links",
    metadata,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    _text("token_sha256"),
    _id("dossier_id", "dossiers.id"),
    _agency("agency"),
    _text("kind"),
    _text("made_by"),
    _moment("made_at"),
    _moment("expires_at"),
    _moment("seen_at", nullable=True),
    _moment("ended_at", nullable=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Index(None, "token_sha256", unique=True),
    sa.Index(None, "dossier_id"),
)

#: Machines at counters that send scans by themselves.
desks = sa.Table(
    "desks",
    metadata,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    _agency("agency"),
    _text("name"),
    _text("made_by"),
    _moment("made_at"),
    _text("pairing_sha256"),
    _moment("pairing_until", nullable=True),
    _text("token_sha256"),
    _moment("seen_at", nullable=True),
    _moment("revoked_at", nullable=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Index(None, "agency"),
    sa.Index(None, "token_sha256"),
)

transfer_ordinals = sa.Table(
    "transfer_ordinals",
    metadata,
    sa.Column("sender", sa.Text, sa.ForeignKey("agencies.code"), primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("last", sa.Integer, nullable=False),
)

day_ordinals = sa.Table(
    "day_ordinals",
    metadata,
    sa.Column("agency", sa.Text, sa.ForeignKey("agencies.code"), primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("last", sa.Integer, nullable=False),
)

components = sa.Table(
    "components",
    metadata,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    _id("dossier_id", "dossiers.id"),
    sa.Column("ordinal", sa.Integer, nullable=False),
    _text("kind"),
    _text("name"),
    *_object("scan", nullable=False),
    _text("filename"),
    sa.Column("pages_total", sa.Integer, nullable=False),
    sa.Column("state", Named(ComponentState), nullable=False),
    _text("scanned_by"),
    _moment("scanned_at"),
    sa.Column("signed_scan", sa.Boolean, nullable=False),
    sa.Column("pages_declared", sa.Integer),
    *_object("searchable"),
    *_object("copy"),
    *_object("unstamped"),
    sa.Column("revision", sa.Integer, nullable=False),
    _text("trouble"),
    _text("keep_reason"),
    *_object("whole"),
    sa.Column("whole_numbers", Tuple(sa.Integer), nullable=False, server_default="{}"),
    sa.Column("version", sa.Integer, nullable=False),
    # How often making its PDF was begun and not survived; no change of the paper, so it stands beside the version.
    sa.Column("assemblies", sa.Integer, nullable=False, server_default="0"),
    sa.Index(None, "dossier_id", "scan_sha256"),
    sa.Index(None, "copy_sha256"),
    sa.Index("components_troubled_idx", "id", postgresql_where=sa.text("trouble <> ''")),
)
#: A paper that takes another's place may take its ordinal too; keep the replaced one first.
sa.Index(
    "components_ordinal_key",
    components.c.dossier_id,
    components.c.ordinal,
    unique=True,
    postgresql_where=sa.text("state <> 'replaced'"),
)

pages = sa.Table(
    "pages",
    metadata,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    _id("component_id", "components.id"),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("state", Named(PageState), nullable=False),
    *_object("thumbnail"),
    *_object("picture"),
    *_object("words"),
    _text("text"),
    sa.Column("flags", Tuple(sa.Text), nullable=False),
    sa.Column("measured", JSONB, nullable=False),
    sa.Column("corrections", Corrections, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("looks", sa.Integer, nullable=False),
    _text("trouble"),
    _text("reviewed_by"),
    _text("left_out_by", server_default=""),
    sa.Column("without_note", sa.Integer),
    # When anything last happened to it: whether the reader lives, and how fast it is.
    _moment("touched_at", server_default=sa.func.now()),
    # The words of `text` as `search` splits them: as written, and without accents.
    sa.Column("written", TSVECTOR, nullable=False),
    sa.Column("folded", TSVECTOR, nullable=False),
    sa.UniqueConstraint("component_id", "number"),
    sa.Index("pages_troubled_idx", "id", postgresql_where=sa.text("trouble <> ''")),
)
#: Pages of which a person has said something that changes a paper's count. Few, and lists ask for them all the time.
MARKED = sa.or_(pages.c.left_out_by != sa.literal_column("''"), pages.c.without_note.is_not(None))
sa.Index("pages_marked_idx", pages.c.component_id, postgresql_where=MARKED)

# What pages are found by (`page_index`). Beside the pages, whose rows change with every step of their reading, while
# this changes with their text only; and narrow, so that many can be put in order quickly.
page_index = sa.Table(
    "page_index",
    metadata,
    sa.Column("page_id", UUID(as_uuid=True), sa.ForeignKey("pages.id"), primary_key=True),
    _id("dossier_id", "dossiers.id"),
    _moment("opened_at"),
    # The dossier's agencies, each also with the year it was opened in, and its procedure.
    sa.Column("places", ARRAY(sa.Text), nullable=False),
    sa.Column("marks", ARRAY(sa.Integer), nullable=False),
    # Without a list of what is still to be sorted in: a search would have to read it from end to end.
    sa.Index("page_index_found_by", "places", "marks", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
    sa.Index(None, "dossier_id"),
)

extracted_fields = sa.Table(
    "extracted_fields",
    metadata,
    sa.Column("component_id", UUID(as_uuid=True), sa.ForeignKey("components.id"), primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    _text("value"),
    _text("raw"),
    sa.Column("page", sa.Integer, nullable=False),
    sa.Column("box", Tuple(sa.Integer)),
    sa.Column("confidence", sa.Double, nullable=False),
    _text("origin"),
    _text("by"),
)

e_results = sa.Table(
    "e_results",
    metadata,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    _id("dossier_id", "dossiers.id"),
    _agency("agency"),
    sa.Column("ordinal", sa.Integer, nullable=False),
    sa.Column("state", Named(ResultState), nullable=False),
    _text("title"),
    _text("prepared_by"),
    _text("template"),
    sa.Column("data", JSONB, nullable=False),
    _text("leader"),
    *_object("draft"),
    *_object("document"),
    *_object("unstamped"),
    _moment("unstamped_at", nullable=True),
    sa.Column("own_token", sa.Boolean, nullable=False),
    sa.Column("number", sa.Integer),
    _text("symbol"),
    sa.Column("dated", sa.Date),
    _text("lookup_code"),
    sa.Column("places", JsonTuple, nullable=False),
    sa.Column("drafters", JsonTuple, nullable=False),
    sa.Column("came_signed", sa.Boolean, nullable=False),
    _text("comment"),
    _text("trouble"),
    _moment("approved_at", nullable=True),
    _moment("issued_at", nullable=True),
    _moment("closed_at", nullable=True),
    _text("closed_reason"),
    _id("superseded_by", "e_results.id", nullable=True),
    _text("annexes_sha256"),
    sa.Column("returned_data", JSONB, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    _moment("begun_at", server_default=sa.func.now()),
    sa.UniqueConstraint("dossier_id", "ordinal"),
    sa.Index(None, "agency", "state"),
    sa.Index(None, "document_sha256"),
    sa.Index("e_results_troubled_idx", "id", postgresql_where=sa.text("trouble <> ''")),
    sa.Index("e_results_unstamped_idx", "unstamped_at", postgresql_where=sa.text("unstamped_at IS NOT NULL")),
)
sa.Index(
    "e_results_lookup_code_key",
    e_results.c.lookup_code,
    unique=True,
    postgresql_where=sa.text("lookup_code <> ''"),
)

annexes = sa.Table(
    "annexes",
    metadata,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    _id("e_result_id", "e_results.id"),
    sa.Column("ordinal", sa.Integer, nullable=False),
    _text("title"),
    *_object("source", nullable=False),
    sa.Column("place", JSONB, nullable=False),
    sa.Column("pages", sa.Integer, nullable=False),
    _text("added_by"),
    _moment("added_at"),
    *_object("unstamped"),
    *_object("document"),
    _text("trouble"),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Index(None, "e_result_id"),
    sa.Index(None, "document_sha256"),
)

own_templates = sa.Table(
    "own_templates",
    metadata,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    _agency("agency"),
    _text("name"),
    sa.Column("version", sa.Integer, nullable=False),
    *_object("package", nullable=False),
    _text("described"),
    _text("level"),
    _text("added_by"),
    _moment("added_at"),
    _moment("retired_at", nullable=True),
    sa.UniqueConstraint("agency", "name", "version", name="own_templates_one_of_each_version"),
)

signing_batches = sa.Table(
    "signing_batches",
    metadata,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    _agency("agency"),
    _text("leader"),
    sa.Column("items", JsonTuple, nullable=False),
    sa.Column("refused", JSONB, nullable=False),
    _moment("begun_at"),
    _moment("stopped_at", nullable=True),
)

number_registers = sa.Table(
    "number_registers",
    metadata,
    sa.Column("agency", sa.Text, sa.ForeignKey("agencies.code"), primary_key=True),
    sa.Column("symbol", sa.Text, primary_key=True),
    sa.Column("year", sa.Integer, primary_key=True),
    sa.Column("last", sa.Integer, nullable=False),
)

numbers = sa.Table(
    "numbers",
    metadata,
    sa.Column("agency", sa.Text, primary_key=True),
    sa.Column("symbol", sa.Text, primary_key=True),
    sa.Column("year", sa.Integer, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    # Checked at the end of the transaction: a number may be taken before its result is kept.
    _id("e_result_id", "e_results.id", deferrable=True, initially="DEFERRED"),
    _moment("taken_at", server_default=sa.func.now()),
    _moment("voided_at", nullable=True),
    _text("void_reason", server_default=""),
    sa.ForeignKeyConstraint(
        ["agency", "symbol", "year"],
        ["number_registers.agency", "number_registers.symbol", "number_registers.year"],
    ),
)
#: A result holds one number at a time.
sa.Index("numbers_one_of_result", numbers.c.e_result_id, unique=True, postgresql_where=sa.text("voided_at IS NULL"))

#: Documents given out to be signed elsewhere; a link's secret is kept as its hash.
signing_links = sa.Table(
    "signing_links",
    metadata,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    _text("token_sha256", unique=True),
    _id("e_result_id", "e_results.id"),
    _agency("agency"),
    sa.Column("place", Named(Place), nullable=False),
    _text("person"),
    *_object("document", nullable=False),
    _text("certificate_sha256"),
    _moment("made_at"),
    _moment("expires_at"),
    _moment("fetched_at", nullable=True),
    _text("refusal"),
    _text("refused_signer"),
    _moment("refused_at", nullable=True),
    sa.Column("refusals", sa.Integer, nullable=False),
    *_object("returned"),
    _moment("returned_at", nullable=True),
    *_object("waiting"),
    _text("prepared"),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Index(None, "e_result_id", "made_at"),
)

#: Reports of checks, for a day. What somebody holds to fetch one is kept as its hash.
#: What each process says of itself, for whoever watches the instance.
process_figures = sa.Table(
    "process_figures",
    metadata,
    sa.Column("process", sa.Text, primary_key=True),
    _moment("told_at"),
    sa.Column("families", JSONB, nullable=False),
)

verdict_reports = sa.Table(
    "verdict_reports",
    metadata,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    _text("ticket_sha256", unique=True),
    _agency("agency"),
    _moment("asked_at"),
    sa.Column("said", JSONB, nullable=False),
    sa.Column("state", Named(ReportState), nullable=False),
    _text("problem"),
    sa.Column("pdf", sa.LargeBinary, nullable=True),
    sa.Index(None, "asked_at"),
)

signature_attempts = sa.Table(
    "signature_attempts",
    metadata,
    sa.Column("subject_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("place", sa.Text, primary_key=True),
    sa.Column("revision", sa.Integer, primary_key=True),
    _moment("begun_at", server_default=sa.func.now()),
    _moment("finished_at", nullable=True),
    *_object("document"),
)

e_result_documents = sa.Table(
    "e_result_documents",
    metadata,
    sa.Column("e_result_id", UUID(as_uuid=True), sa.ForeignKey("e_results.id"), primary_key=True),
    sa.Column("document_sha256", sa.Text, primary_key=True),
    sa.Column("document_size", sa.BigInteger, nullable=False),
    sa.Column("document_media_type", sa.Text, nullable=False),
    _moment("evidence_until"),
    _moment("recorded_at", server_default=sa.func.now()),
    sa.Index(None, "document_sha256"),
)

audit_log = sa.Table(
    "audit_log",
    metadata,
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    _moment("at"),
    _text("actor"),
    _text("agency"),
    _text("event"),
    _text("subject"),
    _text("detail"),  # canonical JSON as it was hashed; JSONB would rewrite it
    _text("previous_hash"),
    _text("hash"),
    sa.Index(None, "subject", "sequence"),
)

#: Values before and after, of lines that mustn't contain them: the line has the hash. Added and read; see `amendments`.
amendments = sa.Table(
    "amendments",
    metadata,
    sa.Column("sha256", sa.Text, primary_key=True),
    _id("dossier_id", "dossiers.id"),
    _text("salt"),
    _text("before"),  # JSON as it was hashed
    _text("after"),
    sa.Index(None, "dossier_id"),
)

#: One row: where the chain ends. Whoever appends holds it, and a log that was cut short no longer reaches it.
audit_head = sa.Table(
    "audit_head",
    metadata,
    sa.Column("single", sa.Boolean, sa.CheckConstraint("single", name="audit_head_single"), primary_key=True),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    _text("hash"),
)

#: Lines that came with archived dossiers from another log, as they were written there. `log` is that log's first hash.
audit_imported = sa.Table(
    "audit_imported",
    metadata,
    sa.Column("log", sa.Text, primary_key=True),
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    _moment("at"),
    _text("actor"),
    _text("agency"),
    _text("event"),
    _text("subject"),
    _text("detail"),
    _text("previous_hash"),
    _text("hash"),
    sa.Index(None, "subject", "sequence"),
)

#: Every object that a row names, and what was found when it was last read.
kept_objects = sa.Table(
    "kept_objects",
    metadata,
    sa.Column("sha256", sa.Text, primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    _text("media_type"),
    sa.Column("found", Named(FoundAs), nullable=False, server_default=FoundAs.UNREAD.value),
    _moment("found_at", nullable=True),
    _moment("checked_at", nullable=True),
    sa.Column("versions", sa.Integer, nullable=False, server_default="0"),
    sa.Column("copied", sa.Boolean, nullable=False, server_default=sa.false()),
    # What is known of the store's legal hold on it, when that was last seen, and why it isn't there.
    sa.Column("hold", Named(InStore), nullable=False, server_default=InStore.FREE.value),
    _moment("hold_seen_at", nullable=True),
    _text("hold_trouble", server_default=""),
    # Until when every version was seen to be locked. Kept here: not every store tells it in a form that can be read.
    _moment("locked_until", nullable=True),
    sa.Index(None, "checked_at"),
    sa.Index("kept_objects_perhaps_held_idx", "sha256", postgresql_where=sa.text("hold <> 'free'")),
    sa.Index("kept_objects_quarantined_idx", "sha256", postgresql_where=sa.text("found IN ('missing', 'damaged')")),
)

holds = sa.Table(
    "holds",
    metadata,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    _id("dossier_id", "dossiers.id"),
    _agency("agency"),
    _text("reason"),
    _text("reference"),
    _text("placed_by"),
    _moment("placed_at"),
    _text("release_reason"),
    _text("release_asked_by"),
    _moment("release_asked_at", nullable=True),
    _text("released_by"),
    _moment("released_at", nullable=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Index(None, "dossier_id"),
    # Two people, whatever way it is written: the rule of the office, once more.
    sa.CheckConstraint(
        "released_at IS NULL OR (released_by <> '' AND release_asked_by <> '' AND released_by <> release_asked_by)",
        name="holds_two_people_check",
    ),
)
sa.Index("holds_live", holds.c.dossier_id, postgresql_where=sa.text("released_at IS NULL"))

#: Every object that a row of the dossier has named since its hold was placed: what no row names any more stays held.
held_objects = sa.Table(
    "held_objects",
    metadata,
    sa.Column("hold_id", UUID(as_uuid=True), sa.ForeignKey("holds.id"), primary_key=True),
    sa.Column("object_sha256", sa.Text, primary_key=True),
    sa.Column("object_size", sa.BigInteger, nullable=False),
    _text("object_media_type"),
    sa.Index(None, "object_sha256"),
)
