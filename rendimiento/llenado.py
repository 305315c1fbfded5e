"""Llenar una base de datos con eventos, sin pasar por el broker: millones de filas en un minuto o dos.

Qué es: filas como las que escribe el libro, repartidas entre campañas que se alternan; las de una lista están
así cada una en un lugar distinto de la tabla, que es lo que más cuesta leer.
Qué no es: el camino de un evento; eso lo miden otros programas. Las cuentas de los informes las pone después
`recontar`.
Por qué existe: lo que tarda una lectura con la tabla llena no se sabe hasta llenarla.
"""

import asyncio
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, Final

import asyncpg
from sqlalchemy import Dialect, make_url

from alpespartners.medicion.montaje import ORDEN, entorno
from alpespartners.modulos.tracking.aplicacion.clases import CLASES, CONVERSIONES, IMPRESIONES, Clase
from alpespartners.modulos.tracking.dominio.contenido import ContenidoConversion, ContenidoImpresion
from alpespartners.modulos.tracking.dominio.entidades import Conversion, EventoSeguido, Impresion
from alpespartners.modulos.tracking.dominio.objetos_valor import (
    Metadatos,
    TipoConversion,
    TipoEvento,
    ValorConversion,
)
from alpespartners.modulos.tracking.infraestructura.libro.filas import a_fila, tabla_de
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.archivo import (
    archivo_de,
    biblioteca_sqlite,
)
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.libro import migrar
from alpespartners.seedwork.sql.orden_de_llegada import SECUENCIA

POR_CAMPAÑA: Final = 10_000

COMIENZO: Final = datetime(2026, 1, 1, tzinfo=UTC)
_POR_CONVERSION: Final = 20
_SALTO: Final = 7_919
"""Cuántos usuarios separan a los de dos eventos seguidos."""
_TANDA: Final = 50_000
_DIFERIAN: Final = 1
"""Con lo que termina `recontar` si algo difería, aunque lo haya corregido."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reparto:
    """Los eventos que se guardan, desde `comienzo` y uno cada `cada`, y entre cuántos se reparten.

    De cada veinte, los que piden informes quieren una conversión; los demás programas, solo impresiones.
    """

    eventos: int
    campañas: int = 1
    influencers: int = 1
    usuarios: int = 1
    comienzo: datetime = COMIENZO
    cada: timedelta = timedelta(milliseconds=10)
    con_conversiones: bool = False

    def clase_de(self, numero: int) -> Clase:
        """La del evento con ese número."""
        return CONVERSIONES if self.con_conversiones and numero % _POR_CONVERSION == 0 else IMPRESIONES

    def instante_de(self, numero: int) -> datetime:
        """Cuándo ocurrió el evento con ese número."""
        return self.comienzo + numero * self.cada


def en_campañas(eventos: int) -> Reparto:
    """Impresiones repartidas entre campañas de diez mil."""
    return Reparto(eventos=eventos, campañas=campañas(eventos))


def id_de(numero: int) -> str:
    """El `id` del evento con ese número; crecen con el tiempo, como los UUIDv7."""
    return f"{numero:08x}-0000-7000-8000-{numero:012x}"


def campañas(cuantas: int) -> int:
    """En cuántas campañas se reparten tantas impresiones."""
    return max(1, cuantas // POR_CAMPAÑA)


def campaña_de(numero: int, cuantas: int) -> str:
    """La campaña de la impresión con ese número, de entre tantas impresiones."""
    return f"cmp-{numero % campañas(cuantas)}"


def llenar_sqlite(datos: Path, reparto: Reparto) -> None:
    """Crea la base de datos de esa carpeta con esos eventos."""
    migrar(datos)
    with closing(biblioteca_sqlite().connect(archivo_de(datos), isolation_level=None)) as conexion:
        # Si se corta a la mitad se empieza de nuevo: no hay nada que guardar.
        for ajuste in ("journal_mode = delete", "journal_mode = off", "synchronous = off"):
            conexion.execute(f"PRAGMA {ajuste}")
        conexion.execute("PRAGMA cache_size = -524288")
        for clase in CLASES:
            tabla = tabla_de(clase)
            columnas = ", ".join(tabla.c.keys())
            marcas = ", ".join("?" for _ in tabla.c)
            sentencia = f"INSERT INTO {tabla.name} ({columnas}) VALUES ({marcas})"  # noqa: S608 (nombres propios)
            filas = _filas(clase, reparto, make_url("sqlite://").get_dialect()())
            while tanda := list(islice(filas, _TANDA)):
                conexion.execute("BEGIN")
                conexion.executemany(sentencia, tanda)
                conexion.execute("COMMIT")


def llenar_postgresql(url: str, reparto: Reparto) -> None:
    """Añade a esa base de datos, que tiene las tablas vacías, esos eventos."""
    asyncio.run(_copiar(url, reparto))


def recontar(ajustes: Mapping[str, str]) -> None:
    """Pone las cuentas de lo que se llenó sin contarlo en la base de datos de esos ajustes.

    Raises:
        RuntimeError: la orden no las corrigió.
    """
    terminada = subprocess.run([*ORDEN, "recontar"], env=entorno(ajustes), capture_output=True, check=False)
    if terminada.returncode != _DIFERIAN:
        raise RuntimeError(f"recontar terminó con {terminada.returncode}")


async def _copiar(url: str, reparto: Reparto) -> None:
    conexion = await asyncpg.connect(url)
    try:
        for clase in CLASES:
            tabla = tabla_de(clase)
            filas = _filas(clase, reparto, make_url("postgresql+asyncpg://").get_dialect()())
            while tanda := list(islice(filas, _TANDA)):
                await conexion.copy_records_to_table(tabla.name, records=tanda, columns=tabla.c.keys())
            # Los números los da la columna: que siga por donde van, y otros puedan escribir después.
            await conexion.execute(
                "SELECT setval(pg_get_serial_sequence($1, $2), $3)", tabla.name, SECUENCIA, reparto.eventos
            )
        await conexion.execute("VACUUM ANALYZE")
        await conexion.execute("CHECKPOINT")
    finally:
        await conexion.close()


def _filas(clase: Clase, reparto: Reparto, dialecto: Dialect) -> Iterator[tuple[object, ...]]:
    """Las filas de esa clase, por orden de tiempo, con los valores que ese motor guarda."""
    tabla = tabla_de(clase)
    modelo = a_fila(_MODELOS[clase]) | {SECUENCIA: 0, "carril": None}
    pasar = {columna.name: _conversor(columna.type, dialecto) for columna in tabla.c}
    lugar = {nombre: indice for indice, nombre in enumerate(tabla.c.keys())}
    fila = [pasar[nombre](modelo[nombre]) for nombre in lugar]
    campañas_ = [f"cmp-{numero}" for numero in range(reparto.campañas)]
    influencers = [f"inf-{numero}" for numero in range(reparto.influencers)]
    tipos = list(clase.tipos) if reparto.con_conversiones else [fila[lugar[clase.campo_tipo]]]
    instantes = [lugar[n] for n in ("timestamp", "recibido_en", "registrado_en", "ocurrido_en")]
    identidad = [lugar["id"], lugar["comando_id"]]
    instante = pasar["ocurrido_en"]
    for numero in range(reparto.eventos):
        if reparto.clase_de(numero) is not clase:
            continue
        ocurrido_en = instante(reparto.instante_de(numero))
        for indice in instantes:
            fila[indice] = ocurrido_en
        for indice in identidad:
            fila[indice] = id_de(numero)
        fila[lugar[SECUENCIA]] = numero + 1
        fila[lugar["campana_id"]] = campañas_[numero % len(campañas_)]
        fila[lugar["usuario_id"]] = f"usr-{numero * _SALTO % reparto.usuarios}"
        fila[lugar["influencer_id"]] = influencers[numero // len(campañas_) % len(influencers)]
        fila[lugar[clase.campo_tipo]] = tipos[numero // _POR_CONVERSION % len(tipos)]
        yield tuple(fila)


def _conversor(tipo: Any, dialecto: Dialect) -> Callable[[Any], Any]:
    """Lo que hace SQLAlchemy con un valor antes de dárselo al motor."""
    conversor: Callable[[Any], Any] | None = tipo.dialect_impl(dialecto).bind_processor(dialecto)
    return (lambda valor: valor) if conversor is None else conversor


_PROCEDENCIA: Final[dict[str, Any]] = {
    "comando_id": "",
    "huella": bytes(16),
    "recibido_en": COMIENZO,
    "registrado_en": COMIENZO,
    "advertencias": (),
}
_COMUNES: Final[dict[str, Any]] = {
    "id": "",
    "campaña_id": "",
    "influencer_id": "inf-789",
    "usuario_id": "usr-101",
    "clic_id": None,
    "metadatos": Metadatos("Mozilla/5.0...", "192.168.1.1", "https://instagram.com"),
    "timestamp": COMIENZO,
    "propiedades": {},
}
_MODELOS: Final[dict[Clase, EventoSeguido[Any]]] = {
    IMPRESIONES: Impresion(
        contenido=ContenidoImpresion(tipo_evento=TipoEvento.IMPRESION, **_COMUNES), **_PROCEDENCIA
    ),
    CONVERSIONES: Conversion(
        contenido=ContenidoConversion(
            tipo_conversion=TipoConversion.VENTA,
            valor=ValorConversion(Decimal("150.00"), "USD"),
            cupon=None,
            **_COMUNES,
        ),
        **_PROCEDENCIA,
    ),
}
"""Los eventos de los que salen todos: los de los ejemplos de la semilla."""
