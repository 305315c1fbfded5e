"""La bandeja de salida, en SQL: lo que se publicará, guardado con lo que lo causó.

Qué es: la tabla de envíos pendientes y el arriendo de cada uno. Quien deposita un envío lo tiene ya
arrendado, para publicarlo él mismo tras su commit; si muere, el arriendo vence y otro lo recoge.
Qué no es: el relevo, que publica y espera la confirmación del broker.
Por qué existe: un evento de dominio no puede perderse entre el commit y el broker, y sin arriendo cada
barrido publicaría otra vez lo que solo está esperando a que el broker vuelva.
"""

from collections.abc import Collection, Sequence
from datetime import timedelta
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, Delete, Integer, Text, column, delete, func, select, table, update

from alpespartners.modulos.tracking.aplicacion.mensajes import Envio, MensajeIlegible, Sobre
from alpespartners.modulos.tracking.dominio.eventos import EventoDominio
from alpespartners.modulos.tracking.infraestructura.libro.balance import BalanceSQL
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

ARRIENDO: Final = timedelta(seconds=30)
"""Cuánto tiene un envío quien lo depositó o lo reservó; mientras siga en curso, lo renueva."""

OCTETOS_POR_RESERVA: Final = 16 * 1024 * 1024
"""Una carta muerta lleva el mensaje entero, que puede ocupar 5 MB; dos mil no caben en la memoria."""

_SECUENCIA = "bandeja_salida_numero_seq"
"""La que PostgreSQL crea con la columna `numero`."""
_NUMERADAS = table("sqlite_sequence", column("name", Text), column("seq", Integer))
"""Donde SQLite guarda el último número de cada tabla con AUTOINCREMENT; lo crea él."""
_ULTIMO = select(_NUMERADAS.c.seq).where(_NUMERADAS.c.name == tabla.name)
_RELOJ = select(RelojDeLaBase())


class BandejaSalidaSQL:
    """La bandeja, sobre una conexión con una transacción abierta."""

    def __init__(self, conexion: Connection, arriendo: timedelta, balance: BalanceSQL) -> None:
        self._conexion = conexion
        self._balance = balance
        self._arriendo = arriendo

    def depositar_eventos(self, eventos: Sequence[tuple[EventoDominio[Any], str | None]]) -> list[Envio]:
        """Deposita eventos, cada uno con la traza del comando que lo causó, y devuelve sus envíos."""
        return self._depositar([sobre_de_evento(evento, traza) for evento, traza in eventos])

    def depositar_cartas(self, topico: str, cartas: Sequence[MensajeIlegible]) -> list[Envio]:
        """Deposita mensajes ilegibles del tópico para sus cartas muertas, y devuelve sus envíos."""
        return self._depositar([sobre_de_carta(topico, carta) for carta in cartas])

    def retirar(self, numeros: Collection[int]) -> None:
        """Olvida los envíos que el broker ya confirmó."""
        retirados = 0
        borrado = _borrado(motor_de(self._conexion))
        for tanda in en_tandas(self._conexion, numeros):
            retirados += self._conexion.execute(borrado, tanda).rowcount
        self._balance.contar_envios(retirados=retirados)

    def renovar(self, numeros: Collection[int]) -> None:
        """Alarga el arriendo de los envíos que siguen en curso."""
        renovacion = (
            update(tabla)
            .where(entre_las_claves(motor_de(self._conexion), tabla.c.numero))
            .values(reservada_hasta=RelojDeLaBase(self._arriendo))
        )
        for tanda in en_tandas(self._conexion, numeros):
            self._conexion.execute(renovacion, tanda)

    def reservar_vencidos(self, limite: int) -> list[Envio]:
        """Arrienda hasta `limite` envíos que nadie tiene, los más antiguos primero y sin pasar de 16 MiB.

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

    def _depositar(self, sobres: Sequence[Sobre]) -> list[Envio]:
        if not sobres:
            return []
        numeros = self._numeros_nuevos(len(sobres))
        envios = [Envio(numero, sobre) for numero, sobre in zip(numeros, sobres, strict=True)]
        ahora = self._conexion.scalars(_RELOJ).one()
        instantes = {"depositado_en": ahora, "reservada_hasta": ahora + self._arriendo}
        insertar(self._conexion, tabla, [_fila(envio) | instantes for envio in envios])
        self._balance.contar_envios(depositados=len(envios))
        return envios

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
