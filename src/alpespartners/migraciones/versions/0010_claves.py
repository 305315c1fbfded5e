"""Las claves guardadas: para qué se hizo cada una, hasta cuándo vale y el resumen de su secreto."""

import sqlalchemy as sa
from alembic import op

from alpespartners.migraciones.tipos import INSTANTE, TEXTO

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Aplica la revisión."""
    op.create_table(
        "claves",
        sa.Column("identidad", TEXTO, nullable=False),
        sa.Column("nombre", TEXTO, nullable=False),
        sa.Column("sal", sa.LargeBinary(), nullable=False),
        sa.Column("resumen", sa.LargeBinary(), nullable=False),
        sa.Column("alcances", TEXTO, nullable=False),
        sa.Column("dialecto", TEXTO),
        sa.Column("campanas", TEXTO),
        sa.Column("prefijo", TEXTO, nullable=False),
        sa.Column("limite", sa.Integer()),
        sa.Column("caduca_en", INSTANTE),
        sa.Column("creada_en", INSTANTE, nullable=False),
        sa.Column("revocada_en", INSTANTE),
        sa.PrimaryKeyConstraint("identidad", name=op.f("pk_claves")),
    )
