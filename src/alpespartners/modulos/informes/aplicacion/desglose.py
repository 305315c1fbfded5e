"""El desglose de una campaña: los grupos mayores de un periodo, cuántos hay y lo de todos juntos.

Qué es: lo que un informe en total y por influencer, cupón o procedencia dice de los primeros, sin traer los
demás.
Qué no es: un informe: no los tiene todos, y por eso no tiene un máximo.
Por qué existe: quien mira quiere los primeros, y traer cuarenta mil para ordenarlos frena a quien envía.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from alpespartners.modulos.informes.aplicacion.informe import Fila, lo_que_cabe
from alpespartners.modulos.informes.aplicacion.orden import Orden
from alpespartners.modulos.informes.aplicacion.pedido import PedidoDeInforme
from alpespartners.modulos.informes.aplicacion.puertos import (
    Contada,
    Dimension,
    LecturaDeCampañas,
    Mayores,
)
from alpespartners.modulos.informes.dominio.bots import Bots
from alpespartners.modulos.informes.dominio.metricas import Metricas, metricas


@dataclass(frozen=True, slots=True)
class Desglose:
    """Las filas, de más a menos.

    Attributes:
        filas: las primeras, una por grupo.
        cuantas: las que habría con todos los grupos.
        total: lo de todos.
    """

    filas: Sequence[Fila]
    cuantas: int
    total: Metricas


async def desglosar(
    lectura: LecturaDeCampañas, pedido: PedidoDeInforme, por: Dimension, orden: Orden, maximo: int
) -> Desglose:
    """Cuenta lo de los primeros grupos del periodo que se pide, sin partirlo ni compararlo.

    Args:
        lectura: de dónde sale.
        pedido: de qué campaña y en qué periodo.
        por: influencer, cupón o una procedencia.
        orden: por cuál son los primeros.
        maximo: cuántos.

    Raises:
        InformeImposible: habría que mirar demasiados eventos uno a uno.
    """
    with lo_que_cabe(pedido, maximo):
        mayores = await lectura.mayores(pedido.sujeto_id, pedido.periodo, por, orden, pedido.bots, maximo)
    # Fuera del bucle: pueden ser miles.
    return await asyncio.to_thread(_armar, mayores, pedido, Contada._fields.index(por.value))


def _armar(mayores: Mayores, pedido: PedidoDeInforme, columna: int) -> Desglose:
    grupos: dict[str, list[Contada]] = {}
    for contada in mayores.contadas:
        grupos.setdefault(str(contada[columna]), []).append(contada)
    filas = [
        Fila(pedido.periodo, (grupo,), _metricas(suyas, pedido.bots), None) for grupo, suyas in grupos.items()
    ]
    return Desglose(filas, mayores.cuantos, _metricas(mayores.de_todos, pedido.bots))


def _metricas(contadas: Collection[Contada], bots: Bots) -> Metricas:
    return metricas({(una.tipo, una.clase, una.moneda): una.cuenta for una in contadas}, bots)
