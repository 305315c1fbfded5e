"""Lo que hay en la base de datos, leído por fuera del programa mientras este trabaja.

Qué es: unas pocas consultas de solo lectura, con parámetros, sobre un archivo SQLite o un PostgreSQL.
Qué no es: los repositorios del producto; quien audita no debe creerles.
Por qué existe: contar lo que hay, por identidad de comando, es la mitad de la auditoría.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import asyncpg
from sqlalchemy import Connection

from alpespartners.modulos.tracking.aplicacion.topicos import (
    COMANDO_REGISTRAR_CONVERSION,
    COMANDO_REGISTRAR_IMPRESION,
)
from alpespartners.modulos.tracking.infraestructura.motores.base_datos import LecturasDelLibro
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.lecturas import LecturasPostgreSQL
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.archivo import (
    archivo_de,
    biblioteca_sqlite,
)
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.lecturas import LecturasSQLite
from tests.apoyo.cuentas import (
    Cuentas,
    DeUsuarios,
    contadas_desde_las_filas,
    cuentas_guardadas,
    usuarios_desde_las_filas,
    usuarios_guardados,
)
from tests.muerte.carga import Aceptado
from tests.muerte.envios import CONVERSIONES, IMPRESIONES

TOPICOS: Final[Mapping[str, str]] = {
    IMPRESIONES: COMANDO_REGISTRAR_IMPRESION,
    CONVERSIONES: COMANDO_REGISTRAR_CONVERSION,
}

Leer = Callable[..., Sequence[Sequence[Any]]]
"""Ejecuta una consulta, cuyos parámetros se escriben `$1`, `$2`…, y devuelve sus filas."""


@dataclass(frozen=True, slots=True)
class Asiento:
    """Una fila de la tabla de destinos."""

    comando_id: str
    evento_id: str | None
    estado: str
    motivo: str | None
    original: str | None


class Libro:
    """Una base de datos.

    Args:
        leer: cómo se le pregunta.
        tablas: la consulta que da el nombre de las que hay.
        textos: la consulta que da, uno por fila, los textos de un arreglo JSON, que es su parámetro `$1`.
        lecturas: con qué se cuentan las filas y se leen las cuentas en un mismo instante.
    """

    def __init__(
        self, leer: Leer, tablas: str, textos: str, lecturas: Callable[[], LecturasDelLibro]
    ) -> None:
        self._leer = leer
        self._lecturas = lecturas
        self._tablas = tablas
        self._textos = textos

    def tiene_tablas(self) -> bool:
        """Dice si ya está migrada."""
        return ("bandeja_salida",) in map(tuple, self._leer(self._tablas))

    def sin_destino(self, aceptados: Iterable[Aceptado]) -> list[Aceptado]:
        """Los aceptados que todavía no acabaron en nada."""
        buscados = list(aceptados)
        ids = json.dumps([aceptado.envio.id for aceptado in buscados])
        comandos = json.dumps([aceptado.comando_id for aceptado in buscados])
        hallados = {
            (clase, str(fila[0]))
            for clase, topico in TOPICOS.items()
            for consulta, parametros in (
                (f"SELECT comando_id FROM {clase} WHERE id IN ({self._textos})", (ids,)),  # noqa: S608 (son sus nombres)
                (
                    f"SELECT comando_id FROM destinos WHERE comando_id IN ({self._textos}) AND topico = $2",  # noqa: S608
                    (comandos, topico),
                ),
            )
            for fila in self._leer(consulta, *parametros)
        }
        return [a for a in buscados if (a.envio.clase, a.comando_id) not in hallados]

    def envios_pendientes(self) -> int:
        """Cuántas cartas y filas quedan por publicar, contadas una a una."""
        contadas = [
            "SELECT count(*) FROM bandeja_salida",
            *(
                f"SELECT count(*) FROM {clase} JOIN carriles ON numero = carril"  # noqa: S608 (es suya)
                " WHERE secuencia > publicado_hasta"
                for clase in TOPICOS
            ),
        ]
        return sum(int(self._leer(consulta)[0][0]) for consulta in contadas)

    def registrados(self, clase: str) -> list[tuple[str, str]]:
        """Todas las filas de una clase de eventos: `id` y `comando_id`."""
        filas = self._leer(f"SELECT id, comando_id FROM {clase}")  # noqa: S608 (es una de las dos suyas)
        return [(str(fila[0]), str(fila[1])) for fila in filas]

    def asientos(self, clase: str) -> list[Asiento]:
        """Todos los destinos de una clase que no son una fila suya."""
        return [
            Asiento(*fila)
            for fila in self._leer(
                "SELECT comando_id, evento_id, estado, motivo, original FROM destinos WHERE topico = $1",
                TOPICOS[clase],
            )
        ]

    def balance(self, clase: str) -> Counter[tuple[str, str | None]]:
        """Lo sumado en el balance de una clase, por estado y motivo."""
        filas = self._leer(
            "SELECT estado, motivo, sum(cuantos) FROM balance WHERE topico = $1 GROUP BY estado, motivo",
            TOPICOS[clase],
        )
        return Counter({(estado, motivo or None): int(cuantos) for estado, motivo, cuantos in filas})

    def cuentas_equivocadas(self) -> set[object]:
        """Lo que las cuentas de los informes dicen y las filas no, y al revés."""
        lecturas = self._lecturas()
        try:
            (contadas, usuarios), (guardadas, usuarios_suyos) = lecturas.leer_libro(_contado_y_guardado)
        finally:
            lecturas.cerrar()
        diferentes: set[object] = {
            ("usuarios_por_dia", *diferente) for diferente in usuarios.items() ^ usuarios_suyos.items()
        }
        return diferentes | {
            (tabla, *diferente)
            for tabla in contadas
            for diferente in contadas[tabla].items() ^ guardadas[tabla].items()
        }


def _contado_y_guardado(
    conexion: Connection,
) -> tuple[tuple[Cuentas, DeUsuarios], tuple[Cuentas, DeUsuarios]]:
    """Lo que sale de las filas y lo que hay guardado, del mismo instante."""
    return (
        (contadas_desde_las_filas(conexion), usuarios_desde_las_filas(conexion)),
        (cuentas_guardadas(conexion), usuarios_guardados(conexion)),
    )


def libro_sqlite(datos: Path) -> Libro:
    """El libro que hay en una carpeta de datos."""
    uri = f"{archivo_de(datos).as_uri()}?mode=ro"

    def leer(consulta: str, *parametros: str) -> Sequence[Sequence[Any]]:
        numerados = consulta.replace("$", "?")
        with closing(biblioteca_sqlite().connect(uri, uri=True, timeout=20)) as conexion:
            filas: list[tuple[Any, ...]] = conexion.execute(numerados, parametros).fetchall()
            return filas

    return Libro(
        leer,
        "SELECT name FROM sqlite_master",
        "SELECT value FROM json_each($1)",
        partial(LecturasSQLite, datos),
    )


def libro_postgresql(url: str) -> Libro:
    """El libro que hay en una base de datos PostgreSQL."""

    async def preguntar(consulta: str, parametros: Sequence[str]) -> Sequence[Sequence[Any]]:
        conexion = await asyncpg.connect(url, timeout=20)
        try:
            filas: Sequence[Sequence[Any]] = await conexion.fetch(consulta, *parametros)
            return filas
        finally:
            await conexion.close()

    def leer(consulta: str, *parametros: str) -> Sequence[Sequence[Any]]:
        return asyncio.run(preguntar(consulta, parametros))

    return Libro(
        leer,
        "SELECT relname::text FROM pg_class",
        "SELECT jsonb_array_elements_text($1::jsonb)",
        partial(LecturasPostgreSQL, url),
    )
