"""Los enlaces de una base de datos, leídos y escritos desde un proceso que también atiende lo demás."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from alpespartners.modulos.enlaces.aplicacion.puertos import Filtro, Lugar
from alpespartners.modulos.enlaces.dominio.enlace import Enlace
from alpespartners.modulos.enlaces.infraestructura import almacen
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible
from alpespartners.seedwork.arranque import ErrorDeArranque

T = TypeVar("T")


class Lecturas(Protocol):
    """Quien abre transacciones de lectura."""

    async def en_transaccion(self, trabajo: Callable[[Connection | None], T]) -> T:
        """Ejecuta el trabajo sobre una instantánea; sin conexión si todavía no hay tablas."""


class Escrituras(Protocol):
    """Quien abre transacciones en las que se puede escribir, y espera a que acaben."""

    def escribir(self, trabajo: Callable[[Connection], T]) -> T:
        """Ejecuta el trabajo y vuelve tras su commit; lo que lee no lo cambia nadie entretanto.

        Raises:
            ErrorDeArranque: no se puede escribir mientras viva el consumidor.
        """


class EnlacesSQL:
    """Los de esa base de datos; cumple `Enlaces`."""

    def __init__(self, lecturas: Lecturas, escrituras: Escrituras) -> None:
        self._lecturas = lecturas
        self._escrituras = escrituras
        self._turno = asyncio.Lock()

    async def leer(self, enlace_id: str) -> Enlace | None:
        """El que se llama así."""
        return await self._lecturas.en_transaccion(lambda conexion: almacen.leer(conexion, enlace_id))

    async def listar(self, filtro: Filtro, despues_de: Lugar | None, limite: int) -> Sequence[Enlace]:
        """Hasta `limite`, por su lugar."""
        return await self._lecturas.en_transaccion(
            lambda conexion: almacen.listar(conexion, filtro, despues_de, limite)
        )

    async def agregar(self, enlace: Enlace) -> tuple[Enlace, bool]:
        """Guarda el enlace si ninguno se llama así."""
        return await self._escribir(partial(almacen.agregar, enlace=enlace))

    async def cambiar(self, enlace_id: str, cambio: Callable[[Enlace], Enlace]) -> Enlace | None:
        """Cambia el que se llama así."""
        return await self._escribir(partial(almacen.cambiar, enlace_id=enlace_id, cambio=cambio))

    async def _escribir(self, trabajo: Callable[[Connection], T]) -> T:
        # Escribe con una sola conexión.
        async with self._turno:
            try:
                return await asyncio.to_thread(self._escrituras.escribir, trabajo)
            except ErrorDeArranque as error:
                # Es de una orden, que termina: quien atiende a otros dice que no puede, y sigue.
                raise BaseDatosNoDisponible(error.frase) from None
