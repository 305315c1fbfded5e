"""El cupón de una conversión."""

import sqlalchemy as sa
from alembic import op

from alpespartners.migraciones.tipos import TEXTO

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Aplica la revisión."""
    op.add_column("conversiones", sa.Column("cupon", TEXTO))
