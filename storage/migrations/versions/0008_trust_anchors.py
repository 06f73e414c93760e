"""Trust anchors are decisions of two administrators, in three stores, with dates

Revision 0008, after 0007. What was trusted before was added by whoever ran the machine: it goes on counting, in the
centre's store, and says so.
"""

import uuid

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from signing.certificates import facts

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    anchors = op.create_table(
        "trust_anchors",
        sa.Column("id", postgresql.UUID(as_uuid=True), nullable=False),
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("trusted_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("trusted_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by", sa.Text(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("broken", sa.Boolean(), nullable=False),
        sa.Column("ended_by", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="trust_anchors_pkey"),
    )
    op.create_index(
        "trust_anchors_one_live",
        "trust_anchors",
        ["sha256"],
        unique=True,
        postgresql_where=sa.text("state IN ('proposed', 'trusted')"),
    )
    connection = op.get_bind()
    kept = connection.execute(sa.text("SELECT sha256, der, demo, added_at FROM trust_certificates WHERE anchor")).all()
    for sha256, der, demo, added_at in kept:
        connection.execute(
            sa.insert(anchors).values(
                id=uuid.uuid4(),
                store="centre",
                sha256=sha256,
                der=bytes(der),
                state="trusted",
                trusted_from=facts(bytes(der)).valid_from,
                trusted_to=None,
                reason="Đã tin trước khi có quy định hai người",
                proposed_by="console",
                proposed_at=added_at,
                confirmed_by="console",
                confirmed_at=added_at,
                broken=False,
                ended_by="",
                ended_at=None,
                end_reason="",
                demo=demo,
                version=1,
            )
        )
    connection.execute(sa.text("DELETE FROM trust_certificates WHERE anchor"))
    op.drop_column("trust_certificates", "anchor")


def downgrade() -> None:
    raise NotImplementedError("kept data is never thrown away by going back; restore a backup instead")
