"""Los orígenes desde los que vale la clave de una página."""

import sqlalchemy as sa
from alembic import op

from alpespartners.migraciones.tipos import TEXTO

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Aplica la revisión."""
    op.add_column("claves", sa.Column("origenes", TEXTO))
