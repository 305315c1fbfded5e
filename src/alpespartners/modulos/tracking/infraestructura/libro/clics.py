"""Los clics registrados, para quien registra lo que vino de ellos.

Qué es: de cada uno, su campaña y su lectura, por la clave de su fila.
Qué no es: el repositorio de impresiones, que lee la fila entera y no sigue si otra mano la dejó ilegible.
Por qué existe: una compra no puede quedarse sin registrar por la fila de su clic.
"""

from collections.abc import Collection
from contextlib import suppress
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, select

from alpespartners.modulos.tracking.aplicacion.puertos import ClicLeido
from alpespartners.modulos.tracking.dominio.objetos_valor import TipoEvento
from alpespartners.modulos.tracking.infraestructura.libro.filas import lectura_guardada
from alpespartners.modulos.tracking.infraestructura.libro.tablas import impresiones
from alpespartners.seedwork.sql.sentencias import en_tandas, entre_las_claves, motor_de


class ClicsSQL:
    """Los del libro, sobre una conexión con una transacción abierta; cumple `LecturasDeClics`."""

    def __init__(self, conexion: Connection) -> None:
        self._conexion = conexion

    def leidos(self, ids: Collection[str]) -> dict[str, ClicLeido]:
        """Devuelve, de entre esos `id`, los de un clic registrado y leído."""
        consulta = _leidos(motor_de(self._conexion))
        hallados: dict[str, ClicLeido] = {}
        for tanda in en_tandas(self._conexion, ids):
            for clic_id, campana_id, lectura in self._conexion.execute(consulta, tanda):
                # La que otra mano dejó ilegible la nombra quien recorre el libro.
                with suppress(msgspec.MsgspecError):
                    hallados[clic_id] = ClicLeido(campana_id, lectura_guardada(lectura))
        return hallados


@cache
def _leidos(motor: str) -> Select[Any]:
    columnas = impresiones.c
    return select(columnas.id, columnas.campana_id, columnas.lectura).where(
        entre_las_claves(motor, columnas.id),
        columnas.tipo_evento == TipoEvento.CLIC.value,
        columnas.lectura.is_not(None),
    )
