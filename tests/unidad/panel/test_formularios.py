"""Los formularios del panel: qué se lee de uno, y que nadie los envía desde otro sitio."""

import re
from collections.abc import AsyncGenerator
from typing import Any

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.http.acceso import ReglasDeAcceso
from alpespartners.api.http.api import Api
from alpespartners.api.http.llavero import LlaveroDelServicio
from alpespartners.api.http.respuestas import RespuestaJSON
from alpespartners.api.http.rutas import Ruta, Rutas
from alpespartners.panel.formularios import CAMPOS_MAXIMOS, LIMITES, Formulario, leer_formulario
from tests.apoyo.memoria import cliente_de, sin_nada_que_abrir

ANFITRION = "127.0.0.1:8000"


def una_api(*claves: str) -> Api:
    """Una con una página que lleva dos formularios, una que no lleva ninguno, y quien los recibe."""

    async def con_formularios(peticion: Request) -> Response:
        formulario = Formulario(peticion)
        respuesta = Response(f"{formulario.campo()} {formulario.campo()}")
        formulario.dejar(respuesta)
        return respuesta

    async def sin_formularios(peticion: Request) -> Response:
        respuesta = Response("nada")
        Formulario(peticion).dejar(respuesta)
        return respuesta

    async def recibir(peticion: Request) -> Response:
        return RespuestaJSON(await leer_formulario(peticion, {"campaña", "nota"}))

    rutas = [
        Ruta(plantilla="/pagina", metodo="GET", atencion=con_formularios, alcance=None),
        Ruta(plantilla="/otra", metodo="GET", atencion=sin_formularios, alcance=None),
        Ruta(plantilla="/envio", metodo="POST", atencion=recibir, alcance=None),
    ]
    acceso = ReglasDeAcceso(llavero=LlaveroDelServicio(claves), sin_clave=False, nombres=())
    return Api(Rutas(rutas), acceso, sin_nada_que_abrir, lambda *_: None)


@pytest.fixture
async def cliente() -> AsyncGenerator[httpx2.AsyncClient]:
    async with cliente_de(una_api()) as abierto:
        yield abierto


async def testigo(cliente: httpx2.AsyncClient) -> str:
    """El de la página, tras cargarla."""
    (primero, segundo) = re.findall(r'name="testigo" value="([^"]+)"', (await cliente.get("/pagina")).text)
    assert primero == segundo
    return str(primero)


async def enviar(cliente: httpx2.AsyncClient, cuerpo: Any, **cabeceras: str) -> httpx2.Response:
    forma = {"Content-Type": "application/x-www-form-urlencoded"}
    if isinstance(cuerpo, dict):
        return await cliente.post("/envio", data=cuerpo, headers=cabeceras)
    return await cliente.post("/envio", content=cuerpo, headers=forma | cabeceras)


async def test_lo_que_envia_su_pagina_se_lee_y_un_campo_vacio_no_esta(cliente: httpx2.AsyncClient) -> None:
    suyo = await testigo(cliente)
    enviado = await enviar(cliente, {"testigo": suyo, "campaña": "a/b ñ&<>", "nota": ""})
    assert enviado.json() == {"campaña": "a/b ñ&<>"}


async def test_dos_pestañas_llevan_el_mismo_testigo_y_ambas_valen(cliente: httpx2.AsyncClient) -> None:
    primero, segundo = await testigo(cliente), await testigo(cliente)
    assert primero == segundo
    assert (await enviar(cliente, {"testigo": primero})).status_code == 200


async def test_vale_en_cualquier_proceso(cliente: httpx2.AsyncClient) -> None:
    suyo = await testigo(cliente)
    async with cliente_de(una_api()) as otro:
        otro.cookies = cliente.cookies
        assert (await enviar(otro, {"testigo": suyo})).status_code == 200


async def test_solo_la_pagina_con_formulario_deja_galleta_y_ningun_guion_la_lee(
    cliente: httpx2.AsyncClient,
) -> None:
    assert "Set-Cookie" not in (await cliente.get("/otra")).headers
    galleta = (await cliente.get("/pagina")).headers["Set-Cookie"]
    assert re.fullmatch(r"alpes_formulario=[\w-]{43}; HttpOnly; Path=/; SameSite=strict", galleta)


@pytest.mark.parametrize(
    "cabeceras",
    [{"X-Forwarded-Proto": "https"}, {"X-Forwarded-Proto": "https, http"}, {"Origin": "https://a"}],
)
async def test_si_la_pagina_llego_cifrada_la_galleta_no_viaja_sin_cifrar(cabeceras: dict[str, str]) -> None:
    async with cliente_de(una_api("k")) as cliente:
        assert "; Secure" in (await cliente.get("/pagina", headers=cabeceras)).headers["Set-Cookie"]


@pytest.mark.parametrize("puesto", ["", "otro", "x" * 43, "ñ" * 43, None])
async def test_sin_el_testigo_de_su_galleta_es_403_y_dice_que_se_recargue(
    cliente: httpx2.AsyncClient, puesto: str | None
) -> None:
    await testigo(cliente)
    enviado = await enviar(cliente, {"nota": "x"} if puesto is None else {"testigo": puesto})
    assert enviado.status_code == 403
    assert enviado.json()["type"] == "urn:alpespartners:error:formulario_caducado"
    assert "Vuelva a cargarla" in enviado.json()["detail"]


async def test_con_el_testigo_repetido_o_sin_la_galleta_es_403(cliente: httpx2.AsyncClient) -> None:
    suyo = await testigo(cliente)
    assert (await enviar(cliente, f"testigo={suyo}&testigo={suyo}")).status_code == 403
    for guardado in (None, "", "x"):
        cliente.cookies.clear()
        if guardado is not None:
            cliente.cookies.set("alpes_formulario", guardado)
        assert (await enviar(cliente, {"testigo": guardado or suyo})).status_code == 403


@pytest.mark.parametrize(
    "cabeceras",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": f"http://{ANFITRION}"},
        {"Origin": "http://ajena.example"},
        {"Origin": "http://127.0.0.1:9000"},
        {"Origin": "null"},
        {"Origin": "http://[mal"},
    ],
)
async def test_desde_otro_sitio_es_403_aunque_lleve_el_testigo(
    cliente: httpx2.AsyncClient, cabeceras: dict[str, str]
) -> None:
    enviado = await enviar(cliente, {"testigo": await testigo(cliente)}, **cabeceras)
    assert enviado.status_code == 403
    assert enviado.json()["type"] == "urn:alpespartners:error:formulario_ajeno"


@pytest.mark.parametrize(
    "cabeceras",
    [
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://alpes.example"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": f"http://{ANFITRION}"},
    ],
)
async def test_desde_este_sitio_vale(cliente: httpx2.AsyncClient, cabeceras: dict[str, str]) -> None:
    assert (await enviar(cliente, {"testigo": await testigo(cliente)}, **cabeceras)).status_code == 200


@pytest.mark.parametrize(
    ("resto", "campo"),
    [
        ("campa%C3%B1a=1&campa%C3%B1a=2", "campaña"),
        ("nota=&nota=2", "nota"),
        ("Nota=1", "Nota"),
        ("nota=%FF", ""),
        ("&".join(f"c{n}=1" for n in range(CAMPOS_MAXIMOS)), ""),
        ("nota=ñ", ""),
    ],
)
async def test_lo_que_no_se_entiende_es_una_falta_que_lo_nombra(
    cliente: httpx2.AsyncClient, resto: str, campo: str
) -> None:
    cuerpo = f"testigo={await testigo(cliente)}&{resto}".encode()
    enviado = await enviar(cliente, cuerpo)
    assert enviado.status_code == 422
    assert [falta["campo"] for falta in enviado.json()["errores"]] == [campo]


async def test_un_cuerpo_grande_o_que_no_es_de_un_formulario_no_se_lee(cliente: httpx2.AsyncClient) -> None:
    grande = {"testigo": await testigo(cliente), "nota": "x" * LIMITES.octetos}
    assert (await enviar(cliente, grande)).status_code == 413
    assert (await cliente.post("/envio", json={})).status_code == 415
