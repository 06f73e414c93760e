"""An index of just the objects in quarantine, which every reading of the figures counts

Revision 0026, after 0025.
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "kept_objects_quarantined_idx",
        "kept_objects",
        ["sha256"],
        postgresql_where=sa.text("found IN ('missing', 'damaged')"),
    )


def downgrade() -> None:
    raise NotImplementedError("kept data is never thrown away by going back; restore a backup instead")
