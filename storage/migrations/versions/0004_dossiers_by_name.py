"""Dossiers are found by the applicant's name and by parts of their code

Revision 0004, after 0003.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from storage.words import folded, vector, written

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ROWS_AT_ONCE = 1000


def upgrade() -> None:
    for name in ("written", "folded"):
        op.add_column("dossiers", sa.Column(name, postgresql.TSVECTOR(), nullable=False, server_default=""))
    _fill(op.get_bind())
    for name in ("written", "folded"):
        op.create_index(f"dossiers_{name}_idx", "dossiers", [name], unique=False, postgresql_using="gin")


def _fill(connection: sa.Connection) -> None:
    """Give earlier dossiers their words, split as the program splits what is looked for."""
    change = sa.text(
        "UPDATE dossiers SET written = CAST(:written AS tsvector), folded = CAST(:folded AS tsvector) WHERE id = :id"
    )
    rows = connection.execute(sa.text("SELECT id, applicant_name, code FROM dossiers")).all()
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        connection.execute(
            change,
            [
                {
                    "id": row.id,
                    "written": vector(written(f"{row.applicant_name} {row.code}")),
                    "folded": vector(folded(f"{row.applicant_name} {row.code}")),
                }
                for row in rows[start : start + _ROWS_AT_ONCE]
            ],
        )


def downgrade() -> None:
    raise NotImplementedError("kept data is never thrown away by going back; restore a backup instead")
