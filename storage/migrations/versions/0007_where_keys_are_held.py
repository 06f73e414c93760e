"""Keys may be on a token or with a service, and a certificate is kept with its record

Revision 0007, after 0006.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, kind, first in (
        ("held", sa.Text(), "folder"),
        ("locator", sa.Text(), ""),
        ("pin_asked", sa.Text(), "never"),
        ("der", sa.LargeBinary(), ""),
    ):
        op.add_column("certificates", sa.Column(name, kind, nullable=False, server_default=first))
        op.alter_column("certificates", name, server_default=None)
    op.execute(
        "UPDATE certificates SET der = known.der FROM trust_certificates known WHERE known.sha256 = certificates.sha256"
    )


def downgrade() -> None:
    raise NotImplementedError("kept data is never thrown away by going back; restore a backup instead")
