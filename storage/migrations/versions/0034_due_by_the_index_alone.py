"""What is due for the archive is counted in its index alone: the limit is the procedure's, which stands in it now

Revision 0034, after 0033.
"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("dossiers_to_archive", "dossiers")
    op.create_index(
        "dossiers_to_archive",
        "dossiers",
        ["finished_at"],
        postgresql_include=["procedure"],
        postgresql_where=sa.text("finished_at IS NOT NULL AND archived_at IS NULL"),
    )


def downgrade() -> None:
    raise NotImplementedError("kept data is never thrown away by going back; restore a backup instead")
