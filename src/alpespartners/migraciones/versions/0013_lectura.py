"""La lectura de la procedencia de cada evento; la de los anteriores la pone `alpespartners reclasificar`."""

import sqlalchemy as sa
from alembic import op

from alpespartners.migraciones.tipos import TEXTO

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Aplica la revisión."""
    for tabla in ("impresiones", "conversiones"):
        op.add_column(tabla, sa.Column("lectura", TEXTO))
