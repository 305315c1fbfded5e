"""El contrato HTTP por una conexión de verdad: lo que un cliente ve y lo que uno malo no consigue.

Los puertos están en memoria; el broker y la base de datos tienen sus propias pruebas.
"""

import json
import logging
import socket
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPResponse
from types import MappingProxyType

import pytest

from tests.apoyo.espera import hasta
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria
from tests.apoyo.servidor import servidor

CUERPO = json.dumps({"id": "imp-123", "campaña_id": "cmp-456"}).encode()


@pytest.fixture
def puertos() -> PuertosEnMemoria:
    return PuertosEnMemoria()


@pytest.fixture(params=["httptools", "h11"])
def puerto(puertos: PuertosEnMemoria, request: pytest.FixtureRequest) -> Generator[int]:
    with servidor(api_en_memoria(puertos, segundos_de_cuerpo=0.3), request.param) as abierto:
        yield abierto


def _abrir(puerto: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", puerto), timeout=10)


def _cabecera(longitud: str) -> bytes:
    return (
        f"POST /tracking/impresiones HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"{longitud}\r\n\r\n"
    ).encode()


def _respuesta(conexion: socket.socket) -> tuple[int, dict[str, object]]:
    respuesta = HTTPResponse(conexion)
    respuesta.begin()
    return respuesta.status, json.loads(respuesta.read())


@contextmanager
def _pedir(
    puerto: int,
    metodo: str,
    direccion: str,
    cuerpo: bytes | None = None,
    cabeceras: Mapping[str, str] = MappingProxyType({"Content-Type": "application/json"}),
) -> Generator[HTTPResponse]:
    with closing(HTTPConnection("127.0.0.1", puerto, timeout=10)) as conexion:
        conexion.request(metodo, direccion, cuerpo, dict(cabeceras))
        yield conexion.getresponse()


@pytest.mark.parametrize(
    "id_evento", ["FV/2024/001", "a/destino", "a b%c?d#e", "ñandú-1", "x" * 128, "a//b", "/", "a\\b"]
)
def test_un_id_cualquiera_se_envia_y_se_lee_por_su_location(puerto: int, id_evento: str) -> None:
    cuerpo = json.dumps({"id": id_evento, "campaña_id": "c"}).encode()
    with _pedir(puerto, "POST", "/tracking/impresiones", cuerpo) as aceptada:
        direccion = aceptada.headers["Location"]
    with _pedir(puerto, "GET", direccion) as leida:
        assert (leida.status, json.loads(leida.read())["id"]) == (200, id_evento)


def test_un_cuerpo_a_trozos_sin_tamano_anunciado_se_acepta(puerto: int) -> None:
    with _abrir(puerto) as conexion:
        conexion.sendall(_cabecera("Transfer-Encoding: chunked"))
        for octeto in CUERPO:
            conexion.sendall(b"1\r\n" + bytes([octeto]) + b"\r\n")
        conexion.sendall(b"0\r\n\r\n")
        assert _respuesta(conexion)[0] == 202


def test_un_cuerpo_enorme_anunciado_es_413_sin_enviarlo(puerto: int) -> None:
    with _abrir(puerto) as conexion:
        conexion.sendall(_cabecera("Content-Length: 10000000000"))
        estado, problema = _respuesta(conexion)
        assert (estado, problema["type"]) == (413, "urn:alpespartners:error:cuerpo_demasiado_grande")


def test_un_cuerpo_enorme_enviado_entero_recibe_su_413(puerto: int) -> None:
    with _pedir(puerto, "POST", "/tracking/impresiones", b" " * 5_000_000) as respuesta:
        assert respuesta.status == 413


def test_un_cuerpo_enorme_a_trozos_es_413(puerto: int, puertos: PuertosEnMemoria) -> None:
    with _abrir(puerto) as conexion:
        conexion.sendall(_cabecera("Transfer-Encoding: chunked"))
        for _ in range(5):
            conexion.sendall(b"4000\r\n" + b" " * 0x4000 + b"\r\n")
        assert _respuesta(conexion)[0] == 413
    assert puertos.publicados == []


def test_tras_un_413_la_conexion_sigue_sirviendo(puerto: int) -> None:
    with closing(HTTPConnection("127.0.0.1", puerto, timeout=10)) as conexion:
        for cuerpo, estado in ((b" " * 70_000, 413), (CUERPO, 202)):
            conexion.request("POST", "/tracking/impresiones", cuerpo, {"Content-Type": "application/json"})
            respuesta = conexion.getresponse()
            respuesta.read()
            assert respuesta.status == estado


def test_un_cuerpo_que_no_acaba_de_llegar_es_408_y_se_cierra(puerto: int) -> None:
    with _abrir(puerto) as conexion:
        conexion.sendall(_cabecera(f"Content-Length: {len(CUERPO)}") + CUERPO[:5])
        estado, problema = _respuesta(conexion)
        assert (estado, problema["type"]) == (408, "urn:alpespartners:error:cuerpo_demasiado_lento")
        assert conexion.recv(1) == b""


def test_un_goteo_no_alarga_el_plazo(puerto: int) -> None:
    with _abrir(puerto) as conexion:
        conexion.sendall(_cabecera("Content-Length: 1000"))
        conexion.settimeout(0.05)
        recibido = b""

        def gotear() -> bytes:
            nonlocal recibido
            conexion.sendall(b" ")
            try:
                recibido += conexion.recv(4096)
            except TimeoutError:
                return b""
            return recibido

        assert hasta(gotear).startswith(b"HTTP/1.1 408")


def test_un_cuerpo_cortado_no_publica_ni_ensucia_el_registro(
    puerto: int, puertos: PuertosEnMemoria, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            with _abrir(puerto) as conexion:
                conexion.sendall(_cabecera(f"Content-Length: {len(CUERPO)}") + CUERPO[:-1])
        with _pedir(puerto, "POST", "/tracking/impresiones", CUERPO) as respuesta:
            assert respuesta.status == 202
    assert len(puertos.publicados) == 1
    assert caplog.records == []


@pytest.mark.parametrize(
    "cuerpo", [b"[" * 50_000, b'{"a":' * 10_000, b'{"a":1,"a":1}', b'{"valor":NaN}', b""]
)
def test_un_json_hostil_es_400_y_el_proceso_sigue(puerto: int, cuerpo: bytes) -> None:
    with _pedir(puerto, "POST", "/tracking/impresiones", cuerpo) as respuesta:
        assert respuesta.status == 400
        assert respuesta.headers["Content-Type"] == "application/problem+json"
    with _pedir(puerto, "GET", "/salud/viva") as respuesta:
        assert respuesta.status == 200


def test_una_pagina_ajena_que_apunta_su_nombre_a_esta_maquina_es_421(puerto: int) -> None:
    with _pedir(puerto, "GET", "/salud/viva", cabeceras={"Host": "ajena.example"}) as respuesta:
        assert respuesta.status == 421


def test_una_direccion_que_se_dice_local_por_cabecera_no_engana(puerto: int) -> None:
    cabeceras = {"Host": "localhost", "X-Forwarded-For": "127.0.0.1"}
    with _pedir(puerto, "GET", "/salud/viva", cabeceras=cabeceras) as respuesta:
        assert respuesta.status == 403
