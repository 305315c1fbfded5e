"""La bandeja de salida, en SQL: lo que se publicará, guardado con lo que lo causó.

Qué es: los eventos, que son las propias filas del libro (`carriles.py`), y la tabla de las cartas muertas,
que no son una fila de nada, con el arriendo de cada una. Quien deja algo pendiente lo tiene ya arrendado,
para publicarlo él mismo tras su commit; si muere, el arriendo vence y otro lo recoge.
Qué no es: el relevo, que publica y espera la confirmación del broker.
Por qué existe: nada puede perderse entre el commit y el broker, y sin arriendo cada barrido publicaría otra
vez lo que solo está esperando a que el broker vuelva. La tabla guarda también los eventos que dejó en ella
una versión anterior a los carriles.
"""

from collections.abc import Collection, Sequence
from datetime import timedelta
from functools import cache
from typing import Final

from sqlalchemy import Connection, Delete, Integer, Text, column, delete, func, select, table, update

from alpespartners.modulos.tracking.aplicacion.clases import clase_de
from alpespartners.modulos.tracking.aplicacion.mensajes import Envio, EventoNumerado, MensajeIlegible, Sobre
from alpespartners.modulos.tracking.infraestructura.libro.balance import BalanceSQL
from alpespartners.modulos.tracking.infraestructura.libro.carriles import CarrilesPropios
from alpespartners.modulos.tracking.infraestructura.libro.filas import FilaLeida
from alpespartners.modulos.tracking.infraestructura.libro.tablas import bandeja_salida as tabla
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import sobre_de_carta, sobre_de_evento
from alpespartners.seedwork.sql.sentencias import (
    en_tandas,
    entre_las_claves,
    es_postgresql,
    insertar,
    motor_de,
    siguientes,
)
from alpespartners.seedwork.sql.tipos import RelojDeLaBase

OCTETOS_POR_RESERVA: Final = 16 * 1024 * 1024
"""Una carta muerta lleva el mensaje entero, que puede ocupar 5 MB; dos mil no caben en la memoria."""

_SECUENCIA = "bandeja_salida_numero_seq"
"""La que PostgreSQL crea con la columna `numero`."""
_NUMERADAS = table("sqlite_sequence", column("name", Text), column("seq", Integer))
"""Donde SQLite guarda el último número de cada tabla con AUTOINCREMENT; lo crea él."""
_ULTIMO = select(_NUMERADAS.c.seq).where(_NUMERADAS.c.name == tabla.name)
_RELOJ = select(RelojDeLaBase())


class BandejaSalidaSQL:
    """La bandeja, sobre una conexión con una transacción abierta.

    Args:
        conexion: la de la transacción.
        arriendo: lo que tiene una carta quien la depositó o la reservó.
        balance: donde se cuentan las cartas.
        carriles: los de este proceso, donde se deja dicho qué filas están por publicar.
    """

    def __init__(
        self,
        conexion: Connection,
        arriendo: timedelta,
        balance: BalanceSQL,
        carriles: CarrilesPropios,
    ) -> None:
        self._conexion = conexion
        self._balance = balance
        self._arriendo = arriendo
        self._carriles = carriles

    def depositar_eventos(self, eventos: Sequence[EventoNumerado]) -> list[Envio]:
        """Deja pendientes los eventos de filas que esta transacción agregó, todos de una clase.

        Devuelve sus envíos, por orden de llegada.

        Raises:
            CarrilPerdido: en su carril no se puede seguir.
        """
        if not eventos:
            return []
        por_llegada = sorted(eventos, key=lambda numerado: numerado.numero)
        numeros = [numerado.numero for numerado in por_llegada]
        antes = self._carriles.depositar(clase_de(por_llegada[0].evento), numeros)
        return [
            Envio(numero, sobre_de_evento(evento, traza), antes.numero, anterior)
            for anterior, (numero, evento, traza) in zip(
                [antes.ultimo, *numeros[:-1]], por_llegada, strict=True
            )
        ]

    def depositar_cartas(self, topico: str, cartas: Sequence[MensajeIlegible]) -> list[Envio]:
        """Deposita mensajes ilegibles del tópico para sus cartas muertas, y devuelve sus envíos."""
        if not cartas:
            return []
        numeros = self._numeros_nuevos(len(cartas))
        envios = [
            Envio(numero, sobre_de_carta(topico, carta))
            for numero, carta in zip(numeros, cartas, strict=True)
        ]
        ahora = self._conexion.scalars(_RELOJ).one()
        instantes = {"depositado_en": ahora, "reservada_hasta": ahora + self._arriendo}
        insertar(self._conexion, tabla, [_fila(envio) | instantes for envio in envios])
        self._balance.contar_envios(depositados=len(envios))
        return envios

    def retirar(self, numeros: Collection[int]) -> None:
        """Olvida los envíos de la tabla que el broker ya confirmó."""
        if not numeros:
            return
        retirados = 0
        borrado = _borrado(motor_de(self._conexion))
        for tanda in en_tandas(self._conexion, numeros):
            retirados += self._conexion.execute(borrado, tanda).rowcount
        self._balance.contar_envios(retirados=retirados)

    def renovar(self, numeros: Collection[int]) -> None:
        """Alarga el arriendo de los envíos de la tabla que siguen en curso."""
        renovacion = (
            update(tabla)
            .where(entre_las_claves(motor_de(self._conexion), tabla.c.numero))
            .values(reservada_hasta=RelojDeLaBase(self._arriendo))
        )
        for tanda in en_tandas(self._conexion, numeros):
            self._conexion.execute(renovacion, tanda)

    def reservar_vencidos(self, limite: int) -> list[Envio]:
        """Arrienda hasta `limite` envíos de la tabla que nadie tiene, y 16 MiB, los más antiguos primero.

        Uno, por grande que sea, se arrienda siempre.
        """
        # Los que otro proceso está reservando en este instante no se esperan: se los lleva él.
        vencidos = self._conexion.execute(
            select(tabla.c.numero, func.length(tabla.c.carga).label("octetos"))
            .where(tabla.c.reservada_hasta <= RelojDeLaBase())
            .order_by(tabla.c.reservada_hasta, tabla.c.numero)
            .limit(limite)
            .with_for_update(skip_locked=True)
        )
        octetos = 0
        numeros: list[int] = []
        for fila in vencidos.all():
            octetos += fila.octetos
            if numeros and octetos > OCTETOS_POR_RESERVA:
                break
            numeros.append(fila.numero)
        arriendo = (
            update(tabla)
            .where(entre_las_claves(motor_de(self._conexion), tabla.c.numero))
            .values(reservada_hasta=RelojDeLaBase(self._arriendo))
            .returning(tabla)
        )
        tandas = en_tandas(self._conexion, numeros)
        envios = [_envio(fila) for tanda in tandas for fila in self._conexion.execute(arriendo, tanda)]
        return sorted(envios, key=lambda envio: envio.numero)

    def liberar_todo(self) -> None:
        """Da por vencidos todos los arriendos; solo para quien sabe que nadie más publica."""
        self._conexion.execute(update(tabla).values(reservada_hasta=RelojDeLaBase()))

    def _numeros_nuevos(self, cuantos: int) -> Sequence[int]:
        """Números que ningún envío ha tenido, ni los que ya no están, en orden.

        Se toman antes porque ningún motor promete devolver con RETURNING el de cada fila en orden. En SQLite
        nadie más puede tomar los mismos: la transacción es la única que escribe.
        """
        if es_postgresql(motor_de(self._conexion)):
            return siguientes(self._conexion, _SECUENCIA, cuantos)
        ultimo = self._conexion.scalar(_ULTIMO) or 0
        return range(ultimo + 1, ultimo + 1 + cuantos)


@cache
def _borrado(motor: str) -> Delete:
    return delete(tabla).where(entre_las_claves(motor, tabla.c.numero))


def _fila(envio: Envio) -> dict[str, object]:
    return {
        "numero": envio.numero,
        "topico": envio.sobre.topico,
        "clave": envio.sobre.clave,
        "propiedades": envio.sobre.propiedades,
        "carga": envio.sobre.carga,
    }


def _envio(fila: FilaLeida) -> Envio:
    return Envio(fila.numero, Sobre(fila.topico, fila.clave, fila.propiedades, fila.carga))
