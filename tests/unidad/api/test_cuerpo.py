"""Cuerpos que llegan a trozos, despacio o a medias, hablando ASGI directamente."""

import asyncio
import gzip
import json
import tracemalloc
import zlib
from collections.abc import Sequence

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message

from alpespartners.api.http.cuerpo import OCTETOS_DE_UNA_PARTE
from alpespartners.api.http.limites import DE_UN_EVENTO
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria, cliente_de

CUERPO = b'{"campa\\u00f1a_id": "c"}'
EN_GZIP = (b"content-encoding", b"gzip")


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


async def _comprimido(
    cliente: httpx2.AsyncClient, cuerpo: bytes, codificacion: str, ruta: str = "/tracking/impresiones"
) -> httpx2.Response:
    cabeceras = {"Content-Type": "application/json", "Content-Encoding": codificacion}
    return await cliente.post(ruta, content=cuerpo, headers=cabeceras)


@pytest.mark.parametrize("codificacion", ["gzip", "GZip", "x-gzip", " gzip ", "identity, gzip", "gzip,"])
async def test_un_cuerpo_en_gzip_se_lee(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, codificacion: str
) -> None:
    respuesta = await _comprimido(cliente, gzip.compress(CUERPO), codificacion)
    assert respuesta.status_code == 202
    assert puertos.publicados[0][0].campaña_id == "c"


async def test_un_gzip_de_varios_miembros_es_lo_que_hay_en_todos(cliente: httpx2.AsyncClient) -> None:
    miembros = gzip.compress(CUERPO[:5]) + gzip.compress(b"") + gzip.compress(CUERPO[5:])
    assert (await _comprimido(cliente, miembros, "gzip")).status_code == 202


@pytest.mark.parametrize("ruta", ["/tracking/impresiones", "/tracking/lotes"])
async def test_un_gzip_de_muchos_miembros_no_copia_por_cada_uno_los_que_le_siguen(
    cliente: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch, ruta: str
) -> None:
    abrir, mas_largo = zlib.decompressobj, 0

    class Miembro:
        def __init__(self, ventana: int) -> None:
            self._real = abrir(ventana)

        def __getattr__(self, nombre: str) -> object:
            nonlocal mas_largo
            mas_largo = max(mas_largo, len(self._real.unused_data))
            return getattr(self._real, nombre)

    monkeypatch.setattr(zlib, "decompressobj", Miembro)
    respuesta = await _comprimido(cliente, gzip.compress(b"") * 1_000 + gzip.compress(CUERPO), "gzip", ruta)
    assert respuesta.status_code == (202 if ruta == "/tracking/impresiones" else 400)
    assert mas_largo < OCTETOS_DE_UNA_PARTE


ILEGIBLES = {
    "nada": b"",
    "sin comprimir": CUERPO,
    "otra compresión": zlib.compress(CUERPO),
    "cortado": gzip.compress(CUERPO)[:-1],
    "cortado en su cabecera": gzip.compress(CUERPO)[:5],
    "de otra suma": gzip.compress(CUERPO)[:-8] + b"aaaa" + gzip.compress(CUERPO)[-4:],
    "con algo detrás": gzip.compress(CUERPO) + b"a",
    "con otro miembro, cortado": gzip.compress(CUERPO) + gzip.compress(b" ")[:-1],
}


@pytest.mark.parametrize("cuerpo", ILEGIBLES.values(), ids=ILEGIBLES)
async def test_un_gzip_roto_o_cortado_es_400(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, cuerpo: bytes
) -> None:
    respuesta = await _comprimido(cliente, cuerpo, "gzip")
    assert respuesta.status_code == 400
    assert respuesta.json()["type"] == "urn:alpespartners:error:gzip_ilegible"
    assert puertos.publicados == []


async def test_el_limite_es_el_de_lo_que_sale(cliente: httpx2.AsyncClient) -> None:
    justo = CUERPO + b" " * (DE_UN_EVENTO.octetos - len(CUERPO))
    assert (await _comprimido(cliente, gzip.compress(justo), "gzip")).status_code == 202
    for excesivo in (gzip.compress(justo + b" "), gzip.compress(justo) + gzip.compress(b" ")):
        respuesta = await _comprimido(cliente, excesivo, "gzip")
        assert respuesta.status_code == 413


def _ceros(octetos: int) -> bytes:
    compresor = zlib.compressobj(wbits=31)
    trozo = bytes(1024 * 1024)
    return b"".join([*(compresor.compress(trozo) for _ in range(octetos // len(trozo))), compresor.flush()])


@pytest.mark.parametrize("octetos", [1024**3, 48 * 1024**2], ids=["1 GiB", "lo que cabe en 64 KiB"])
async def test_una_bomba_es_413_sin_ocupar_lo_que_lleva_dentro(
    puertos: PuertosEnMemoria, octetos: int
) -> None:
    bomba = _ceros(octetos)
    trozos = [bomba[desde : desde + 16_384] for desde in range(0, len(bomba), 16_384)]
    mensajes = [_trozo(trozo, sigue=trozo is not trozos[-1]) for trozo in trozos]
    tracemalloc.start()
    try:
        respuesta = await _enviar(puertos, mensajes, EN_GZIP)
        _, maximo = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert respuesta[0]["status"] == 413
    assert maximo < 4 * 1024 * 1024


@given(st.binary(max_size=200), st.sampled_from(["gzip", "identity"]))
async def test_ningun_cuerpo_comprimido_o_no_es_un_error_del_servicio(
    cuerpo: bytes, codificacion: str
) -> None:
    async with cliente_de(api_en_memoria(PuertosEnMemoria())) as cliente:
        assert (await _comprimido(cliente, cuerpo, codificacion)).status_code in {202, 400, 422}
