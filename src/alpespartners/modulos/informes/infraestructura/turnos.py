"""Cuántas lecturas de informes hace un proceso a la vez.

Por qué existe: lee con cuatro conexiones, y un informe o una página de mil puede tardar segundos. Lo demás no
les espera.
"""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")

LECTURAS_A_LA_VEZ: Final = 2


class LibroQueSeLee(Protocol):
    """Quien abre transacciones de lectura."""

    async def en_transaccion(self, trabajo: Callable[[Connection | None], T]) -> T:
        """Ejecuta el trabajo sobre una instantánea; sin conexión si todavía no hay tablas."""


class LibroPorTurnos:
    """El mismo libro, del que solo leen unos pocos a la vez; cumple `LibroQueSeLee`."""

    def __init__(self, libro: LibroQueSeLee) -> None:
        self._libro = libro
        self._turnos = asyncio.Semaphore(LECTURAS_A_LA_VEZ)

    async def en_transaccion(self, trabajo: Callable[[Connection | None], T]) -> T:
        """Espera su turno y lo ejecuta."""
        async with self._turnos:
            return await self._libro.en_transaccion(trabajo)
