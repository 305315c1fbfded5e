"""Los carriles: una fila del libro es ya su evento por publicar, y cada consumidor sabe hasta dónde publicó.

Qué es: en cada fila, quién la escribió; y por cada uno de ellos, hasta cuál de sus filas está todo publicado.
Qué no es: el final de la bandeja de salida, que guarda las cartas muertas, y los eventos que una versión
anterior dejó en ella, que se publican desde ella.
"""

import sqlalchemy as sa
from alembic import op

from alpespartners.migraciones.tipos import INSTANTE, TEXTO

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Aplica la revisión."""
    # Sin valor por omisión: en los dos motores es cambiar el catálogo, y no las filas.
    for tabla in ("impresiones", "conversiones"):
        op.add_column(tabla, sa.Column("carril", sa.BigInteger()))
    op.create_table(
        "carriles",
        sa.Column(
            "numero", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(), nullable=False
        ),
        sa.Column("topico", TEXTO, nullable=False),
        sa.Column("titular", TEXTO, nullable=False),
        sa.Column("publicado_hasta", sa.BigInteger(), nullable=False),
        sa.Column("ultimo", sa.BigInteger(), nullable=False),
        sa.Column("escritas", sa.BigInteger(), nullable=False),
        sa.Column("seguidas", sa.BigInteger(), nullable=False),
        sa.Column("publicadas", sa.BigInteger(), nullable=False),
        sa.Column("reservado_hasta", INSTANTE, nullable=False),
        sa.PrimaryKeyConstraint("numero", name=op.f("pk_carriles")),
        sqlite_autoincrement=True,
    )
    if op.get_context().dialect.name == "postgresql":
        # Cada lote cambia una fila: con sitio en su página no hay que tocar el índice.
        op.execute("ALTER TABLE carriles SET (fillfactor = 50)")
