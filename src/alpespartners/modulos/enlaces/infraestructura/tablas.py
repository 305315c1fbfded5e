"""Las tablas de los enlaces, en su forma actual. Todo es ASCII: `campana_id`, no `campaña_id`."""

from sqlalchemy import Column, Index, Integer, LargeBinary, Table

from alpespartners.seedwork.sql.metadatos import metadatos
from alpespartners.seedwork.sql.tipos import TEXTO, Instante, TextoJson

METADATOS = metadatos()

enlaces = Table(
    "enlaces",
    METADATOS,
    Column("enlace_id", TEXTO, primary_key=True),
    Column("campana_id", TEXTO, nullable=False),
    Column("influencer_id", TEXTO),
    Column("destino", TEXTO, nullable=False),
    Column("cupon", TEXTO),
    Column("parametro_clic", TEXTO, nullable=False),
    Column("dominios_permitidos", TextoJson, nullable=False),
    Column("vence_en", Instante),
    Column("creado_en", Instante, nullable=False),
    Index(None, "creado_en", "enlace_id"),
    Index(None, "campana_id", "creado_en", "enlace_id"),
    Index(None, "influencer_id", "creado_en", "enlace_id"),
)

secretos = Table(
    "secretos_de_enlaces",
    METADATOS,
    # El de hoy es el 1, y lo puso la migración que hizo la tabla.
    Column("numero", Integer, primary_key=True, autoincrement=False),
    Column("secreto", LargeBinary, nullable=False),
)
