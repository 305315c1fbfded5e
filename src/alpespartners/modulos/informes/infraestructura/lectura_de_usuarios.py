"""Leer los usuarios de una campaña por intervalos, en SQL.

Qué es: los bocetos de los días que abarcan, unidos según se leen.
Por qué existe: noventa días de dieciséis consumidores son mil cuatrocientos bocetos de cuatro kilobytes. Se
leen por tandas, y de cada intervalo se guarda uno: ni la memoria ni el bucle notan cuántos días se pidan.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Connection, Integer, literal, select, tuple_

from alpespartners.modulos.informes.aplicacion.puertos import UsuariosIlegibles
from alpespartners.modulos.informes.dominio.intervalos import Intervalo
from alpespartners.modulos.informes.dominio.unicos import BocetoIlegible
from alpespartners.modulos.informes.dominio.usuarios import Usuarios
from alpespartners.modulos.informes.infraestructura.tablas import usuarios_por_dia
from alpespartners.seedwork.sql.tipos import Instante

_FILAS_A_LA_VEZ: Final = 200
_ANTES_DE_TODOS: Final = -(2**31)
"""Un fragmento menor que cualquiera."""


def usuarios_de(conexion: Connection, campaña_id: str, intervalos: Sequence[Intervalo]) -> list[Usuarios]:
    """Los de cada intervalo, que empieza y acaba con un día de UTC; en su mismo lugar.

    Raises:
        UsuariosIlegibles: otra mano cambió los de un día.
    """
    return [
        usuarios
        for seguidos in _seguidos(intervalos)
        for usuarios in _de_los_seguidos(conexion, campaña_id, seguidos)
    ]


def _seguidos(intervalos: Sequence[Intervalo]) -> Iterator[list[Intervalo]]:
    """Los intervalos, en grupos de los que empiezan donde acaba el anterior."""
    grupo: list[Intervalo] = []
    for intervalo in intervalos:
        if grupo and grupo[-1].hasta != intervalo.desde:
            yield grupo
            grupo = []
        grupo.append(intervalo)
    yield grupo


def _de_los_seguidos(
    conexion: Connection, campaña_id: str, intervalos: Sequence[Intervalo]
) -> list[Usuarios]:
    reunidos = [Usuarios()] * len(intervalos)
    lugar = 0
    for tanda in _tandas(conexion, campaña_id, intervalos[0].desde, intervalos[-1].hasta):
        for dia, suyas in groupby(tanda, attrgetter("dia")):
            while intervalos[lugar].hasta <= dia:
                lugar += 1
            hallados = [Usuarios(fila.eventos, fila.boceto) for fila in suyas]
            try:
                reunidos[lugar] = Usuarios.juntos([reunidos[lugar], *hallados])
            except BocetoIlegible:
                raise UsuariosIlegibles(campaña_id, dia) from None
    return reunidos


def _tandas(
    conexion: Connection, campaña_id: str, desde: datetime, hasta: datetime
) -> Iterator[Sequence[Any]]:
    """Las filas de esos días, por orden."""
    tabla = usuarios_por_dia.c
    ultima = (desde, _ANTES_DE_TODOS)
    while True:
        tanda = conexion.execute(
            select(tabla.dia, tabla.fragmento, tabla.eventos, tabla.boceto)
            .where(
                tabla.campana_id == campaña_id,
                tuple_(tabla.dia, tabla.fragmento)
                > tuple_(literal(ultima[0], Instante()), literal(ultima[1], Integer)),
                tabla.dia < hasta,
            )
            .order_by(tabla.dia, tabla.fragmento)
            .limit(_FILAS_A_LA_VEZ)
        ).all()
        yield tanda
        if len(tanda) < _FILAS_A_LA_VEZ:
            return
        ultima = (tanda[-1].dia, tanda[-1].fragmento)
