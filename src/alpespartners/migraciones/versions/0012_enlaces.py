"""Los enlaces cortos, y el secreto con que se firman sus clics donde los ajustes no dicen otro.

El secreto se hace aquí porque una migración se hace una vez: todos los procesos que arranquen hallan el
mismo.
"""

import secrets

import sqlalchemy as sa
from alembic import op

from alpespartners.migraciones.tipos import INSTANTE, TEXTO, TEXTO_JSON

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_OCTETOS = 32


def upgrade() -> None:
    """Aplica la revisión."""
    op.create_table(
        "enlaces",
        sa.Column("enlace_id", TEXTO, nullable=False),
        sa.Column("campana_id", TEXTO, nullable=False),
        sa.Column("influencer_id", TEXTO),
        sa.Column("destino", TEXTO, nullable=False),
        sa.Column("cupon", TEXTO),
        sa.Column("parametro_clic", TEXTO, nullable=False),
        sa.Column("dominios_permitidos", TEXTO_JSON, nullable=False),
        sa.Column("vence_en", INSTANTE),
        sa.Column("creado_en", INSTANTE, nullable=False),
        sa.PrimaryKeyConstraint("enlace_id", name=op.f("pk_enlaces")),
    )
    for columnas in (
        ["creado_en", "enlace_id"],
        ["campana_id", "creado_en", "enlace_id"],
        ["influencer_id", "creado_en", "enlace_id"],
    ):
        op.create_index(op.f(f"ix_enlaces_{'_'.join(columnas)}"), "enlaces", columnas)
    secretos = op.create_table(
        "secretos_de_enlaces",
        sa.Column("numero", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("secreto", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("numero", name=op.f("pk_secretos_de_enlaces")),
    )
    op.bulk_insert(secretos, [{"numero": 1, "secreto": secrets.token_bytes(_OCTETOS)}])
