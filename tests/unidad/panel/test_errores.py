"""Lo que el panel dice cuando algo falla: en una página, en el idioma de quien mira, y con qué hacer."""

import re
from collections.abc import AsyncGenerator
from html import unescape
from typing import NoReturn

import httpx2
import pytest
from starlette.requests import Request
from structlog.testing import capture_logs

from alpespartners.api.http.claves import Alcance
from alpespartners.api.http.problemas import ErrorHTTP, Falta, datos_invalidos, sin_permiso
from alpespartners.modulos.tracking.aplicacion.codigos import CODIGOS
from alpespartners.modulos.tracking.dominio.excepciones import Fallo
from alpespartners.panel.errores import POR_CODIGO, explicacion_de
from alpespartners.panel.idiomas import Idioma, traducciones
from alpespartners.panel.paginas import Paginas
from alpespartners.seedwork.orden import ORDEN
from tests.apoyo.memoria import AHORA, PuertosEnMemoria, api_en_memoria, cliente_de

EN_INGLES = {"Accept-Language": "en"}


def _frases_en_ingles() -> set[str]:
    """Todas las traducciones; de las que cuentan cosas, la del singular y la del plural."""
    frases: set[str] = set()
    for traducida in traducciones(Idioma.INGLES).values():
        frases.update([traducida] if isinstance(traducida, str) else traducida)
    return frases


@pytest.fixture
def puertos() -> PuertosEnMemoria:
    return PuertosEnMemoria()


@pytest.fixture
async def cliente(puertos: PuertosEnMemoria) -> AsyncGenerator[httpx2.AsyncClient]:
    async with cliente_de(api_en_memoria(puertos)) as abierto:
        yield abierto


def titulo(pagina: httpx2.Response) -> str:
    assert pagina.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in pagina.headers["Content-Security-Policy"]
    return str(re.findall("<h1>(.*)</h1>", pagina.text)[0])


@pytest.mark.parametrize(
    ("direccion", "estado", "en_español", "en_ingles"),
    [
        ("/panel/nada", 404, "No hay nada aquí", "There is nothing here"),
        ("/panel/a%2Fb/c/d/e", 404, "No hay nada aquí", "There is nothing here"),
        ("/panel/%FF", 404, "No hay nada aquí", "There is nothing here"),
        ("/panel/" + "x" * 9000, 414, "Dirección demasiado larga", "Address too long"),
        ("/panel?x=1", 422, "Algo no vale", "Something is not valid"),
        ("/panel/salir", 405, "Esto no se pide así", "This is not how to ask for it"),
    ],
)
async def test_lo_que_no_se_puede_dar_es_una_pagina_en_cada_idioma(
    cliente: httpx2.AsyncClient, direccion: str, estado: int, en_español: str, en_ingles: str
) -> None:
    for idioma, dicho in (("es", en_español), ("en", en_ingles)):
        pagina = await cliente.get(direccion, headers={"Accept-Language": idioma})
        assert (pagina.status_code, titulo(pagina)) == (estado, dicho)
        assert f'<html lang="{idioma}">' in pagina.text
        assert 'href="/panel"' in pagina.text


async def test_lo_que_no_es_del_panel_se_cuenta_como_siempre(cliente: httpx2.AsyncClient) -> None:
    for direccion in ("/nada", "/panelajeno", "/"):
        pedida = await cliente.request("DELETE" if direccion == "/" else "GET", direccion)
        assert pedida.headers["Content-Type"] == "application/problem+json"


async def test_un_405_conserva_los_metodos_que_hay(cliente: httpx2.AsyncClient) -> None:
    pagina = await cliente.post("/panel")
    assert (pagina.status_code, pagina.headers["Allow"]) == (405, "GET, HEAD")


async def test_a_otra_maquina_y_a_otro_nombre_se_les_dice_en_su_idioma(puertos: PuertosEnMemoria) -> None:
    async with cliente_de(api_en_memoria(puertos), "203.0.113.9") as ajena:
        pagina = await ajena.get("/panel", headers=EN_INGLES)
        assert (pagina.status_code, titulo(pagina)) == (403, "Only from the service&#39;s own machine")
    async with cliente_de(api_en_memoria(puertos)) as cliente:
        pagina = await cliente.get("/panel", headers=EN_INGLES | {"Host": "otro.example"})
        assert (pagina.status_code, titulo(pagina)) == (421, "Unknown name")


async def test_sin_base_de_datos_se_dice_que_no_se_pierde_nada_y_cuanto_esperar(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    puertos.hay_base_de_datos = False
    pagina = await cliente.get("/panel")
    assert (pagina.status_code, pagina.headers["Retry-After"]) == (503, "5")
    assert "no se pierde" in pagina.text
    assert "Espere 5 s." in pagina.text
    assert "Wait 5 s." in (await cliente.get("/panel", headers=EN_INGLES)).text


async def test_lo_que_pidio_htmx_va_al_aviso_de_la_pagina_y_sin_clave_a_la_que_la_pide(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    de_htmx = {"HX-Request": "true", "HX-Current-URL": "http://127.0.0.1:8000/panel?prefijo=a%20b#x"}
    aviso = await cliente.get("/panel?x=1", headers=de_htmx)
    assert (aviso.status_code, aviso.headers["HX-Retarget"]) == (422, "#aviso")
    assert "<h2>Algo no vale</h2>" in aviso.text
    assert "<code>x</code>" in aviso.text
    assert "<html" not in aviso.text
    async with cliente_de(api_en_memoria(puertos, claves=["k"])) as otro:
        sin_clave = await otro.get("/panel?prefijo=c", headers=de_htmx)
        ajena = await otro.get("/panel", headers=de_htmx | {"HX-Current-URL": "https://ajena.example/x"})
    assert sin_clave.status_code == 401
    assert sin_clave.headers["HX-Redirect"] == "/panel/entrar?volver=%2Fpanel%3Fprefijo%3Da%2520b"
    assert ajena.headers["HX-Redirect"] == "/panel/entrar?volver=%2Fpanel"


@pytest.mark.parametrize("mirada", ["http://[", "http://[x]/panel"])
async def test_una_pagina_mirada_que_no_es_una_direccion_no_estorba_a_la_del_error(
    cliente: httpx2.AsyncClient, mirada: str
) -> None:
    pagina = await cliente.get("/panel/evento?zz=1", headers={"HX-Current-URL": mirada})
    assert (pagina.status_code, titulo(pagina)) == (422, "Algo no vale")


async def test_un_error_que_el_panel_no_sabe_contar_es_un_problema_y_queda_anotado(
    cliente: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def defecto(*_: object) -> NoReturn:
        raise ZeroDivisionError("defecto")

    monkeypatch.setattr("alpespartners.panel.paginas.explicacion_de", defecto)
    with capture_logs() as anotado:
        respuesta = await cliente.get("/panel/evento?zz=1")
    assert (respuesta.status_code, respuesta.json()["type"]) == (
        422,
        "urn:alpespartners:error:datos_invalidos",
    )
    assert respuesta.headers["X-Content-Type-Options"] == "nosniff"
    (linea,) = (linea for linea in anotado if linea["log_level"] == "error")
    assert (linea["event"], linea["exc_info"]) == ("error que no se pudo contar en su forma", True)


async def test_lo_hostil_de_la_direccion_se_ve_y_no_se_ejecuta(cliente: httpx2.AsyncClient) -> None:
    pagina = await cliente.get("/panel", params={"<script>alert(1)</script>": "x"})
    assert pagina.status_code == 422
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in pagina.text
    assert "<script>alert" not in pagina.text


def test_de_lo_que_no_se_espera_se_dice_lo_que_dice_el_y_nada_de_dentro() -> None:
    raro = ErrorHTTP(503, "raro", "Cosa rara", "Pasó algo raro.")
    assert explicacion_de(raro, Idioma.ESPAÑOL).detalle == "Pasó algo raro."
    assert explicacion_de(raro, Idioma.INGLES).detalle == "The request could not be served."


@pytest.mark.parametrize("codigo", POR_CODIGO)
def test_cada_error_que_se_conoce_se_cuenta_entero_en_ingles(codigo: str) -> None:
    dicho = explicacion_de(ErrorHTTP(400, codigo, "título", "detalle"), Idioma.INGLES)
    en_ingles = {frase.replace("%(orden)s", ORDEN) for frase in _frases_en_ingles()}
    assert {dicho.titulo, dicho.detalle, dicho.que_hacer} <= en_ingles


@pytest.mark.parametrize(
    ("negado", "en_ingles"),
    [
        (sin_permiso("x", alcance=Alcance.LECTURA), "This page needs a key with the “lectura” scope"),
        (sin_permiso("x", errores=[Falta("c", "sin_permiso", "y")]), "Your key is for certain campaigns"),
        (sin_permiso("x"), "Your key does not allow this."),
    ],
)
def test_de_una_clave_se_dice_por_que_no_basta(negado: ErrorHTTP, en_ingles: str) -> None:
    assert explicacion_de(negado, Idioma.INGLES).detalle.startswith(en_ingles)
    assert explicacion_de(negado, Idioma.INGLES).otra_clave


@pytest.mark.parametrize("codigo", CODIGOS)
def test_una_falta_se_dice_en_ingles_o_se_marca_que_esta_en_español(codigo: str) -> None:
    error = datos_invalidos([Fallo("x", CODIGOS[codigo], "frase en español")])
    if error.codigo != "datos_invalidos":
        return
    (en_español,) = explicacion_de(error, Idioma.ESPAÑOL).faltas
    (en_ingles,) = explicacion_de(error, Idioma.INGLES).faltas
    assert (en_español.frase, en_español.en_español) == ("frase en español", "")
    assert en_ingles.frase in {"", *_frases_en_ingles()}
    assert en_ingles.frase or en_ingles.en_español == "frase en español"


@pytest.mark.parametrize(
    ("consulta", "en_ingles"),
    [
        ("desde=2024-03-02&hasta=2024-03-01", "it must be before hasta</li>"),
        ("desde=2024-03-02&desde=2024-03-01", "it appears more than once</li>"),
        ("zona=Bogota", 'this value is not valid here: <span lang="es">'),
        ("granularidad=hora&desde=2016-01-01", 'this value is not valid here: <span lang="es">son unos '),
    ],
)
async def test_de_un_parametro_no_se_dice_en_ingles_lo_que_no_es(
    cliente: httpx2.AsyncClient, consulta: str, en_ingles: str
) -> None:
    pagina = await cliente.get(f"/panel/campa%C3%B1as/cmp-1?{consulta}", headers=EN_INGLES)
    assert pagina.status_code == 422
    assert en_ingles in pagina.text


@pytest.mark.parametrize(
    ("direccion", "rotulo", "corregida"),
    [
        (
            "/panel/campa%C3%B1as/c?granularidad=dia&granularidad=hora&desde=2024-01-01",
            "<strong>Detalle</strong> <code>granularidad</code>: ",
            "/panel/campa%C3%B1as/c?desde=2024-01-01",
        ),
        (
            "/panel/rechazos?desde=30/11/2026&clase=conversion",
            "<strong>Decididos desde (UTC)</strong> <code>desde</code>: debe ser RFC 3339",
            "/panel/rechazos?clase=conversion",
        ),
        ("/panel/rechazos?desde=ayer&hasta=", "<code>desde</code>", "/panel/rechazos?hasta="),
        ("/panel?granularidad=dia", "<code>granularidad</code>", "/panel"),
        ("/panel?direccion=1", "<code>direccion</code>", "/panel"),
        ("/panel?" + "&".join(["direccion=1"] * 33), "hay más de", None),
        ("/panel/nada?direccion=1", "No hay nada aquí", None),
    ],
)
async def test_de_lo_que_no_vale_se_vuelve_a_la_misma_pagina_sin_ello(
    cliente: httpx2.AsyncClient, direccion: str, rotulo: str, corregida: str | None
) -> None:
    pagina = await cliente.get(direccion, headers={"Accept-Language": "es"})
    assert rotulo in pagina.text
    enlaces = re.findall(r'<a href="([^"]*)">Volver y corregirlo</a>', pagina.text)
    assert [unescape(enlace) for enlace in enlaces] == ([] if corregida is None else [corregida])
    if corregida is not None:
        assert (await cliente.get(corregida)).status_code != 422


# El idioma.


async def test_el_idioma_se_elige_y_se_vuelve_a_lo_que_se_miraba(cliente: httpx2.AsyncClient) -> None:
    pagina = await cliente.get("/panel?prefijo=a%2Fb")
    enlace = re.findall(r'href="(/panel/idioma[^"]+)" lang="en" hreflang="en">English<', pagina.text)[0]
    elegido = await cliente.get(enlace.replace("&amp;", "&"))
    assert (elegido.status_code, elegido.headers["Location"]) == (303, "/panel?prefijo=a%2Fb")
    assert "Max-Age=31536000" in elegido.headers["Set-Cookie"]
    pagina = await cliente.get("/panel", headers={"Accept-Language": "es"})
    assert '<html lang="en">' in pagina.text
    assert 'lang="es" hreflang="es">Español<' in pagina.text


@pytest.mark.parametrize("consulta", ["", "?a=fr", "?a=ES", "?a=es&a=en", "?a=es&x=1"])
async def test_un_idioma_que_no_hay_es_una_falta_y_no_se_guarda(
    cliente: httpx2.AsyncClient, consulta: str
) -> None:
    pedido = await cliente.get(f"/panel/idioma{consulta}")
    assert pedido.status_code == 422
    assert "alpes_idioma" not in pedido.headers.get("Set-Cookie", "")


def test_una_direccion_rara_no_se_repite_en_la_pagina() -> None:
    peticion = Request(
        {
            "type": "http",
            "method": "GET",
            "path": "/panel/ñ",
            "raw_path": "/panel/ñ\\".encode("latin-1"),
            "query_string": b"",
            "headers": [],
        }
    )
    pagina = Paginas(lambda: AHORA).al_fallar(peticion, ErrorHTTP(404, "no_encontrado", "x", "y"))
    assert b"volver=%2Fpanel&#34;" not in bytes(pagina.body)
    assert b'volver=%2Fpanel"' in bytes(pagina.body)
