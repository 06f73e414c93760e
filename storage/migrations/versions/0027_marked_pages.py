"""Pages left out of a copy, and pages scanned with and without a stuck-on note

Revision 0027, after 0026.
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("pages", sa.Column("left_out_by", sa.Text(), nullable=False, server_default=""))
    op.add_column("pages", sa.Column("without_note", sa.Integer()))


def downgrade() -> None:
    raise NotImplementedError("kept data is never thrown away by going back; restore a backup instead")
