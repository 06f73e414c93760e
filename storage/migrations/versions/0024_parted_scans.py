"""Which scan a paper was parted from by separator sheets

Revision 0024, after 0023.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("components", sa.Column("whole_sha256", sa.Text()))
    op.add_column("components", sa.Column("whole_size", sa.BigInteger()))
    op.add_column("components", sa.Column("whole_media_type", sa.Text()))
    op.add_column("components", sa.Column("whole_numbers", ARRAY(sa.Integer()), nullable=False, server_default="{}"))


def downgrade() -> None:
    raise NotImplementedError("kept data is never thrown away by going back; restore a backup instead")
