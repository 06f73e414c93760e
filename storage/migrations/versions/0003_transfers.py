"""Paper dossiers travel on transfer slips, and each dossier says who holds its paper

Revision 0003, after 0002.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _slips()
    op.add_column("dossiers", sa.Column("paper_at", sa.Text(), nullable=True))
    op.add_column("dossiers", sa.Column("paper_to", sa.Text(), nullable=True))
    op.add_column("dossiers", sa.Column("transfer", sa.UUID(), nullable=True))
    op.add_column("dossiers", sa.Column("paper_note", sa.Text(), nullable=False, server_default=""))
    # Nobody recorded where the paper of earlier dossiers went; whoever took it in has it, until they say otherwise.
    op.execute("UPDATE dossiers SET paper_at = coalesce(helped_at, receiving)")
    op.alter_column("dossiers", "paper_at", nullable=False)
    op.alter_column("dossiers", "paper_note", server_default=None)
    op.create_foreign_key("dossiers_paper_at_fkey", "dossiers", "agencies", ["paper_at"], ["code"])
    op.create_foreign_key("dossiers_paper_to_fkey", "dossiers", "agencies", ["paper_to"], ["code"])
    op.create_foreign_key("dossiers_transfer_fkey", "dossiers", "transfers", ["transfer"], ["id"])
    op.create_check_constraint("dossiers_travelling_check", "dossiers", "(transfer IS NULL) = (paper_to IS NULL)")
    op.create_index("dossiers_paper_at_idx", "dossiers", ["paper_at"], unique=False)


def _slips() -> None:
    op.create_table(
        "transfers",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("receiver", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sent_by", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("lines", postgresql.JSONB(), nullable=False),
        sa.Column("closed_by", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["sender"], ["agencies.code"], name="transfers_sender_fkey"),
        sa.ForeignKeyConstraint(["receiver"], ["agencies.code"], name="transfers_receiver_fkey"),
        sa.PrimaryKeyConstraint("id", name="transfers_pkey"),
        sa.UniqueConstraint("code", name="transfers_code_key"),
    )
    op.create_index("transfers_sender_state_idx", "transfers", ["sender", "state"], unique=False)
    op.create_index("transfers_receiver_state_idx", "transfers", ["receiver", "state"], unique=False)
    op.create_table(
        "transfer_ordinals",
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["sender"], ["agencies.code"], name="transfer_ordinals_sender_fkey"),
        sa.PrimaryKeyConstraint("sender", "day", name="transfer_ordinals_pkey"),
    )


def downgrade() -> None:
    raise NotImplementedError("kept data is never thrown away by going back; restore a backup instead")
