"""Quién mira el panel: entra con su clave, sigue con una sesión, y ve lo que su clave deja ver."""

import hashlib
import logging
import re
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from alpespartners.api.http.claves import Alcance, Clave, Dialecto
from alpespartners.api.http.sesion import Sesion
from alpespartners.modulos.claves.aplicacion.llavero import LlaveroGuardado
from tests.apoyo.claves import AHORA, ClavesEnMemoria
from tests.apoyo.llavero import LlaveroEnMemoria
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria, cliente_de, rutas_en_memoria

CAPTURA, LECTURA, OPERACION, _ = Alcance
DE_LOS_AJUSTES: Final = "la-de-los-ajustes"
GALLETA: Final = "alpes_sesion"
IMPRESION: Final = {"usuario_id": "u", "influencer_id": "i", "tipo_evento": "CLIC"}


class Servicio:
    """La API en memoria con claves, y navegadores que la miran desde otra máquina.

    Attributes:
        ahora: la hora del servicio, que se puede adelantar.
    """

    def __init__(self, claves: ClavesEnMemoria, de_los_ajustes: tuple[str, ...] = (DE_LOS_AJUSTES,)) -> None:
        self.ahora = AHORA
        self.puertos = PuertosEnMemoria()
        self.guardadas = LlaveroGuardado(claves.leer, self.hora)
        self.de_los_ajustes = de_los_ajustes

    def hora(self) -> datetime:
        return self.ahora

    def navegador(
        self, anterior: httpx2.AsyncClient | None = None, desde: str = "203.0.113.9"
    ) -> httpx2.AsyncClient:
        """Uno nuevo, ante un proceso nuevo; con las galletas de otro, si se da."""
        api = api_en_memoria(
            self.puertos, claves=self.de_los_ajustes, guardadas=self.guardadas, reloj=self.hora
        )
        cliente = cliente_de(api, desde)

        async def ponerse_al_dia(_peticion: httpx2.Request) -> None:
            # Lo que haría por su cuenta en un segundo.
            await self.guardadas.ponerse_al_dia()

        cliente.event_hooks["request"].append(ponerse_al_dia)
        if anterior is not None:
            cliente.cookies = anterior.cookies
        return cliente


@pytest.fixture
def claves() -> ClavesEnMemoria:
    return ClavesEnMemoria()


@pytest.fixture
def servicio(claves: ClavesEnMemoria) -> Servicio:
    return Servicio(claves)


@pytest.fixture
async def navegador(servicio: Servicio) -> AsyncGenerator[httpx2.AsyncClient]:
    async with servicio.navegador() as abierto:
        yield abierto


async def entrar(
    navegador: httpx2.AsyncClient, clave: str, volver: str = "/panel", **cabeceras: str
) -> httpx2.Response:
    """Carga la página de entrar, escribe la clave y la envía."""
    pagina = await navegador.get("/panel/entrar", params={"volver": volver})
    (testigo,) = set(re.findall(r'name="testigo" value="([^"]+)', pagina.text))
    return await navegador.post(
        "/panel/entrar",
        params={"volver": volver},
        data={"testigo": testigo, "clave": clave},
        headers=cabeceras,
    )


@pytest.mark.parametrize("direccion", ["/panel", "/panel?prefijo=ver%C3%A1no%2F1&x=a+b", "/panel/nada/a%2Fb"])
async def test_sin_clave_se_va_a_la_pagina_que_la_pide_y_con_ella_se_vuelve(
    navegador: httpx2.AsyncClient, direccion: str
) -> None:
    sin_clave = await navegador.get(direccion)
    assert sin_clave.status_code == 303
    adonde = urlsplit(sin_clave.headers["Location"])
    assert (adonde.path, parse_qs(adonde.query)) == ("/panel/entrar", {"volver": [direccion]})
    dentro = await entrar(navegador, DE_LOS_AJUSTES, direccion)
    assert (dentro.status_code, dentro.headers["Location"]) == (303, direccion)
    assert (await navegador.get("/panel")).status_code == 200


async def test_la_galleta_no_lleva_la_clave_ni_la_lee_un_guion(
    navegador: httpx2.AsyncClient, claves: ClavesEnMemoria
) -> None:
    for clave in (DE_LOS_AJUSTES, claves.crear(LECTURA)):
        galleta = (await entrar(navegador, clave)).headers["Set-Cookie"]
        assert re.fullmatch(
            r"alpes_sesion=\w*\.\d+\.[\w-]{43}; HttpOnly; Max-Age=43200; Path=/; SameSite=lax", galleta
        )
        assert clave not in galleta
        assert clave.split("_", 2)[-1] not in galleta


@pytest.mark.parametrize("cabeceras", [{"Origin": "https://127.0.0.1:8000"}, {"X-Forwarded-Proto": "https"}])
async def test_si_se_entra_por_https_la_sesion_no_viaja_sin_cifrar(
    navegador: httpx2.AsyncClient, cabeceras: dict[str, str]
) -> None:
    dentro = await entrar(navegador, DE_LOS_AJUSTES, **cabeceras, **{"Sec-Fetch-Site": "same-origin"})
    assert "; Secure" in dentro.headers["Set-Cookie"]


@pytest.mark.parametrize(
    "clave", ["otra", "", " ", "alpes_abc_def", "ñ" * 500, "x\x00", f"{DE_LOS_AJUSTES}x"]
)
async def test_una_clave_que_no_vale_se_dice_en_la_misma_pagina_y_no_se_anota(
    navegador: httpx2.AsyncClient, clave: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    negada = await entrar(navegador, clave, "/panel?prefijo=x")
    assert negada.status_code == 401
    assert negada.headers["WWW-Authenticate"].startswith("Bearer")
    assert "Esa clave no vale" in negada.text
    assert "volver=%2Fpanel%3Fprefijo%3Dx" in negada.text
    assert GALLETA not in navegador.cookies
    assert len(clave.strip()) < 2 or (clave not in negada.text and clave not in caplog.text)


@pytest.mark.parametrize(
    "clave",
    [Clave(alcances=frozenset({CAPTURA})), Clave(dialecto=Dialecto.SEGMENT)],
    ids=["envía", "dialecto"],
)
async def test_con_la_clave_de_un_programa_que_envia_no_se_mira(clave: Clave) -> None:
    llavero = LlaveroEnMemoria({"suya": clave}, piden=True)
    async with cliente_de(api_en_memoria(PuertosEnMemoria(), llavero=llavero)) as navegador:
        negada = await entrar(navegador, "suya")
        assert negada.status_code == 403
        assert "con ella no se puede mirar" in negada.text
        assert GALLETA not in navegador.cookies


@pytest.mark.parametrize(
    "volver",
    [
        "https://ajena.example/panel",
        "//ajena.example",
        "/\\ajena.example",
        "/panel\\..",
        "/panelajeno",
        "/docs",
        "panel",
        "javascript:alert(1)",
        "/panel/\r\nSet-Cookie: a=b",
        "/panel/ñ",
        "/panel?" + "x" * 2048,
    ],
)
async def test_no_se_vuelve_fuera_de_este_panel(navegador: httpx2.AsyncClient, volver: str) -> None:
    for direccion in ("/panel/entrar", "/panel/idioma"):
        otros = {"a": "en"} if direccion == "/panel/idioma" else {}
        pedida = await navegador.get(direccion, params={"volver": volver, **otros})
        assert pedida.status_code == 422
        assert "<code>volver</code>" in pedida.text
        assert "Location" not in pedida.headers
    (testigo,) = set(
        re.findall(r'name="testigo" value="([^"]+)', (await navegador.get("/panel/entrar")).text)
    )
    enviada = await navegador.post(
        "/panel/entrar", params={"volver": volver}, data={"testigo": testigo, "clave": DE_LOS_AJUSTES}
    )
    assert enviada.status_code == 422
    assert GALLETA not in navegador.cookies


async def test_donde_no_se_piden_claves_no_hay_que_entrar() -> None:
    async with cliente_de(api_en_memoria(PuertosEnMemoria())) as navegador:
        directo = await navegador.get("/panel/entrar?volver=/panel%3Fprefijo%3Dx")
    assert (directo.status_code, directo.headers["Location"]) == (303, "/panel?prefijo=x")


# Cuánto dura.


async def test_la_sesion_vale_en_cualquier_proceso_y_acaba_a_las_doce_horas(
    servicio: Servicio, navegador: httpx2.AsyncClient, claves: ClavesEnMemoria
) -> None:
    for clave in (DE_LOS_AJUSTES, claves.crear(LECTURA)):
        servicio.ahora = AHORA
        await entrar(navegador, clave)
        async with servicio.navegador(navegador) as otro:
            servicio.ahora = AHORA + timedelta(hours=12, seconds=-1)
            assert (await otro.get("/panel")).status_code == 200
            servicio.ahora = AHORA + timedelta(hours=12)
            assert (await otro.get("/panel")).status_code == 303


@pytest.mark.parametrize("como", ["revocada", "caducada", "borrada"])
async def test_la_sesion_acaba_con_su_clave(
    servicio: Servicio, navegador: httpx2.AsyncClient, claves: ClavesEnMemoria, como: str
) -> None:
    await entrar(navegador, claves.crear(LECTURA))
    assert (await navegador.get("/panel")).status_code == 200
    if como == "revocada":
        claves.claves[0] = replace(claves.claves[0], revocada_en=AHORA)
    elif como == "borrada":
        claves.claves.clear()
    else:
        claves.claves[0] = replace(claves.claves[0], caduca_en=AHORA + timedelta(minutes=1))
        claves.claves.append(claves.claves[0])
        servicio.ahora = AHORA + timedelta(minutes=1)
    assert (await navegador.get("/panel")).status_code == 303


async def test_con_otras_claves_en_los_ajustes_las_sesiones_de_antes_acaban(
    navegador: httpx2.AsyncClient, claves: ClavesEnMemoria
) -> None:
    for clave in (DE_LOS_AJUSTES, claves.crear(LECTURA)):
        await entrar(navegador, clave)
        for otras in (("otra",), (), (DE_LOS_AJUSTES, "otra")):
            otro_servicio = Servicio(claves, otras)
            async with otro_servicio.navegador(navegador) as otro:
                assert (await otro.get("/panel")).status_code == 303


async def test_una_sesion_alterada_no_vale(navegador: httpx2.AsyncClient, claves: ClavesEnMemoria) -> None:
    claves.crear(LECTURA)
    suya, ajena = claves.crear(LECTURA, campañas=["c"]), claves.claves[0].identidad
    await entrar(navegador, suya)
    identidad, acaba, firma = navegador.cookies[GALLETA].split(".")
    for alterada in (
        f"{ajena}.{acaba}.{firma}",
        f".{acaba}.{firma}",
        f"{identidad}.{int(acaba) + 1}.{firma}",
        f"{identidad}.{acaba}.{firma[:-1]}",
        f"{identidad}.{acaba}.{'A' * 43}",
        f"{identidad}.{'9' * 400}.{firma}",
        f"{identidad}.{acaba}",
        suya,
        DE_LOS_AJUSTES,
        "",
        ".",
        "..",
    ):
        navegador.cookies.clear()
        navegador.cookies.set(GALLETA, alterada)
        assert (await navegador.get("/panel")).status_code == 303, alterada


async def test_no_se_puede_firmar_una_sesion_sin_saber_nada_de_la_clave(claves: ClavesEnMemoria) -> None:
    claves.crear(LECTURA)
    acaba = int(AHORA.timestamp()) + 60
    for identidad in (claves.claves[0].identidad, ""):
        for secreto in (b"", hashlib.sha256(b"").digest()):
            async with Servicio(claves, ()).navegador() as navegador:
                navegador.cookies.set(GALLETA, Sesion.firmada(identidad, acaba, secreto).texto)
                assert (await navegador.get("/panel")).status_code == 303


async def test_sin_saber_que_claves_hay_una_sesion_espera_y_no_se_pierde(claves: ClavesEnMemoria) -> None:
    servicio = Servicio(claves, ())
    async with servicio.navegador() as navegador:
        await entrar(navegador, claves.crear(LECTURA))
        claves.responde = False
        recien = Servicio(claves, ())
        # También desde esta máquina, que sin sesión entraría: no se sabe qué deja ver.
        async with recien.navegador(navegador, "127.0.0.1") as otro:
            espera = await otro.get("/panel")
    assert (espera.status_code, espera.headers["Retry-After"]) == (503, "5")
    assert "Aún no se saben las claves" in espera.text


async def test_salir_acaba_con_ella_y_solo_lo_hace_una_pagina_del_panel(
    navegador: httpx2.AsyncClient,
) -> None:
    await entrar(navegador, DE_LOS_AJUSTES)
    assert (await navegador.post("/panel/salir", data={"x": "y"})).status_code == 403
    pagina = (await navegador.get("/panel")).text
    assert 'action="/panel/salir"' in pagina
    (testigo,) = set(re.findall(r'name="testigo" value="([^"]+)', pagina))
    fuera = await navegador.post("/panel/salir", data={"testigo": testigo})
    assert (fuera.status_code, fuera.headers["Location"]) == (303, "/panel/entrar")
    assert GALLETA not in navegador.cookies
    assert 'action="/panel/salir"' not in (await navegador.get("/panel/entrar")).text


@pytest.mark.parametrize(
    "plantilla",
    sorted(
        ruta.plantilla
        for ruta in rutas_en_memoria()
        if ruta.plantilla.startswith("/panel") and ruta.metodo == "POST"
    ),
)
async def test_con_la_sesion_de_quien_mira_otro_sitio_no_cambia_nada(
    servicio: Servicio, navegador: httpx2.AsyncClient, plantilla: str
) -> None:
    await entrar(navegador, DE_LOS_AJUSTES)
    direccion = re.sub(r"\{[^}]+\}", "x", plantilla)
    for cabeceras in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://ajena.example"}):
        enviado = await navegador.post(direccion, data={"x": "y"}, headers=cabeceras)
        assert enviado.status_code == 403
    assert servicio.puertos.publicados == []
    assert (await navegador.get("/panel")).status_code == 200


# La sesión y la API.


async def test_la_sesion_lee_de_la_api_y_no_envia_por_ella(
    servicio: Servicio, navegador: httpx2.AsyncClient
) -> None:
    await entrar(navegador, DE_LOS_AJUSTES)
    for direccion in ("/tracking/destinos", "/tracking/balance", "/tracking/campanas/c/en-vivo"):
        assert (await navegador.head(direccion)).status_code == 200
    assert (await navegador.get("/tracking/destinos?formato=csv")).status_code == 200
    for direccion in ("/tracking/impresiones", "/tracking/lotes"):
        assert (await navegador.post(direccion, json={"campaña_id": "c"})).status_code == 401
    assert servicio.puertos.publicados == []


async def test_la_clave_de_la_cabecera_manda_sobre_la_sesion(
    navegador: httpx2.AsyncClient, claves: ClavesEnMemoria
) -> None:
    await entrar(navegador, DE_LOS_AJUSTES)
    for autorizacion, estado in (
        ("Bearer otra", 401),
        ("Basic x", 401),
        ("", 401),
        (f"Bearer {claves.crear(CAPTURA)}", 403),
    ):
        pedida = await navegador.get("/tracking/destinos", headers={"Authorization": autorizacion})
        assert pedida.status_code == estado


async def test_la_sesion_no_quita_lo_que_se_puede_ver_sin_clave(
    navegador: httpx2.AsyncClient, claves: ClavesEnMemoria
) -> None:
    await entrar(navegador, claves.crear(LECTURA))
    assert (await navegador.get("/salud/viva")).status_code == 200
    assert (await navegador.get("/tracking/balance")).status_code == 403


# Qué se ve.


PAGINAS: Final = sorted(
    (ruta.plantilla, ruta.juzga_campañas)
    for ruta in rutas_en_memoria()
    if ruta.plantilla.startswith("/panel") and ruta.alcance is LECTURA and ruta.metodo == "GET"
)


@pytest.mark.parametrize(("plantilla", "juzga"), PAGINAS)
async def test_quien_entra_con_una_clave_de_unas_campañas_no_ve_nada_de_las_demas(
    navegador: httpx2.AsyncClient, claves: ClavesEnMemoria, plantilla: str, *, juzga: bool
) -> None:
    autorizacion = {"Authorization": f"Bearer {DE_LOS_AJUSTES}"}
    for campaña_id in ("cmp-suya", "cmp-ajena", "cmp-suya-no"):
        evento = {**IMPRESION, "id": f"e-{campaña_id}", "campaña_id": campaña_id}
        await navegador.post("/tracking/impresiones", json=evento, headers=autorizacion)
    await entrar(navegador, claves.crear(LECTURA, campañas=["cmp-suya", "cmp-2"]))
    de_otra = await navegador.get(re.sub(r"\{[^}]+\}", "cmp-ajena", plantilla))
    if "{camp" in plantilla:
        suya = await navegador.get(re.sub(r"\{[^}]+\}", "cmp-suya", plantilla))
        assert suya.status_code != 403
        assert de_otra.status_code == 403
    elif not juzga:
        assert de_otra.status_code == 403
    assert "{" in plantilla or "cmp-ajena" not in de_otra.text
    assert "e-cmp-ajena" not in de_otra.text
    assert "cmp-suya-no" not in de_otra.text
    if de_otra.status_code == 403:
        assert "Su clave es de unas campañas" in de_otra.text


async def test_la_lista_es_la_de_las_campañas_de_la_clave(
    navegador: httpx2.AsyncClient, claves: ClavesEnMemoria
) -> None:
    autorizacion = {"Authorization": f"Bearer {DE_LOS_AJUSTES}"}
    for campaña_id in ("a", "a-1", "a-2", "b"):
        evento = {**IMPRESION, "campaña_id": campaña_id}
        await navegador.post("/tracking/impresiones", json=evento, headers=autorizacion)
    await entrar(navegador, claves.crear(LECTURA, campañas=["a", "a-", "a-2", "b", "sin-nada"]))

    async def listadas(consulta: str) -> list[str]:
        pagina = await navegador.get(f"/panel{consulta}")
        return re.findall(r'href="/panel/campa%C3%B1as/([^"]+)"', pagina.text)

    assert await listadas("") == ["a", "a-2", "b"]
    assert await listadas("?prefijo=a-") == ["a-2"]
    assert await listadas("?prefijo=c") == []


async def test_quien_solo_opera_entra_en_el_sistema_y_ningun_enlace_le_lleva_donde_no_puede(
    navegador: httpx2.AsyncClient, claves: ClavesEnMemoria
) -> None:
    autorizacion = {"Authorization": f"Bearer {DE_LOS_AJUSTES}"}
    for campaña_id in ("una", "otra"):
        evento = {**IMPRESION, "id": "e", "campaña_id": campaña_id}
        await navegador.post("/tracking/impresiones", json=evento, headers=autorizacion)
    dentro = await entrar(navegador, claves.crear(OPERACION))
    assert dentro.headers["Location"] == "/panel/sistema"
    for direccion, estado in (("/panel/sistema", 200), ("/panel/sistema?x=1", 422), ("/panel", 403)):
        pagina = await navegador.get(direccion)
        assert pagina.status_code == estado
        adonde = set(re.findall(r'<a [^>]*href="(/panel[^"?]*)', pagina.text))
        assert adonde - {"/panel/entrar", "/panel/idioma"} == {"/panel/sistema"}
    sistema = (await navegador.get("/panel/sistema")).text
    assert "conflicto_<wbr>de_<wbr>id" in sistema
    assert "lo ve quien entra con una clave de lectura" in sistema
    await entrar(navegador, claves.crear(OPERACION, LECTURA))
    assert 'href="/panel/rechazos?motivo=conflicto_de_id"' in (await navegador.get("/panel/sistema")).text
    assert (await entrar(navegador, claves.crear(OPERACION), "/panel?prefijo=x")).headers["Location"] == (
        "/panel?prefijo=x"
    )


async def test_a_quien_solo_lee_no_se_le_enseña_el_sistema(
    navegador: httpx2.AsyncClient, claves: ClavesEnMemoria
) -> None:
    dentro = await entrar(navegador, claves.crear(LECTURA))
    assert dentro.headers["Location"] == "/panel"
    for direccion in ("/panel", "/panel/sistema"):
        pagina = await navegador.get(direccion)
        assert 'href="/panel"' in pagina.text
        assert 'href="/panel/sistema"' not in pagina.text


async def test_a_quien_solo_opera_se_le_dice_que_le_falta(
    navegador: httpx2.AsyncClient, claves: ClavesEnMemoria
) -> None:
    await entrar(navegador, claves.crear(OPERACION))
    negada = await navegador.get("/panel")
    assert negada.status_code == 403
    assert "«lectura»" in negada.text
    assert "Entrar con otra clave" in negada.text


async def test_una_clave_de_los_ajustes_se_abre_sin_base_de_datos(claves: ClavesEnMemoria) -> None:
    claves.responde = False
    async with Servicio(claves).navegador() as navegador:
        assert (await entrar(navegador, DE_LOS_AJUSTES)).status_code == 303
        assert (await navegador.get("/panel")).status_code == 200
