"""A signature that is made is kept while its timestamp is awaited

Revision 0009, after 0008.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("components", "e_results"):
        op.add_column(table, sa.Column("unstamped_sha256", sa.Text()))
        op.add_column(table, sa.Column("unstamped_size", sa.BigInteger()))
        op.add_column(table, sa.Column("unstamped_media_type", sa.Text()))


def downgrade() -> None:
    raise NotImplementedError("kept data is never thrown away by going back; restore a backup instead")
