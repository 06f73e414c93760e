"""How often a page was looked at is counted apart from how often it was read

Revision 0006, after 0005.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("pages", sa.Column("looks", sa.Integer(), nullable=False, server_default="0"))
    op.alter_column("pages", "looks", server_default=None)


def downgrade() -> None:
    raise NotImplementedError("kept data is never thrown away by going back; restore a backup instead")
