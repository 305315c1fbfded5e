"""El libro inicial: impresiones, conversiones, destinos, balance y bandeja de salida."""

import sqlalchemy as sa
from alembic import op

from alpespartners.migraciones.tipos import IMPORTE, INSTANTE, TEXTO, TEXTO_JSON

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Aplica la revisión."""
    _crear_tabla_de_eventos("impresiones", sa.Column("tipo_evento", TEXTO, nullable=False))
    _crear_tabla_de_eventos(
        "conversiones",
        sa.Column("tipo_conversion", TEXTO, nullable=False),
        sa.Column("valor", IMPORTE),
        sa.Column("moneda", TEXTO),
    )
    op.create_index(
        op.f("ix_conversiones_campana_id_tipo_conversion_ocurrido_en_id"),
        "conversiones",
        ["campana_id", "tipo_conversion", "ocurrido_en", "id"],
    )
    op.create_table(
        "destinos",
        sa.Column("topico", TEXTO, nullable=False),
        sa.Column("comando_id", TEXTO, nullable=False),
        sa.Column("huella", sa.LargeBinary(), nullable=False),
        sa.Column("evento_id", TEXTO),
        sa.Column("estado", TEXTO, nullable=False),
        sa.Column("motivo", TEXTO),
        sa.Column("detalle", TEXTO),
        sa.Column("campos", TEXTO_JSON, nullable=False),
        sa.Column("original", TEXTO),
        sa.Column("recibido_en", INSTANTE, nullable=False),
        sa.Column("decidido_en", INSTANTE, nullable=False),
        sa.PrimaryKeyConstraint("topico", "comando_id", "huella", name=op.f("pk_destinos")),
    )
    op.create_index(
        op.f("ix_destinos_topico_evento_id_decidido_en"), "destinos", ["topico", "evento_id", "decidido_en"]
    )
    op.create_table(
        "balance",
        sa.Column("topico", TEXTO, nullable=False),
        sa.Column("fragmento", sa.Integer(), nullable=False),
        sa.Column("estado", TEXTO, nullable=False),
        sa.Column("motivo", TEXTO, nullable=False),
        sa.Column("cuantos", sa.BigInteger(), nullable=False),
        sa.Column("procesado_hasta", INSTANTE),
        sa.PrimaryKeyConstraint("topico", "fragmento", "estado", "motivo", name=op.f("pk_balance")),
    )
    op.create_table(
        "bandeja_salida",
        sa.Column("numero", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("topico", TEXTO, nullable=False),
        sa.Column("clave", TEXTO),
        sa.Column("propiedades", TEXTO_JSON, nullable=False),
        sa.Column("carga", sa.LargeBinary(), nullable=False),
        sa.Column("depositado_en", INSTANTE, nullable=False),
        sa.Column("reservada_hasta", INSTANTE, nullable=False),
        sa.PrimaryKeyConstraint("numero", name=op.f("pk_bandeja_salida")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_bandeja_salida_reservada_hasta"), "bandeja_salida", ["reservada_hasta"])


def _crear_tabla_de_eventos(nombre: str, *propias: sa.Column[object]) -> None:
    op.create_table(
        nombre,
        sa.Column("id", TEXTO, nullable=False),
        sa.Column("campana_id", TEXTO, nullable=False),
        sa.Column("influencer_id", TEXTO),
        sa.Column("usuario_id", TEXTO),
        *propias,
        sa.Column("user_agent", TEXTO),
        sa.Column("ip_address", TEXTO),
        sa.Column("referrer", TEXTO),
        sa.Column("timestamp", INSTANTE),
        sa.Column("propiedades", TEXTO_JSON, nullable=False),
        sa.Column("comando_id", TEXTO, nullable=False),
        sa.Column("huella", sa.LargeBinary()),
        sa.Column("recibido_en", INSTANTE, nullable=False),
        sa.Column("registrado_en", INSTANTE, nullable=False),
        sa.Column("ocurrido_en", INSTANTE, nullable=False),
        sa.Column("advertencias", TEXTO_JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{nombre}")),
    )
    op.create_index(
        op.f(f"ix_{nombre}_campana_id_ocurrido_en_id"), nombre, ["campana_id", "ocurrido_en", "id"]
    )
    op.create_index(
        op.f(f"ix_{nombre}_campana_id_influencer_id_ocurrido_en_id"),
        nombre,
        ["campana_id", "influencer_id", "ocurrido_en", "id"],
    )
