"""Las cabeceras de una petición tienen límite antes de que nadie mire una clave."""

import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn

from alpespartners.seedwork.infraestructura import http_con_limites
from alpespartners.seedwork.infraestructura.http_con_limites import ProtocoloConLimites
from tests.apoyo.espera import hasta
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria
from tests.apoyo.puertos import puerto_libre


@pytest.fixture
def puerto(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(http_con_limites, "SEGUNDOS_DE_CABECERAS", 0.5)
    numero = puerto_libre()
    servidor = uvicorn.Server(
        uvicorn.Config(
            api_en_memoria(PuertosEnMemoria()),
            http=ProtocoloConLimites,
            port=numero,
            log_config=None,
            access_log=False,
        )
    )
    hilo = threading.Thread(target=servidor.run)
    hilo.start()
    hasta(lambda: servidor.started)
    yield numero
    servidor.should_exit = True
    hilo.join()


def conectar(puerto: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", puerto), timeout=10)


def leer_todo(enchufe: socket.socket) -> bytes:
    recibido = b""
    try:
        while trozo := enchufe.recv(65536):
            recibido += trozo
    except ConnectionResetError:
        return recibido
    return recibido


def test_unas_cabeceras_enormes_reciben_431_y_se_cierra(puerto: int) -> None:
    with conectar(puerto) as enchufe:
        enchufe.sendall(b"GET /salud/viva HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 70_000)
        assert leer_todo(enchufe).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("comienzo", [b"", b"GET /salud/viva HTTP/1.1\r\nHost: localhost\r\nX: a"])
def test_unas_cabeceras_que_no_acaban_se_cierran(puerto: int, comienzo: bytes) -> None:
    with conectar(puerto) as enchufe:
        enchufe.sendall(comienzo)
        assert leer_todo(enchufe) == b""


def test_una_peticion_corriente_y_las_que_la_siguen_no_lo_notan(puerto: int) -> None:
    peticion = b"GET /salud/viva HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 30_000 + b"\r\n"
    with conectar(puerto) as enchufe:
        for _ in range(5):
            enchufe.sendall(peticion + b"\r\n")
            assert enchufe.recv(65536).startswith(b"HTTP/1.1 200 ")
        enchufe.sendall(peticion + b"Connection: close\r\n\r\n")
        assert leer_todo(enchufe).startswith(b"HTTP/1.1 200 ")
