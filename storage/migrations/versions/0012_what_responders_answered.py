"""Answers of responders are kept beside the lists, and lists are known by their digest

Revision 0012, after 0011. With the digest a process fetches a list of some megabytes once, not for every verdict.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("crls", sa.Column("sha256", sa.Text(), nullable=True))
    op.execute("UPDATE crls SET sha256 = encode(sha256(der), 'hex')")
    op.alter_column("crls", "sha256", nullable=False)
    op.create_table(
        "ocsp_answers",
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.Column("made", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("certificate", name="ocsp_answers_pkey"),
    )


def downgrade() -> None:
    raise NotImplementedError("kept data is never thrown away by going back; restore a backup instead")
