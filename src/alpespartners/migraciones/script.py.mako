"""${message}."""

import sqlalchemy as sa
from alembic import op

from alpespartners.modulos.tracking.infraestructura.tipos_sql import TEXTO, Importe, Instante, TextoJson
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Aplica la revisión."""
    ${upgrades if upgrades else "pass"}
