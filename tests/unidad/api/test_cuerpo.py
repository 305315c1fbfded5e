"""Cuerpos que llegan a trozos, despacio o a medias, hablando ASGI directamente."""

import asyncio
import json
from collections.abc import Sequence

import pytest
from starlette.types import Message

from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria

CUERPO = b'{"campa\\u00f1a_id": "c"}'


async def _enviar(
    puertos: PuertosEnMemoria, mensajes: Sequence[Message], *cabeceras: tuple[bytes, bytes]
) -> list[Message]:
    """Entrega esos mensajes a la API; después de ellos el cliente se queda callado para siempre."""
    pendientes = list(mensajes)
    recibidos: list[Message] = []

    async def receive() -> Message:
        if not pendientes:
            await asyncio.Event().wait()
        return pendientes.pop(0)

    async def send(mensaje: Message) -> None:
        recibidos.append(mensaje)

    scope = {
        "type": "http",
        "method": "POST",
        "raw_path": b"/tracking/impresiones",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json"), *cabeceras],
        "client": None,
    }
    await api_en_memoria(puertos, segundos_de_cuerpo=0.05)(scope, receive, send)
    return recibidos


def _trozo(octetos: bytes, *, sigue: bool) -> Message:
    return {"type": "http.request", "body": octetos, "more_body": sigue}


async def test_un_cuerpo_a_trozos_se_junta(puertos: PuertosEnMemoria) -> None:
    respuesta = await _enviar(puertos, [_trozo(CUERPO[:5], sigue=True), _trozo(CUERPO[5:], sigue=False)])
    assert respuesta[0]["status"] == 202


async def test_un_cuerpo_que_crece_sin_decir_su_tamano_es_413(puertos: PuertosEnMemoria) -> None:
    respuesta = await _enviar(puertos, [_trozo(b" " * 40_000, sigue=True)] * 2)
    assert respuesta[0]["status"] == 413
    assert puertos.publicados == []


@pytest.mark.parametrize("longitud", [b"65537", b"9" * 30, b"9" * 5_000])
async def test_un_tamano_anunciado_excesivo_es_413_sin_leer_nada(
    puertos: PuertosEnMemoria, longitud: bytes
) -> None:
    respuesta = await _enviar(puertos, [], (b"content-length", longitud))
    assert respuesta[0]["status"] == 413


async def test_una_longitud_que_no_es_un_numero_de_ascii_no_cuenta(puertos: PuertosEnMemoria) -> None:
    respuesta = await _enviar(puertos, [_trozo(CUERPO, sigue=False)], (b"content-length", b"\xb2"))
    assert respuesta[0]["status"] == 202


async def test_un_cuerpo_que_no_acaba_de_llegar_es_408_y_cierra_la_conexion(
    puertos: PuertosEnMemoria,
) -> None:
    respuesta = await _enviar(puertos, [_trozo(CUERPO[:5], sigue=True)])
    assert respuesta[0]["status"] == 408
    assert (b"connection", b"close") in respuesta[0]["headers"]
    assert json.loads(respuesta[1]["body"])["type"] == "urn:alpespartners:error:cuerpo_demasiado_lento"
    assert puertos.publicados == []


async def test_un_cuerpo_cortado_a_la_mitad_no_publica_nada_ni_responde(
    puertos: PuertosEnMemoria, capsys: pytest.CaptureFixture[str]
) -> None:
    respuesta = await _enviar(puertos, [_trozo(CUERPO, sigue=True), {"type": "http.disconnect"}])
    assert respuesta == []
    assert puertos.publicados == []
    assert capsys.readouterr() == ("", "")
