"""The register of objects, and what was found when they were last read

Revision 0022, after 0021.
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kept_objects",
        sa.Column("sha256", sa.Text(), primary_key=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("found", sa.Text(), nullable=False, server_default="unread"),
        sa.Column("found_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("checked_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("versions", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("copied", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_index("kept_objects_checked_at_idx", "kept_objects", ["checked_at"])


def downgrade() -> None:
    raise NotImplementedError("kept data is never thrown away by going back; restore a backup instead")
