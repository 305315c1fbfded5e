"""La zona horaria de quien mira: de cuáles elige, y que no se pierde de una vista a otra."""

import re
from collections.abc import AsyncGenerator
from urllib.parse import parse_qs, quote, urlsplit

import httpx2
import pytest

from alpespartners.modulos.informes.aplicacion.zonas import nombres_de_zonas, zonas_por_continente
from tests.apoyo.campana import AHORA, HOSTIL, VISTA, llenar
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria, cliente_de
from tests.apoyo.tablas_html import leer_html

INFLUENCER = "/panel/influencers/inf-1"
DE_LA_ZONA = "alpes_zona"
AUTORIZACION = {"Authorization": "Bearer una"}
VISTAS = pytest.mark.parametrize("vista", [VISTA, INFLUENCER])


@pytest.fixture
def puertos() -> PuertosEnMemoria:
    puertos = PuertosEnMemoria()
    llenar(puertos)
    return puertos


@pytest.fixture(params=[(), ("una",)], ids=["sin claves", "con claves"])
async def cliente(
    puertos: PuertosEnMemoria, request: pytest.FixtureRequest
) -> AsyncGenerator[httpx2.AsyncClient]:
    async with cliente_de(api_en_memoria(puertos, claves=request.param, reloj=lambda: AHORA)) as abierto:
        abierto.headers.update(AUTORIZACION if request.param else {})
        yield abierto


async def elegir(cliente: httpx2.AsyncClient, zona: str, vista: str = VISTA) -> httpx2.Response:
    return await cliente.get(f"{vista}/periodo", params={"desde": "2024-03-01", "zona": zona})


def zonas_que_se_ofrecen(html: str) -> list[str]:
    (lista,) = re.findall(r'<select name="zona".*?</select>', html, re.DOTALL)
    return re.findall(r"<option[^>]*>([^<]*)</option>", lista)


def test_se_eligen_las_canonicas_utc_primero_y_luego_por_continente() -> None:
    zonas = zonas_por_continente()
    nombres = [una.nombre for suyas in zonas.values() for una in suyas]
    assert nombres == ["UTC", *sorted(nombres[1:])]
    assert set(nombres) <= nombres_de_zonas()
    assert {"America/Bogota", "Asia/Kolkata", "Europe/Amsterdam", "Pacific/Apia"} <= set(nombres)
    assert not {"US/Eastern", "Asia/Calcutta", "GMT", "Etc/GMT+5", "EST5EDT", "Zulu"} & set(nombres)
    assert all(una.nombre.startswith(f"{de}/") for de, suyas in zonas.items() if de for una in suyas)


def test_el_nombre_de_antes_de_una_zona_se_sabe_de_cual_es() -> None:
    de_antes = {
        otro: una.nombre for suyas in zonas_por_continente().values() for una in suyas for otro in una.otros
    }
    assert de_antes["Asia/Calcutta"] == "Asia/Kolkata"
    assert de_antes["US/Eastern"] == "America/New_York"
    assert de_antes["America/Buenos_Aires"] == "America/Argentina/Buenos_Aires"
    assert de_antes.keys() <= nombres_de_zonas()


@VISTAS
async def test_la_vista_ofrece_las_canonicas_en_grupos_y_la_suya_elegida(
    cliente: httpx2.AsyncClient, vista: str
) -> None:
    pagina = (await cliente.get(vista, params={"zona": "Asia/Kolkata"})).text
    assert zonas_que_se_ofrecen(pagina) == [
        una.nombre for suyas in zonas_por_continente().values() for una in suyas
    ]
    assert re.findall(r"<option selected[^>]*>([^<]*)", pagina) == ["Asia/Kolkata"]
    assert re.findall(r'<optgroup label="([^"]*)">', pagina)[:3] == ["África", "América", "Antártida"]


@VISTAS
async def test_una_zona_con_su_nombre_de_antes_sigue_valiendo_y_no_se_cambia_al_elegir_otra_cosa(
    cliente: httpx2.AsyncClient, vista: str
) -> None:
    respuesta = await cliente.get(vista, params={"zona": "US/Eastern"})
    assert "zona horaria: US/Eastern" in leer_html(respuesta.text).texto
    assert re.findall(r"<option selected[^>]*>([^<]*)", respuesta.text) == ["US/Eastern"]


async def test_la_que_se_elige_se_guarda_un_año_donde_ningun_guion_la_lee(
    cliente: httpx2.AsyncClient,
) -> None:
    elegida = await elegir(cliente, "America/Argentina/Buenos_Aires")
    assert elegida.status_code == 303
    assert elegida.headers["set-cookie"] == (
        f"{DE_LA_ZONA}=America%2FArgentina%2FBuenos_Aires; HttpOnly; Max-Age=31536000; Path=/; SameSite=lax"
    )


@VISTAS
async def test_una_vista_que_no_dice_zona_lleva_a_la_misma_con_la_que_se_eligio(
    cliente: httpx2.AsyncClient, vista: str
) -> None:
    await elegir(cliente, "America/Bogota")
    for consulta in (
        "",
        "?desde=2024-03-01&hasta=2024-04-01&orden=clics&comparar=a%C3%B1o_anterior",
        "?zona=",
    ):
        llevada = await cliente.get(f"{vista}{consulta}")
        assert llevada.status_code == 303
        adonde = urlsplit(llevada.headers["location"])
        assert adonde.path == vista
        assert parse_qs(adonde.query) == {
            **parse_qs(urlsplit(consulta).query),
            "zona": ["America/Bogota"],
        }
        vista_al_fin = await cliente.get(llevada.headers["location"])
        assert vista_al_fin.status_code == 200
        assert "zona horaria: America/Bogota" in leer_html(vista_al_fin.text).texto


@VISTAS
async def test_la_zona_de_la_direccion_manda_y_mirarla_no_cambia_la_elegida(
    cliente: httpx2.AsyncClient, vista: str
) -> None:
    await elegir(cliente, "America/Bogota")
    ajena = await cliente.get(vista, params={"zona": "Asia/Kolkata"})
    assert "zona horaria: Asia/Kolkata" in leer_html(ajena.text).texto
    assert "set-cookie" not in ajena.headers
    assert (await cliente.get(vista)).headers["location"] == f"{vista}?zona=America/Bogota"


@VISTAS
@pytest.mark.parametrize("guardada", ["", "Bogota", "America/Bogota/x", "%FF", "\"'<b>", "../../etc/passwd"])
async def test_una_guardada_que_no_existe_no_cuenta(
    cliente: httpx2.AsyncClient, vista: str, guardada: str
) -> None:
    respuesta = await cliente.get(vista, headers={"Cookie": f"{DE_LA_ZONA}={quote(guardada, safe='/%<>')}"})
    assert respuesta.status_code == 200
    assert "zona horaria: UTC" in leer_html(respuesta.text).texto


async def test_una_zona_que_no_existe_no_se_guarda(cliente: httpx2.AsyncClient) -> None:
    elegida = await elegir(cliente, "Bogota")
    assert elegida.status_code == 303
    assert "set-cookie" not in elegida.headers


@VISTAS
async def test_todo_enlace_que_depende_de_la_zona_la_lleva(cliente: httpx2.AsyncClient, vista: str) -> None:
    await elegir(cliente, "America/Bogota")
    pagina = await cliente.get(vista, params={"zona": "Asia/Kolkata"})
    enlaces = leer_html(pagina.text).enlaces
    con_zona = {
        nombre: direccion
        for nombre, direccion in enlaces.items()
        if re.match(r"/(panel|tracking)/(campa%C3%B1as|influencers)/[^/?]+(/informe)?(\?|$)", direccion)
    }
    a_otra_vista = "inf-2" if vista == VISTA else HOSTIL
    assert {"Esta semana", "CSV: Este informe", "Clics", a_otra_vista} <= con_zona.keys()
    sin_la_suya = {
        nombre: direccion
        for nombre, direccion in con_zona.items()
        if parse_qs(urlsplit(direccion).query).get("zona") != ["Asia/Kolkata"]
    }
    assert {nombre for nombre in sin_la_suya if "UTC" not in nombre} == set()


async def test_sin_entrar_la_zona_espera_a_que_se_entre(puertos: PuertosEnMemoria) -> None:
    async with cliente_de(api_en_memoria(puertos, claves=["una"], reloj=lambda: AHORA)) as cliente:
        cliente.cookies.set(DE_LA_ZONA, "America%2FBogota")
        sin_entrar = await cliente.get(VISTA)
    adonde = urlsplit(sin_entrar.headers["location"])
    assert (adonde.path, parse_qs(adonde.query)) == ("/panel/entrar", {"volver": [VISTA]})
