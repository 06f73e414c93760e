"""The first schema

Revision 0001, after None.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from storage.migrations import procrastinate_schema

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _tables()
    _an_append_only_log()
    procrastinate_schema.bring_up_to_date(op.get_bind())


def _an_append_only_log() -> None:
    """A line of the audit log can be added, and nothing else; the chain begins before its first line."""
    op.execute(
        """
        CREATE FUNCTION audit_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'restrict_violation';
        END
        $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
        FOR EACH STATEMENT EXECUTE FUNCTION audit_log_is_append_only()
        """
    )
    op.execute(f"""INSERT INTO audit_head ("single", sequence, hash) VALUES (true, 0, '{"0" * 64}')""")


def _tables() -> None:
    op.create_table(
        "agencies",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("parent_name", sa.Text(), nullable=False),
        sa.Column("letterhead", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("digitisation", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["parent"], ["agencies.code"], name="agencies_parent_fkey"),
        sa.PrimaryKeyConstraint("code", name="agencies_pkey"),
    )
    op.create_table(
        "audit_head",
        sa.Column("single", sa.Boolean(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.CheckConstraint("single", name="audit_head_single"),
        sa.PrimaryKeyConstraint("single", name="audit_head_pkey"),
    )
    op.create_table(
        "audit_log",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="audit_log_pkey"),
    )
    op.create_index("audit_log_subject_sequence_idx", "audit_log", ["subject", "sequence"], unique=False)
    op.create_table(
        "crls",
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.Column("fetched_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("url", name="crls_pkey"),
    )
    op.create_table(
        "procedures",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("components", postgresql.JSONB(), nullable=False),
        sa.Column("working_days", sa.Integer(), nullable=False),
        sa.Column("result_name", sa.Text(), nullable=False),
        sa.Column("result_symbol", sa.Text(), nullable=False),
        sa.Column("result_template", sa.Text(), nullable=False),
        sa.Column("field_name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name="procedures_pkey"),
    )
    op.create_table(
        "signature_attempts",
        sa.Column("subject_id", sa.UUID(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("begun_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("document_sha256", sa.Text(), nullable=True),
        sa.Column("document_size", sa.BigInteger(), nullable=True),
        sa.Column("document_media_type", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("subject_id", "place", "revision", name="signature_attempts_pkey"),
    )
    op.create_table(
        "tries",
        sa.Column("bucket", sa.Text(), nullable=False),
        sa.Column("ends_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", name="tries_pkey"),
    )
    op.create_index("tries_ends_at_idx", "tries", ["ends_at"], unique=False)
    op.create_table(
        "trust_certificates",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.Column("anchor", sa.Boolean(), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("added_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="trust_certificates_pkey"),
    )
    op.create_table(
        "accounts",
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("roles", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("failed_sign_ins", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["agency"], ["agencies.code"], name="accounts_agency_fkey"),
        sa.PrimaryKeyConstraint("user_id", name="accounts_pkey"),
        sa.UniqueConstraint("username", name="accounts_username_key"),
    )
    op.create_index("accounts_agency_idx", "accounts", ["agency"], unique=False)
    op.create_table(
        "certificates",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("valid_to", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("key_file", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["agency"], ["agencies.code"], name="certificates_agency_fkey"),
        sa.PrimaryKeyConstraint("id", name="certificates_pkey"),
    )
    op.create_index(
        "certificates_one_of_person",
        "certificates",
        ["owner"],
        unique=True,
        postgresql_where=sa.text("active AND owner <> ''"),
    )
    op.create_index(
        "certificates_one_seal",
        "certificates",
        ["agency"],
        unique=True,
        postgresql_where=sa.text("active AND owner = ''"),
    )
    op.create_table(
        "day_ordinals",
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["agency"], ["agencies.code"], name="day_ordinals_agency_fkey"),
        sa.PrimaryKeyConstraint("agency", "day", name="day_ordinals_pkey"),
    )
    op.create_table(
        "dossiers",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("lookup_code", sa.Text(), nullable=False),
        sa.Column("procedure", sa.Text(), nullable=False),
        sa.Column("applicant_name", sa.Text(), nullable=False),
        sa.Column("applicant_id_number", sa.Text(), nullable=False),
        sa.Column("applicant_phone", sa.Text(), nullable=False),
        sa.Column("applicant_address", sa.Text(), nullable=False),
        sa.Column("receiving", sa.Text(), nullable=False),
        sa.Column("competent", sa.Text(), nullable=False),
        sa.Column("helped_at", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("received_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["competent"], ["agencies.code"], name="dossiers_competent_fkey"),
        sa.ForeignKeyConstraint(["helped_at"], ["agencies.code"], name="dossiers_helped_at_fkey"),
        sa.ForeignKeyConstraint(["procedure"], ["procedures.code"], name="dossiers_procedure_fkey"),
        sa.ForeignKeyConstraint(["receiving"], ["agencies.code"], name="dossiers_receiving_fkey"),
        sa.PrimaryKeyConstraint("id", name="dossiers_pkey"),
        sa.UniqueConstraint("code", name="dossiers_code_key"),
        sa.UniqueConstraint("lookup_code", name="dossiers_lookup_code_key"),
    )
    op.create_index("dossiers_competent_state_idx", "dossiers", ["competent", "state"], unique=False)
    op.create_index("dossiers_helped_at_state_idx", "dossiers", ["helped_at", "state"], unique=False)
    op.create_index("dossiers_receiving_state_idx", "dossiers", ["receiving", "state"], unique=False)
    op.create_table(
        "number_registers",
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["agency"], ["agencies.code"], name="number_registers_agency_fkey"),
        sa.PrimaryKeyConstraint("agency", "symbol", "year", name="number_registers_pkey"),
    )
    op.create_table(
        "components",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("dossier_id", sa.UUID(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scan_sha256", sa.Text(), nullable=False),
        sa.Column("scan_size", sa.BigInteger(), nullable=False),
        sa.Column("scan_media_type", sa.Text(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("pages_total", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("scanned_by", sa.Text(), nullable=False),
        sa.Column("scanned_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("signed_scan", sa.Boolean(), nullable=False),
        sa.Column("pages_declared", sa.Integer(), nullable=True),
        sa.Column("searchable_sha256", sa.Text(), nullable=True),
        sa.Column("searchable_size", sa.BigInteger(), nullable=True),
        sa.Column("searchable_media_type", sa.Text(), nullable=True),
        sa.Column("copy_sha256", sa.Text(), nullable=True),
        sa.Column("copy_size", sa.BigInteger(), nullable=True),
        sa.Column("copy_media_type", sa.Text(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.Column("keep_reason", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["dossier_id"], ["dossiers.id"], name="components_dossier_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="components_pkey"),
    )
    op.create_index("components_copy_sha256_idx", "components", ["copy_sha256"], unique=False)
    op.create_index("components_dossier_id_scan_sha256_idx", "components", ["dossier_id", "scan_sha256"], unique=False)
    op.create_index(
        "components_ordinal_key",
        "components",
        ["dossier_id", "ordinal"],
        unique=True,
        postgresql_where=sa.text("state <> 'replaced'"),
    )
    op.create_table(
        "e_results",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("dossier_id", sa.UUID(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("prepared_by", sa.Text(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("data", postgresql.JSONB(), nullable=False),
        sa.Column("leader", sa.Text(), nullable=False),
        sa.Column("draft_sha256", sa.Text(), nullable=True),
        sa.Column("draft_size", sa.BigInteger(), nullable=True),
        sa.Column("draft_media_type", sa.Text(), nullable=True),
        sa.Column("document_sha256", sa.Text(), nullable=True),
        sa.Column("document_size", sa.BigInteger(), nullable=True),
        sa.Column("document_media_type", sa.Text(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("dated", sa.Date(), nullable=True),
        sa.Column("lookup_code", sa.Text(), nullable=False),
        sa.Column("places", postgresql.JSONB(), nullable=False),
        sa.Column("drafters", postgresql.JSONB(), nullable=False),
        sa.Column("came_signed", sa.Boolean(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.Column("approved_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("issued_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("closed_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("closed_reason", sa.Text(), nullable=False),
        sa.Column("superseded_by", sa.UUID(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("begun_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["agency"], ["agencies.code"], name="e_results_agency_fkey"),
        sa.ForeignKeyConstraint(["dossier_id"], ["dossiers.id"], name="e_results_dossier_id_fkey"),
        sa.ForeignKeyConstraint(["superseded_by"], ["e_results.id"], name="e_results_superseded_by_fkey"),
        sa.PrimaryKeyConstraint("id", name="e_results_pkey"),
        sa.UniqueConstraint("dossier_id", "ordinal", name="e_results_dossier_id_ordinal_key"),
    )
    op.create_index("e_results_agency_state_idx", "e_results", ["agency", "state"], unique=False)
    op.create_index("e_results_document_sha256_idx", "e_results", ["document_sha256"], unique=False)
    op.create_index(
        "e_results_lookup_code_key",
        "e_results",
        ["lookup_code"],
        unique=True,
        postgresql_where=sa.text("lookup_code <> ''"),
    )
    op.create_table(
        "sessions",
        sa.Column("token_sha256", sa.Text(), nullable=False),
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["accounts.user_id"], name="sessions_user_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_sha256", name="sessions_pkey"),
    )
    op.create_index("sessions_expires_at_idx", "sessions", ["expires_at"], unique=False)
    op.create_table(
        "extracted_fields",
        sa.Column("component_id", sa.UUID(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.Column("box", postgresql.ARRAY(sa.Integer()), nullable=True),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["component_id"], ["components.id"], name="extracted_fields_component_id_fkey"),
        sa.PrimaryKeyConstraint("component_id", "key", name="extracted_fields_pkey"),
    )
    op.create_table(
        "numbers",
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("e_result_id", sa.UUID(), nullable=False),
        sa.Column("taken_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("voided_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("void_reason", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["agency", "symbol", "year"],
            ["number_registers.agency", "number_registers.symbol", "number_registers.year"],
            name="numbers_agency_symbol_year_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["e_result_id"], ["e_results.id"], name="numbers_e_result_id_fkey", initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("agency", "symbol", "year", "number", name="numbers_pkey"),
    )
    op.create_index(
        "numbers_one_of_result", "numbers", ["e_result_id"], unique=True, postgresql_where=sa.text("voided_at IS NULL")
    )
    op.create_table(
        "pages",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("component_id", sa.UUID(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("picture_sha256", sa.Text(), nullable=True),
        sa.Column("picture_size", sa.BigInteger(), nullable=True),
        sa.Column("picture_media_type", sa.Text(), nullable=True),
        sa.Column("words_sha256", sa.Text(), nullable=True),
        sa.Column("words_size", sa.BigInteger(), nullable=True),
        sa.Column("words_media_type", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("flags", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("measured", postgresql.JSONB(), nullable=False),
        sa.Column("corrections", postgresql.JSONB(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.Column("reviewed_by", sa.Text(), nullable=False),
        sa.Column("written", postgresql.TSVECTOR(), nullable=False),
        sa.Column("folded", postgresql.TSVECTOR(), nullable=False),
        sa.ForeignKeyConstraint(["component_id"], ["components.id"], name="pages_component_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="pages_pkey"),
        sa.UniqueConstraint("component_id", "number", name="pages_component_id_number_key"),
    )
    op.create_index("pages_folded_idx", "pages", ["folded"], unique=False, postgresql_using="gin")
    op.create_index("pages_written_idx", "pages", ["written"], unique=False, postgresql_using="gin")


def downgrade() -> None:
    raise NotImplementedError("kept data is never thrown away by going back; restore a backup instead")
