"""What a receipt said when the dossier was received, and the pages that people have marked found at once

Revision 0032, after 0031.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dossiers", sa.Column("receipt", postgresql.JSONB(), nullable=False, server_default="[]"))
    op.create_index(
        "pages_marked_idx",
        "pages",
        ["component_id"],
        postgresql_where=sa.text("left_out_by <> '' OR without_note IS NOT NULL"),
    )


def downgrade() -> None:
    raise NotImplementedError("kept data is never thrown away by going back; restore a backup instead")
