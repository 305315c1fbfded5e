"""Lectura de un cuerpo según llega, sin tenerlo nunca entero.

Qué es: los mismos límites que un cuerpo entero (`cuerpo.py`), comprobados en cada trozo, y lo que da de sí lo
comprimido.
Qué no es: para un envío, que cabe entero y así cuesta menos.
Por qué existe: un cuerpo de muchos eventos puede medir millones de octetos, y no hay que esperar al último
para empezar con el primero. Y unos pocos octetos en gzip pueden dar mil veces más.
"""

import asyncio
import zlib
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Final

from starlette.requests import ClientDisconnect, Request

from alpespartners.api.http.cuerpo import (
    CON_CABECERA_DE_GZIP,
    comprobar_cabeceras,
    demasiado_comprimido,
    demasiado_grande,
    demasiado_lento,
    gzip_ilegible,
    partes_de_gzip,
    puede_dar,
)
from alpespartners.api.http.limites import LimitesDeCuerpo
from alpespartners.seedwork.respiro import Respiro

_OCTETOS_DE_UN_TROZO: Final = 32 * 1024


async def trozos_del_cuerpo(
    peticion: Request, segundos: float, limites: LimitesDeCuerpo
) -> AsyncGenerator[bytes]:
    """Da el cuerpo de una petición, descomprimido si llega en gzip, en trozos de como mucho 32 KiB.

    Entre uno y otro deja paso a otras tareas. Lo que cabe se da siempre, aunque después venga lo que no cabe.

    Raises:
        ErrorHTTP: 415 (tipo o codificación), 413 (pasa de los límites), 408 (se esperó en total ese tiempo a
            que llegara) o 400 (no es el gzip que dice ser).
        ClientDisconnect: el cliente se fue antes de terminar.
    """
    comprimido = comprobar_cabeceras(peticion, limites)
    maximo = limites.comprimidos if comprimido else limites.octetos
    respiro = Respiro()
    async with aclosing(_llegados(peticion, segundos, maximo)) as llegados:
        if comprimido:
            descompresor = _Descompresor(limites.octetos)
            async for llegado in llegados:
                for trozo in descompresor.descomprimir(llegado):
                    yield trozo
                    await respiro.respirar()
                await respiro.respirar()
            descompresor.acabar()
        else:
            async for llegado in llegados:
                for desde in range(0, len(llegado), _OCTETOS_DE_UN_TROZO):
                    yield llegado[desde : desde + _OCTETOS_DE_UN_TROZO]
                    await respiro.respirar()


async def _llegados(peticion: Request, segundos: float, maximo: int) -> AsyncGenerator[bytes]:
    """Lo que llega, hasta el máximo; el plazo solo corre mientras se espera al cliente."""
    hora = asyncio.get_running_loop().time
    caben, quedan = maximo, segundos
    hay_mas = True
    while hay_mas:
        desde = hora()
        try:
            async with asyncio.timeout(quedan):
                mensaje = await peticion.receive()
        except TimeoutError:
            raise demasiado_lento(segundos) from None
        quedan -= hora() - desde
        if mensaje["type"] == "http.disconnect":
            raise ClientDisconnect
        octetos: bytes = mensaje.get("body", b"")
        hay_mas = mensaje.get("more_body", False)
        if octetos[:caben]:
            yield octetos[:caben]
        caben -= len(octetos)
        if caben < 0:
            raise demasiado_grande(maximo)


class _Descompresor:
    """Un gzip de los miembros que sean, seguidos (RFC 1952 §2.2)."""

    def __init__(self, maximo: int) -> None:
        self._maximo = maximo
        self._miembro = zlib.decompressobj(CON_CABECERA_DE_GZIP)
        self._recibidos = self._dados = 0

    def descomprimir(self, comprimido: bytes) -> Iterator[bytes]:
        """Da lo que había dentro de esos octetos.

        Raises:
            ErrorHTTP: 400 si no es gzip; 413 si da demasiado, en total o para lo que mide.
        """
        self._recibidos += len(comprimido)
        for parte in partes_de_gzip(comprimido):
            pendiente = parte
            while pendiente:
                if self._miembro.eof:
                    self._miembro = zlib.decompressobj(CON_CABECERA_DE_GZIP)
                caben = self._maximo - self._dados
                try:
                    trozo = self._miembro.decompress(pendiente, min(_OCTETOS_DE_UN_TROZO, caben + 1))
                except zlib.error:
                    raise gzip_ilegible() from None
                self._dados += len(trozo)
                if trozo[:caben]:
                    yield trozo[:caben]
                if self._dados > self._maximo:
                    raise demasiado_grande(self._maximo)
                if self._dados > puede_dar(self._recibidos):
                    raise demasiado_comprimido()
                pendiente = self._miembro.unused_data or self._miembro.unconsumed_tail

    def acabar(self) -> None:
        """No hace nada si llegó entero.

        Raises:
            ErrorHTTP: 400, está cortado.
        """
        if not self._miembro.eof:
            raise gzip_ilegible()
