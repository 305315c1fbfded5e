"""Esperar el destino por una conexión de verdad: quien cuelga deja de esperar; un cierre responde a todos.

Los puertos están en memoria; el producto entero se prueba en `test_destinos.py`.
"""

import json
import socket
import time
from http.client import HTTPResponse

import pytest

from tests.apoyo.espera import hasta
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria
from tests.apoyo.servidor import servidor

CUERPO = json.dumps({"id": "imp-123", "campaña_id": "cmp-456"}).encode()
ENVIO = (
    b"POST /tracking/impresiones HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Prefer: wait=10\r\nContent-Length: %d\r\n\r\n%b"
) % (len(CUERPO), CUERPO)


@pytest.fixture
def puertos() -> PuertosEnMemoria:
    return PuertosEnMemoria(cuantos_consumidores=0)


def esperando(puerto: int, puertos: PuertosEnMemoria) -> socket.socket:
    """Una conexión cuyo envío está a la espera de su destino."""
    conexion = socket.create_connection(("127.0.0.1", puerto), timeout=10)
    conexion.sendall(ENVIO)
    hasta(lambda: puertos.consultas)
    return conexion


@pytest.mark.parametrize("http", ["httptools", "h11"])
def test_quien_cuelga_deja_de_esperar(puertos: PuertosEnMemoria, http: str) -> None:
    vistas = (0, time.monotonic())

    def nadie_pregunta() -> bool:
        """Hace medio segundo que no hay consultas; quien espera pregunta cada 200 ms como mucho."""
        nonlocal vistas
        if puertos.consultas != vistas[0]:
            vistas = (puertos.consultas, time.monotonic())
        return time.monotonic() - vistas[1] > 0.5

    with servidor(api_en_memoria(puertos), http) as puerto:
        comienzo = time.monotonic()
        esperando(puerto, puertos).close()
        hasta(nadie_pregunta)
        assert time.monotonic() - comienzo < 9


@pytest.mark.parametrize("http", ["httptools", "h11"])
def test_al_cerrarse_el_servidor_quien_espera_recibe_su_202(puertos: PuertosEnMemoria, http: str) -> None:
    with servidor(api_en_memoria(puertos), http) as puerto:
        conexion = esperando(puerto, puertos)
    with conexion:
        respuesta = HTTPResponse(conexion)
        respuesta.begin()
        assert respuesta.status == 202
        assert json.loads(respuesta.read())["estado"] == "ACEPTADA"
