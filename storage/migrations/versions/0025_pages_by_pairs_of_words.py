"""Pages are found by pairs of words and by place, in an index of their own

Revision 0025, after 0024.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from storage.words import page_marks

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_ROWS_AT_ONCE = 500


def upgrade() -> None:
    op.create_table(
        "page_index",
        sa.Column("page_id", postgresql.UUID(as_uuid=True), sa.ForeignKey("pages.id"), primary_key=True),
        sa.Column("dossier_id", postgresql.UUID(as_uuid=True), sa.ForeignKey("dossiers.id"), nullable=False),
        sa.Column("opened_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("places", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("marks", postgresql.ARRAY(sa.Integer()), nullable=False),
    )
    # What is as good as random can't be pressed: trying would cost time at every page.
    op.execute("ALTER TABLE page_index ALTER COLUMN marks SET STORAGE EXTERNAL")
    _fill(op.get_bind())
    op.create_index(
        "page_index_found_by",
        "page_index",
        ["places", "marks"],
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
    )
    op.create_index("page_index_dossier_id_idx", "page_index", ["dossier_id"])
    for agency in ("receiving", "competent", "helped_at"):
        op.create_index(f"dossiers_{agency}_opened_at_id_idx", "dossiers", [agency, "opened_at", "id"])
    op.drop_index("pages_written_idx", "pages")
    op.drop_index("pages_folded_idx", "pages")


def _fill(connection: sa.Connection) -> None:
    """Note earlier pages, split as the program splits what is looked for; a piece at a time, however many there are."""
    some = sa.text("SELECT id, text FROM pages WHERE id > :last ORDER BY id LIMIT :rows")
    note = sa.text(
        """
        INSERT INTO page_index (page_id, dossier_id, opened_at, places, marks)
        SELECT p.id, d.id, d.opened_at,
            array_remove(ARRAY[d.receiving, d.competent, d.helped_at, d.receiving || '/' || y.year,
                d.competent || '/' || y.year, d.helped_at || '/' || y.year, ':' || d.procedure], NULL),
            CAST(:marks AS integer[])
        FROM pages p JOIN components c ON c.id = p.component_id JOIN dossiers d ON d.id = c.dossier_id,
            LATERAL (SELECT to_char(timezone('Asia/Ho_Chi_Minh', d.opened_at), 'YYYY') AS year) y
        WHERE p.id = :id
        """
    )
    last = "00000000-0000-0000-0000-000000000000"
    while rows := connection.execute(some, {"last": last, "rows": _ROWS_AT_ONCE}).all():
        last = rows[-1].id
        marked = [{"id": row.id, "marks": marks} for row in rows if (marks := page_marks(row.text))]
        if marked:
            connection.execute(note, marked)


def downgrade() -> None:
    raise NotImplementedError("kept data is never thrown away by going back; restore a backup instead")
