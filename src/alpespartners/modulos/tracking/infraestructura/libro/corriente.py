"""La corriente, en SQL: los eventos de una clase por orden de llegada.

Qué es: lo que se lee por la columna `secuencia`, un tramo acotado cada vez, y los filtros que comparte con
las listas.
Qué no es: cómo se da el número ni hasta dónde está todo; eso es de `seedwork/sql/orden_de_llegada.py`.
Por qué existe: quien copia el libro a otro sitio lo lee así, y ningún filtro, por raro que sea, hace que la
base de datos lo recorra entero en una petición.
"""

import hashlib
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import ColumnElement, Connection, func, select

from alpespartners.modulos.tracking.aplicacion.clases import Clase, ClaseDeEvento
from alpespartners.modulos.tracking.dominio.entidades import EventoSeguido
from alpespartners.modulos.tracking.dominio.repositorios import (
    FiltroCorriente,
    FiltroEventos,
    Tramo,
    TramoContado,
)
from alpespartners.modulos.tracking.infraestructura.libro.filas import a_entidad, tabla_de
from alpespartners.modulos.tracking.infraestructura.libro.tablas import libro
from alpespartners.seedwork.sql.orden_de_llegada import frontera

E = TypeVar("E", bound=EventoSeguido[Any])

FILAS_MIRADAS: Final = 50_000
"""Las que como mucho se miran para un tramo, cumplan o no el filtro: unas centésimas de segundo."""

FILAS_CONTADAS: Final = 1_000_000
"""Las que como mucho se miran, en su índice, para saber dónde empieza lo registrado desde un instante."""

_OCTETOS_DEL_SELLO: Final = 8


def condiciones(clase: Clase, filtro: FiltroEventos) -> list[ColumnElement[bool]]:
    """Las de que una fila de esa clase cumpla el filtro."""
    columnas = tabla_de(clase).c
    pedidas = {
        columnas.campana_id: filtro.campaña_id,
        columnas.influencer_id: filtro.influencer_id,
        columnas[clase.campo_tipo]: filtro.tipo,
    }
    todas = [columna == valor for columna, valor in pedidas.items() if valor is not None]
    if filtro.desde is not None:
        todas.append(columnas.ocurrido_en >= filtro.desde)
    if filtro.hasta is not None:
        todas.append(columnas.ocurrido_en < filtro.hasta)
    return todas


class CorrienteSQL(Generic[E]):
    """La de una clase; cumple `LecturaCorriente`."""

    def __init__(self, conexion: Connection, clase: ClaseDeEvento[E]) -> None:
        self._conexion = conexion
        self._clase = clase
        self._tabla = tabla_de(clase)

    def frontera(self) -> int:
        """Devuelve el número hasta el que está todo."""
        return frontera(self._conexion, self._tabla)

    def leer(self, filtro: FiltroCorriente, despues_de: int, frontera: int, limite: int) -> Tramo[E]:
        """Devuelve hasta `limite` eventos de los que van detrás de `despues_de`, y de la frontera ninguno."""
        columnas = self._tabla.c
        filtros = self._condiciones(filtro)
        hasta = self._ultimo_que_se_mira(despues_de, frontera) if filtros else frontera
        consulta = (
            select(self._tabla)
            .where(columnas.secuencia > despues_de, columnas.secuencia <= hasta, *filtros)
            .order_by(columnas.secuencia)
            .limit(limite)
        )
        filas = self._conexion.execute(consulta).all()
        if len(filas) == limite:
            hasta = filas[-1].secuencia
        return Tramo([a_entidad(self._clase, fila) for fila in filas], max(despues_de, hasta))

    def contar(self, filtro: FiltroCorriente, despues_de: int, frontera: int) -> TramoContado:
        """Cuenta los que van detrás de `despues_de`, y de la frontera ninguno; mira como mucho unos miles."""
        secuencia = self._tabla.c.secuencia
        hasta = self._ultimo_que_se_mira(despues_de, frontera)
        consulta = (
            select(func.count())
            .select_from(self._tabla)
            .where(secuencia > despues_de, secuencia <= hasta, *self._condiciones(filtro))
        )
        return TramoContado(self._conexion.scalar(consulta) or 0, max(despues_de, hasta))

    def antes_de(self, registrado_desde: datetime, frontera: int) -> int:
        """Devuelve un número que nadie registrado en ese instante o después tiene, ni ninguno menor.

        El mayor que hay, si lo registrado desde entonces no pasa de un millón; si pasa, 0.
        """
        columnas = self._tabla.c
        posteriores = (
            select(columnas.secuencia)
            .where(columnas.registrado_en >= registrado_desde)
            .order_by(columnas.registrado_en, columnas.secuencia)
            .limit(FILAS_CONTADAS)
            .subquery()
        )
        primero, cuantos = self._conexion.execute(
            select(func.min(posteriores.c.secuencia), func.count()).select_from(posteriores)
        ).one()
        if cuantos == FILAS_CONTADAS:
            return 0
        # Lo que va detrás de la frontera puede no verse todavía: por ahí no se empieza.
        return frontera if primero is None else min(primero - 1, frontera)

    def sello(self, hasta: int) -> str:
        """Devuelve una huella del libro y de lo último que hay hasta ese número; vacía si no hay nada.

        La identidad distingue a un libro reconstruido; la fila, a uno que se restauró de una copia y siguió:
        lo que se registra otra vez lo hace más tarde.
        """
        columnas = self._tabla.c
        ultima = self._conexion.execute(
            select(
                columnas.secuencia,
                columnas.id,
                columnas.registrado_en,
                select(libro.c.identidad).scalar_subquery().label("identidad"),
            )
            .where(columnas.secuencia <= hasta)
            .order_by(columnas.secuencia.desc())
            .limit(1)
        ).one_or_none()
        if ultima is None:
            return ""
        dicho = f"{ultima.identidad} {ultima.secuencia} {ultima.registrado_en.isoformat()} {ultima.id}"
        return hashlib.blake2b(dicho.encode(), digest_size=_OCTETOS_DEL_SELLO).hexdigest()

    def _condiciones(self, filtro: FiltroCorriente) -> list[ColumnElement[bool]]:
        columnas = self._tabla.c
        filtros = condiciones(self._clase, replace(filtro, campaña_id=None, influencer_id=None))
        for columna, valor in (
            (columnas.campana_id, filtro.campaña_id),
            (columnas.influencer_id, filtro.influencer_id),
        ):
            if valor is not None:
                # Por su índice se leería y se ordenaría todo lo de uno, por mucho que fuera.
                filtros.append(func.coalesce(columna, "") == valor)
        if filtro.registrado_desde is not None:
            filtros.append(columnas.registrado_en >= filtro.registrado_desde)
        return filtros

    def _ultimo_que_se_mira(self, despues_de: int, frontera: int) -> int:
        """El de la fila que cierra las que se miran, contadas desde la primera que hay."""
        secuencia = self._tabla.c.secuencia
        primero = self._conexion.scalar(select(func.min(secuencia)).where(secuencia > despues_de))
        return frontera if primero is None else min(primero + FILAS_MIRADAS - 1, frontera)
