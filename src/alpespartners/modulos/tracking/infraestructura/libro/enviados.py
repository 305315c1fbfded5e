"""Lo enviado en un comando que no es una fila del libro: se guarda con su destino y se olvida a su tiempo.

Qué es: la tabla aparte de los destinos, en JSON que conserva los dígitos de un importe y los instantes.
Qué no es: una fila del libro; de lo registrado, lo enviado es ella.
Por qué existe: lleva datos de personas, y el destino, que no los lleva, hay que conservarlo para siempre.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Delete, Select, bindparam, delete, select, tuple_

from alpespartners.modulos.tracking.aplicacion.mensajes import DestinoDeComando, IdentidadComando
from alpespartners.modulos.tracking.infraestructura.libro.tablas import enviados as tabla
from alpespartners.seedwork.sql.sentencias import (
    en_tandas,
    entre_las_claves,
    insertar_lo_nuevo,
    motor_de,
)
from alpespartners.seedwork.sql.tipos import Instante

# Un `Decimal` se escribe como texto, y así no pasa por coma flotante quien lo lea.
_CODIFICADOR: Final = msgspec.json.Encoder()
_DE_TEXTO: Final[Mapping[str, Any]] = {"valor": Decimal, "timestamp": datetime.fromisoformat}


def guardar_enviados(conexion: Connection, topico: str, asientos: Sequence[DestinoDeComando]) -> None:
    """Guarda lo enviado en cada uno de esos comandos, si hay algo que guardar."""
    filas: list[dict[str, object]] = [
        {
            "topico": topico,
            "comando_id": asiento.identidad.comando_id,
            "huella": asiento.identidad.huella,
            "campos": _CODIFICADOR.encode(asiento.enviado).decode(),
            "recibido_en": asiento.recibido_en,
        }
        for asiento in asientos
        if asiento.enviado is not None
    ]
    insertar_lo_nuevo(conexion, tabla, filas)


def enviados_de(
    conexion: Connection, topico: str, comandos: Collection[str]
) -> dict[IdentidadComando, Mapping[str, Any]]:
    """Devuelve lo que se guarda de esos `comando_id`; falta lo que no se guardó y lo que ya se olvidó."""
    suyos = _de_comandos(motor_de(conexion))
    return {
        IdentidadComando(comando_id, huella): _leer(campos)
        for tanda in en_tandas(conexion, comandos)
        for comando_id, huella, campos in conexion.execute(suyos, tanda | {"del_topico": topico})
    }


def _leer(texto: str) -> Mapping[str, Any]:
    """Devuelve cada campo con su tipo."""
    campos: dict[str, Any] = msgspec.json.decode(texto)
    for nombre, leer in _DE_TEXTO.items():
        if campos.get(nombre) is not None:
            campos[nombre] = leer(campos[nombre])
    return campos


def olvidar_enviados(conexion: Connection, recibidos_antes_de: datetime, limite: int) -> int:
    """Borra hasta `limite` de lo recibido antes de ese instante, lo más antiguo primero; devuelve cuántos."""
    return conexion.execute(_olvido(), {"antes_de": recibidos_antes_de, "limite": limite}).rowcount


@cache
def _de_comandos(motor: str) -> Select[Any]:
    return select(tabla.c.comando_id, tabla.c.huella, tabla.c.campos).where(
        tabla.c.topico == bindparam("del_topico"), entre_las_claves(motor, tabla.c.comando_id)
    )


@cache
def _olvido() -> Delete:
    clave = tuple_(*tabla.primary_key)
    # Lo que otro consumidor está borrando no se espera: ya es suyo.
    viejos = (
        select(*tabla.primary_key)
        .where(tabla.c.recibido_en < bindparam("antes_de", type_=Instante()))
        .order_by(tabla.c.recibido_en)
        .limit(bindparam("limite"))
        .with_for_update(skip_locked=True)
    )
    return delete(tabla).where(clave.in_(viejos))
