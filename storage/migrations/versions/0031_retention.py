"""How long each procedure's dossiers are kept, and until when each finished one is and each object is locked

Revision 0031, after 0030.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "retention_rules",
        sa.Column("id", postgresql.UUID(as_uuid=True), primary_key=True),
        sa.Column("procedure", sa.Text(), sa.ForeignKey("procedures.code"), nullable=False),
        sa.Column("years", sa.Integer(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("reached_at", sa.TIMESTAMP(timezone=True)),
    )
    op.create_index("retention_rules_procedure_set_at_idx", "retention_rules", ["procedure", "set_at"])
    op.add_column("dossiers", sa.Column("kept_years", sa.Integer()))
    op.add_column("dossiers", sa.Column("kept_until", sa.TIMESTAMP(timezone=True)))
    op.add_column("dossiers", sa.Column("lock_checked_at", sa.TIMESTAMP(timezone=True)))
    op.create_index(
        "dossiers_without_period",
        "dossiers",
        ["procedure"],
        postgresql_where=sa.text("finished_at IS NOT NULL AND kept_until IS NULL AND kept_years IS DISTINCT FROM 0"),
    )
    op.create_index("dossiers_kept_until", "dossiers", ["kept_until"], postgresql_where=sa.text("kept_until IS NOT NULL"))
    op.create_index(
        "dossiers_to_lock",
        "dossiers",
        ["lock_checked_at"],
        postgresql_where=sa.text("finished_at IS NOT NULL AND kept_years IS NOT NULL"),
    )
    op.add_column("kept_objects", sa.Column("locked_until", sa.TIMESTAMP(timezone=True)))


def downgrade() -> None:
    raise NotImplementedError("kept data is never thrown away by going back; restore a backup instead")
