"""Los destinos a la vista: qué se envió en los que no son una fila, y los índices para listarlos.

Por qué no concurre: una revisión va entera o no va, y `CREATE INDEX CONCURRENTLY` no cabe en una transacción.
Mientras se construyen, quien escribe en esa tabla espera; lo aceptado espera con él en el broker.
"""

import sqlalchemy as sa
from alembic import op

from alpespartners.migraciones.tipos import INSTANTE, TEXTO

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_INDICES = (
    ["topico", "estado", "decidido_en", "comando_id", "huella"],
    ["topico", "motivo", "decidido_en", "comando_id", "huella"],
)


def upgrade() -> None:
    """Aplica la revisión."""
    # Lo primero: en PostgreSQL, añadir una columna cierra la tabla. Un consumidor empieza leyéndola, y ahí
    # espera sin retener nada; si la leyera y luego no pudiera escribir en ella, los dos se bloquearían.
    op.add_column("destinos", sa.Column("campana_id", TEXTO))
    op.add_column("destinos", sa.Column("influencer_id", TEXTO))
    for columnas in _INDICES:
        op.create_index(op.f(f"ix_destinos_{'_'.join(columnas)}"), "destinos", columnas)
    op.create_table(
        "enviados",
        sa.Column("topico", TEXTO, nullable=False),
        sa.Column("comando_id", TEXTO, nullable=False),
        sa.Column("huella", sa.LargeBinary(), nullable=False),
        sa.Column("campos", TEXTO, nullable=False),
        sa.Column("recibido_en", INSTANTE, nullable=False),
        sa.PrimaryKeyConstraint("topico", "comando_id", "huella", name=op.f("pk_enviados")),
    )
    op.create_index(op.f("ix_enviados_recibido_en"), "enviados", ["recibido_en"])
    op.create_index(
        op.f("ix_destinos_de_una_campana"),
        "destinos",
        ["topico", "campana_id", "estado", "decidido_en", "comando_id", "huella"],
    )
