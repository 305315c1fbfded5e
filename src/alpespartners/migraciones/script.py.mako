"""${message}."""

import sqlalchemy as sa
from alembic import op

from alpespartners.migraciones.tipos import IMPORTE, INSTANTE, TEXTO, TEXTO_JSON
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Aplica la revisión."""
    ${upgrades if upgrades else "pass"}
