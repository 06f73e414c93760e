"""A page's small picture, made before it is read

Revision 0002, after 0001.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("pages", sa.Column("thumbnail_sha256", sa.Text(), nullable=True))
    op.add_column("pages", sa.Column("thumbnail_size", sa.BigInteger(), nullable=True))
    op.add_column("pages", sa.Column("thumbnail_media_type", sa.Text(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("kept data is never thrown away by going back; restore a backup instead")
