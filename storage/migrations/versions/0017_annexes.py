"""Annexes of results, each in a file of its own

Revision 0017, after 0016.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("e_results", sa.Column("annexes_sha256", sa.Text(), nullable=False, server_default=""))
    op.alter_column("e_results", "annexes_sha256", server_default=None)
    op.create_table(
        "annexes",
        sa.Column("id", postgresql.UUID(as_uuid=True), primary_key=True),
        sa.Column("e_result_id", postgresql.UUID(as_uuid=True), sa.ForeignKey("e_results.id"), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("source_sha256", sa.Text(), nullable=False),
        sa.Column("source_size", sa.BigInteger(), nullable=False),
        sa.Column("source_media_type", sa.Text(), nullable=False),
        sa.Column("place", postgresql.JSONB(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("unstamped_sha256", sa.Text()),
        sa.Column("unstamped_size", sa.BigInteger()),
        sa.Column("unstamped_media_type", sa.Text()),
        sa.Column("document_sha256", sa.Text()),
        sa.Column("document_size", sa.BigInteger()),
        sa.Column("document_media_type", sa.Text()),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
    )
    op.create_index("annexes_e_result_id_idx", "annexes", ["e_result_id"])
    op.create_index("annexes_document_sha256_idx", "annexes", ["document_sha256"])


def downgrade() -> None:
    raise NotImplementedError("kept data is never thrown away by going back; restore a backup instead")
