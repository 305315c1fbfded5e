"""Las tablas de los informes, en su forma actual.

Qué es: cuántos eventos hay y cuánto valen, contados de cinco maneras: los de cada campaña por tramos de
quince minutos y por días, los de cada influencer y cupón de una campaña por días y por semanas, y por días
los de cada red, dispositivo, país y robot. Los días son de UTC, y las semanas empiezan en lunes. Y aparte,
quiénes son los usuarios de cada campaña y día.
Qué no es: el libro; todo esto se puede volver a contar desde él (`recuento.py`).
Por qué existe: contar diez millones de filas cada vez que alguien mira su campaña no es una respuesta.

Un día está ya en sus tramos: existe para que un año no sean treinta y cinco mil. Y una semana, en sus días:
existe porque cada uno son tantas filas como influencers. Lo que un evento no tiene (clase, moneda, influencer
o cupón) es un texto vacío, que ninguno de los cuatro puede ser. Una clave cuyos fragmentos suman cero eventos
(los corrigió `recuento.py`) es como si no estuviera.

De una procedencia que no se sabe no hay cuenta: es lo de todos menos lo que se sabe.
"""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table

from alpespartners.modulos.informes.aplicacion.puertos import DE_PROCEDENCIA
from alpespartners.seedwork.sql.metadatos import metadatos
from alpespartners.seedwork.sql.tipos import TEXTO, Instante

METADATOS = metadatos()

SUMADAS: Final = ("cuantos", "valor_alto", "valor_bajo")
"""Las columnas que no son clave, en las cinco de cuentas y en el orden de `Cuenta.partes`."""


def _cuentas(nombre: str, *claves: Column[object]) -> Table:
    return Table(
        nombre,
        METADATOS,
        Column("campana_id", TEXTO, primary_key=True),
        *claves,
        Column("tipo", TEXTO, primary_key=True),
        Column("clase", TEXTO, primary_key=True),
        Column("moneda", TEXTO, primary_key=True),
        # Cada consumidor suma en el suyo: varios no hacen cola por la misma fila.
        Column("fragmento", Integer, primary_key=True),
        Column("cuantos", BigInteger, nullable=False),
        # La suma en diezmilésimas, partida en dos: ningún motor suma así más de lo que cabe sin decirlo.
        Column("valor_alto", BigInteger, nullable=False),
        Column("valor_bajo", BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )


cuentas_por_tramo = _cuentas("cuentas_por_tramo", Column("tramo", Instante, primary_key=True))

cuentas_por_dia = _cuentas("cuentas_por_dia", Column("dia", Instante, primary_key=True))

cuentas_por_influencer = _cuentas(
    "cuentas_por_influencer",
    Column("dia", Instante, primary_key=True),
    Column("influencer_id", TEXTO, primary_key=True),
    Column("cupon", TEXTO, primary_key=True),
)

cuentas_por_semana = _cuentas(
    "cuentas_por_semana",
    Column("semana", Instante, primary_key=True),
    Column("influencer_id", TEXTO, primary_key=True),
    Column("cupon", TEXTO, primary_key=True),
)
# Un influencer en todas sus campañas. En ninguna otra: de un día suyo se sabe por su semana en qué campañas
# buscarlo, y las de los días tienen casi una fila por evento.
Index(None, *(cuentas_por_semana.c[nombre] for nombre in ("influencer_id", "semana", "campana_id")))

PROCEDENCIAS: Final = tuple(dimension.value for dimension in DE_PROCEDENCIA)
"""Las dimensiones de `cuentas_por_procedencia`, con los nombres que tienen en los hechos."""

cuentas_por_procedencia = _cuentas(
    "cuentas_por_procedencia",
    Column("dia", Instante, primary_key=True),
    # En cuál de las cuatro, y qué: cada evento está una vez en cada una de las que se saben de él.
    Column("dimension", TEXTO, primary_key=True),
    Column("dato", TEXTO, primary_key=True),
)

CUENTAS: Final = tuple(METADATOS.sorted_tables)
"""Las cinco de cuentas."""

usuarios_por_dia = Table(
    "usuarios_por_dia",
    METADATOS,
    Column("campana_id", TEXTO, primary_key=True),
    Column("dia", Instante, primary_key=True),
    Column("fragmento", Integer, primary_key=True),
    # Los que traen usuario. Cambia en cada lote, y así quien vuelve a contar sabe si otro contó entretanto.
    Column("eventos", BigInteger, nullable=False),
    Column("boceto", LargeBinary, nullable=False),
)
