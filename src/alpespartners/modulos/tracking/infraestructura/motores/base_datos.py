"""La base de datos de una instalación: el libro, sus lecturas y su migración, del mismo motor.

Qué es: lo que la composición elige una sola vez; cada motor da el suyo.
Por qué existe: quien escribe, quien lee y quien migra no pueden hablar con motores distintos.
"""

import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar

from sqlalchemy import Connection

from alpespartners.modulos.tracking.aplicacion.clases import Clase
from alpespartners.modulos.tracking.aplicacion.mensajes import Envio, Sobre
from alpespartners.modulos.tracking.aplicacion.puertos import FilaIlegible, Lecturas, Presencia
from alpespartners.modulos.tracking.infraestructura.libro.carriles import (
    Avance,
    CarrilPerdido,
    CarrilPropio,
    CarrilTomado,
    Trozo,
)
from alpespartners.modulos.tracking.infraestructura.repositorios import Proyectar, TransaccionSQL

T = TypeVar("T")

ARRIENDO: Final = timedelta(seconds=30)
"""Cuánto tiene un carril o una carta quien los usa; mientras siga en ello, lo renueva."""


class Libro(ABC):
    """Lo que un proceso escribe: sus transacciones, y lo que le queda por publicar; cada llamada es una.

    Args:
        arriendo: cuánto tiene este proceso lo que deja pendiente o toma de otro.
        proyectar: lo que otro módulo cuenta en cada transacción.
        fragmento: en qué filas de lo contado suma.
    """

    def __init__(self, arriendo: timedelta, proyectar: Proyectar, fragmento: int = 0) -> None:
        self._arriendo = arriendo
        self._proyectar = proyectar
        self._fragmento = fragmento
        self._titular = secrets.token_hex(8)
        self._carriles: dict[Clase, CarrilPropio] = {}

    @abstractmethod
    def abrir(self) -> None:
        """Deja lista la base de datos para escribir en ella, o dice por qué no se puede.

        Raises:
            ErrorDeArranque: no se puede escribir en ella.
        """

    @abstractmethod
    def cerrar(self) -> None:
        """Espera a la transacción en curso y suelta lo que tenía. No se puede volver a abrir."""

    @abstractmethod
    async def _ejecutar(self, trabajo: Callable[[Connection], T]) -> T:
        """Ejecuta el trabajo en una transacción del motor y vuelve tras su commit; si falla no queda nada."""

    async def ejecutar(self, trabajo: Callable[[TransaccionSQL], T]) -> T:
        """Ejecuta el trabajo en una transacción y vuelve tras su commit; si falla no queda nada.

        Lo puede ejecutar varias veces: la última es la que vale.

        Raises:
            BaseDatosNoDisponible: la base de datos no respondió, o su esquema no es el de este programa.
            SentenciaRechazada: en PostgreSQL, la culpa es de la sentencia o de sus datos.
        """

        def en_transaccion(conexion: Connection) -> tuple[T, TransaccionSQL]:
            transaccion = self._transaccion(conexion)
            return trabajo(transaccion), transaccion

        while True:
            try:
                resultado, transaccion = await self._ejecutar(en_transaccion)
            except CarrilPerdido as perdido:
                # Lo que quedó en él lo publicará quien lo tome; lo que se escriba desde ahora va en otro.
                self._carriles = {
                    c: suyo for c, suyo in self._carriles.items() if suyo.numero != perdido.numero
                }
            else:
                self._carriles |= transaccion.carriles_propios.cambiados
                return resultado

    async def retirar(self, numeros: Sequence[int], avances: Sequence[Avance] = ()) -> set[int]:
        """Olvida las cartas que el broker ya confirmó y anota hasta dónde lo hizo en cada carril.

        Devuelve los carriles que son ya de otro.
        """

        def trabajo(transaccion: TransaccionSQL) -> set[int]:
            transaccion.bandeja.retirar(numeros)
            return transaccion.carriles.avanzar(avances)

        return await self.ejecutar(trabajo)

    async def renovar(self, numeros: Sequence[int]) -> None:
        """Alarga el arriendo de las cartas que siguen en curso."""
        await self.ejecutar(lambda transaccion: transaccion.bandeja.renovar(numeros))

    async def reservar_vencidos(self, limite: int) -> list[Envio]:
        """Arrienda hasta `limite` envíos de la tabla de la bandeja sin dueño, los más antiguos primero."""
        return await self.ejecutar(lambda transaccion: transaccion.bandeja.reservar_vencidos(limite))

    async def tomar_carriles(self) -> list[CarrilTomado]:
        """Toma carriles con algo pendiente que nadie tiene."""
        return await self.ejecutar(lambda transaccion: transaccion.carriles.tomar_vencidos())

    async def soltar_carriles(self, numeros: Collection[int]) -> None:
        """Deja de tener esos carriles."""
        await self.ejecutar(lambda transaccion: transaccion.carriles.soltar(numeros))

    async def leer_carril(self, trozo: Trozo) -> list[tuple[int, Sobre | FilaIlegible]]:
        """Lee los eventos de unas filas de un carril, por orden de llegada, o por qué no se pueden leer."""
        return await self.ejecutar(lambda transaccion: transaccion.carriles.leer(trozo))

    async def olvidar_enviados(self, recibidos_antes_de: datetime, limite: int) -> int:
        """Olvida lo que se envió en hasta `limite` comandos anteriores a ese instante, y dice en cuántos."""
        return await self.ejecutar(
            lambda transaccion: transaccion.destinos.olvidar_enviados(recibidos_antes_de, limite)
        )

    def _transaccion(self, conexion: Connection) -> TransaccionSQL:
        return TransaccionSQL(
            conexion, self._titular, self._arriendo, self._carriles, self._proyectar, self._fragmento
        )


class LecturasDelLibro(Lecturas, Presencia, Protocol):
    """Lo que un proceso lee de la base de datos."""

    async def en_transaccion(self, trabajo: Callable[[Connection | None], T]) -> T:
        """Ejecuta el trabajo en una transacción corta, sobre una instantánea; sin tablas, sin conexión.

        Raises:
            BaseDatosNoDisponible: la base de datos no respondió.
        """

    def leer_libro(self, trabajo: Callable[[Connection], T]) -> T:
        """Ejecuta el trabajo en una transacción corta, y espera a que termine."""

    def cerrar(self) -> None:
        """Espera a las lecturas en curso y suelta lo que tenía."""


class Reparaciones(Protocol):
    """Lo que una orden compara y corrige, con los consumidores en marcha o sin ellos; nada se abre antes."""

    def leer_libro(self, trabajo: Callable[[Connection], T]) -> T:
        """Ejecuta el trabajo sobre una sola instantánea, sin poder escribir.

        Raises:
            BaseDatosNoDisponible: la base de datos no respondió, o su esquema no es el de este programa.
        """

    def escribir(self, trabajo: Callable[[Connection], T]) -> T:
        """Ejecuta el trabajo sobre una sola instantánea y vuelve tras su commit; si falla no queda nada.

        Lo que el trabajo cambia no pudo cambiarlo otro entretanto. Lo puede ejecutar varias veces: la última
        es la que vale.

        Raises:
            BaseDatosNoDisponible: la base de datos no respondió, o su esquema no es el de este programa.
            ErrorDeArranque: no se puede escribir mientras viva el consumidor.
        """

    def cerrar(self) -> None:
        """Suelta lo que tenía."""


class BaseDatos(Protocol):
    """Una base de datos: todavía no hay nada abierto."""

    def libro(self) -> Libro:
        """Las transacciones de un proceso que escribe; nada se abre hasta `abrir`."""

    def lecturas(self) -> LecturasDelLibro:
        """Lo que un proceso lee; nada se abre hasta que lee."""

    def reparaciones(self, *, con_el_turno: bool = False) -> Reparaciones:
        """Lo que compara y corrige una orden; nada se abre hasta que se usa.

        Args:
            con_el_turno: si este proceso tiene abierto el libro, y no escribe en él a la vez.
        """

    def migrar(self) -> None:
        """Lleva el esquema al de este programa.

        Raises:
            ErrorDeArranque: no se puede abrir o migrar.
        """

    def dejar_lista(self, *, migra: bool) -> None:
        """Migra, si le toca a este proceso; si no, comprueba que puede leerla.

        Args:
            migra: si este proceso puede migrar un servidor que usan otros.

        Raises:
            ErrorDeArranque: no se puede migrar, o el esquema es de otra versión.
        """
