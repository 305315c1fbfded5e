"""La tabla de las claves, en su forma actual."""

from sqlalchemy import Column, Integer, LargeBinary, Table

from alpespartners.seedwork.sql.metadatos import metadatos
from alpespartners.seedwork.sql.tipos import TEXTO, Instante

METADATOS = metadatos()

claves = Table(
    "claves",
    METADATOS,
    Column("identidad", TEXTO, primary_key=True),
    Column("nombre", TEXTO, nullable=False),
    Column("sal", LargeBinary, nullable=False),
    Column("resumen", LargeBinary, nullable=False),
    # En JSON, que lee quien lee la fila: de una que no se entienda se sabe así cuál es.
    Column("alcances", TEXTO, nullable=False),
    Column("dialecto", TEXTO),
    # También; nulo es todas, y una lista vacía, ninguna.
    Column("campanas", TEXTO),
    Column("prefijo", TEXTO, nullable=False),
    Column("limite", Integer),
    Column("caduca_en", Instante),
    Column("creada_en", Instante, nullable=False),
    Column("revocada_en", Instante),
    # En JSON; nulo en las que no son de una página.
    Column("origenes", TEXTO),
)
