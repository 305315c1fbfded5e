"""El techo: una aplicación ASGI que no hace nada, con el mismo servidor que sirve la API.

Qué es: dos aplicaciones; una responde sin mirar, la otra lee antes el cuerpo. Responden lo que la API: un 202
con un JSON igual de largo.
Qué no es: algo alcanzable; aquí no se valida, no se guarda y no se promete nada.
Por qué existe: lo que cuesta HTTP en esta máquina y en este instante lo dice el servidor sin trabajo.
`python -m rendimiento.techo <puerto> responder|leer` la sirve.
"""

import sys
from typing import Final

from alpespartners.seedwork.asgi import ASGIApp, Receive, Scope, Send
from alpespartners.seedwork.infraestructura.servidor_http import ServidorHTTP, abrir_puerto

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
    trozos = []
    hay_mas = True
    while hay_mas:
        mensaje = await receive()
        trozos.append(mensaje.get("body", b""))
        hay_mas = mensaje.get("more_body", False)
    b"".join(trozos)
    await send(_COMIENZO)
    await send(_FINAL)


async def _vivir(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


APLICACIONES: Final[dict[str, ASGIApp]] = {"responder": responder, "leer": leer}

if __name__ == "__main__":
    ServidorHTTP(APLICACIONES[sys.argv[2]]).run(
        sockets=[abrir_puerto("127.0.0.1", int(sys.argv[1]), 2048, "el puerto")]
    )
