"""Every document a result was given out as, and until when its evidence lasts

Revision 0013, after 0012.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "e_result_documents",
        sa.Column("e_result_id", postgresql.UUID(as_uuid=True), nullable=False),
        sa.Column("document_sha256", sa.Text(), nullable=False),
        sa.Column("document_size", sa.BigInteger(), nullable=False),
        sa.Column("document_media_type", sa.Text(), nullable=False),
        sa.Column("evidence_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("e_result_id", "document_sha256"),
        sa.ForeignKeyConstraint(["e_result_id"], ["e_results.id"]),
    )
    op.create_index("e_result_documents_document_sha256_idx", "e_result_documents", ["document_sha256"])


def downgrade() -> None:
    raise NotImplementedError("kept data is never thrown away by going back; restore a backup instead")
