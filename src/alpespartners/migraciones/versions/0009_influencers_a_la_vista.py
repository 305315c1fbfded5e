"""Los influencers a la vista: los índices con que se listan, se informa de uno y se ven sus conversiones.

Por qué no concurre: una revisión va entera o no va, y `CREATE INDEX CONCURRENTLY` no cabe en una transacción.
Mientras se construyen, quien escribe en esas tablas espera; lo aceptado espera con él en el broker.
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# En el orden en que un lote toca las tablas: quien espera a la segunda ya tiene la primera.
_INDICES = {
    "conversiones": ["influencer_id", "ocurrido_en", "id"],
    "cuentas_por_semana": ["influencer_id", "semana", "campana_id"],
}


def upgrade() -> None:
    """Aplica la revisión."""
    for tabla, columnas in _INDICES.items():
        op.create_index(op.f(f"ix_{tabla}_{'_'.join(columnas)}"), tabla, columnas)
