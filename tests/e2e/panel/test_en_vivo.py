"""Una campaña en vivo en un navegador de verdad: qué aparece, qué se dice y que nada de ello se ejecuta."""

import json
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from playwright.sync_api import Browser, Page, Route

from alpespartners.modulos.tracking.aplicacion.en_vivo.difusion import Ritmo
from tests.apoyo.espera import hasta
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria
from tests.apoyo.navegador import CHROMIUM
from tests.apoyo.pantalla import ANCHO_DE_TELEFONO, navegador, pantalla
from tests.apoyo.servicio import Instalacion, instalacion
from tests.apoyo.servidor import servidor

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="falta Chromium (paquete chromium)")

HOSTIL = "<img src=x onerror=alert(1)>/ñ&\"'%"
EVENTO = {
    "id": "imp-1",
    "influencer_id": "inf-1",
    "tipo_evento": "CLIC",
    "recibido_en": "2024-01-15T10:36:00.120000Z",
}
VENTA = EVENTO | {"id": "conv-1", "tipo_evento": None, "tipo_conversion": "VENTA", "moneda": "COP"}


@pytest.fixture(scope="module")
def abierto() -> Iterator[Browser]:
    with navegador() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def direccion() -> Iterator[str]:
    with servidor(api_en_memoria(PuertosEnMemoria())) as puerto:
        yield f"http://127.0.0.1:{puerto}"


@pytest.fixture(scope="module")
def servicio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instalacion]:
    with instalacion(tmp_path_factory.mktemp("en-vivo")) as nueva:
        nueva.api()
        nueva.consumidores()
        nueva.esperar_consumidores()
        yield nueva


def vista_de(campaña_id: str) -> str:
    return f"/panel/campa%C3%B1as/{quote(campaña_id, safe='')}/en-vivo"


def que_dice(*sucesos: tuple[str, Any]) -> str:
    """Un cuerpo de `text/event-stream` con esos sucesos, que tras él tarda en volver a pedirse."""
    dichos = (
        f"id: marca-{numero}\nevent: {nombre}\n"
        f"data: {datos if isinstance(datos, str) else json.dumps(datos)}\n\n"
        for numero, (nombre, datos) in enumerate(sucesos)
    )
    return "retry: 3600000\n\n" + "".join(dichos)


def fingir(pagina: Page, *sucesos: tuple[str, Any]) -> list[str]:
    """Pone esos sucesos en lugar de los de la API; devuelve las direcciones que se pidan."""
    pedidas: list[str] = []

    def contestar(ruta: Route) -> None:
        pedidas.append(ruta.request.url)
        ruta.fulfill(content_type="text/event-stream", body=que_dice(*sucesos))

    pagina.route("**/tracking/**/en-vivo*", contestar)
    return pedidas


def filas(pagina: Page) -> Sequence[Sequence[str]]:
    leidas: Sequence[Sequence[str]] = pagina.evaluate(
        "[...document.getElementById('llegados').rows].map(fila => [...fila.cells].map(c => c.textContent))"
    )
    return leidas


def estado(pagina: Page) -> str:
    return pagina.locator("#conexion").text_content() or ""


def dejar_ver(pagina: Page, como: str) -> None:
    """Hace creer a la página que su pestaña se ve (`visible`) o no (`hidden`)."""
    pagina.evaluate(
        "como => { Object.defineProperty(document, 'visibilityState', {value: como, configurable: true});"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        como,
    )


def conectar(pagina: Page, servicio: Instalacion, campaña_id: str) -> None:
    """Abre la vista y espera a que la API sepa por dónde se lee: lo de antes no llegaría."""
    with pagina.expect_response("**/tracking/**/en-vivo"):
        pagina.goto(f"http://127.0.0.1:{servicio.puerto}{vista_de(campaña_id)}")
    pagina.get_by_text("Conectado").wait_for()


def enviar(servicio: Instalacion, campaña_id: str, evento_id: str, **cambios: Any) -> None:
    cuerpo = {"id": evento_id, "campaña_id": campaña_id, "influencer_id": HOSTIL, "tipo_evento": "CLIC"}
    servicio.http.post("/tracking/impresiones", json=cuerpo | cambios).raise_for_status()


def enviar_hasta_que_se_vea(pagina: Page, servicio: Instalacion, campaña_id: str, delante: str) -> None:
    """Envía uno tras otro hasta que se ve alguno: la página puede estar conectada antes de que se lea."""
    enviados = iter(range(1_000))

    def alguno() -> bool:
        enviar(servicio, campaña_id, f"{delante}-{next(enviados)}")
        return bool(filas(pagina))

    hasta(alguno, cada=0.3)


@pytest.mark.parametrize("oscura", [False, True])
@pytest.mark.parametrize("ancho", [1280, ANCHO_DE_TELEFONO])
def test_se_lee_en_cualquier_pantalla_y_lo_hostil_se_ve_sin_ejecutarse(
    abierto: Browser, direccion: str, ancho: int, *, oscura: bool
) -> None:
    with pantalla(abierto, ancho=ancho, oscura=oscura) as vista:
        hostil = EVENTO | {"id": HOSTIL, "influencer_id": HOSTIL, "tipo_evento": HOSTIL}
        fingir(vista.pagina, ("impresion", hostil), ("conversion", json.dumps(VENTA | {"valor": 1})))
        vista.pagina.goto(f"{direccion}{vista_de(HOSTIL)}")
        vista.pagina.locator("#llegados tr").nth(1).wait_for()
        assert filas(vista.pagina)[1][1:4] == [HOSTIL, HOSTIL, HOSTIL]
        enlace = vista.pagina.locator("#llegados th a").nth(1)
        assert httpx2.URL(str(enlace.get_attribute("href"))).params["id"] == HOSTIL
        assert vista.faltas_de_accesibilidad() == []
        assert not vista.se_sale()
        assert vista.quejas == []


def test_el_ultimo_va_el_primero_y_uno_repetido_no_se_ve_dos_veces(abierto: Browser, direccion: str) -> None:
    with pantalla(abierto) as vista:
        repetido = ("impresion", EVENTO)
        fingir(vista.pagina, repetido, repetido, ("conversion", json.dumps(VENTA | {"valor": 1})), repetido)
        vista.pagina.goto(f"{direccion}{vista_de('cmp-1')}")
        vista.pagina.locator("#llegados tr").nth(1).wait_for()
        assert [fila[2] for fila in filas(vista.pagina)] == ["conv-1", "imp-1"]
        assert filas(vista.pagina)[1] == ["10:36:00", "CLIC", "imp-1", "inf-1", ""]


@pytest.mark.parametrize(
    ("escrito", "idioma", "visto"),
    [
        ("12345678901234567.8901", "es-CO", "12 345 678 901 234 567,8901 COP"),
        ("150000", "es-CO", "150 000,00 COP"),
        ("0.5000", "en-US", "0.50 COP"),
    ],
)
def test_un_importe_se_ve_con_todas_sus_cifras(
    abierto: Browser, direccion: str, escrito: str, idioma: str, visto: str
) -> None:
    propiedades = json.dumps({"propiedades": {"valor": "9", "x": '"valor":9,'}})[1:-1]
    datos = f'{{{propiedades},"valor":{escrito},{json.dumps(VENTA)[1:]}'
    with pantalla(abierto, idioma=idioma) as vista:
        fingir(vista.pagina, ("conversion", datos))
        vista.pagina.goto(f"{direccion}{vista_de('cmp-1')}")
        vista.pagina.locator("#llegados tr").wait_for()
        assert " ".join(filas(vista.pagina)[0][4].split()) == visto


def test_se_ven_los_doscientos_ultimos(abierto: Browser, direccion: str) -> None:
    with pantalla(abierto) as vista:
        fingir(vista.pagina, *(("impresion", EVENTO | {"id": f"imp-{n}"}) for n in range(450)))
        vista.pagina.goto(f"{direccion}{vista_de('cmp-1')}")
        hasta(lambda: filas(vista.pagina) and filas(vista.pagina)[0][2] == "imp-449")
        assert [fila[2] for fila in filas(vista.pagina)] == [f"imp-{n}" for n in range(449, 249, -1)]


@pytest.mark.parametrize(
    ("saltados", "frase"),
    [
        (1, "Falta 1 evento, que está en la campaña."),
        (12, "Faltan 12 eventos, que están en la campaña."),
        (None, "Aquí puede faltar algún evento, que está en la campaña."),
    ],
)
def test_un_hueco_se_dice_en_su_sitio(
    abierto: Browser, direccion: str, saltados: int | None, frase: str
) -> None:
    with pantalla(abierto) as vista:
        fingir(vista.pagina, ("hueco", {"saltados": saltados}), ("impresion", EVENTO))
        vista.pagina.goto(f"{direccion}{vista_de('cmp-1')}")
        vista.pagina.locator("#llegados tr").nth(1).wait_for()
        assert filas(vista.pagina)[1] == [frase]


def test_si_el_broker_falta_se_dice_y_si_vuelve_tambien(abierto: Browser, direccion: str) -> None:
    with pantalla(abierto) as vista:
        vista.pagina.add_init_script(
            "window.EventSource = class extends EventTarget"
            " { constructor() { super(); window.flujo = this; } }"
        )
        vista.pagina.goto(f"{direccion}{vista_de('cmp-1')}")
        for con_broker, dicho in (("false", "El broker no responde"), ("true", "Conectado")):
            datos = f'{{"con_broker":{con_broker}}}'
            vista.pagina.evaluate("d => flujo.dispatchEvent(new MessageEvent('aviso', {data: d}))", datos)
            assert estado(vista.pagina).startswith(dicho)


def test_si_nunca_llego_nada_al_volver_se_dice_que_puede_faltar_algo(
    abierto: Browser, direccion: str
) -> None:
    with pantalla(abierto) as vista:
        fingir(vista.pagina)
        vista.pagina.goto(f"{direccion}{vista_de('cmp-1')}")
        for como in ("hidden", "visible"):
            dejar_ver(vista.pagina, como)
        vista.pagina.locator("#llegados tr").wait_for()
        assert filas(vista.pagina) == [["Aquí puede faltar algún evento, que está en la campaña."]]


def test_lo_que_se_elige_ver_va_en_la_direccion_y_se_valida(abierto: Browser, direccion: str) -> None:
    with pantalla(abierto) as vista:
        fingir(vista.pagina, ("impresion", EVENTO), ("conversion", json.dumps(VENTA | {"valor": 1})))
        vista.pagina.goto(f"{direccion}{vista_de('cmp-1')}?clase=conversion")
        vista.pagina.locator("#llegados tr").nth(1).wait_for(state="attached")
        assert vista.pagina.get_by_role("link", name="conv-1").is_visible()
        assert not vista.pagina.get_by_role("link", name="imp-1").is_visible()
        vista.pagina.get_by_label("Qué se enseña").select_option("impresion")
        assert vista.pagina.get_by_role("link", name="imp-1").is_visible()
        assert not vista.pagina.get_by_role("link", name="conv-1").is_visible()
        assert vista.pagina.url.endswith("?clase=impresion")
    falta = httpx2.get(f"{direccion}{vista_de('cmp-1')}?clase=otra")
    assert falta.status_code == 422
    assert "<code>clase</code>: debe ser impresion o conversion, o faltar" in falta.text


def test_si_no_caben_mas_se_dice_y_se_vuelve_a_intentar(abierto: Browser) -> None:
    lleno = api_en_memoria(PuertosEnMemoria(), ritmo_en_vivo=Ritmo(espectadores=0))
    with servidor(lleno) as puerto, pantalla(abierto) as vista:
        vista.pagina.goto(f"http://127.0.0.1:{puerto}{vista_de('cmp-1')}")
        vista.pagina.get_by_text("Ya miran en vivo todos los que caben").wait_for()
        with vista.pagina.expect_request("**/tracking/**/en-vivo"):
            pass


def test_una_negativa_se_dice_con_su_estado(abierto: Browser, direccion: str) -> None:
    with pantalla(abierto) as vista:
        problema = {"type": "urn:clave_requerida", "status": 401, "title": "Clave requerida"}
        vista.pagina.route(
            "**/tracking/**/en-vivo*", lambda ruta: ruta.fulfill(status=401, body=json.dumps(problema))
        )
        vista.pagina.goto(f"{direccion}{vista_de('cmp-1')}")
        vista.pagina.get_by_text("El servicio no deja mirar (401: Clave requerida)").wait_for()


def test_sin_guiones_se_dice_donde_mirar(abierto: Browser, direccion: str) -> None:
    with pantalla(abierto, guiones=False) as vista:
        vista.pagina.goto(f"{direccion}{vista_de('cmp-1')}")
        assert vista.pagina.get_by_text("hace falta JavaScript").is_visible()
        enlace = vista.pagina.get_by_role("link", name="Lo que ya está registrado")
        assert enlace.get_attribute("href") == "/panel/campa%C3%B1as/cmp-1"
        assert not vista.pagina.get_by_role("button").is_visible()


def test_lo_que_se_envia_aparece_con_lo_que_decia(abierto: Browser, servicio: Instalacion) -> None:
    with pantalla(abierto) as vista:
        conectar(vista.pagina, servicio, HOSTIL)
        enviar_hasta_que_se_vea(vista.pagina, servicio, HOSTIL, "e")
        enviar(servicio, HOSTIL, HOSTIL)
        vista.pagina.locator("#llegados th").get_by_role("link", name=HOSTIL, exact=True).wait_for()
        primera = next(fila for fila in filas(vista.pagina) if fila[2] == HOSTIL)
        assert primera[1:] == ["CLIC", HOSTIL, HOSTIL, ""]
        assert vista.quejas == []


def test_en_pausa_se_cuenta_lo_que_llega_y_al_continuar_aparece(
    abierto: Browser, servicio: Instalacion
) -> None:
    with pantalla(abierto) as vista:
        conectar(vista.pagina, servicio, "pausada")
        enviar_hasta_que_se_vea(vista.pagina, servicio, "pausada", "antes")
        vista.pagina.get_by_role("button", name="Pausar").click()
        for numero in range(3):
            enviar(servicio, "pausada", f"durante-{numero}")
        vista.pagina.get_by_text("eventos esperan").wait_for()
        assert not vista.pagina.get_by_role("link", name="durante-2").is_visible()
        vista.pagina.get_by_role("button", name="Continuar").click()
        vista.pagina.get_by_role("link", name="durante-2").wait_for()
        assert vista.pagina.locator("#esperan").text_content() == ""


def test_oculta_no_mira_y_al_volver_no_le_falta_nada(abierto: Browser, servicio: Instalacion) -> None:
    def espectadores() -> float:
        texto = servicio.http.get("/metricas").text
        return float(texto.split("\nalpes_espectadores ", 1)[1].split("\n", 1)[0])

    with pantalla(abierto) as vista:
        pagina = vista.pagina
        conectar(pagina, servicio, "oculta")
        enviar_hasta_que_se_vea(pagina, servicio, "oculta", "antes")
        dejar_ver(pagina, "hidden")
        assert estado(pagina) == "En espera mientras no se ve esta pestaña."
        hasta(lambda: espectadores() == 0)
        for numero in range(20):
            enviar(servicio, "oculta", f"mientras-{numero}")
        hasta(lambda: servicio.http.get("/tracking/impresiones/mientras-19").status_code == 200)
        dejar_ver(pagina, "visible")
        hasta(
            lambda: (
                {f"mientras-{n}" for n in range(20)} <= {fila[2] for fila in filas(pagina) if len(fila) > 2}
            )
        )
        assert not [fila for fila in filas(pagina) if len(fila) == 1]
        assert vista.quejas == []
