"""Las cabeceras tienen límite antes de que nadie mire una clave, y lo ilegible se responde en español."""

import contextlib
import json
import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from alpespartners.seedwork.procesos import http_con_limites
from alpespartners.seedwork.procesos.cuerpo_entero import CUERPO_ENTERO
from alpespartners.seedwork.procesos.http_con_limites import ProtocoloConLimites
from tests.apoyo.espera import hasta
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria
from tests.apoyo.puertos import puerto_libre


@contextlib.contextmanager
def sirviendo(aplicacion: ASGIApp) -> Iterator[int]:
    numero = puerto_libre()
    servidor = uvicorn.Server(
        uvicorn.Config(aplicacion, http=ProtocoloConLimites, port=numero, log_config=None, access_log=False)
    )
    hilo = threading.Thread(target=servidor.run)
    hilo.start()
    try:
        hasta(lambda: servidor.started)
        yield numero
    finally:
        servidor.should_exit = True
        hilo.join()


@pytest.fixture
def puerto(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(http_con_limites, "SEGUNDOS_DE_CABECERAS", 0.5)
    with sirviendo(api_en_memoria(PuertosEnMemoria())) as numero:
        yield numero


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


def problema(respuesta: bytes) -> dict[str, object]:
    """El problema de una respuesta que cierra la conexión, tras mirar sus cabeceras."""
    cabecera, _, cuerpo = respuesta.partition(b"\r\n\r\n")
    primera, *lineas = cabecera.decode("ascii").lower().split("\r\n")
    cabeceras = dict(linea.split(": ", 1) for linea in lineas)
    assert cabeceras["content-type"] == "application/problem+json"
    assert cabeceras["content-length"] == str(len(cuerpo))
    assert cabeceras["connection"] == "close"
    hallado: dict[str, object] = json.loads(cuerpo)
    assert str(hallado["status"]) == primera.split()[1]
    return hallado


COMIENZO = b"GET /salud/viva HTTP/1.1\r\nHost: localhost\r\n"
ENORMES = {
    "sin acabar": COMIENZO + b"X: " + b"a" * 70_000,
    "una sola cabecera, entera": COMIENZO + b"X: " + b"a" * 70_000 + b"\r\n\r\n",
    "muchas cabeceras, enteras": COMIENZO + b"X: %s\r\n" % (b"a" * 1000) * 70 + b"\r\n",
    "la dirección": b"GET /salud/viva?" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
}


@pytest.mark.parametrize("peticion", ENORMES.values(), ids=ENORMES)
def test_unas_cabeceras_enormes_reciben_431_y_se_cierra(puerto: int, peticion: bytes) -> None:
    with conectar(puerto) as enchufe:
        enchufe.sendall(peticion)
        hallado = problema(leer_todo(enchufe))
    assert hallado["type"] == "urn:alpespartners:error:cabeceras_demasiado_grandes"
    assert hallado["status"] == 431


def test_unas_cabeceras_enormes_no_pasan_por_llegar_en_trozos_ni_detras_de_otra_peticion(puerto: int) -> None:
    with conectar(puerto) as enchufe:
        enchufe.sendall(COMIENZO + b"\r\n" + COMIENZO + b"X: " + b"a" * 40_000)
        assert enchufe.recv(65536).startswith(b"HTTP/1.1 200 ")
        enchufe.sendall(b"a" * 30_000 + b"\r\n\r\n")
        assert problema(leer_todo(enchufe))["status"] == 431


@pytest.mark.parametrize("linea", [b"X: " + b"a" * 1000 + b"\r\n", b"a" * 1000], ids=["muchas", "una"])
def test_las_cabeceras_que_siguen_al_cuerpo_tienen_el_mismo_limite(puerto: int, linea: bytes) -> None:
    with conectar(puerto) as enchufe:
        enchufe.sendall(
            b"POST /nada HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: a"
        )
        enviados = 0
        with contextlib.suppress(OSError):
            enchufe.sendall(b"\r\n" if linea.endswith(b"\n") else b"a")
            while enviados < 64 * 1024 * 1024:
                enchufe.sendall(linea * 32)
                enviados += len(linea) * 32
        assert enviados < 64 * 1024 * 1024


def test_lo_que_llega_junto_a_otras_peticiones_no_se_cuenta_como_suyo(puerto: int) -> None:
    """Un cuerpo del tamaño permitido y muchas peticiones seguidas pasan de 64 KiB sin que nadie se exceda."""
    envio = b"POST /nada HTTP/1.1\r\nHost: localhost\r\nContent-Length: 65000\r\n\r\n" + b"a" * 65_000
    ultima = COMIENZO + b"Connection: close\r\n\r\n"
    with conectar(puerto) as enchufe:
        enchufe.sendall(envio + (COMIENZO + b"\r\n") * 500 + ultima[:-2])
        enchufe.sendall(ultima[-2:])
        assert leer_todo(enchufe).count(b"HTTP/1.1 200 ") == 501


@pytest.mark.parametrize(
    "direccion", ["/tracking/campañas/c/conversiones", "/tracking/campanas/c/conversiones?influencer_id=josé"]
)
def test_una_direccion_sin_escribir_como_porcentajes_lo_dice(puerto: int, direccion: str) -> None:
    with conectar(puerto) as enchufe:
        enchufe.sendall(f"GET {direccion} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        hallado = problema(leer_todo(enchufe))
    assert hallado["type"] == "urn:alpespartners:error:direccion_ilegible"
    assert "%XX" in str(hallado["detail"])


@pytest.mark.parametrize(
    "peticion",
    [
        b"FOO /salud/viva HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /salud viva HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
        b"GET /salud/viva HTTP/1.1\r\nHost localhost\r\n\r\n",
    ],
)
def test_lo_que_no_es_una_peticion_se_responde_como_los_demas_errores(puerto: int, peticion: bytes) -> None:
    with conectar(puerto) as enchufe:
        enchufe.sendall(peticion)
        hallado = problema(leer_todo(enchufe))
    assert hallado["type"] == "urn:alpespartners:error:peticion_ilegible"
    assert hallado["status"] == 400


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


async def si_llego_entero(scope: Scope, receive: Receive, send: Send) -> None:
    """Responde si, al empezar a atender la petición, su cuerpo había llegado entero."""
    if scope["type"] == "http":
        respuesta = PlainTextResponse(str(CUERPO_ENTERO in scope.get("extensions", {})))
        await respuesta(scope, receive, send)


def test_quien_atiende_sabe_si_el_cuerpo_llego_ya_entero() -> None:
    cabeceras = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
    with sirviendo(si_llego_entero) as puerto:
        for llega, entero in [(b"{}", b"True"), (b"{", b"False"), (b"", b"False")]:
            with conectar(puerto) as enchufe:
                enchufe.sendall(cabeceras + llega)
                assert leer_todo(enchufe).partition(b"\r\n\r\n")[2] == entero
