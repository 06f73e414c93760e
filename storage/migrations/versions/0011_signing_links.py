"""Documents go out by a link to be signed with their signer's own token

Revision 0011, after 0010.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("e_results", sa.Column("own_token", sa.Boolean(), nullable=False, server_default="false"))
    op.alter_column("e_results", "own_token", server_default=None)
    op.create_table(
        "signing_links",
        sa.Column("id", UUID(as_uuid=True), primary_key=True),
        sa.Column("token_sha256", sa.Text(), nullable=False),
        sa.Column("e_result_id", UUID(as_uuid=True), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("document_sha256", sa.Text(), nullable=False),
        sa.Column("document_size", sa.BigInteger(), nullable=False),
        sa.Column("document_media_type", sa.Text(), nullable=False),
        sa.Column("certificate_sha256", sa.Text(), nullable=False),
        sa.Column("made_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("fetched_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("refusal", sa.Text(), nullable=False),
        sa.Column("refused_signer", sa.Text(), nullable=False),
        sa.Column("refused_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("refusals", sa.Integer(), nullable=False),
        sa.Column("returned_sha256", sa.Text()),
        sa.Column("returned_size", sa.BigInteger()),
        sa.Column("returned_media_type", sa.Text()),
        sa.Column("returned_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.UniqueConstraint("token_sha256", name="signing_links_token_sha256_key"),
        sa.ForeignKeyConstraint(["e_result_id"], ["e_results.id"], name="signing_links_e_result_id_fkey"),
        sa.ForeignKeyConstraint(["agency"], ["agencies.code"], name="signing_links_agency_fkey"),
    )
    op.create_index("signing_links_e_result_id_made_at_idx", "signing_links", ["e_result_id", "made_at"])


def downgrade() -> None:
    raise NotImplementedError("kept data is never thrown away by going back; restore a backup instead")
