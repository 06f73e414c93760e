"""Parcels from counters with their parts, and the machines that send them

Revision 0018, after 0017.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "parcels",
        sa.Column("id", postgresql.UUID(as_uuid=True), primary_key=True),
        sa.Column("agency", sa.Text(), sa.ForeignKey("agencies.code"), nullable=False),
        sa.Column("sent_by", sa.Text(), nullable=False),
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dossier_id", postgresql.UUID(as_uuid=True), sa.ForeignKey("dossiers.id")),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("pages_declared", sa.Integer()),
        sa.Column("replaces", postgresql.UUID(as_uuid=True)),
        sa.Column("arrived", sa.BigInteger(), nullable=False),
        sa.Column("file_sha256", sa.Text()),
        sa.Column("file_size", sa.BigInteger()),
        sa.Column("file_media_type", sa.Text()),
        sa.Column("pages", sa.Integer()),
        sa.Column("component_id", postgresql.UUID(as_uuid=True), sa.ForeignKey("components.id")),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
    )
    op.create_index("parcels_agency_state_idx", "parcels", ["agency", "state"])
    op.create_index("parcels_state_touched_at_idx", "parcels", ["state", "touched_at"])
    op.create_table(
        "parcel_parts",
        sa.Column(
            "parcel_id", postgresql.UUID(as_uuid=True), sa.ForeignKey("parcels.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("parcel_id", "start", name="parcel_parts_pkey"),
    )
    # Scans are compressed already: trying it again would cost a counter's patience.
    op.execute("ALTER TABLE parcel_parts ALTER COLUMN bytes SET STORAGE EXTERNAL")
    op.create_table(
        "desks",
        sa.Column("id", postgresql.UUID(as_uuid=True), primary_key=True),
        sa.Column("agency", sa.Text(), sa.ForeignKey("agencies.code"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pairing_sha256", sa.Text(), nullable=False),
        sa.Column("pairing_until", sa.DateTime(timezone=True)),
        sa.Column("token_sha256", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True)),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.Column("version", sa.Integer(), nullable=False),
    )
    op.create_index("desks_agency_idx", "desks", ["agency"])
    op.create_index("desks_token_sha256_idx", "desks", ["token_sha256"])


def downgrade() -> None:
    raise NotImplementedError("kept data is never thrown away by going back; restore a backup instead")
