"""Meta m: cuántas filas por segundo se exportan e importan.

Qué es: exportar impresiones en cada formato, con su comprobación, contra leer las mismas filas y escribirlas
en CSV sin más; e importar un NDJSON, por lotes, contra los mismos envíos de uno en uno y a tope.
Qué no es: la memoria, que no depende de cuántas haya: se lee por trozos.
Por qué existe: quien se lleva diez millones de eventos quiere saber si tarda minutos u horas.
"""

import asyncio
import csv
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, select

from alpespartners.api.tracking.impresiones import IMPRESIONES
from alpespartners.medicion.carga import a_tope, correr, envio
from alpespartners.medicion.medida import Medida
from alpespartners.medicion.montaje import Proceso, montaje, parando
from alpespartners.medicion.nucleos import en_el_de_la_carga, en_el_de_los_servidores
from alpespartners.medicion.programa import ejecutar
from alpespartners.modulos.tracking.aplicacion.puertos import Consulta
from alpespartners.modulos.tracking.dominio.repositorios import FiltroCorriente
from alpespartners.modulos.tracking.infraestructura.libro.filas import tabla_de
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.lecturas import LecturasSQLite
from alpespartners.traspaso.apuntes import Apuntes
from alpespartners.traspaso.cliente import Cliente
from alpespartners.traspaso.exportacion import PedidoDeExportacion, exportar
from alpespartners.traspaso.formatos import EnCSV, EnNDJSON, Formato
from alpespartners.traspaso.importacion import importar
from alpespartners.traspaso.parquet import EnParquet
from rendimiento.llenado import Reparto, llenar_sqlite

T = TypeVar("T")

_FORMATOS: Final[dict[str, Callable[[Any], Formato]]] = {
    "CSV": EnCSV,
    "NDJSON": EnNDJSON,
    "Parquet": EnParquet,
}
_A_LA_VEZ: Final = 8
_SEGUNDOS: Final = 2.0


def medir(*, breve: bool) -> Sequence[Medida]:
    """Devuelve las filas de la meta k que dicen lo que tarda un traspaso.

    Args:
        breve: unos segundos, y pocos eventos.
    """
    exportadas, importadas, vueltas = (5_000, 500, 1) if breve else (100_000, 10_000, 3)
    return [*_exportar(exportadas, vueltas), _importar(importadas, vueltas)]


def _exportar(cuantas: int, vueltas: int) -> Sequence[Medida]:
    with (
        tempfile.TemporaryDirectory() as carpeta,
        closing(_Lector(Path(carpeta))) as lector,
        en_el_de_la_carga(),
    ):
        llenar_sqlite(lector.datos, Reparto(eventos=cuantas))
        trabajos = {"techo": lector.a_mano, **{nombre: lector.exportador(nombre) for nombre in _FORMATOS}}
        ritmos: dict[str, list[float]] = {nombre: [] for nombre in trabajos}
        for vuelta in range(vueltas):
            for nombre, trabajo in trabajos.items():
                comienzo = time.perf_counter()
                trabajo(Path(carpeta) / f"{nombre}-{vuelta}")
                ritmos[nombre].append(cuantas / (time.perf_counter() - comienzo))
    return [
        Medida(
            meta="m",
            nombre=f"Filas por segundo exportadas a {nombre} y comprobadas, SQLite",
            medido=f"{median(ritmos[nombre]):.0f}/s",
            techo=f"{median(ritmos['techo']):.0f}/s leerlas y escribirlas sin más",
            cifra=median(suyo / techo for suyo, techo in zip(ritmos[nombre], ritmos["techo"], strict=True)),
            como_minimo=True,
        )
        for nombre in _FORMATOS
    ]


class _Lector:
    """Una base de datos SQLite, y lo que se hace con ella."""

    def __init__(self, carpeta: Path) -> None:
        self.datos = carpeta / "datos"
        self._lecturas = LecturasSQLite(self.datos)
        self._bucle = asyncio.Runner()

    def close(self) -> None:
        self._lecturas.cerrar()
        self._bucle.close()

    def exportador(self, nombre: str) -> Callable[[Path], object]:
        """Lo que exporta en ese formato."""
        return lambda ruta: exportar(
            self._leer,
            PedidoDeExportacion(
                clase=IMPRESIONES,
                filtro=FiltroCorriente(),
                formato=_FORMATOS[nombre](IMPRESIONES.forma),
                identidad=nombre,
                ruta=ruta,
            ),
            avanza=lambda *_: None,
        )

    def a_mano(self, ruta: Path) -> None:
        """Las mismas filas, como salen, en un CSV: sin entidades, sin poder seguir y sin comprobar."""

        def copiar(conexion: Connection) -> None:
            with ruta.open("w", encoding="utf-8", newline="") as archivo:
                csv.writer(archivo).writerows(conexion.execute(select(tabla_de(IMPRESIONES.clase))))

        self._lecturas.leer_libro(copiar)

    def _leer(self, consulta: Callable[[Consulta], T]) -> T:
        return self._bucle.run(self._lecturas.leer(consulta))


def _importar(cuantas: int, vueltas: int) -> Medida:
    with montaje() as servicio, tempfile.TemporaryDirectory() as carpeta, ExitStack() as pila:
        with en_el_de_los_servidores():
            api = servicio.api()
        pila.enter_context(parando(api))
        with en_el_de_la_carga():
            ritmos = [
                (_ritmo_importando(api, Path(carpeta) / f"{vuelta}.ndjson", cuantas), _ritmo_a_tope(api))
                for vuelta in range(vueltas)
            ]
    return Medida(
        meta="m",
        nombre=f"Filas por segundo importadas, {_A_LA_VEZ} a la vez, sin consumidores",
        medido=f"{median(suyo for suyo, _ in ritmos):.0f}/s",
        techo=f"{median(techo for _, techo in ritmos):.0f}/s envíos a tope por {_A_LA_VEZ} conexiones",
        cifra=median(suyo / techo for suyo, techo in ritmos),
        como_minimo=True,
    )


def _ritmo_importando(api: Proceso, ruta: Path, cuantas: int) -> float:
    """Las filas por segundo de un archivo recién escrito.

    Raises:
        RuntimeError: alguna no se aceptó.
    """
    ruta.write_text(
        "".join(f'{{"id":"{ruta.stem}-{n}","campaña_id":"cmp-1"}}\n' for n in range(cuantas)),
        encoding="utf-8",
    )
    cliente = Cliente(f"http://127.0.0.1:{api.puerto}", None, espera=10)
    comienzo = time.perf_counter()
    with ruta.open("rb") as archivo, Apuntes(ruta, "", cliente.direccion) as apuntes:
        importar(
            archivo,
            "ndjson",
            cliente,
            apuntes,
            huella="",
            clase=IMPRESIONES.clase,
            a_la_vez=_A_LA_VEZ,
            avanza=lambda *_: None,
        )
    if apuntes.cuentas.aceptadas != cuantas:
        raise RuntimeError(f"se aceptaron {apuntes.cuentas.aceptadas} filas de {cuantas}")
    return cuantas / (time.perf_counter() - comienzo)


def _ritmo_a_tope(api: Proceso) -> float:
    cuerpos = map(_cuerpo, map(str, count()))
    fabrica = (envio(api.puerto, "/tracking/impresiones", cuerpo) for cuerpo in cuerpos).__next__
    resultado = correr(a_tope(api.puerto, fabrica, _SEGUNDOS, conexiones=_A_LA_VEZ, dejando_dormir=True))
    resultado.exigir(202)
    return resultado.por_segundo


def _cuerpo(id_evento: str) -> bytes:
    return f'{{"id":"{id_evento}","campaña_id":"cmp-1"}}'.encode()


if __name__ == "__main__":
    ejecutar("Filas por segundo exportadas e importadas.", medir)
