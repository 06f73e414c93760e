"""Values before and after a correction, beside the log that binds them

Revision 0035, after 0034.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "amendments",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("dossier_id", postgresql.UUID(as_uuid=True), sa.ForeignKey("dossiers.id"), nullable=False),
        sa.Column("salt", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="amendments_pkey"),
    )
    op.create_index("amendments_dossier_id_idx", "amendments", ["dossier_id"])
    _only_added()


def _only_added() -> None:
    """Added, and nothing else, as the log itself is; until the dossier's period has ended and nobody holds it."""
    op.execute(
        """
        CREATE FUNCTION amendments_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' THEN
                IF EXISTS (SELECT FROM dossiers WHERE id = OLD.dossier_id AND kept_until <= now()) THEN
                    RETURN OLD;
                END IF;
            END IF;
            RAISE EXCEPTION 'values before and after are append-only' USING ERRCODE = 'restrict_violation';
        END
        $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER amendments_are_append_only BEFORE UPDATE OR TRUNCATE ON amendments
        FOR EACH STATEMENT EXECUTE FUNCTION amendments_are_append_only()
        """
    )
    # By name they come one after another: a hold is told before a period.
    op.execute(
        "CREATE TRIGGER refuse_while_held BEFORE DELETE ON amendments "
        "FOR EACH ROW EXECUTE FUNCTION refuse_while_held()"
    )
    op.execute(
        "CREATE TRIGGER refuse_within_period BEFORE DELETE ON amendments "
        "FOR EACH ROW EXECUTE FUNCTION amendments_are_append_only()"
    )


def downgrade() -> None:
    raise NotImplementedError("kept data is never thrown away by going back; restore a backup instead")
