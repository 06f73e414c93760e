"""When anything last happened to a page

Revision 0005, after 0004.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Pages that were there before count from today: for those already read nobody asks any more.
    op.add_column(
        "pages",
        sa.Column("touched_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    )


def downgrade() -> None:
    raise NotImplementedError("kept data is never thrown away by going back; restore a backup instead")
