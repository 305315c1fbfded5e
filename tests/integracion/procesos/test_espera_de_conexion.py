"""Cuánto sigue abierta una conexión ociosa: lo que se diga, y no los 5 segundos de uvicorn."""

import asyncio
import socket

from alpespartners.seedwork.procesos.servidor_http import ServidorHTTP, sirviendo
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria

PETICION = b"GET /salud/viva HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def test_una_conexion_ociosa_se_cierra_al_cabo_de_la_espera_y_no_antes_de_otra_peticion() -> None:
    enchufe = socket.create_server(("127.0.0.1", 0))
    async with sirviendo(api_en_memoria(PuertosEnMemoria()), enchufe, 1):
        leer, escribir = await asyncio.open_connection(*enchufe.getsockname())
        for _ in range(2):
            escribir.write(PETICION)
            assert (await leer.readuntil(b"}\n")).startswith(b"HTTP/1.1 200 ")
        async with asyncio.timeout(30):
            assert await leer.read() == b""
        escribir.close()


def test_detras_de_un_balanceador_de_60_segundos_la_conexion_sigue_abierta() -> None:
    assert ServidorHTTP(api_en_memoria(PuertosEnMemoria()), 75).config.timeout_keep_alive == 75
