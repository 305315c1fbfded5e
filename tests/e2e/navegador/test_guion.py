"""El guion de la página en un Chromium de verdad, sobre una tienda servida desde otro origen."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route
from starlette.types import Receive, Scope, Send

from alpespartners.composicion.adaptadores import ahora
from alpespartners.modulos.claves.aplicacion.llavero import LlaveroGuardado
from alpespartners.modulos.tracking.aplicacion.clases import CONVERSIONES, IMPRESIONES
from alpespartners.modulos.tracking.aplicacion.comandos import (
    Comando,
    RegistrarConversion,
    RegistrarImpresion,
)
from tests.apoyo.claves import ClavesEnMemoria
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria
from tests.apoyo.navegador import CHROMIUM
from tests.apoyo.pantalla import Pantalla, navegador, pantalla
from tests.apoyo.servidor import servidor
from tests.apoyo.tienda import Tienda, tienda

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="falta Chromium (paquete chromium)")

LISTO = "!!(window.alpes && alpes.conversion)"
CAPTURA = "**/tracking/captura"
VENTA = '{id: "pedido-7", tipo_conversion: "VENTA", valor: "19.90", moneda: "EUR"}'
GRACIAS = f"<script>alpes.push(['conversion', {VENTA}])</script>"
CON_GPC = "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {get: () => true})"
LEGIBLE = {"Access-Control-Allow-Origin": "*"}
_PLAZO = 60.0


class Montaje:
    """Un servicio con una clave para las páginas de una tienda, y esas páginas.

    Attributes:
        puertos: lo que llegó.
        tienda: la tienda, con una portada y una página de gracias.
        servicio: dónde está el servicio.
        pedidas: lo que se le pidió, con su método.
    """

    def __init__(
        self, puertos: PuertosEnMemoria, suya: Tienda, servicio: str, clave: str, pedidas: list[str]
    ) -> None:
        self.puertos = puertos
        self.tienda = suya
        self.servicio = servicio
        self.clave = clave
        self.pedidas = pedidas
        self.poner("/", "")
        self.poner("/gracias", GRACIAS)

    def poner(self, ruta: str, cuerpo: str, **datos: str) -> None:
        """Pone una página que carga el guion con esos atributos `data-…`."""
        todos = {"clave": self.clave, "campaña": "cmp-1"} | datos
        atributos = " ".join(f'data-{nombre}="{valor}"' for nombre, valor in todos.items())
        guion = f'<script src="{self.servicio}/t.js" {atributos} defer></script>'
        self.tienda.poner(ruta, cuerpo, guion=guion)

    def ir(self, pagina: Page, ruta: str = "/", desde: str | None = None) -> None:
        """La abre, con su guion ya en marcha."""
        pagina.goto(f"{self.tienda.origen}{ruta}", referer=desde)
        pagina.wait_for_function(LISTO)

    @property
    def comandos(self) -> list[Comando]:
        """Lo publicado."""
        return [comando for comando, _, _ in self.puertos.publicados]

    @property
    def conversiones(self) -> list[str]:
        """Los `id` de las registradas: lo que llega dos veces está una."""
        return [*self.puertos.registrado.libros[CONVERSIONES].eventos]

    @property
    def impresiones(self) -> list[str]:
        """Los `id` de las registradas."""
        return [*self.puertos.registrado.libros[IMPRESIONES].eventos]


@pytest.fixture(scope="module")
def abierto() -> Iterator[Browser]:
    with navegador() as chromium:
        yield chromium


@pytest.fixture
def montaje() -> Iterator[Montaje]:
    puertos, claves = PuertosEnMemoria(), ClavesEnMemoria()
    with tienda() as suya:
        clave = claves.crear("navegador", origenes=[suya.origen], campañas=["cmp-1"])
        api = api_en_memoria(puertos, guardadas=LlaveroGuardado(claves.leer, ahora), reloj=ahora)
        pedidas: list[str] = []

        async def apuntando(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                pedidas.append(f"{scope['method']} {scope['path']}")
            await api(scope, receive, send)

        with servidor(apuntando) as puerto:
            yield Montaje(puertos, suya, f"http://127.0.0.1:{puerto}", clave, pedidas)


@pytest.fixture
def vista(abierto: Browser) -> Iterator[Pantalla]:
    with pantalla(abierto) as nueva:
        yield nueva


@pytest.fixture
def pagina(vista: Pantalla) -> Page:
    return vista.pagina


def esperar(pagina: Page, se_cumple: Callable[[], object]) -> None:
    """Espera a que se cumpla, mientras el navegador sigue."""
    limite = time.monotonic() + _PLAZO
    while not se_cumple():
        assert time.monotonic() < limite
        pagina.wait_for_timeout(20)


def en_cola(pagina: Page) -> list[str]:
    """Los nombres de lo que el guion tiene guardado por enviar."""
    nombres: list[str] = pagina.evaluate("Object.keys(localStorage).filter(k => k.startsWith('alpes:'))")
    return nombres


def guardado(pagina: Page) -> list[str]:
    """Todo lo que la página tiene guardado, y sus galletas."""
    dicho: list[str] = pagina.evaluate(
        "[...Object.keys(localStorage), ...Object.keys(sessionStorage), document.cookie].filter(x => x)"
    )
    return dicho


def test_una_pagina_dice_su_impresion_con_lo_que_se_sabe_de_quien_la_mira(
    montaje: Montaje, vista: Pantalla
) -> None:
    montaje.poner("/", "", influencer="ana", impresion="")
    montaje.ir(vista.pagina, "/?utm_source=ig&correo=ana@example.com#x", "https://www.instagram.com/ana")
    esperar(vista.pagina, lambda: montaje.impresiones)
    (comando,) = montaje.comandos
    assert (comando.campaña_id, comando.influencer_id) == ("cmp-1", "ana")
    assert comando.ip_address == "127.0.0.1"
    assert "Chrome" in (comando.user_agent or "")
    assert comando.referrer == f"{montaje.tienda.origen}/"
    assert comando.propiedades == {
        "pagina": f"{montaje.tienda.origen}/",
        "procedencia": "https://www.instagram.com",
        "utm.source": "ig",
    }
    assert comando.advertencias == ()
    assert vista.quejas == []


def test_lo_que_envia_no_pide_permiso_previo(montaje: Montaje, pagina: Page) -> None:
    montaje.ir(pagina)
    pagina.evaluate(f"alpes.conversion({VENTA})")
    esperar(pagina, lambda: montaje.conversiones)
    assert montaje.pedidas == ["GET /t.js", "POST /tracking/captura"]


def test_con_una_politica_de_contenido_estricta_solo_hay_que_nombrar_el_servicio(
    montaje: Montaje, vista: Pantalla
) -> None:
    suyo = montaje.servicio
    politica = f"default-src 'none'; script-src {suyo}; connect-src {suyo}; img-src data:"
    montaje.tienda.cabeceras["Content-Security-Policy"] = politica
    montaje.poner("/", "", impresion="")
    vista.pagina.goto(f"{montaje.tienda.origen}/")
    esperar(vista.pagina, lambda: montaje.impresiones)
    # La única queja es del guion en línea de la propia página de prueba.
    assert [queja for queja in vista.quejas if "inline" not in queja] == []


def test_se_ve_lo_que_esta_un_segundo_a_la_mitad_o_lo_grande_al_treinta_por_ciento(
    montaje: Montaje, pagina: Page
) -> None:
    def caja(nombre: str, arriba: int, ancho: int, alto: int) -> str:
        estilo = f"position:absolute;top:{arriba}px;left:0;width:{ancho}px;height:{alto}px"
        return f'<div data-alpes-visible="{nombre}" data-influencer="{nombre}" style="{estilo}"></div>'

    montaje.poner(
        "/",
        caja("entera", 0, 300, 250)
        + caja("cuatro-decimos", 800, 300, 250)
        + caja("grande-al-35", 655, 1000, 700)
        + caja("grande-al-25", 725, 1000, 700)
        + caja("abajo", 3000, 300, 250)
        + caja("sin-area", 0, 0, 0),
    )
    montaje.ir(pagina)
    esperar(pagina, lambda: len(montaje.impresiones) == 2)
    vistas = {comando.influencer_id: comando for comando in montaje.comandos}
    assert set(vistas) == {"entera", "grande-al-35"}
    assert vistas["entera"].propiedades["elemento"] == "entera"
    assert {vista.tipo_evento for vista in vistas.values() if isinstance(vista, RegistrarImpresion)} == {
        "VISUALIZACION"
    }
    pagina.evaluate("scrollTo(0, 3000)")
    esperar(pagina, lambda: len(montaje.impresiones) == 3)
    assert montaje.comandos[-1].influencer_id == "abajo"


def test_quien_llega_de_un_clic_y_compra_mas_tarde_compra_por_ese_clic(
    montaje: Montaje, pagina: Page
) -> None:
    montaje.ir(pagina, "/?alp_clic=clic-A")
    montaje.ir(pagina, "/gracias")
    esperar(pagina, lambda: montaje.conversiones)
    (comando,) = montaje.comandos
    assert isinstance(comando, RegistrarConversion)
    assert (comando.id, comando.clic_id, comando.tipo_conversion) == ("pedido-7", "clic-A", "VENTA")
    (galleta,) = pagina.context.cookies()
    assert (galleta["name"], galleta["value"], galleta["sameSite"]) == ("alp_clic", "clic-A", "Lax")
    assert galleta["expires"] > time.time() + 29 * 86_400


def test_sin_galleta_vale_lo_guardado_y_el_ultimo_clic_manda(montaje: Montaje, pagina: Page) -> None:
    montaje.ir(pagina, "/?alp_clic=clic-A")
    montaje.ir(pagina, "/?alp_clic=clic-B")
    pagina.context.clear_cookies()
    montaje.ir(pagina, "/gracias")
    esperar(pagina, lambda: montaje.conversiones)
    assert [comando.clic_id for comando in montaje.comandos] == ["clic-B"]


@pytest.mark.parametrize("hostil", ["%3Cscript%3E", "a%20b", "a;b", "", "x" * 129])
def test_lo_que_no_puede_ser_un_clic_no_se_guarda(montaje: Montaje, pagina: Page, hostil: str) -> None:
    montaje.ir(pagina, f"/?alp_clic={hostil}")
    assert guardado(pagina) == []


def test_la_galleta_que_puso_el_servidor_de_la_tienda_no_se_toca(montaje: Montaje, pagina: Page) -> None:
    lejos = int(time.time()) + 300 * 86_400
    suya: Any = {"name": "alp_clic", "value": "clic-A", "url": montaje.tienda.origen, "expires": lejos}
    pagina.context.add_cookies([suya])
    montaje.ir(pagina, "/?alp_clic=clic-A")
    assert pagina.context.cookies()[0]["expires"] == lejos


def test_volver_atras_y_recargar_la_pagina_de_gracias_no_cuenta_dos_veces(
    montaje: Montaje, pagina: Page
) -> None:
    montaje.ir(pagina, "/?alp_clic=clic-A")
    montaje.ir(pagina, "/gracias")
    esperar(pagina, lambda: montaje.conversiones)
    pagina.go_back()
    pagina.go_forward()
    pagina.reload()
    pagina.wait_for_function(LISTO)
    esperar(pagina, lambda: len(montaje.comandos) >= 2 and not en_cola(pagina))
    assert montaje.conversiones == ["pedido-7"]


def test_dos_pestañas_con_lo_mismo_por_enviar_lo_cuentan_una_vez(montaje: Montaje, pagina: Page) -> None:
    pagina.context.route(CAPTURA, lambda ruta: ruta.abort())
    montaje.ir(pagina)
    pagina.evaluate(f"alpes.conversion({VENTA})")
    esperar(pagina, lambda: en_cola(pagina))
    pagina.context.unroute(CAPTURA)
    otra = pagina.context.new_page()
    montaje.ir(otra)
    pagina.reload()
    esperar(pagina, lambda: montaje.conversiones and not en_cola(pagina))
    assert montaje.conversiones == ["pedido-7"]


def test_lo_que_se_dice_al_salir_de_la_pagina_llega(montaje: Montaje, pagina: Page) -> None:
    montaje.tienda.poner("/sin-guion")
    montaje.ir(pagina)
    pagina.evaluate(f"alpes.conversion({VENTA}); location.href = '/sin-guion'")
    pagina.wait_for_url("**/sin-guion")
    esperar(pagina, lambda: montaje.conversiones)
    assert montaje.conversiones == ["pedido-7"]


def test_esconderse_y_salir_son_dos_avisos_y_lo_pendiente_se_envia_una_vez(
    montaje: Montaje, pagina: Page
) -> None:
    pagina.route(CAPTURA, lambda ruta: ruta.abort())
    pagina.add_init_script(
        "window.enviados = []; navigator.sendBeacon = (_, cuerpo) => enviados.push(cuerpo)"
    )
    montaje.ir(pagina, "/gracias")
    pagina.wait_for_function("(dispatchEvent(new Event('pagehide')), enviados.length > 0)")
    pagina.evaluate("dispatchEvent(new Event('pagehide'))")
    assert [json.loads(cuerpo)[0]["id"] for cuerpo in pagina.evaluate("enviados")] == ["pedido-7"]


def test_con_el_servicio_caido_la_cola_lo_guarda_y_al_volver_lo_entrega_una_vez(
    montaje: Montaje, pagina: Page
) -> None:
    pagina.route(CAPTURA, lambda ruta: ruta.abort())
    montaje.ir(pagina, "/gracias")
    esperar(pagina, lambda: en_cola(pagina) == [f"alpes:{montaje.clave}:conversion:pedido-7"])
    pagina.unroute(CAPTURA)
    # Otra página, otro día: la que compró ya no está.
    montaje.ir(pagina, "/")
    esperar(pagina, lambda: montaje.conversiones and not en_cola(pagina))
    assert montaje.conversiones == ["pedido-7"]


def test_sin_salir_de_la_pagina_lo_que_el_broker_no_confirma_se_repite_hasta_que_lo_confirma(
    montaje: Montaje, pagina: Page
) -> None:
    montaje.puertos.disponible = False
    with pagina.expect_response(CAPTURA) as negada:
        montaje.ir(pagina, "/gracias")
    assert negada.value.status == 503
    montaje.puertos.disponible = True
    esperar(pagina, lambda: montaje.conversiones and not en_cola(pagina))


def test_hasta_que_el_servicio_dijo_que_se_volviera_no_se_le_envia_nada_ni_lo_nuevo(
    montaje: Montaje, pagina: Page
) -> None:
    pagina.clock.install()
    llena = LEGIBLE | {"Access-Control-Expose-Headers": "Retry-After", "Retry-After": "3600"}
    pagina.route(CAPTURA, lambda ruta: ruta.fulfill(status=429, body="", headers=llena), times=1)
    enviados: list[str] = []
    pagina.on("request", lambda pedido: enviados.append(pedido.url) if "captura" in pedido.url else None)
    with pagina.expect_response(CAPTURA):
        montaje.ir(pagina, "/gracias")
    pagina.evaluate("alpes.impresion({id: 'i-1'})")
    pagina.clock.run_for(1_800_000)
    assert (len(enviados), len(en_cola(pagina))) == (1, 2)

    def entregado_tras_un_rato() -> bool:
        pagina.clock.run_for(600_000)
        return montaje.conversiones == ["pedido-7"] and montaje.impresiones == ["i-1"]

    esperar(pagina, entregado_tras_un_rato)
    esperar(pagina, lambda: not en_cola(pagina))
    assert len(enviados) == 2


def test_de_lo_que_se_admitio_en_parte_se_repite_lo_que_quedo_sin_confirmar(
    montaje: Montaje, pagina: Page
) -> None:
    dicho = {"resultados": [{"estado": "SIN_CONFIRMAR", "indice": 0, "id": "pedido-7"}]}
    pagina.route(CAPTURA, lambda ruta: ruta.fulfill(status=202, json=dicho, headers=LEGIBLE), times=1)
    montaje.ir(pagina, "/gracias")
    esperar(pagina, lambda: montaje.conversiones and not en_cola(pagina))


def test_si_se_pierde_la_respuesta_se_repite_con_el_mismo_id_y_cuenta_una_vez(
    montaje: Montaje, pagina: Page
) -> None:
    def perder(ruta: Route) -> None:
        ruta.fetch()
        ruta.abort()

    montaje.poner("/", "", impresion="")
    pagina.route(CAPTURA, perder, times=1)
    montaje.ir(pagina)
    esperar(pagina, lambda: len(montaje.comandos) == 2 and not en_cola(pagina))
    assert len(montaje.impresiones) == 1


def test_lo_que_no_se_puede_leer_nunca_no_se_repite(montaje: Montaje, pagina: Page) -> None:
    pagina.route(CAPTURA, lambda ruta: ruta.fulfill(status=413, body="", headers=LEGIBLE))
    montaje.ir(pagina, "/gracias")
    esperar(pagina, lambda: not en_cola(pagina))


def test_lo_que_no_se_puede_leer_no_se_lleva_a_lo_que_iba_con_ello(montaje: Montaje, pagina: Page) -> None:
    montaje.ir(pagina)
    pagina.evaluate(
        "let hondo = {}; for (let nivel = 0; nivel < 40; nivel++) hondo = {hondo};"
        f"alpes.impresion({{id: 'ilegible', propiedades: {{hondo}}}}); alpes.conversion({VENTA});"
    )
    esperar(pagina, lambda: montaje.conversiones and en_cola(pagina) == [])
    assert (montaje.conversiones, montaje.impresiones) == (["pedido-7"], [])


def test_la_cola_tiene_un_tope_y_pierde_lo_mas_antiguo(montaje: Montaje, pagina: Page) -> None:
    pagina.route(CAPTURA, lambda ruta: ruta.abort())
    montaje.ir(pagina)
    pagina.evaluate("for (let i = 0; i < 130; i++) alpes.impresion({id: 'i-' + i})")
    assert sorted(en_cola(pagina)) == sorted(
        f"alpes:{montaje.clave}:impresion:i-{numero}" for numero in range(30, 130)
    )


def test_con_las_galletas_bloqueadas_se_compra_igual_y_el_clic_vale_en_su_pagina(
    montaje: Montaje, abierto: Browser, tmp_path: Path
) -> None:
    preferencias = tmp_path / "perfil" / "Default" / "Preferences"
    preferencias.parent.mkdir(parents=True)
    bloqueadas = {"profile": {"default_content_setting_values": {"cookies": 2}}}
    preferencias.write_text(json.dumps(bloqueadas), encoding="utf-8")
    montaje.poner("/unica", GRACIAS)
    contexto = abierto.browser_type.launch_persistent_context(
        tmp_path / "perfil", executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
    )
    with contexto:
        pagina = contexto.new_page()
        quejas: list[str] = []
        pagina.on("pageerror", lambda error: quejas.append(str(error)))
        montaje.ir(pagina, "/unica?alp_clic=clic-A")
        assert pagina.evaluate("(() => { try { localStorage; return false } catch (_) { return true } })()")
        esperar(pagina, lambda: montaje.conversiones)
    assert [comando.clic_id for comando in montaje.comandos] == ["clic-A"]
    assert quejas == []


def test_con_el_guion_bloqueado_la_tienda_sigue_igual(montaje: Montaje, vista: Pantalla) -> None:
    montaje.poner("/gracias", GRACIAS + '<script>document.title = "Gracias"</script>')
    vista.pagina.route("**/t.js", lambda ruta: ruta.abort())
    vista.pagina.goto(f"{montaje.tienda.origen}/gracias")
    assert vista.pagina.title() == "Gracias"
    # Solo dice que no cargó, y no hay ningún error de la página.
    assert [queja for queja in vista.quejas if "ERR_FAILED" not in queja] == []


def test_con_la_señal_de_privacidad_no_guarda_nada_ni_liga_la_compra_al_clic(
    montaje: Montaje, pagina: Page
) -> None:
    pagina.add_init_script(CON_GPC)
    montaje.poner("/unica", GRACIAS)
    montaje.ir(pagina, "/unica?alp_clic=clic-A")
    esperar(pagina, lambda: montaje.conversiones)
    assert [comando.clic_id for comando in montaje.comandos] == [None]
    assert guardado(pagina) == []


def test_quien_consiente_aqui_manda_sobre_la_señal_de_su_navegador(montaje: Montaje, pagina: Page) -> None:
    pagina.add_init_script(CON_GPC)
    montaje.ir(pagina, "/?alp_clic=clic-A")
    pagina.evaluate("alpes.consentir(true)")
    montaje.ir(pagina, "/gracias")
    pagina.evaluate("alpes.consentir(true)")
    pagina.evaluate("alpes.conversion({id: 'pedido-8', tipo_conversion: 'REGISTRO'})")
    esperar(pagina, lambda: "pedido-8" in montaje.conversiones)
    assert montaje.comandos[-1].clic_id == "clic-A"


def test_si_hay_que_consentir_antes_no_sale_ni_se_guarda_nada_hasta_que_se_consiente(
    montaje: Montaje, pagina: Page
) -> None:
    montaje.poner("/unica", GRACIAS, consentimiento="")
    montaje.ir(pagina, "/unica?alp_clic=clic-A")
    pagina.wait_for_load_state("networkidle")
    assert (guardado(pagina), montaje.comandos) == ([], [])
    pagina.evaluate("alpes.consentir(true)")
    esperar(pagina, lambda: montaje.conversiones)
    assert [comando.clic_id for comando in montaje.comandos] == ["clic-A"]


def test_lo_que_esperaba_el_consentimiento_sale_con_el_clic_de_otro_dia(
    montaje: Montaje, pagina: Page
) -> None:
    for ruta, cuerpo in (("/", ""), ("/gracias", GRACIAS)):
        montaje.poner(ruta, cuerpo, consentimiento="")
    montaje.ir(pagina, "/?alp_clic=clic-A")
    pagina.evaluate("alpes.consentir(true)")
    montaje.ir(pagina, "/gracias")
    pagina.evaluate("alpes.consentir(true)")
    esperar(pagina, lambda: montaje.conversiones)
    assert [comando.clic_id for comando in montaje.comandos] == ["clic-A"]


def test_una_pagina_que_se_prepara_por_si_acaso_no_envia_nada_hasta_que_se_ve(
    montaje: Montaje, pagina: Page
) -> None:
    pagina.add_init_script("Object.defineProperty(document, 'prerendering', {get: () => !window.seVe})")
    montaje.poner("/", "", impresion="")
    montaje.ir(pagina)
    pagina.evaluate(f"alpes.conversion({VENTA})")
    pagina.wait_for_load_state("networkidle")
    assert montaje.comandos == []
    pagina.evaluate("window.seVe = true; document.dispatchEvent(new Event('prerenderingchange'))")
    esperar(pagina, lambda: montaje.conversiones and montaje.impresiones)


def test_quien_no_consiente_no_deja_nada_ni_de_lo_de_antes(montaje: Montaje, pagina: Page) -> None:
    pagina.route(CAPTURA, lambda ruta: ruta.abort())
    montaje.ir(pagina, "/?alp_clic=clic-A")
    pagina.evaluate(f"alpes.conversion({VENTA})")
    assert guardado(pagina)
    pagina.evaluate("alpes.consentir(false)")
    assert guardado(pagina) == []
    assert pagina.evaluate(f"alpes.conversion({VENTA})") is None
    assert guardado(pagina) == []
