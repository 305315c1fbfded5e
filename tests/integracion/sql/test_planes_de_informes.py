"""Ni las páginas de campañas y de influencers ni sus informes recorren una tabla: salen de un índice."""

import asyncio
import re
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, event, text

from alpespartners.modulos.informes.aplicacion.puertos import Dimension
from alpespartners.modulos.informes.aplicacion.ritmo import ultimos_dias
from alpespartners.modulos.informes.dominio.intervalos import Intervalo
from alpespartners.modulos.informes.infraestructura.lecturas import LecturaDeCuentasSQL
from alpespartners.modulos.informes.infraestructura.lecturas_de_influencer import LecturaDeInfluencerSQL
from alpespartners.modulos.informes.infraestructura.resumenes import ResumenesSQL
from alpespartners.modulos.informes.infraestructura.turnos import LibroQueSeLee
from alpespartners.modulos.tracking.infraestructura.libro.hechos import hechos
from alpespartners.modulos.tracking.infraestructura.motores.base_datos import LecturasDelLibro
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.lecturas import LecturasPostgreSQL
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.lecturas import LecturasSQLite
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.libro import migrar
from tests.apoyo.postgresql import SIN_PRISA, ServidorDePrueba

T = TypeVar("T")

JUEVES = datetime(2025, 6, 12, tzinfo=UTC)
INDICE = "ix_cuentas_por_semana_influencer_id_semana_campana_id"


class LibroQueExplica:
    """Un libro que, antes de cada lectura, anota cómo la resolvería el motor."""

    def __init__(self, lecturas: LecturasDelLibro, orden: str, *ajustes: str) -> None:
        self.planes: list[str] = []
        self._lecturas = lecturas
        self._orden = orden
        self._ajustes = ajustes

    async def en_transaccion(self, trabajo: Callable[[Connection | None], T]) -> T:
        def explicado(conexion: Connection | None) -> T:
            assert conexion is not None
            for ajuste in self._ajustes:
                conexion.execute(text(ajuste))
            event.listen(conexion, "before_cursor_execute", self._anotar)
            try:
                return trabajo(conexion)
            finally:
                event.remove(conexion, "before_cursor_execute", self._anotar)

        return await self._lecturas.en_transaccion(explicado)

    def _anotar(self, _c: Any, cursor: Any, sentencia: str, parametros: Any, *_: Any) -> None:
        cursor.execute(f"{self._orden} {sentencia}", parametros)
        self.planes += [str(fila[-1]) for fila in cursor.fetchall()]


def _campañas(libro: LibroQueSeLee) -> Coroutine[Any, Any, object]:
    return ResumenesSQL(libro, hechos()).campañas("cmp", None, 10)


def _influencers(libro: LibroQueSeLee) -> Coroutine[Any, Any, object]:
    return ResumenesSQL(libro, hechos()).influencers("", "inf", 10)


def _ritmos(libro: LibroQueSeLee) -> Coroutine[Any, Any, object]:
    return ResumenesSQL(libro, hechos()).ritmos(["cmp-1", "cmp-2"], ultimos_dias(JUEVES))


def _informe(libro: LibroQueSeLee) -> Coroutine[Any, Any, object]:
    # Semanas enteras y días sueltos.
    intervalos = [Intervalo(JUEVES, JUEVES + timedelta(days=30))]
    return LecturaDeInfluencerSQL(libro, hechos()).contar("inf", intervalos, [Dimension.CAMPAÑA], 100)


def _informe_de_horas(libro: LibroQueSeLee) -> Coroutine[Any, Any, object]:
    # Filas sueltas.
    intervalos = [Intervalo(JUEVES, JUEVES + timedelta(days=30, hours=5))]
    return LecturaDeInfluencerSQL(libro, hechos()).contar("inf", intervalos, [Dimension.CAMPAÑA], 100)


def _procedencias(libro: LibroQueSeLee) -> Coroutine[Any, Any, object]:
    # Días enteros y filas sueltas.
    intervalos = [Intervalo(JUEVES, JUEVES + timedelta(days=30, hours=5))]
    return LecturaDeCuentasSQL(libro, hechos()).contar("cmp", intervalos, [Dimension.PAIS], 100)


_DE_CAMPAÑAS = (_campañas, _ritmos, _procedencias)
_DE_UNO = (_informe, _informe_de_horas)
_DE_SUS_DIAS = re.compile(r"campana_id=\? AND dia=\? AND influencer_id=\?")
_DE_SUS_INSTANTES = re.compile(r"influencer_id=\? AND ocurrido_en>\? AND ocurrido_en<\?")
LECTURAS = pytest.mark.parametrize(
    "leer", [_campañas, _influencers, _ritmos, _informe, _informe_de_horas, _procedencias]
)


@LECTURAS
def test_en_sqlite_ninguna_recorre_una_tabla(
    tmp_path: Path, leer: Callable[[LibroQueSeLee], Coroutine[Any, Any, object]]
) -> None:
    migrar(tmp_path)
    lecturas = LecturasSQLite(tmp_path)
    libro = LibroQueExplica(lecturas, "EXPLAIN QUERY PLAN")
    asyncio.run(leer(libro))
    lecturas.cerrar()
    tablas = ("cuentas_por_", "impresiones", "conversiones")
    de_tablas = [paso for paso in libro.planes if any(tabla in paso for tabla in tablas)]
    assert de_tablas != []
    assert [paso for paso in de_tablas if not paso.startswith("SEARCH")] == []
    assert any(INDICE in paso for paso in de_tablas) == (leer not in _DE_CAMPAÑAS)
    # Por la campaña sola se mirarían los días de todos sus influencers, y por el influencer, todo lo suyo.
    de_uno = [paso for paso in de_tablas if leer in _DE_UNO and INDICE not in paso]
    assert [
        paso for paso in de_uno if not (_DE_SUS_DIAS.search(paso) or _DE_SUS_INSTANTES.search(paso))
    ] == []


@LECTURAS
def test_en_postgresql_ninguna_recorre_una_tabla_aunque_nadie_la_haya_mirado(
    servidor_postgresql: ServidorDePrueba, leer: Callable[[LibroQueSeLee], Coroutine[Any, Any, object]]
) -> None:
    lecturas = LecturasPostgreSQL(servidor_postgresql.base_nueva(), limite=SIN_PRISA)
    # Con tablas vacías, recorrerlas es lo mejor.
    libro = LibroQueExplica(
        lecturas, "EXPLAIN", "SET LOCAL enable_seqscan = off", "SET LOCAL enable_bitmapscan = off"
    )
    asyncio.run(leer(libro))
    lecturas.cerrar()
    assert libro.planes != []
    assert [paso for paso in libro.planes if "Seq Scan on" in paso] == []
    assert any("Index Cond" in paso for paso in libro.planes)
    assert any(INDICE in paso for paso in libro.planes) == (leer not in _DE_CAMPAÑAS)
