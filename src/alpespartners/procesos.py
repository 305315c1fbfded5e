"""Los procesos del producto: qué corre cada uno cuando el supervisor lo crea.

Qué es: funciones de módulo que `multiprocessing` encuentra por su nombre en un intérprete nuevo.
Qué no es: composición; la llaman, e importan cada biblioteca en el proceso que la usa.
Por qué existe: el supervisor no necesita ni el cliente de Pulsar ni SQL; si los importara él primero, el
arranque tardaría el doble y quedarían en memoria para nada.
"""

import asyncio
import socket

import uvicorn

from alpespartners.config import Configuracion
from alpespartners.seedwork.infraestructura.http_con_limites import ProtocoloConLimites

_GRACIA = 3
_LATIDO = 0.5


class _Servidor(uvicorn.Server):
    """uvicorn con menos latidos: los suyos, diez por segundo, gastan más que todo lo demás en reposo."""

    async def main_loop(self) -> None:
        """Espera la señal de terminar; cada latido renueva la cabecera `Date`."""
        while not await self.on_tick(0):  # noqa: ASYNC110 (una señal no puede despertar a un asyncio.Event)
            await asyncio.sleep(_LATIDO)


def servir_api(configuracion: Configuracion, enchufe: socket.socket) -> None:
    """Deja al día la base de datos y atiende HTTP en un puerto ya abierto hasta recibir SIGTERM."""
    from alpespartners.composicion import crear_app

    ajustes = uvicorn.Config(
        crear_app(configuracion, migra=True),
        http=ProtocoloConLimites,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACIA,
    )
    _Servidor(ajustes).run(sockets=[enchufe])


def consumir(configuracion: Configuracion) -> None:
    """Consume comandos hasta recibir SIGTERM."""
    from alpespartners.composicion import consumir as consumir_comandos

    consumir_comandos(configuracion)


def migrar_y_consumir(configuracion: Configuracion) -> None:
    """Deja al día la base de datos y consume comandos hasta recibir SIGTERM."""
    from alpespartners.composicion import consumir as consumir_comandos

    consumir_comandos(configuracion, migra=True)


def migrar(configuracion: Configuracion) -> None:
    """Lleva la base de datos al esquema de esta versión y termina."""
    from alpespartners.composicion import migrar as migrar_base_de_datos

    migrar_base_de_datos(configuracion)
