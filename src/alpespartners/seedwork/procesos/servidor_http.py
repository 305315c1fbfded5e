"""El servidor HTTP de un proceso: uvicorn, con nuestros límites y con menos latidos.

Qué es: cómo se abre el puerto y cómo corre uvicorn, solo o dentro de un bucle que ya tiene quien lo pare.
Qué no es: la aplicación que atiende; esa llega como argumento.
Por qué existe: la API y la sonda de los consumidores se sirven igual. El puerto se abre antes que nada para
que uno ocupado sea una frase y no una traza.
"""

import asyncio
import errno
import socket
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from alpespartners.seedwork.arranque import ErrorDeArranque
from alpespartners.seedwork.procesos.http_con_limites import ProtocoloConLimites

_GRACIA: Final = 3
_LATIDO: Final = 0.5
_CONEXIONES_POR_VUELTA: Final = 64
MILISEGUNDOS_SIN_ACEPTAR_NADA: Final = 120_000
"""Los que quien recibe puede pasar sin aceptar un octeto de lo que se le envía."""


class ServidorHTTP(uvicorn.Server):
    """uvicorn con menos latidos: los suyos, diez por segundo, gastan más que todo lo demás en reposo.

    Args:
        aplicacion: la que atiende.
        espera_conexion: segundos que se deja abierta una conexión entre una petición y la siguiente.
    """

    def __init__(self, aplicacion: ASGIApp, espera_conexion: int) -> None:
        super().__init__(
            uvicorn.Config(
                aplicacion,
                http=ProtocoloConLimites,
                log_config=None,
                access_log=False,
                server_header=False,
                # Lo que diga un intermediario de quién llama no se cree: decide la conexión.
                proxy_headers=False,
                timeout_keep_alive=espera_conexion,
                timeout_graceful_shutdown=_GRACIA,
            )
        )

    async def main_loop(self) -> None:
        """Espera la señal de terminar; cada latido renueva la cabecera `Date`."""
        while not await self.on_tick(0):  # noqa: ASYNC110 (una señal no puede despertar a un asyncio.Event)
            await asyncio.sleep(_LATIDO)


def en_copias(enchufe: socket.socket) -> list[socket.socket]:
    """Un puerto abierto, tantas veces como conexiones se aceptan en una vuelta del bucle.

    De cada puerto libuv acepta en una vuelta una sola: con vueltas largas, quien llega nuevo espera tantas
    como conexiones tenga delante. Donde otros procesos atienden el mismo, no: uno se las quedaría todas.
    """
    return [enchufe, *(enchufe.dup() for _ in range(_CONEXIONES_POR_VUELTA - 1))]


class ServidorHTTPInvitado(ServidorHTTP):
    """El mismo, en un bucle que es de otro: las señales no son suyas, y se le para con `should_exit`."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """No captura ninguna."""
        yield


@asynccontextmanager
async def sirviendo(
    aplicacion: ASGIApp, enchufe: socket.socket, espera_conexion: int
) -> AsyncGenerator[None]:
    """Sirve la aplicación en un puerto ya abierto mientras dura el bloque, en el bucle de quien llama."""
    servidor = ServidorHTTPInvitado(aplicacion, espera_conexion)
    tarea = asyncio.create_task(servidor.serve(sockets=[enchufe]))
    try:
        yield
    finally:
        servidor.should_exit = True
        await tarea


class PuertoOcupado(ErrorDeArranque):
    """Otro proceso escucha ya en ese puerto.

    Attributes:
        lugar: la dirección y el puerto, ya resueltos.
    """

    def __init__(self, frase: str, lugar: tuple[str, int]) -> None:
        super().__init__(frase)
        self.lugar = lugar


def abrir_puerto(anfitrion: str, puerto: int, pendientes: int, ajustes: str) -> socket.socket:
    """Abre el puerto y empieza a escuchar.

    Args:
        anfitrion: nombre o dirección.
        puerto: 0 es uno libre.
        pendientes: conexiones que pueden esperar a que se las atienda.
        ajustes: las variables que lo eligen, para la frase del error.

    Raises:
        PuertoOcupado: otro proceso escucha ya ahí.
        ErrorDeArranque: no se puede escuchar ahí.
    """
    no_se_puede = ErrorDeArranque(f"No se puede escuchar en {anfitrion}:{puerto}: revise {ajustes}.")
    try:
        familia, _, _, _, direccion = socket.getaddrinfo(
            anfitrion, puerto, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError):
        raise no_se_puede from None
    lugar = str(direccion[0]), puerto
    try:
        enchufe = socket.create_server(lugar, family=familia, backlog=pendientes)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise no_se_puede from None
        raise PuertoOcupado(
            f"El puerto {puerto} de {anfitrion} está ocupado: libérelo o elija otro con {ajustes}.", lugar
        ) from None
    _no_esperar_siempre(enchufe)
    return enchufe


def _no_esperar_siempre(enchufe: socket.socket) -> None:
    """Corta a quien deja de leer sin irse: mientras su sistema responda, el nuestro lo esperaría.

    Lo heredan las conexiones. Donde el sistema no lo tiene (macOS), se les espera.
    """
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        enchufe.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, MILISEGUNDOS_SIN_ACEPTAR_NADA)
