"""Figures of processes, and indexes of what is stuck

Revision 0019, after 0018.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "process_figures",
        sa.Column("process", sa.Text(), primary_key=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("families", postgresql.JSONB(), nullable=False),
    )
    for table in ("pages", "components", "e_results"):
        troubled = sa.text("trouble <> ''")
        op.create_index(f"{table}_troubled_idx", table, ["id"], postgresql_where=troubled)
    waits = sa.text("unstamped_at IS NOT NULL")
    op.create_index("e_results_unstamped_idx", "e_results", ["unstamped_at"], postgresql_where=waits)


def downgrade() -> None:
    raise NotImplementedError("kept data is never thrown away by going back; restore a backup instead")
