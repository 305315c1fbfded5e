"""La carga: peticiones HTTP/1.1 por conexiones que no se cierran, a tope o a un ritmo.

Qué es: un cliente mínimo sobre asyncio (uvloop donde lo hay) que sabe escribir peticiones iguales y contar
respuestas; un cliente corriente gastaría más que el servidor.
Qué no es: un cliente HTTP: supone respuestas con `Content-Length`.
Por qué existe: lo que se mide es el servidor. A un ritmo, la demora se cuenta desde el instante en que la
petición debía salir, y no desde que hubo conexión libre: si no, un servidor parado parecería rápido.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, cast

import uvloop

CONEXIONES: Final = 64

T = TypeVar("T")

_FIN_DE_CABECERAS: Final = b"\r\n\r\n"
_LONGITUD: Final = b"content-length: "
_GRACIA: Final = 20.0

Fabrica = Callable[[], bytes]
"""Da la petición siguiente, entera."""

AlResponder = Callable[[bytes, float], None]
"""Recibe una respuesta entera y el instante en que llegó (`time.perf_counter`)."""

AlAtender = Callable[[bytes], None]
"""Recibe, entera, la petición que acaba de tener respuesta."""


@dataclass(slots=True)
class Resultado:
    """Lo que pasó durante una carga.

    Attributes:
        segundos: los que duró.
        estados: cuántas respuestas de cada estado HTTP.
        demoras: la de cada respuesta, en segundos.
    """

    segundos: float = 0.0
    estados: Counter[int] = field(default_factory=Counter)
    demoras: list[float] = field(default_factory=list)

    @property
    def por_segundo(self) -> float:
        """Respuestas por segundo."""
        return len(self.demoras) / self.segundos

    def exigir(self, estado: int) -> None:
        """Comprueba que todas las respuestas fueron de ese estado.

        Raises:
            RuntimeError: hubo otras, y lo medido no es lo que se quería medir.
        """
        if set(self.estados) != {estado}:
            raise RuntimeError(f"se esperaban respuestas {estado} y las hubo así: {dict(self.estados)}")


def correr(tarea: Coroutine[Any, Any, T]) -> T:
    """Ejecuta una corrutina en un bucle que gasta poco."""
    return uvloop.run(tarea)


def envio(puerto: int, ruta: str, cuerpo: bytes) -> bytes:
    """Una petición POST de JSON, entera."""
    return (
        f"POST {ruta} HTTP/1.1\r\nHost: 127.0.0.1:{puerto}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(cuerpo)}\r\n\r\n"
    ).encode() + cuerpo


async def a_tope(
    puerto: int,
    fabrica: Fabrica,
    segundos: float,
    conexiones: int = CONEXIONES,
    al_responder: AlResponder | None = None,
    al_atender: AlAtender | None = None,
    *,
    dejando_dormir: bool = False,
) -> Resultado:
    """Cada conexión envía una petición en cuanto tiene respuesta a la anterior.

    Con `dejando_dormir` suelta el núcleo entre dos respuestas, y que lo use quien responde.
    """
    resultado = Resultado()
    final = time.perf_counter() + segundos

    def seguir(conexion: _Conexion) -> None:
        ahora = time.perf_counter()
        if ahora < final:
            conexion.pedir(fabrica(), ahora)

    todas = await _conectar(puerto, conexiones, resultado, seguir, al_responder, al_atender)
    comienzo = time.perf_counter()
    for conexion in todas:
        seguir(conexion)
    await (asyncio.sleep(final - comienzo) if dejando_dormir else _sin_dormir(final))
    await _esperar_a_todas(todas)
    resultado.segundos = time.perf_counter() - comienzo
    await _cerrar(todas)
    return resultado


async def a_un_ritmo(
    puerto: int,
    fabrica: Fabrica,
    por_segundo: float,
    segundos: float,
    conexiones: int = CONEXIONES,
    al_responder: AlResponder | None = None,
) -> Resultado:
    """Envía una petición cada tanto, haya o no respuesta a las anteriores."""
    resultado = Resultado()
    libres: deque[_Conexion] = deque()
    pendientes: deque[float] = deque()

    def al_quedar_libre(conexion: _Conexion) -> None:
        if pendientes:
            conexion.pedir(fabrica(), pendientes.popleft())
        else:
            libres.append(conexion)

    todas = await _conectar(puerto, conexiones, resultado, al_quedar_libre, al_responder)
    libres.extend(todas)
    comienzo = time.perf_counter()
    for numero in range(max(1, int(por_segundo * segundos))):
        hora = comienzo + numero / por_segundo
        falta = hora - time.perf_counter()
        if falta > 0:
            await asyncio.sleep(falta)
        if libres:
            libres.popleft().pedir(fabrica(), hora)
        else:
            pendientes.append(hora)
    await _esperar_a_todas(todas)
    resultado.segundos = time.perf_counter() - comienzo
    await _cerrar(todas)
    return resultado


class _Conexion(asyncio.Protocol):
    """Una conexión con una petición en curso como mucho."""

    def __init__(
        self,
        resultado: Resultado,
        al_quedar_libre: "Callable[[_Conexion], None]",
        al_responder: AlResponder | None,
        al_atender: AlAtender | None,
    ) -> None:
        self._resultado = resultado
        self._al_quedar_libre = al_quedar_libre
        self._al_responder = al_responder
        self._al_atender = al_atender
        self._peticion = b""
        self._recibido = b""
        self._desde = 0.0
        self.libre = asyncio.Event()
        self.libre.set()
        self.cerrada = asyncio.get_running_loop().create_future()

    def connection_made(self, transporte: asyncio.BaseTransport) -> None:
        # El de uvloop no hereda de `asyncio.Transport`, aunque lo cumple.
        self.transporte = cast("asyncio.Transport", transporte)

    def connection_lost(self, _error: Exception | None) -> None:
        self.libre.set()
        if not self.cerrada.done():
            self.cerrada.set_result(None)

    def pedir(self, peticion: bytes, desde: float) -> None:
        self._desde = desde
        self._peticion = peticion
        self.libre.clear()
        self.transporte.write(peticion)

    def data_received(self, octetos: bytes) -> None:
        recibido = self._recibido + octetos if self._recibido else octetos
        fin = recibido.find(_FIN_DE_CABECERAS)
        if fin < 0 or len(recibido) < fin + len(_FIN_DE_CABECERAS) + _longitud(recibido, fin):
            self._recibido = recibido
            return
        self._recibido = b""
        ahora = time.perf_counter()
        self._resultado.estados[int(recibido[9:12])] += 1
        self._resultado.demoras.append(ahora - self._desde)
        if self._al_responder is not None:
            self._al_responder(recibido, ahora)
        if self._al_atender is not None:
            self._al_atender(self._peticion)
        self.libre.set()
        self._al_quedar_libre(self)


def _longitud(recibido: bytes, fin: int) -> int:
    """La del cuerpo, según las cabeceras."""
    desde = recibido.lower().find(_LONGITUD, 0, fin) + len(_LONGITUD)
    hasta = recibido.find(b"\r\n", desde)
    return int(recibido[desde:hasta])


async def _conectar(
    puerto: int,
    cuantas: int,
    resultado: Resultado,
    al_quedar_libre: Callable[[_Conexion], None],
    al_responder: AlResponder | None,
    al_atender: AlAtender | None = None,
) -> list[_Conexion]:
    bucle = asyncio.get_running_loop()
    return [
        (
            await bucle.create_connection(
                lambda: _Conexion(resultado, al_quedar_libre, al_responder, al_atender), "127.0.0.1", puerto
            )
        )[1]
        for _ in range(cuantas)
    ]


async def _sin_dormir(hasta: float) -> None:
    """Espera ese instante sin ceder el núcleo: despertarlo a cada respuesta lo pagaría el servidor."""
    while time.perf_counter() < hasta:  # noqa: ASYNC110 (no espera un suceso: no deja dormir)
        await asyncio.sleep(0)


async def _esperar_a_todas(conexiones: list[_Conexion]) -> None:
    async with asyncio.timeout(_GRACIA):
        for conexion in conexiones:
            await conexion.libre.wait()


async def _cerrar(conexiones: list[_Conexion]) -> None:
    for conexion in conexiones:
        conexion.transporte.close()
    for conexion in conexiones:
        await conexion.cerrada
