"""Reports of checks, kept for a day

Revision 0016, after 0015.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "verdict_reports",
        sa.Column("id", postgresql.UUID(as_uuid=True), primary_key=True),
        sa.Column("ticket_sha256", sa.Text(), nullable=False, unique=True),
        sa.Column("agency", sa.Text(), sa.ForeignKey("agencies.code"), nullable=False),
        sa.Column("asked_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("said", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("pdf", sa.LargeBinary(), nullable=True),
    )
    op.create_index("verdict_reports_asked_at_idx", "verdict_reports", ["asked_at"])


def downgrade() -> None:
    raise NotImplementedError("kept data is never thrown away by going back; restore a backup instead")
