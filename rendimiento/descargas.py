"""Meta l: descargar en CSV y en NDJSON la lista entera de una campaña de un millón de eventos.

Qué es: lo que gasta la API por fila y la memoria que ocupa mientras se descargan diez mil y un millón; y, en
la misma pasada, lo que gasta quien lee las mismas filas con un `SELECT` y las pasa a `csv.writer`.
Qué no es: lo que cuesta un informe (`informes.py`), que no recorre las filas.
Por qué existe: lo que se descarga no cabe en la memoria de nadie, y una página que se quedara en ella solo se
notaría con el millón.
"""

import asyncio
import csv
import http.client
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg

from alpespartners.medicion.base_postgresql import base_postgresql
from alpespartners.medicion.medida import Medida
from alpespartners.medicion.montaje import Proceso, montaje, parando
from alpespartners.medicion.nucleos import en_el_de_la_carga, en_el_de_los_servidores
from alpespartners.medicion.programa import POSTGRESQL, Opcion, ejecutar
from alpespartners.modulos.informes.aplicacion.pedido import en_miles
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.archivo import (
    archivo_de,
    biblioteca_sqlite,
)
from rendimiento.llenado import Reparto, llenar_postgresql, llenar_sqlite
from rendimiento.muestreo import MEGA, muestreo

_POCAS, _MUCHAS = 10_000, 1_000_000
_FORMATOS: Final = ("csv", "ndjson")
_RUTA: Final = "/tracking/campanas/cmp-0/impresiones?formato="
_LIMITE: Final = 600.0
_TROZO: Final = 1 << 16
_TOLERANCIA: Final = 1.1
_MILLONESIMAS: Final = 1e6
_TODAS: Final = (
    "SELECT id, campana_id, influencer_id, usuario_id, tipo_evento, user_agent, ip_address, referrer,"
    ' "timestamp", propiedades, ocurrido_en, recibido_en, registrado_en, comando_id, advertencias'
    " FROM impresiones WHERE campana_id = 'cmp-0' ORDER BY ocurrido_en DESC, id DESC"
)


@dataclass(frozen=True, slots=True)
class _Descarga:
    """Lo que se vio mientras se descargaba.

    Attributes:
        cpu: los segundos que gastó la API.
        memoria: los octetos residentes de la API, los más que tuvo.
    """

    filas: int
    segundos: float
    cpu: float
    memoria: int


@dataclass(frozen=True, slots=True)
class _Llena:
    """Una base de datos llena y su API; la de PostgreSQL, con su URL."""

    api: Proceso
    datos: Path
    postgresql: str | None


def medir(*, breve: bool, eventos: int | None = None, postgresql: str | None = None) -> Sequence[Medida]:
    """Devuelve las filas de la meta l.

    Args:
        breve: unos segundos, y pocos eventos.
        eventos: los de la campaña más llena.
        postgresql: URL de un servidor donde crear y borrar bases de datos; si falta, SQLite.
    """
    pocas, muchas = (2_000, 20_000) if breve else (_POCAS, eventos or _MUCHAS)
    motor = "SQLite" if postgresql is None else "PostgreSQL"
    medidas: list[Medida] = []
    with ExitStack() as pila:
        poca, mucha = (pila.enter_context(_llena(cuantas, postgresql)) for cuantas in (pocas, muchas))
        pila.enter_context(en_el_de_la_carga())
        suelo = _con_un_select(mucha, muchas)
        for formato in _FORMATOS:
            menor, mayor = _descargar(poca.api, formato, pocas), _descargar(mucha.api, formato, muchas)
            que = f"{en_miles(muchas)} filas en {formato}, con {motor}"
            medidas += [_rapidez(que, mayor, suelo), _memoria(f"Memoria de la API, {que}", mayor, menor)]
    return medidas


def _rapidez(nombre: str, descarga: _Descarga, suelo: float) -> Medida:
    por_fila, del_suelo = (segundos / descarga.filas * _MILLONESIMAS for segundos in (descarga.cpu, suelo))
    return Medida(
        meta="l",
        nombre=nombre,
        medido=f"{por_fila:.0f} µs de CPU por fila, {descarga.filas / descarga.segundos:.0f} filas/s",
        techo=f"{del_suelo:.0f} µs un SELECT y csv.writer",
        cifra=por_fila / del_suelo,
    )


def _memoria(nombre: str, mayor: _Descarga, menor: _Descarga) -> Medida:
    return Medida(
        meta="l",
        nombre=nombre,
        medido=f"{mayor.memoria / MEGA:.0f} MB",
        techo=f"{menor.memoria / MEGA:.0f} MB con {en_miles(menor.filas)}",
        cifra=mayor.memoria / menor.memoria,
        objetivo=_TOLERANCIA,
    )


def _descargar(api: Proceso, formato: str, filas: int) -> _Descarga:
    """Descarga la lista entera.

    Raises:
        RuntimeError: no llegaron todas.
    """
    conexion = http.client.HTTPConnection("127.0.0.1", api.puerto, timeout=_LIMITE)
    leidas = -1 if formato == "csv" else 0
    with muestreo({"api": api}, 0.05) as vistas:
        comienzo, gastado = time.perf_counter(), api.cpu
        conexion.request("GET", f"{_RUTA}{formato}")
        respuesta = conexion.getresponse()
        while trozo := respuesta.read(_TROZO):
            leidas += trozo.count(b"\n")
        segundos, cpu = time.perf_counter() - comienzo, api.cpu - gastado
        memoria = max(vistas.cortar()["api"])
    conexion.close()
    if leidas != filas:
        raise RuntimeError(f"se descargaron {leidas} filas y son {filas}")
    return _Descarga(leidas, segundos, cpu, memoria)


def _con_un_select(llena: _Llena, filas: int) -> float:
    """Los segundos de CPU que gasta un solo `SELECT` cuyas filas se escriben según llegan.

    Raises:
        RuntimeError: no son todas.
    """
    with (
        en_el_de_los_servidores(),
        Path(os.devnull).open("w", encoding="utf-8", newline="") as destino,
    ):
        comienzo = time.process_time()
        leidas = asyncio.run(_escribir(llena, csv.writer(destino).writerow))
        gastados = time.process_time() - comienzo
    if leidas != filas:
        raise RuntimeError(f"se leyeron {leidas} filas y son {filas}")
    return gastados


async def _escribir(llena: _Llena, escribir: Callable[[Iterable[Any]], object]) -> int:
    """Con el cliente de cada motor y nada más; devuelve cuántas."""
    leidas = 0
    if llena.postgresql is None:
        with closing(biblioteca_sqlite().connect(archivo_de(llena.datos))) as conexion:
            for fila in conexion.execute(_TODAS):
                escribir(fila)
                leidas += 1
        return leidas
    servidor = await asyncpg.connect(llena.postgresql)
    try:
        async with servidor.transaction():
            async for fila in servidor.cursor(_TODAS, prefetch=1_000):
                escribir(fila)
                leidas += 1
    finally:
        await servidor.close()
    return leidas


@contextmanager
def _llena(eventos: int, postgresql: str | None) -> Iterator[_Llena]:
    """Una base de datos con una campaña de tantas impresiones, y su API."""
    reparto = Reparto(eventos=eventos)
    with ExitStack() as pila:
        ajustes = {}
        if postgresql is not None:
            ajustes["ALPES_BASE_DATOS"] = pila.enter_context(base_postgresql(postgresql))
            llenar_postgresql(ajustes["ALPES_BASE_DATOS"], reparto)
        servicio = pila.enter_context(montaje(**ajustes))
        if postgresql is None:
            llenar_sqlite(servicio.datos, reparto)
        with en_el_de_los_servidores():
            api = servicio.api()
        pila.enter_context(parando(api))
        yield _Llena(api, servicio.datos, ajustes.get("ALPES_BASE_DATOS"))


if __name__ == "__main__":
    ejecutar(
        "Lo que tarda y lo que ocupa descargar una lista entera.",
        medir,
        Opcion("eventos", "los de la campaña más llena; por omisión, un millón", int),
        POSTGRESQL,
    )
