"""Legal holds, what they hold, and a database that deletes nothing of a held dossier

Revision 0029, after 0028.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

#: Whose rows, once deleted, would take something of a dossier with them. Fields that are read anew, parts of an upload
#: that lies in the store, and lists that are made from rows are no part of what was handed in or decided.
_GUARDED = ("dossiers", "components", "pages", "e_results", "annexes", "e_result_documents", "parcels", "holds")


def upgrade() -> None:
    op.create_table(
        "holds",
        sa.Column("id", postgresql.UUID(as_uuid=True), primary_key=True),
        sa.Column("dossier_id", postgresql.UUID(as_uuid=True), sa.ForeignKey("dossiers.id"), nullable=False),
        sa.Column("agency", sa.Text(), sa.ForeignKey("agencies.code"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("placed_by", sa.Text(), nullable=False),
        sa.Column("placed_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("release_reason", sa.Text(), nullable=False),
        sa.Column("release_asked_by", sa.Text(), nullable=False),
        sa.Column("release_asked_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("released_by", sa.Text(), nullable=False),
        sa.Column("released_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "released_at IS NULL OR (released_by <> '' AND release_asked_by <> '' AND released_by <> release_asked_by)",
            name="holds_two_people_check",
        ),
    )
    op.create_index("holds_dossier_id_idx", "holds", ["dossier_id"])
    op.create_index("holds_live", "holds", ["dossier_id"], postgresql_where=sa.text("released_at IS NULL"))
    op.create_table(
        "held_objects",
        sa.Column("hold_id", postgresql.UUID(as_uuid=True), sa.ForeignKey("holds.id"), nullable=False),
        sa.Column("object_sha256", sa.Text(), nullable=False),
        sa.Column("object_size", sa.BigInteger(), nullable=False),
        sa.Column("object_media_type", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("hold_id", "object_sha256", name="held_objects_pkey"),
    )
    op.create_index("held_objects_object_sha256_idx", "held_objects", ["object_sha256"])
    op.add_column("kept_objects", sa.Column("hold", sa.Text(), nullable=False, server_default="free"))
    op.add_column("kept_objects", sa.Column("hold_seen_at", sa.TIMESTAMP(timezone=True)))
    op.add_column("kept_objects", sa.Column("hold_trouble", sa.Text(), nullable=False, server_default=""))
    op.create_index(
        "kept_objects_perhaps_held_idx", "kept_objects", ["sha256"], postgresql_where=sa.text("hold <> 'free'")
    )
    op.create_index("parcels_dossier_id_idx", "parcels", ["dossier_id"])
    _refuse_to_delete()


def _refuse_to_delete() -> None:
    """The wall behind every way of deleting, those not yet written too.

    The dossier is held against whoever places a hold at this moment: it sees the hold, or the hold comes after it.
    """
    op.execute(
        """
        CREATE FUNCTION refuse_while_held() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            dossier uuid;
        BEGIN
            IF TG_TABLE_NAME = 'dossiers' THEN
                dossier := OLD.id;
            ELSIF TG_TABLE_NAME = 'pages' THEN
                SELECT dossier_id INTO dossier FROM components WHERE id = OLD.component_id;
            ELSIF TG_TABLE_NAME IN ('annexes', 'e_result_documents') THEN
                SELECT dossier_id INTO dossier FROM e_results WHERE id = OLD.e_result_id;
            ELSE
                dossier := OLD.dossier_id;
            END IF;
            IF dossier IS NOT NULL THEN
                PERFORM 1 FROM dossiers WHERE id = dossier FOR SHARE;
                IF EXISTS (SELECT FROM holds WHERE dossier_id = dossier AND released_at IS NULL) THEN
                    RAISE EXCEPTION 'dossier % is under legal hold', dossier USING ERRCODE = 'HS001';
                END IF;
            END IF;
            RETURN OLD;
        END
        $$
        """
    )
    for table in _GUARDED:
        op.execute(
            f"CREATE TRIGGER refuse_while_held BEFORE DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_while_held()"
        )


def downgrade() -> None:
    raise NotImplementedError("kept data is never thrown away by going back; restore a backup instead")
