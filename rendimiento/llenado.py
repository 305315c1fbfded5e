"""Llenar una base de datos con impresiones, sin pasar por el broker: millones de filas en un minuto o dos.

Qué es: filas como las que escribe el libro, repartidas entre campañas que se alternan; las de una lista están
así cada una en un lugar distinto de la tabla, que es lo que más cuesta leer.
Qué no es: el camino de un evento; eso lo miden otros programas.
Por qué existe: lo que tarda una lectura con la tabla llena no se sabe hasta llenarla.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Final

import asyncpg
from sqlalchemy import Dialect, make_url

from alpespartners.modulos.tracking.dominio.contenido import ContenidoImpresion
from alpespartners.modulos.tracking.dominio.entidades import Impresion
from alpespartners.modulos.tracking.dominio.objetos_valor import Metadatos, TipoEvento
from alpespartners.modulos.tracking.infraestructura.libro.filas import a_fila
from alpespartners.modulos.tracking.infraestructura.libro.tablas import impresiones
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.archivo import (
    archivo_de,
    biblioteca_sqlite,
)
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.libro import migrar
from alpespartners.seedwork.sql.orden_de_llegada import SECUENCIA

POR_CAMPAÑA: Final = 10_000

_COMIENZO: Final = datetime(2026, 1, 1, tzinfo=UTC)
_CADA: Final = timedelta(milliseconds=10)
_TANDA: Final = 50_000


def id_de(numero: int) -> str:
    """El `id` de la impresión con ese número; crecen con el tiempo, como los UUIDv7."""
    return f"{numero:08x}-0000-7000-8000-{numero:012x}"


def campañas(cuantas: int) -> int:
    """En cuántas campañas se reparten tantas impresiones."""
    return max(1, cuantas // POR_CAMPAÑA)


def campaña_de(numero: int, cuantas: int) -> str:
    """La campaña de la impresión con ese número, de entre tantas impresiones."""
    return f"cmp-{numero % campañas(cuantas)}"


def llenar_sqlite(datos: Path, cuantas: int) -> None:
    """Crea la base de datos de esa carpeta con tantas impresiones."""
    migrar(datos)
    tabla = impresiones
    columnas = ", ".join(tabla.c.keys())
    marcas = ", ".join("?" for _ in tabla.c)
    sentencia = f"INSERT INTO {tabla.name} ({columnas}) VALUES ({marcas})"  # noqa: S608 (nombres propios)
    with closing(biblioteca_sqlite().connect(archivo_de(datos), isolation_level=None)) as conexion:
        # Si se corta a la mitad se empieza de nuevo: no hay nada que guardar.
        for ajuste in ("journal_mode = delete", "journal_mode = off", "synchronous = off"):
            conexion.execute(f"PRAGMA {ajuste}")
        conexion.execute("PRAGMA cache_size = -524288")
        filas = _filas(cuantas, make_url("sqlite://").get_dialect()())
        while tanda := list(islice(filas, _TANDA)):
            conexion.execute("BEGIN")
            conexion.executemany(sentencia, tanda)
            conexion.execute("COMMIT")


def llenar_postgresql(url: str, cuantas: int) -> None:
    """Añade a esa base de datos, que tiene las tablas vacías, tantas impresiones."""
    asyncio.run(_copiar(url, cuantas))


async def _copiar(url: str, cuantas: int) -> None:
    conexion = await asyncpg.connect(url)
    try:
        filas = _filas(cuantas, make_url("postgresql+asyncpg://").get_dialect()())
        while tanda := list(islice(filas, _TANDA)):
            await conexion.copy_records_to_table(
                impresiones.name, records=tanda, columns=impresiones.c.keys()
            )
        # Los números los da la columna: que siga por donde van, y otros puedan escribir después.
        await conexion.execute(
            "SELECT setval(pg_get_serial_sequence($1, $2), $3)", impresiones.name, SECUENCIA, cuantas
        )
        await conexion.execute("VACUUM ANALYZE")
        await conexion.execute("CHECKPOINT")
    finally:
        await conexion.close()


def _filas(cuantas: int, dialecto: Dialect) -> Iterator[tuple[object, ...]]:
    """Las filas, por orden de tiempo, con los valores que ese motor guarda."""
    tabla = impresiones
    modelo = a_fila(_MODELO) | {SECUENCIA: 0, "carril": None}
    pasar = {columna.name: _conversor(columna.type, dialecto) for columna in tabla.c}
    lugar = {nombre: indice for indice, nombre in enumerate(tabla.c.keys())}
    fila = [pasar[nombre](modelo[nombre]) for nombre in lugar]
    nombres = [f"cmp-{numero}" for numero in range(campañas(cuantas))]
    instantes = [lugar[n] for n in ("timestamp", "recibido_en", "registrado_en", "ocurrido_en")]
    identidad = [lugar["id"], lugar["comando_id"]]
    instante = pasar["ocurrido_en"]
    for numero in range(cuantas):
        ocurrido_en = instante(_COMIENZO + numero * _CADA)
        for indice in instantes:
            fila[indice] = ocurrido_en
        for indice in identidad:
            fila[indice] = id_de(numero)
        fila[lugar[SECUENCIA]] = numero + 1
        fila[lugar["campana_id"]] = nombres[numero % len(nombres)]
        yield tuple(fila)


def _conversor(tipo: Any, dialecto: Dialect) -> Callable[[Any], Any]:
    """Lo que hace SQLAlchemy con un valor antes de dárselo al motor."""
    conversor: Callable[[Any], Any] | None = tipo.dialect_impl(dialecto).bind_processor(dialecto)
    return (lambda valor: valor) if conversor is None else conversor


_MODELO: Final = Impresion(
    contenido=ContenidoImpresion(
        id="",
        campaña_id="",
        influencer_id="inf-789",
        usuario_id="usr-101",
        tipo_evento=TipoEvento.IMPRESION,
        metadatos=Metadatos("Mozilla/5.0...", "192.168.1.1", "https://instagram.com"),
        timestamp=_COMIENZO,
        propiedades={},
    ),
    comando_id="",
    huella=bytes(16),
    recibido_en=_COMIENZO,
    registrado_en=_COMIENZO,
    advertencias=(),
)
"""La impresión de la que salen todas: la del ejemplo de la semilla."""
