"""El balance, en SQL: cuántos comandos acabaron en cada destino, por tópico y motivo.

Qué es: contadores que se suman en la transacción que decide los destinos, y por eso dicen siempre lo mismo
que contar las tablas.
Qué no es: métricas de un proceso; estos números sobreviven a todos.
Por qué existe: contar millones de filas cada vez que alguien pregunta si cuadra no es una respuesta.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import Connection, Insert, case, func, select

from alpespartners.modulos.tracking.aplicacion.mensajes import (
    DestinoDeComando,
    EnviosPendientes,
    RenglonBalance,
)
from alpespartners.modulos.tracking.dominio.destinos import Ignorada, Rechazada
from alpespartners.modulos.tracking.infraestructura.libro.carriles import eventos_pendientes
from alpespartners.modulos.tracking.infraestructura.libro.tablas import balance as tabla
from alpespartners.modulos.tracking.infraestructura.libro.tablas import bandeja_salida
from alpespartners.seedwork.sql.sentencias import insertar_o_sumar, motor_de

_SIN_MOTIVO = ""
_BANDEJA = "bandeja_salida"
_DEPOSITADO = "DEPOSITADO"
_RETIRADO = "RETIRADO"

Cuentas = Counter[tuple[str, str]]
"""Cuántos comandos acabaron en cada estado y motivo; sin motivo, vacío."""


class BalanceSQL:
    """El balance, sobre una conexión con una transacción abierta.

    Args:
        conexion: la de la transacción.
        fragmento: en qué filas suma este proceso; las de otro no las toca.
    """

    def __init__(self, conexion: Connection, fragmento: int = 0) -> None:
        self._conexion = conexion
        self._fragmento = fragmento

    def sumar(self, topico: str, destinos: Sequence[DestinoDeComando]) -> None:
        """Suma destinos recién decididos, cada uno una sola vez."""
        if destinos:
            cuentas = Counter((asiento.destino.estado, motivo_de(asiento)) for asiento in destinos)
            self.sumar_cuentas(topico, cuentas, max(asiento.recibido_en for asiento in destinos))

    def sumar_cuentas(
        self, topico: str, cuentas: Mapping[tuple[str, str], int], procesado_hasta: datetime | None
    ) -> None:
        """Suma cuántos acabaron en cada estado y motivo."""
        if not cuentas:
            return
        self._conexion.execute(
            _suma(motor_de(self._conexion)),
            [
                {
                    "topico": topico,
                    "fragmento": self._fragmento,
                    "estado": estado,
                    "motivo": motivo,
                    "cuantos": cuantos,
                    "procesado_hasta": procesado_hasta,
                }
                # En el orden de su clave: dos consumidores no se esperan uno a otro en círculo.
                for (estado, motivo), cuantos in sorted(cuentas.items())
            ],
        )

    def contar_envios(self, *, depositados: int = 0, retirados: int = 0) -> None:
        """Cuenta envíos que entraron en la tabla de la bandeja o salieron; los carriles se cuentan solos."""
        cuentas = {(_DEPOSITADO, _SIN_MOTIVO): depositados, (_RETIRADO, _SIN_MOTIVO): retirados}
        self.sumar_cuentas(_BANDEJA, {clave: cuantos for clave, cuantos in cuentas.items() if cuantos}, None)

    def renglones(self) -> list[RenglonBalance]:
        """Devuelve lo sumado por todos los procesos, ordenado por tópico, estado y motivo."""
        clave = (tabla.c.topico, tabla.c.estado, tabla.c.motivo)
        filas = self._conexion.execute(
            select(
                *clave,
                func.sum(tabla.c.cuantos).label("cuantos"),
                func.max(tabla.c.procesado_hasta).label("procesado_hasta"),
            )
            .where(tabla.c.topico != _BANDEJA)
            .group_by(*clave)
            .order_by(*clave)
        )
        return [
            RenglonBalance(
                topico=fila.topico,
                estado=fila.estado,
                motivo=fila.motivo or None,
                cuantos=int(fila.cuantos),
                procesado_hasta=fila.procesado_hasta,
            )
            for fila in filas
        ]

    def envios_pendientes(self) -> EnviosPendientes:
        """Devuelve cuántos envíos esperan a publicarse, eventos y cartas, y desde cuándo el más antiguo."""
        sumas = self._conexion.execute(
            select(tabla.c.estado, func.sum(tabla.c.cuantos).label("cuantos"))
            .where(tabla.c.topico == _BANDEJA)
            .group_by(tabla.c.estado)
        )
        cuentas = {fila.estado: int(fila.cuantos) for fila in sumas}
        cartas = cuentas.get(_DEPOSITADO, 0) - cuentas.get(_RETIRADO, 0)
        desde = self._conexion.scalar(
            select(bandeja_salida.c.depositado_en).order_by(bandeja_salida.c.numero).limit(1)
        )
        eventos = eventos_pendientes(self._conexion)
        instantes = [instante for instante in (desde, eventos.desde) if instante is not None]
        return EnviosPendientes(cuantos=cartas + eventos.cuantos, desde=min(instantes, default=None))


@cache
def _suma(motor: str) -> Insert:
    nuevo = insertar_o_sumar(motor, tabla)
    ultimo = nuevo.excluded.procesado_hasta
    return nuevo.on_conflict_do_update(
        index_elements=[*tabla.primary_key],
        set_={
            "cuantos": tabla.c.cuantos + nuevo.excluded.cuantos,
            "procesado_hasta": case(
                (ultimo > tabla.c.procesado_hasta, ultimo), else_=tabla.c.procesado_hasta
            ),
        },
    )


def motivo_de(asiento: DestinoDeComando) -> str:
    """El motivo de un rechazo o de lo ignorado; vacío en los demás destinos."""
    destino = asiento.destino
    return destino.motivo.value if isinstance(destino, Rechazada | Ignorada) else _SIN_MOTIVO
