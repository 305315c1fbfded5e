"""El techo y el suelo: aplicaciones ASGI casi vacías, con el mismo servidor que sirve la API.

Qué es: tres aplicaciones. Una responde sin mirar y otra lee antes el cuerpo: son el techo. La tercera publica
además un comando, siempre el mismo, y espera a que el broker lo confirme: es el suelo de un 202 duradero, lo
que cuestan el servidor y el cliente de Pulsar aunque lo demás fuera gratis. Todas responden lo que la API: un
202 con un JSON igual de largo.
Qué no es: algo que sirva; aquí no se lee un JSON, ni se valida, ni se anota nada.
Por qué existe: lo que cuesta HTTP en esta máquina y en este instante lo dice el servidor sin trabajo, y
cuánto de lo nuestro se puede quitar, la distancia al suelo.
`python -m alpespartners.medicion.techo <puerto> responder|leer|prometer [<url del broker>]` las sirve.
"""

import asyncio
import sys
from collections import deque
from typing import Any, Final

import _pulsar
import pulsar
from starlette.types import ASGIApp, Receive, Scope, Send

from alpespartners.medicion.comandos import modelos, sobre_como
from alpespartners.seedwork.procesos.ciclos import buscar_menos_ciclos
from alpespartners.seedwork.procesos.servidor_http import ServidorHTTP, abrir_puerto

_CUERPO: Final = (
    b'{"id":"0193a5c0-7a00-7000-8000-000000000000","estado":"ACEPTADA",'
    b'"comando_id":"0193a5c0-7a00-7000-8000-000000000001","advertencias":[]}'
)
_COMIENZO: Final = {
    "type": "http.response.start",
    "status": 202,
    "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(_CUERPO)).encode())],
}
_FINAL: Final = {"type": "http.response.body", "body": _CUERPO}
_EN_CURSO: Final = 2_000
_RETARDO_DE_LOTE_MS: Final = 2


async def responder(scope: Scope, receive: Receive, send: Send) -> None:
    """Responde sin leer el cuerpo."""
    if scope["type"] == "lifespan":
        await _vivir(receive, send)
        return
    await send(_COMIENZO)
    await send(_FINAL)


async def leer(scope: Scope, receive: Receive, send: Send) -> None:
    """Lee el cuerpo entero y responde."""
    if scope["type"] == "lifespan":
        await _vivir(receive, send)
        return
    await _leer(receive)
    await send(_COMIENZO)
    await send(_FINAL)


class Prometer:
    """Lee el cuerpo, publica el mismo comando de siempre y responde cuando el broker lo confirma.

    Usa el cliente como la API: lotes, propiedades de una vez, un aviso al bucle por ráfaga.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        modelo, _ = modelos()
        self._sobre = sobre_como(modelo)
        self._confirmados: deque[asyncio.Future[None]] = deque()
        self._avisado = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Atiende una petición o el ciclo de vida."""
        if scope["type"] == "lifespan":
            self._abrir()
            await _vivir(receive, send)
            return
        await _leer(receive)
        mensaje = _pulsar.MessageBuilder()
        mensaje.content(self._sobre.carga)
        mensaje.properties(self._sobre.propiedades)
        mensaje.partition_key(self._sobre.clave)
        futuro = self._bucle.create_future()
        self._interno.send_async(mensaje.build(), lambda resultado, _: self._al_saber(futuro, resultado))
        await futuro
        await send(_COMIENZO)
        await send(_FINAL)

    def _abrir(self) -> None:
        self._bucle = asyncio.get_running_loop()
        self._cliente = pulsar.Client(self._url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
        productor = self._cliente.create_producer(
            "persistent://public/default/suelo",
            block_if_queue_full=False,
            max_pending_messages=_EN_CURSO,
            batching_enabled=True,
            batching_max_publish_delay_ms=_RETARDO_DE_LOTE_MS,
        )
        self._interno: Any = productor._producer  # noqa: SLF001 (como la API: lo de fuera cuesta el doble)

    def _al_saber(self, futuro: "asyncio.Future[None]", resultado: Any) -> None:
        # Uno sin confirmar no recibe respuesta, y quien mide se entera.
        if int(resultado) == int(pulsar.Result.Ok):
            self._confirmados.append(futuro)
            if not self._avisado:
                self._avisado = True
                self._bucle.call_soon_threadsafe(self._repartir)

    def _repartir(self) -> None:
        self._avisado = False
        while self._confirmados:
            self._confirmados.popleft().set_result(None)


async def _leer(receive: Receive) -> None:
    trozos = []
    hay_mas = True
    while hay_mas:
        mensaje = await receive()
        trozos.append(mensaje.get("body", b""))
        hay_mas = mensaje.get("more_body", False)
    b"".join(trozos)


async def _vivir(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


def _aplicacion(cual: str, *argumentos: str) -> ASGIApp:
    match cual:
        case "prometer":
            return Prometer(*argumentos)
        case "leer":
            return leer
        case _:
            return responder


if __name__ == "__main__":
    _, puerto, *que = sys.argv
    aplicacion = _aplicacion(*que)
    # Como la API.
    buscar_menos_ciclos()
    servidor = ServidorHTTP(aplicacion, espera_conexion=75)
    servidor.run(sockets=[abrir_puerto("127.0.0.1", int(puerto), 2048, "el puerto")])
