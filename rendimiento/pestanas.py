"""Unas pestañas del panel abiertas, en un hilo aparte: lo que pide un navegador que nadie toca.

Qué es: peticiones de la vista del sistema a su ritmo, páginas de una campaña que se recargan y conexiones que
la leen en vivo.
Qué no es: un navegador; no dibuja nada, y todas se ven a la vez, que es lo peor que puede pasar.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import quote

_CADA: Final = 5.0
_OCTETOS: Final = 1 << 16
_PARA_ABRIRSE: Final = 30.0


@dataclass(frozen=True, slots=True)
class Pestañas:
    """Las que alguien tiene abiertas.

    Attributes:
        del_sistema: cuántas ponen al día la vista del sistema cada cinco segundos, repartidas en ellos.
        en_vivo: cuántas miran una campaña.
        campaña_id: la que miran, o la que se recarga.
        de_la_campaña: cuántas recargan la página de una campaña cinco segundos después de tenerla.
    """

    del_sistema: int = 0
    en_vivo: int = 0
    campaña_id: str = ""
    de_la_campaña: int = 0

    @contextmanager
    def abiertas(self, puerto: int) -> Iterator[None]:
        """Lo están mientras dura el bloque, todas desde el principio.

        Raises:
            ExceptionGroup: alguna se quedó sin respuesta.
        """
        lista: Future[Callable[[], object]] = Future()
        with ThreadPoolExecutor(1) as hilo:
            trabajo = hilo.submit(lambda: asyncio.run(self._tener(puerto, lista)))
            cerrar = lista.result(_PARA_ABRIRSE)
            try:
                yield
            finally:
                # Si alguna falló ya no hay bucle; lo que le pasó se sabe enseguida.
                with suppress(RuntimeError):
                    cerrar()
            trabajo.result()

    async def _tener(self, puerto: int, lista: "Future[Callable[[], object]]") -> None:
        conectadas = asyncio.Barrier(self.del_sistema + self.en_vivo + self.de_la_campaña + 1)
        fin = asyncio.Event()
        escrita = quote(self.campaña_id, safe="")
        trozo = pedir_pagina(puerto, "/panel/sistema", "HX-Request: true")
        entera = pedir_pagina(puerto, f"/panel/campa%C3%B1as/{escrita}")
        async with asyncio.TaskGroup() as grupo:
            en_vivo = f"/tracking/campanas/{escrita}/en-vivo"
            mirando = [_mira(puerto, en_vivo, conectadas) for _ in range(self.en_vivo)]
            refrescando = [
                _refresca(puerto, peticion, _CADA * numero / cuantas, conectadas)
                for peticion, cuantas in ((trozo, self.del_sistema), (entera, self.de_la_campaña))
                for numero in range(cuantas)
            ]
            tareas = [grupo.create_task(una) for una in (*mirando, *refrescando)]
            await conectadas.wait()
            lista.set_result(partial(asyncio.get_running_loop().call_soon_threadsafe, fin.set))
            await fin.wait()
            for tarea in tareas:
                tarea.cancel()


def pedir_pagina(puerto: int, direccion: str, *cabeceras: str) -> bytes:
    """La petición de esa página, con lo que dice un navegador de quien la mira."""
    suyas = (f"Host: 127.0.0.1:{puerto}", "Accept: text/html,*/*;q=0.8", "Accept-Language: es", *cabeceras)
    return "\r\n".join([f"GET {direccion} HTTP/1.1", *suyas, "", ""]).encode()


@asynccontextmanager
async def _conexion(puerto: int) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    lector, escritor = await asyncio.open_connection("127.0.0.1", puerto)
    try:
        yield lector, escritor
    finally:
        escritor.close()
        with suppress(OSError):
            await escritor.wait_closed()


async def _mira(puerto: int, direccion: str, conectadas: asyncio.Barrier) -> None:
    async with _conexion(puerto) as (lector, escritor):
        escritor.write(f"GET {direccion} HTTP/1.1\r\nHost: 127.0.0.1:{puerto}\r\n\r\n".encode())
        _exigir_200(await lector.readuntil(b"\r\n\r\n"))
        await conectadas.wait()
        while await lector.read(_OCTETOS):
            pass
        raise ConnectionError


async def _refresca(puerto: int, peticion: bytes, desfase: float, conectadas: asyncio.Barrier) -> None:
    async with _conexion(puerto) as (lector, escritor):
        await conectadas.wait()
        await asyncio.sleep(desfase)
        while True:
            escritor.write(peticion)
            cabeceras = await lector.readuntil(b"\r\n\r\n")
            _exigir_200(cabeceras)
            (longitud,) = (
                int(linea.split(b":")[1])
                for linea in cabeceras.lower().split(b"\r\n")
                if linea.startswith(b"content-length:")
            )
            await lector.readexactly(longitud)
            await asyncio.sleep(_CADA)


def _exigir_200(cabeceras: bytes) -> None:
    if not cabeceras.startswith(b"HTTP/1.1 200 "):
        raise ConnectionError(cabeceras.split(b"\r\n", 1)[0].decode("latin-1"))
