"""Lo que se ve sin ningún evento, y el de prueba que se sigue paso a paso."""

import re
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta
from html import unescape
from urllib.parse import unquote

import httpx2
import pytest

from alpespartners.api.http.claves import Alcance
from alpespartners.modulos.tracking.aplicacion.clases import IMPRESIONES
from alpespartners.modulos.tracking.aplicacion.mensajes import EnviosPendientes
from alpespartners.panel.vistas.primera_vez import CAMPAÑA_DE_PRUEBA
from alpespartners.siembra.audiencias import PREFIJO
from tests.apoyo.claves import ClavesEnMemoria, llavero_con
from tests.apoyo.memoria import AHORA, PuertosEnMemoria, api_en_memoria, cliente_de

ENVIAR = "/panel/evento-de-prueba"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def puertos() -> PuertosEnMemoria:
    return PuertosEnMemoria()


@pytest.fixture
async def cliente(puertos: PuertosEnMemoria) -> AsyncGenerator[httpx2.AsyncClient]:
    async with cliente_de(api_en_memoria(puertos)) as abierto:
        yield abierto


async def enviar(cliente: httpx2.AsyncClient, **cabeceras: str) -> httpx2.Response:
    """Pulsa el botón de la página."""
    pagina = (await cliente.get(ENVIAR, headers=cabeceras)).text
    (testigo,) = re.findall(r'name="testigo" value="([^"]+)"', pagina)
    return await cliente.post(ENVIAR, data={"testigo": testigo}, headers=cabeceras)


async def enviado(cliente: httpx2.AsyncClient) -> str:
    """La dirección del recorrido de uno de prueba."""
    respuesta = await enviar(cliente)
    assert respuesta.status_code == 303, respuesta.text
    return str(respuesta.headers["location"])


def hechos(pagina: str) -> int:
    return pagina.count('<li class="bien">')


def lo_que_cambie(pagina: str) -> str:
    """La dirección que pide htmx cada segundo."""
    (direccion,) = re.findall(r'hx-get="([^"]+)"', pagina)
    return str(direccion).replace("&amp;", "&")


async def test_sin_ninguna_campaña_el_panel_dice_como_enviar_y_con_una_la_enseña(
    cliente: httpx2.AsyncClient,
) -> None:
    vacio = (await cliente.get("/panel")).text
    assert "<h1>Envíe su primer evento</h1>" in vacio
    assert 'curl -X POST "http://127.0.0.1:8000/tracking/impresiones"' in vacio
    # También lo que se escribe en la terminal: el servicio puede no estar en el puerto de siempre.
    assert '.venv/bin/alpespartners sembrar --direccion "http://127.0.0.1:8000"' in unescape(vacio)
    assert '.venv/bin/alpespartners importar ventas.csv --direccion "http://127.0.0.1:8000"' in vacio
    assert "SU_CLAVE" not in vacio
    await cliente.post("/tracking/impresiones", json={"id": "i", "campaña_id": "verano"})
    lleno = (await cliente.get("/panel")).text
    assert "Envíe su primer evento" not in lleno
    assert "verano" in lleno


async def test_buscar_lo_que_no_hay_no_es_la_primera_vez(cliente: httpx2.AsyncClient) -> None:
    assert "Envíe su primer evento" not in (await cliente.get("/panel?prefijo=nada")).text


async def test_con_claves_las_ordenes_dicen_donde_va_la_suya(puertos: PuertosEnMemoria) -> None:
    async with cliente_de(api_en_memoria(puertos, claves=["una"])) as cliente:
        pagina = (await cliente.get(ENVIAR, headers={"Authorization": "Bearer una"})).text
    assert '-H "Authorization: Bearer SU_CLAVE"' in pagina
    assert 'clave="SU_CLAVE"' in pagina


@pytest.mark.parametrize("anfitrion", ['a"$(reboot)"', "a b", "a:1:2", "`id`"])
async def test_una_direccion_que_no_lo_es_no_se_copia_en_una_terminal(
    puertos: PuertosEnMemoria, anfitrion: str
) -> None:
    async with cliente_de(api_en_memoria(puertos, claves=["una"])) as cliente:
        cabeceras = {"Authorization": "Bearer una", "Host": anfitrion}
        pagina = (await cliente.get(ENVIAR, headers=cabeceras)).text
    assert 'curl -X POST "http://localhost:8000/tracking/impresiones"' in pagina


async def test_el_de_prueba_es_un_evento_como_cualquiera_de_una_campaña_que_se_distingue(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    direccion = await enviado(cliente)
    ((comando, comando_id, traza),) = puertos.publicados
    assert comando.campaña_id == CAMPAÑA_DE_PRUEBA
    assert CAMPAÑA_DE_PRUEBA.startswith(PREFIJO)
    assert comando.advertencias == ()
    assert traza
    assert unquote(direccion) == f"{ENVIAR}/{comando.id}?comando={comando_id}"
    contadas = (await cliente.get("/tracking/campanas")).json()["elementos"]
    assert [(una["campaña_id"], una["impresiones"]) for una in contadas] == [(CAMPAÑA_DE_PRUEBA, 1)]


async def test_nadie_lo_envia_desde_otro_sitio(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    await cliente.get(ENVIAR)
    respuesta = await cliente.post(ENVIAR, data={"testigo": "x"})
    assert respuesta.status_code == 403
    assert puertos.publicados == []


async def test_cuando_todo_consta_estan_los_nueve_pasos_y_ya_no_se_pregunta(
    cliente: httpx2.AsyncClient,
) -> None:
    pagina = (await cliente.get(await enviado(cliente))).text
    assert hechos(pagina) == 9
    assert "Ha llegado." in pagina
    assert IMPRESIONES.topico_de_eventos in pagina
    assert "hx-get" not in pagina


async def test_de_lo_que_el_libro_no_dice_nada_no_se_da_nada_por_hecho_porque_lo_diga_una_direccion(
    cliente: httpx2.AsyncClient,
) -> None:
    ceros = "00000000-0000-0000-0000-000000000000"
    pagina = (await cliente.get(f"{ENVIAR}/{CAMPAÑA_DE_PRUEBA}-{ceros}?comando={ceros}")).text
    assert pagina.count("Según esta dirección") == 4
    for afirmado in (
        "Hecho",
        "El broker confirmó que lo guardó.",
        "No tenía ninguna.",
        "La envió este panel",
    ):
        assert afirmado not in pagina


async def test_sin_consumidores_lo_dice_y_en_cuanto_los_hay_sigue(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    puertos.cuantos_consumidores = 0
    pagina = (await cliente.get(await enviado(cliente))).text
    assert hechos(pagina) == 4
    assert "Ahora no hay ningún consumidor." in pagina
    sin_cambios = await cliente.get(lo_que_cambie(pagina), headers=HTMX)
    assert (sin_cambios.status_code, sin_cambios.text) == (204, "")
    puertos.cuantos_consumidores = 2
    cambiado = await cliente.get(lo_que_cambie(pagina), headers=HTMX)
    assert "Hay 2 consumidores en marcha" in cambiado.text
    assert "<html" not in cambiado.text
    puertos.consumir()
    assert hechos((await cliente.get(lo_que_cambie(pagina), headers=HTMX)).text) == 9


async def test_lo_que_espera_en_la_bandeja_de_salida_no_se_da_por_publicado(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    direccion = await enviado(cliente)

    async def con(pendientes: EnviosPendientes) -> int:
        puertos.registrado.balance = replace(puertos.registrado.balance, bandeja=pendientes)
        return hechos((await cliente.get(direccion)).text)

    assert await con(EnviosPendientes(cuantos=1, desde=AHORA)) == 8
    assert await con(EnviosPendientes(cuantos=3, desde=None)) == 8
    # Lo más antiguo que espera es posterior: lo de antes está publicado.
    assert await con(EnviosPendientes(cuantos=1, desde=AHORA + timedelta(seconds=1))) == 9


async def test_sin_base_de_datos_no_se_supone_nada_y_se_sigue_mirando(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    direccion = await enviado(cliente)
    puertos.hay_base_de_datos = False
    respuesta = await cliente.get(direccion)
    assert respuesta.status_code == 200
    assert hechos(respuesta.text) == 4
    assert "La base de datos no responde." in respuesta.text
    puertos.hay_base_de_datos = True
    assert hechos((await cliente.get(lo_que_cambie(respuesta.text), headers=HTMX)).text) == 9


async def test_lo_que_se_rechaza_al_procesarlo_se_dice_y_no_se_espera_mas(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    puertos.cuantos_consumidores = 0
    direccion = await enviado(cliente)
    ((comando, comando_id),) = puertos.sin_consumir
    assert comando.recibido_en is not None
    puertos.sin_consumir[0] = (replace(comando, campaña_id=""), comando_id)
    puertos.consumir()
    pagina = (await cliente.get(direccion)).text
    assert hechos(pagina) == 5
    assert "No se registró." in pagina
    assert pagina.count("No llega") == 4
    assert "hx-get" not in pagina


async def test_si_el_broker_no_confirma_se_puede_repetir_con_el_mismo_id(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    puertos.disponible = False
    respuesta = await enviar(cliente)
    assert respuesta.status_code == 503
    assert "El broker no confirmó el evento de prueba" in respuesta.text
    ((testigo, evento_id),) = re.findall(
        r'name="testigo" value="([^"]+)"><input type="hidden" name="id" value="([^"]+)"', respuesta.text
    )
    (recorrido,) = re.findall(r'href="([^"]+)">Ver si llegó', respuesta.text)
    assert "No consta nada con este id." in (await cliente.get(recorrido)).text
    puertos.disponible = True
    for _ in range(2):
        assert (await cliente.post(ENVIAR, data={"testigo": testigo, "id": evento_id})).status_code == 303
    assert {comando.id for comando, *_ in puertos.publicados} == {evento_id}
    (contada,) = (await cliente.get("/tracking/campanas")).json()["elementos"]
    assert contada["impresiones"] == 1


@pytest.mark.parametrize("evento_id", ["otro", "x-demo-prueba-" + "0" * 36, "demo-prueba-" + "0" * 37])
async def test_solo_se_repite_el_id_de_uno_de_prueba(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, evento_id: str
) -> None:
    pagina = (await cliente.get(ENVIAR)).text
    (testigo,) = re.findall(r'name="testigo" value="([^"]+)"', pagina)
    respuesta = await cliente.post(ENVIAR, data={"testigo": testigo, "id": evento_id})
    assert respuesta.status_code == 422
    assert "<code>id</code>" in respuesta.text
    assert puertos.publicados == []


@pytest.mark.parametrize(
    ("consulta", "nombrado"), [("comando=x", "comando"), ("otro=1", "otro"), ("visto=", "visto")]
)
async def test_un_parametro_que_no_vale_se_dice_por_su_nombre(
    cliente: httpx2.AsyncClient, consulta: str, nombrado: str
) -> None:
    camino = (await enviado(cliente)).partition("?")[0]
    respuesta = await cliente.get(f"{camino}?{consulta}")
    assert respuesta.status_code == 422
    assert nombrado in respuesta.text


async def test_de_un_evento_que_no_es_de_prueba_no_se_cuentan_pasos(cliente: httpx2.AsyncClient) -> None:
    await cliente.post("/tracking/impresiones", json={"id": "imp-1", "campaña_id": "verano"})
    assert (await cliente.get(f"{ENVIAR}/imp-1")).status_code == 404


@pytest.mark.parametrize("alcance", [Alcance.LECTURA, Alcance.CAPTURA])
async def test_quien_solo_mira_no_ve_el_boton_y_quien_solo_envia_no_ve_la_pagina(
    puertos: PuertosEnMemoria, alcance: Alcance
) -> None:
    claves = ClavesEnMemoria()
    clave = claves.crear(alcance)
    llavero = await llavero_con(claves)
    async with cliente_de(api_en_memoria(puertos, guardadas=llavero)) as cliente:
        respuesta = await cliente.get(ENVIAR, headers={"Authorization": f"Bearer {clave}"})
    if alcance is Alcance.LECTURA:
        assert respuesta.status_code == 200
        assert "solo deja mirar" in respuesta.text
        assert "Enviar un evento de prueba</button>" not in respuesta.text
    else:
        assert respuesta.status_code == 403
