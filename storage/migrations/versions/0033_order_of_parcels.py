"""The order in which parcels were announced, by the database's count and not by the clocks of several machines

Revision 0033, after 0032.
"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("parcels", sa.Column("serial", sa.BigInteger(), sa.Identity(), nullable=False))
    op.execute(
        "UPDATE parcels SET serial = ordered.serial FROM "
        "(SELECT id, row_number() OVER (ORDER BY begun_at, id) AS serial FROM parcels) AS ordered "
        "WHERE ordered.id = parcels.id"
    )


def downgrade() -> None:
    raise NotImplementedError("kept data is never thrown away by going back; restore a backup instead")
