"""Ajustes de PostgreSQL: las filas que cambian sin cesar, y la tabla que siempre está casi vacía.

Qué es: sitio libre en cada página del balance, y una limpieza de la bandeja de salida que no espera a que
crezca en proporción a su tamaño.
Qué no es: nada para SQLite, que no tiene estos ajustes.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Aplica la revisión."""
    if op.get_context().dialect.name != "postgresql":
        return
    op.execute("ALTER TABLE balance SET (fillfactor = 50)")
    op.execute(
        "ALTER TABLE bandeja_salida SET"
        " (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000)"
    )
