"""A digest may go out instead of the document; and since when a signature waits for its timestamp

Revision 0015, after 0014.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("signing_links", sa.Column("waiting_sha256", sa.Text()))
    op.add_column("signing_links", sa.Column("waiting_size", sa.BigInteger()))
    op.add_column("signing_links", sa.Column("waiting_media_type", sa.Text()))
    op.add_column("signing_links", sa.Column("prepared", sa.Text(), nullable=False, server_default=""))
    op.alter_column("signing_links", "prepared", server_default=None)
    op.add_column("e_results", sa.Column("unstamped_at", sa.TIMESTAMP(timezone=True)))
    # How long those wait already isn't recorded: their day begins now.
    op.execute("update e_results set unstamped_at = now() where unstamped_sha256 is not null")


def downgrade() -> None:
    raise NotImplementedError("kept data is never thrown away by going back; restore a backup instead")
