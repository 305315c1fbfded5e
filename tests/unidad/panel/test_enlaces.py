"""Los enlaces cortos en el panel: se listan, se hacen con sus faltas a la vista, y llevan su código QR."""

import re
from collections.abc import AsyncGenerator
from datetime import timedelta
from html import unescape
from typing import Final

import httpx2
import pytest

from alpespartners.api.http.claves import Alcance
from alpespartners.modulos.enlaces.dominio.enlace import Enlace
from tests.apoyo.claves import ClavesEnMemoria, llavero_con
from tests.apoyo.codigos_qr import modulos_de, modulos_que_dicen
from tests.apoyo.memoria import AHORA, PuertosEnMemoria, api_en_memoria, cliente_de
from tests.apoyo.paginas import texto_de
from tests.apoyo.tablas_html import Leido, leer_html

LISTA: Final = "/panel/enlaces"
NUEVO: Final = "/panel/enlace-nuevo"
CAPTURA, LECTURA = Alcance.CAPTURA, Alcance.LECTURA
VALIDO: Final = {"campaña_id": "verano", "influencer_id": "ana", "destino": "https://tienda.com/zapatos"}


@pytest.fixture
def puertos() -> PuertosEnMemoria:
    return PuertosEnMemoria()


@pytest.fixture
async def cliente(puertos: PuertosEnMemoria) -> AsyncGenerator[httpx2.AsyncClient]:
    async with cliente_de(api_en_memoria(puertos)) as abierto:
        yield abierto


def guardar(puertos: PuertosEnMemoria, enlace_id: str, campaña_id: str = "verano", **datos: object) -> None:
    orden = timedelta(seconds=len(puertos.enlaces.guardados))
    puertos.enlaces.guardados[enlace_id] = Enlace(
        **{"destino": "https://tienda.com/", "creado_en": AHORA + orden, "influencer_id": "ana"}
        | datos
        | {"enlace_id": enlace_id, "campaña_id": campaña_id}  # type: ignore[arg-type]
    )


async def ver(cliente: httpx2.AsyncClient, direccion: str) -> Leido:
    respuesta = await cliente.get(direccion)
    assert respuesta.status_code == 200, respuesta.text
    return leer_html(respuesta.text)


def escrito(pagina: str) -> dict[str, str]:
    """Lo que llevan los campos de un formulario, también el que no se ve."""
    formulario = pagina[pagina.index('<form method="post"') :].partition("</form>")[0]
    return {
        nombre: unescape(valor)
        for nombre, valor in re.findall(r'name="([^"]+)"[^>]*? value="([^"]*)"', formulario)
    }


async def hacer(
    cliente: httpx2.AsyncClient, campos: dict[str, str], direccion: str = NUEVO, **cabeceras: str
) -> httpx2.Response:
    """Abre el formulario, escribe esos campos sobre lo que trae y lo envía."""
    pagina = await cliente.get(direccion, headers=cabeceras)
    assert pagina.status_code == 200, pagina.text
    return await cliente.post(NUEVO, data=escrito(pagina.text) | campos, headers=cabeceras)


def faltas(respuesta: httpx2.Response) -> dict[str, str]:
    """Lo que se dice junto a cada campo, al que apunta."""
    dichas = re.findall(r'<p class="falta" id="falta-([^"]+)">(.*?)</p>', respuesta.text)
    for campo, _dicha in dichas:
        assert re.search(
            rf'<input id="{campo}"[^>]* aria-invalid="true" aria-describedby="falta-{campo} ', respuesta.text
        )
    return {campo: unescape(dicha) for campo, dicha in dichas}


async def test_cada_uno_sale_con_su_enlace_su_destino_su_caducidad_y_su_estado(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    guardar(puertos, "sin-fin", influencer_id=None, creado_en=AHORA)
    guardar(puertos, "acaba-ahora", creado_en=AHORA + timedelta(hours=1), vence_en=AHORA)
    guardar(puertos, "acaba-luego", creado_en=AHORA, vence_en=AHORA + timedelta(seconds=1))
    filas = (await ver(cliente, LISTA)).filas
    assert [fila[0] for fila in filas] == [
        f"{uno} http://127.0.0.1:8000/c/{uno}" for uno in ("acaba-ahora", "sin-fin", "acaba-luego")
    ]
    assert [fila[1:6] for fila in filas] == [
        ["verano", "ana", "https://tienda.com/", "Caducado", "15 ene 2024, 10:36:00 UTC"],
        ["verano", "–", "https://tienda.com/", "Vigente", "–"],
        ["verano", "ana", "https://tienda.com/", "Vigente", "15 ene 2024, 10:36:01 UTC"],
    ]


async def test_los_filtros_van_en_la_direccion_y_siguen_de_una_pagina_a_otra(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    for orden in range(120):
        guardar(puertos, f"de-{orden}", "verano" if orden % 2 else "otra")
    guardar(puertos, "de-otro", influencer_id="otro")
    pagina = await ver(cliente, f"{LISTA}?campa%C3%B1a_id=verano&influencer_id=ana")
    vistos = [fila[0].split()[0] for fila in pagina.filas]
    while "Página siguiente" in pagina.enlaces:
        pagina = await ver(cliente, pagina.enlaces["Página siguiente"])
        vistos += [fila[0].split()[0] for fila in pagina.filas]
    assert vistos == [f"de-{orden}" for orden in range(119, 0, -2)]
    assert "influencer_id=ana" in pagina.enlaces["Primera página"]
    assert pagina.enlaces["Hacer un enlace corto"] == f"{NUEVO}?campa%C3%B1a_id=verano&influencer_id=ana"


async def test_la_pagina_de_una_campaña_y_de_un_influencer_llevan_al_formulario_ya_rellenado(
    cliente: httpx2.AsyncClient,
) -> None:
    for campaña, influencer in (("ñandú/1", "ana&co"), ("sin-nada", "nadie")):
        if campaña != "sin-nada":
            evento = {"id": "i", "campaña_id": campaña, "influencer_id": influencer, "tipo_evento": "CLIC"}
            await cliente.post("/tracking/impresiones", json=evento)
        paginas = {"campaña_id": ("campañas", campaña), "influencer_id": ("influencers", influencer)}
        for campo, (de, identidad) in paginas.items():
            pagina = leer_html((await cliente.get(f"/panel/{de}/{identidad.replace('/', '%2F')}")).text)
            formulario = await cliente.get(pagina.enlaces["Hacer un enlace corto"])
            assert escrito(formulario.text)[campo] == identidad
            lista = await cliente.get(pagina.enlaces["Sus enlaces cortos"])
            assert lista.status_code == 200


async def test_hacer_uno_lo_guarda_con_todo_lo_escrito_y_lleva_a_su_pagina(
    cliente: httpx2.AsyncClient,
) -> None:
    campos = VALIDO | {
        "enlace_id": "ana-verano",
        "cupon": "ANA10",
        "vence_en": "2030-01-01T05:00",
        "parametro_clic": "clic",
    }
    respuesta = await hacer(cliente, campos)
    assert (respuesta.status_code, respuesta.headers["Location"]) == (303, f"{LISTA}/ana-verano")
    guardado = (await cliente.get("/tracking/enlaces/ana-verano")).json()
    assert {campo: guardado[campo] for campo in campos} == campos | {"vence_en": "2030-01-01T05:00:00Z"}
    pagina = texto_de(await cliente.get(f"{LISTA}/ana-verano"))
    for dicho in ("http://127.0.0.1:8000/c/ana-verano", "ANA10", "Vigente", "https://tienda.com/zapatos"):
        assert dicho in pagina


async def test_lo_que_se_deja_vacio_es_lo_que_dice_el_formulario(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    vacios = dict.fromkeys(["influencer_id", "enlace_id", "cupon", "vence_en", "parametro_clic"], "")
    respuesta = await hacer(cliente, VALIDO | vacios)
    (guardado,) = puertos.enlaces.guardados.values()
    assert respuesta.headers["Location"] == f"{LISTA}/{guardado.enlace_id}"
    assert (guardado.influencer_id, guardado.cupon, guardado.vence_en) == (None, None, None)
    assert guardado.parametro_clic == "alp_clic"


async def test_enviar_dos_veces_el_mismo_formulario_hace_un_enlace(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    enviado = escrito((await cliente.get(NUEVO)).text) | VALIDO
    respuestas = [await cliente.post(NUEVO, data=enviado) for _ in range(2)]
    assert [respuesta.status_code for respuesta in respuestas] == [303, 303]
    assert list(puertos.enlaces.guardados) == [enviado["enlace_id"]]


async def test_un_nombre_que_ya_es_de_otro_enlace_se_dice_junto_al_nombre_y_no_lo_cambia(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    guardar(puertos, "juan", "otra")
    respuesta = await hacer(cliente, VALIDO | {"enlace_id": "juan"})
    assert respuesta.status_code == 409
    assert faltas(respuesta) == {
        "enlace_id": "ya hay un enlace que se llama así y no dice lo mismo: elija otro nombre"
    }
    assert puertos.enlaces.guardados["juan"].campaña_id == "otra"


MALOS: Final = {
    "campaña_id": "",
    "influencer_id": " ana",
    "destino": "https://u:p@tienda.com/",
    "enlace_id": "con tilde á",
    "vence_en": "mañana",
    "parametro_clic": "sub1",
}


@pytest.mark.parametrize(
    ("idioma", "del_destino"),
    [("es", "no puede llevar usuario ni contraseña"), ("en", "it cannot carry a user or a password")],
)
async def test_las_faltas_van_cada_una_junto_a_su_campo_en_el_idioma_de_quien_mira_y_nada_se_borra(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, idioma: str, del_destino: str
) -> None:
    respuesta = await hacer(cliente, MALOS | {"cupon": "ANA10"}, **{"Accept-Language": idioma})
    assert respuesta.status_code == 422
    dichas = faltas(respuesta)
    assert dichas.keys() == MALOS.keys()
    assert dichas["destino"] == del_destino
    quedan = escrito(respuesta.text)
    assert {campo: quedan[campo] for campo in (*MALOS, "cupon")} == MALOS | {"cupon": "ANA10"}
    assert puertos.enlaces.guardados == {}


@pytest.mark.parametrize(
    "malos",
    [
        MALOS,
        {"campaña_id": "x" * 129, "destino": "tienda.com", "enlace_id": "x" * 65, "parametro_clic": "A"},
        {"campaña_id": "a\x00", "destino": "https://tienda.com/a b"},
        {"destino": "https://1.2.3/", "parametro_clic": "utm_x"},
        {"destino": "https://tienda.com/\x7f"},
    ],
)
async def test_en_ingles_ninguna_falta_se_queda_en_español(
    cliente: httpx2.AsyncClient, malos: dict[str, str]
) -> None:
    respuesta = await hacer(cliente, VALIDO | malos, **{"Accept-Language": "en"})
    assert faltas(respuesta).keys() == malos.keys()
    assert 'lang="es"' not in respuesta.text.partition("<footer")[0]


async def test_si_no_se_sabe_si_se_guardo_se_repite_con_el_mismo_nombre(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    enviado = escrito((await cliente.get(NUEVO)).text) | VALIDO | {"enlace_id": ""}
    puertos.enlaces.disponible = False
    respuesta = await cliente.post(NUEVO, data=enviado)
    assert respuesta.status_code == 503
    assert "No se sabe si se guardó" in texto_de(respuesta)
    puertos.enlaces.disponible = True
    repetido = escrito(respuesta.text)
    assert (await cliente.post(NUEVO, data=repetido)).status_code == 303
    assert list(puertos.enlaces.guardados) == [repetido["enlace_id"]]


async def test_nadie_hace_un_enlace_desde_otro_sitio(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    await cliente.get(NUEVO)
    for campos in (VALIDO, VALIDO | {"testigo": "x" * 43}):
        assert (await cliente.post(NUEVO, data=campos)).status_code == 403
    assert puertos.enlaces.guardados == {}


async def test_el_codigo_qr_de_la_pagina_y_el_del_archivo_dicen_el_enlace_corto(
    puertos: PuertosEnMemoria,
) -> None:
    guardar(puertos, "juan")
    por_fuera = {"Host": "go.tienda.com", "X-Forwarded-Proto": "https"}
    for cabeceras, enlace in (
        ({}, "http://127.0.0.1:8000/c/juan"),
        (por_fuera, "https://go.tienda.com/c/juan"),
    ):
        api = api_en_memoria(puertos, nombres=["go.tienda.com"], sin_clave=True)
        async with cliente_de(api) as otro:
            pagina = await otro.get(f"{LISTA}/juan", headers=cabeceras)
            archivo = await otro.get(f"{LISTA}/juan/qr.svg", headers=cabeceras)
        assert f"<code>{enlace}</code>" in pagina.text
        assert modulos_de(pagina.text) == modulos_que_dicen(enlace) == modulos_de(archivo.text)
        assert archivo.headers["Content-Type"].startswith("image/svg+xml")
        assert archivo.headers["Content-Disposition"] == 'attachment; filename="juan.svg"'
        assert archivo.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert modulos_que_dicen(enlace) != modulos_que_dicen(enlace[:-1] + "m")


async def test_quien_no_puede_hacer_enlaces_los_ve_y_no_ve_el_formulario(puertos: PuertosEnMemoria) -> None:
    guardar(puertos, "juan")
    claves = ClavesEnMemoria()
    solo_lee, hace = claves.crear(LECTURA), claves.crear(CAPTURA, LECTURA)
    async with cliente_de(api_en_memoria(puertos, guardadas=await llavero_con(claves))) as cliente:
        for clave, puede in ((solo_lee, False), (hace, True)):
            cliente.headers["Authorization"] = f"Bearer {clave}"
            for direccion in (LISTA, "/panel/campañas/ninguna", "/panel/influencers/ninguno"):
                pagina = await cliente.get(direccion)
                assert "Enlaces cortos" in pagina.text
                assert (NUEVO in pagina.text) is puede
            assert (await cliente.get(f"{LISTA}/juan")).status_code == 200
            assert (await cliente.get(NUEVO)).status_code == (200 if puede else 403)
            respuesta = await cliente.post(NUEVO, data=VALIDO)
            assert respuesta.status_code == 403
            assert ("Sin permiso" in respuesta.text) is not puede


async def test_una_clave_de_unas_campañas_solo_ve_y_hace_los_suyos(puertos: PuertosEnMemoria) -> None:
    guardar(puertos, "suyo", "verano")
    guardar(puertos, "ajeno", "otra")
    claves = ClavesEnMemoria()
    clave = claves.crear(CAPTURA, LECTURA, campañas=["verano", "invierno"])
    async with cliente_de(api_en_memoria(puertos, guardadas=await llavero_con(claves))) as cliente:
        cliente.headers["Authorization"] = f"Bearer {clave}"
        elegir = await ver(cliente, f"{LISTA}?influencer_id=ana")
        assert elegir.filas == []
        assert "ajeno" not in elegir.texto
        suyos = await ver(cliente, elegir.enlaces["verano"])
        assert [fila[0].split()[0] for fila in suyos.filas] == ["suyo"]
        assert (await cliente.get(f"{LISTA}?campa%C3%B1a_id=otra")).status_code == 403
        for que in ("", "/qr.svg"):
            assert (await cliente.get(f"{LISTA}/suyo{que}")).status_code == 200
            assert (await cliente.get(f"{LISTA}/ajeno{que}")).status_code == 404
        negado = await hacer(cliente, VALIDO | {"campaña_id": "otra"})
        assert negado.status_code == 403
        assert faltas(negado).keys() == {"campaña_id"}
        assert set(re.findall(r'<option value="([^"]+)"', negado.text)) == {"verano", "invierno"}
        assert (await hacer(cliente, VALIDO | {"enlace_id": "otro"})).status_code == 303
    assert puertos.enlaces.guardados.keys() == {"suyo", "ajeno", "otro"}
    assert puertos.enlaces.guardados["otro"].campaña_id == "verano"
