"""El clic del que viene una impresión o una conversión."""

import sqlalchemy as sa
from alembic import op

from alpespartners.migraciones.tipos import TEXTO

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Aplica la revisión."""
    for tabla in ("impresiones", "conversiones"):
        op.add_column(tabla, sa.Column("clic_id", TEXTO))
