"""Espera de un resultado con un plazo, mientras quien lo pidió siga ahí."""

import asyncio
from typing import Any

from starlette.requests import ClientDisconnect, Request


async def en_el_plazo(futuro: asyncio.Future[Any], peticion: Request, segundos: float) -> bool:
    """Espera el futuro como mucho ese tiempo; `False` si el servidor se cierra antes.

    Raises:
        ClientDisconnect: quien esperaba se fue.
    """
    se_fue = asyncio.create_task(_desconexion(peticion))
    esperados: set[asyncio.Future[Any]] = {futuro, se_fue}
    try:
        await asyncio.wait(esperados, timeout=segundos, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        # El servidor se cierra y no concede más tiempo; el comando está a salvo, y eso aún se puede decir.
        return False
    finally:
        se_fue.cancel()
    if se_fue.done() and not futuro.done():
        raise ClientDisconnect
    return True


async def _desconexion(peticion: Request) -> None:
    while (await peticion.receive())["type"] != "http.disconnect":
        pass
