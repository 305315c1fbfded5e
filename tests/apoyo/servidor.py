"""Un uvicorn de verdad en un hilo, para lo que solo se ve con una conexión: trozos, cortes y esperas."""

import asyncio
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp


@contextmanager
def servidor(api: ASGIApp, http: str = "httptools") -> Generator[int]:
    """Sirve la API en un puerto libre de 127.0.0.1 mientras dura el bloque; entrega el puerto."""
    configuracion = uvicorn.Config(
        api, http=http, log_config=None, access_log=False, timeout_graceful_shutdown=1, lifespan="on"
    )
    proceso = uvicorn.Server(configuracion)
    listo = threading.Event()
    enchufe = socket.create_server(("127.0.0.1", 0))

    async def servir() -> None:
        tarea = asyncio.create_task(proceso.serve(sockets=[enchufe]))
        while not proceso.started and not tarea.done():  # noqa: ASYNC110 - uvicorn solo ofrece esa bandera
            await asyncio.sleep(0.005)
        listo.set()
        await tarea
        # A quien no leyó lo suyo se le esperaría siempre, y el bucle se cierra ya.
        for conexion in [*proceso.server_state.connections]:
            conexion.transport.abort()
        while proceso.server_state.connections:  # noqa: ASYNC110 - los quita el bucle al dar la vuelta
            await asyncio.sleep(0)

    hilo = threading.Thread(target=asyncio.run, args=(servir(),), daemon=True)
    hilo.start()
    assert listo.wait(60)
    try:
        yield enchufe.getsockname()[1]
    finally:
        proceso.should_exit = True
        hilo.join(60)
