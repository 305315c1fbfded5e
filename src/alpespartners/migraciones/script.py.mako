"""${message}."""

import sqlalchemy as sa
from alembic import op

from alpespartners.seedwork.sql.tipos import TEXTO, Importe, Instante, TextoJson
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Aplica la revisión."""
    ${upgrades if upgrades else "pass"}
