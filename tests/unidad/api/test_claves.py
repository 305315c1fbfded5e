"""Qué deja hacer cada clave: por para qué se hizo, de qué campañas es, cuánto puede y si todavía vale."""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

import httpx2
import pytest

from alpespartners.api.http.claves import Alcance, Dialecto
from alpespartners.api.http.rutas import Ruta
from alpespartners.modulos.claves.aplicacion.llavero import SEGUNDOS_DE_VIGENCIA, LlaveroGuardado
from tests.apoyo.claves import AHORA, ClavesEnMemoria, llavero_con
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria, cliente_de, rutas_en_memoria

CAPTURA, LECTURA, OPERACION, _ = Alcance
SECRETOS: Final = (CAPTURA, LECTURA, OPERACION)
"""Los de una clave que no se ve en ninguna página."""
NADIE: Final = None

TABLA: Final[Mapping[str, Alcance | None]] = {
    "POST /tracking/impresiones": CAPTURA,
    "POST /tracking/conversiones": CAPTURA,
    "POST /tracking/lotes": CAPTURA,
    "POST /tracking/importaciones": CAPTURA,
    "POST /tracking/cloudevents": CAPTURA,
    "POST /tracking/enlaces": CAPTURA,
    "PATCH /tracking/enlaces/{enlace_id}": CAPTURA,
    "POST /tracking/enlaces/{enlace_id}/firma": CAPTURA,
    "GET /tracking/enlaces": LECTURA,
    "GET /tracking/enlaces/{enlace_id}": LECTURA,
    "GET /tracking/conversiones/{id}/clic": LECTURA,
    "GET /tracking/impresiones": LECTURA,
    "GET /tracking/conversiones": LECTURA,
    "GET /tracking/impresiones/{id}": LECTURA,
    "GET /tracking/conversiones/{id}": LECTURA,
    "GET /tracking/impresiones/{id}/destino": LECTURA,
    "GET /tracking/conversiones/{id}/destino": LECTURA,
    "GET /tracking/campañas/{campaña_id}/impresiones": LECTURA,
    "GET /tracking/campanas/{campana_id}/impresiones": LECTURA,
    "GET /tracking/campañas/{campaña_id}/conversiones": LECTURA,
    "GET /tracking/campanas/{campana_id}/conversiones": LECTURA,
    "GET /tracking/campañas/{campaña_id}/informe": LECTURA,
    "GET /tracking/campanas/{campana_id}/informe": LECTURA,
    "GET /tracking/campañas/{campaña_id}/en-vivo": LECTURA,
    "GET /tracking/campanas/{campana_id}/en-vivo": LECTURA,
    "GET /tracking/influencers/{influencer_id}/conversiones": LECTURA,
    "GET /tracking/influencers/{influencer_id}/informe": LECTURA,
    "GET /tracking/campañas": LECTURA,
    "GET /tracking/campanas": LECTURA,
    "GET /tracking/influencers": LECTURA,
    "GET /tracking/destinos": LECTURA,
    "GET /tracking/balance": OPERACION,
    "GET /metricas": OPERACION,
    "GET /salud/viva": OPERACION,
    "GET /salud/lista": OPERACION,
    "POST /tracking/captura": NADIE,
    "OPTIONS /tracking/captura": NADIE,
    "GET /p.gif": NADIE,
    "GET /t.js": NADIE,
    "GET /": NADIE,
    "GET /c/{enlace_id}": NADIE,
    "GET /panel": LECTURA,
    "GET /panel/evento-de-prueba": LECTURA,
    "POST /panel/evento-de-prueba": CAPTURA,
    "GET /panel/evento-de-prueba/{id}": LECTURA,
    "GET /panel/entrar": NADIE,
    "POST /panel/entrar": NADIE,
    "POST /panel/salir": NADIE,
    "GET /panel/idioma": NADIE,
    "GET /panel/influencers": LECTURA,
    "GET /panel/influencers/{influencer_id}": LECTURA,
    "GET /panel/influencers/{influencer_id}/periodo": LECTURA,
    "GET /panel/campañas/{campaña_id}": LECTURA,
    "GET /panel/campañas/{campaña_id}/periodo": LECTURA,
    "GET /panel/enlaces": LECTURA,
    "GET /panel/enlaces/{enlace_id}": LECTURA,
    "GET /panel/enlaces/{enlace_id}/qr.svg": LECTURA,
    "GET /panel/enlace-nuevo": CAPTURA,
    "POST /panel/enlace-nuevo": CAPTURA,
    "GET /panel/evento": LECTURA,
    "GET /panel/rechazos": LECTURA,
    "GET /panel/campañas/{campaña_id}/en-vivo": LECTURA,
    "GET /panel/sistema": OPERACION,
    "GET /panel/recursos/{huella}/{nombre}": NADIE,
    "GET /docs": NADIE,
    "GET /openapi.json": NADIE,
    "GET /asyncapi.json": NADIE,
    "GET /docs/recursos/documentacion.js": NADIE,
    "GET /docs/recursos/swagger-ui-bundle.js": NADIE,
    "GET /docs/recursos/swagger-ui.css": NADIE,
    **{
        f"GET /{nombre}": NADIE
        for nombre in (
            *("health", "healthz", "livez", "readyz", "salud", "metrics"),
            *("swagger", "redoc", "openapi", "swagger.json"),
        )
    },
}
"""Para qué ha de haberse hecho la clave con que se pide cada ruta; `NADIE`, no se mira ninguna."""
TAMBIEN_LECTURA: Final = {
    cual
    for cual in TABLA
    if "/enlace-nuevo" in cual or ("/tracking/enlaces" in cual and not cual.startswith("GET"))
}
"""Las que piden además `lectura`: con una clave de solo captura no se cambia adónde va la gente."""
SIN_CLAVE: Final = {"GET /metricas", "GET /salud/viva", "GET /salud/lista"} | {
    cual for cual, alcance in TABLA.items() if alcance is NADIE
}
"""Las que se pueden pedir sin ninguna."""
DE_UNA_CAMPAÑA: Final = {cual for cual in TABLA if "/{camp" in cual}
CON_CAMPAÑA_EN_LA_CONSULTA: Final = {
    "GET /tracking/impresiones",
    "GET /tracking/conversiones",
    "GET /tracking/destinos",
    "GET /tracking/influencers/{influencer_id}/conversiones",
    "GET /tracking/enlaces",
}
DEL_PANEL: Final = {cual for cual in TABLA if "/panel" in cual}
"""Las páginas: la negativa se lee, y quien no trae clave va a la que la pide."""
ELIGE_CAMPAÑA: Final = {"GET /panel/enlaces", "GET /panel/evento", "GET /panel/rechazos"}
"""Las del panel que con una clave así enseñan lo suyo o dejan elegir; sus pruebas son las de cada vista."""
DE_UN_EVENTO: Final = {cual for cual in TABLA if "/{id}" in cual or "GET /tracking/enlaces/{" in cual}

DE_LA_PUERTA_DE_UNA_PAGINA: Final = {"sin_claves_de_navegador", "origen_no_registrado"}
"""Lo que dice ella misma, que mira otra clave."""

EVENTO: Final = {"id": "imp-1", "campaña_id": "cmp-1"}
CLOUDEVENT: Final = {
    "specversion": "1.0",
    "id": "1",
    "source": "/tienda",
    "type": "com.alpespartners.tracking.v1.ComandoRegistrarImpresion",
    "data": EVENTO,
}


@pytest.fixture
def claves() -> ClavesEnMemoria:
    return ClavesEnMemoria()


class Servicio:
    """La API en memoria con esas claves guardadas, pedida desde otra máquina."""

    def __init__(self, puertos: PuertosEnMemoria, claves: ClavesEnMemoria) -> None:
        self.puertos = puertos
        self.guardadas = LlaveroGuardado(claves.leer, lambda: AHORA)
        self.api = api_en_memoria(puertos, guardadas=self.guardadas)

    async def pedir(
        self,
        cual: str,
        clave: str | None = None,
        *,
        desde: str = "203.0.113.9",
        headers: Mapping[str, str] | None = None,
        **opciones: object,
    ) -> httpx2.Response:
        # Lo que haría por su cuenta en un segundo.
        await self.guardadas.ponerse_al_dia()
        metodo, _, direccion = cual.partition(" ")
        if metodo in {"POST", "PATCH"} and "json" not in opciones:
            opciones["json"] = _cuerpo(direccion)
        cabeceras = {} if clave is None else {"Authorization": f"Bearer {clave}"}
        if direccion == "/tracking/cloudevents":
            cabeceras["Content-Type"] = "application/cloudevents+json"
        cabeceras |= headers or {}
        async with cliente_de(self.api, desde) as cliente:
            if metodo == "POST" and direccion.startswith("/panel"):
                # Un formulario lo envía quien cargó su página.
                pagina = await cliente.get("/panel/entrar")
                testigo = re.findall(r'name="testigo" value="([^"]+)', pagina.text)[0]
                opciones = {"data": {"testigo": testigo} | _campos(direccion)}
            # De en vivo solo se lee cómo empieza.
            metodo = "HEAD" if direccion.endswith("/en-vivo") else metodo
            return await cliente.request(metodo, direccion, headers=cabeceras, **opciones)  # type: ignore[arg-type]

    async def pedir_como_un_sdk(self, cual: str, clave: str) -> httpx2.Response:
        """Con la clave donde la pone un SDK, en la cabecera o en el cuerpo, o una red, en la URL."""
        if "/postback/" in cual:
            red = cual.replace("{dialecto}", "voluum")
            return await self.pedir(f"{red}?clave={clave}&campaña_id=cmp-1", json=None)
        cabeceras = {"Authorization": f"Basic {b64encode(f'{clave}:'.encode()).decode()}"}
        return await self.pedir(cual, json={"batch": [{}], "api_key": clave}, headers=cabeceras)


def _cuerpo(direccion: str) -> object:
    match direccion:
        case "/tracking/conversiones":
            return EVENTO | {"tipo_conversion": "REGISTRO"}
        case "/tracking/lotes" | "/tracking/importaciones":
            return [{"clase": "impresion", **EVENTO}]
        case "/tracking/cloudevents":
            return CLOUDEVENT
        case "/tracking/enlaces":
            return {"enlace_id": "juan", "campaña_id": "cmp-1", "destino": "https://tienda.com/"}
        case _:
            return EVENTO


def _campos(direccion: str) -> dict[str, str]:
    """Los de un formulario que sin ellos tendría faltas."""
    de_enlace = {"campaña_id": "cmp-1", "destino": "https://tienda.com/"}
    return de_enlace if direccion == "/panel/enlace-nuevo" else {}


def _rellena(cual: str, valor: str = "cmp-1") -> str:
    if cual == "GET /panel/idioma":
        return f"{cual}?a=en"
    return re.sub(r"\{[^}]+\}", valor, cual)


@pytest.fixture
def servicio(puertos: PuertosEnMemoria, claves: ClavesEnMemoria) -> Servicio:
    return Servicio(puertos, claves)


def _entra(respuesta: httpx2.Response) -> bool:
    """Lo que responde quien atiende: que el evento no exista, o que una clave no vale, también lo dice él."""
    if respuesta.status_code == 303:
        return not respuesta.headers["Location"].startswith("/panel/entrar?")
    if any(f'error:{codigo}"' in respuesta.text for codigo in DE_LA_PUERTA_DE_UNA_PAGINA):
        return True
    return respuesta.status_code in {200, 201, 202, 308, 404} or 'id="falta"' in respuesta.text


def _nombre(ruta: Ruta) -> str:
    return f"{ruta.metodo} {ruta.plantilla}"


def test_la_tabla_nombra_todas_las_rutas_con_su_alcance_y_ninguna_mas() -> None:
    rutas = [ruta for ruta in rutas_en_memoria() if ruta.dialecto is None]
    assert {_nombre(ruta): ruta.alcance for ruta in rutas} == TABLA
    assert {_nombre(ruta) for ruta in rutas if ruta.abierta} == SIN_CLAVE
    assert {_nombre(ruta): ruta.tambien for ruta in rutas if ruta.tambien} == dict.fromkeys(
        TAMBIEN_LECTURA, LECTURA
    )


DE_DIALECTO: Final = {
    _nombre(ruta): (ruta.alcance, ruta.dialecto) for ruta in rutas_en_memoria() if ruta.dialecto is not None
}


def test_las_de_un_dialecto_solo_envian() -> None:
    assert {alcance for alcance, _ in DE_DIALECTO.values()} == {CAPTURA}
    assert {dialecto for _, dialecto in DE_DIALECTO.values()} == {*Dialecto}


@pytest.mark.parametrize("cual", DE_DIALECTO)
async def test_en_un_dialecto_se_entra_solo_con_una_clave_suya(
    servicio: Servicio, claves: ClavesEnMemoria, cual: str
) -> None:
    dialecto = DE_DIALECTO[cual][1]
    ajenas = [
        claves.crear(*SECRETOS),
        *(claves.crear(CAPTURA, dialecto=otro) for otro in Dialecto if otro is not dialecto),
    ]
    for clave in ajenas:
        assert (await servicio.pedir_como_un_sdk(cual, clave)).status_code == 404
    suya = claves.crear(CAPTURA, dialecto=dialecto)
    for clave in ajenas:
        assert (await servicio.pedir_como_un_sdk(cual, clave)).status_code == 403
    assert (await servicio.pedir_como_un_sdk(cual, f"{suya}x")).status_code == 401
    assert servicio.puertos.publicados == []
    assert (await servicio.pedir_como_un_sdk(cual, suya)).status_code == 200
    assert (await servicio.pedir("POST /tracking/impresiones", suya)).status_code == 403


@pytest.mark.parametrize("metodo", ["GET", "PUT", "DELETE", "OPTIONS", "HEAD"])
async def test_sin_una_suya_la_direccion_de_un_dialecto_no_existe_con_ningun_metodo(
    servicio: Servicio, claves: ClavesEnMemoria, metodo: str
) -> None:
    propia = claves.crear(*SECRETOS)
    for clave in (None, propia):
        assert (await servicio.pedir(f"{metodo} /v1/track", clave)).status_code == 404
    claves.crear(dialecto="segment")
    assert (await servicio.pedir(f"{metodo} /v1/track", propia)).status_code == 405


def test_una_ruta_no_se_puede_hacer_sin_decir_su_alcance() -> None:
    async def atender(_peticion: object) -> httpx2.Response:
        raise AssertionError

    with pytest.raises(TypeError, match="alcance"):
        Ruta(plantilla="/nueva", metodo="GET", atencion=atender)  # type: ignore[call-arg, arg-type]


@pytest.mark.parametrize("alcance", SECRETOS)
@pytest.mark.parametrize("cual", TABLA)
async def test_una_clave_entra_solo_donde_dice_su_alcance(
    servicio: Servicio, claves: ClavesEnMemoria, cual: str, alcance: Alcance
) -> None:
    respuesta = await servicio.pedir(_rellena(cual), claves.crear(alcance))
    falta = TABLA[cual]
    if falta is alcance and cual in TAMBIEN_LECTURA:
        falta = LECTURA
    if falta in {NADIE, alcance}:
        assert _entra(respuesta)
        return
    assert respuesta.status_code == 403
    if not cual.endswith("/en-vivo"):
        assert f"«{falta}»" in respuesta.text
        if cual not in DEL_PANEL:
            assert respuesta.json()["type"] == "urn:alpespartners:error:sin_permiso"
            assert respuesta.json()["alcance"] == falta
    assert servicio.puertos.publicados == []


@pytest.mark.parametrize("cual", TABLA)
async def test_con_los_tres_alcances_se_entra_en_todas(
    servicio: Servicio, claves: ClavesEnMemoria, cual: str
) -> None:
    assert _entra(await servicio.pedir(_rellena(cual), claves.crear(*SECRETOS)))


@pytest.mark.parametrize("cual", [cual for cual in TABLA if cual.startswith("GET")])
async def test_head_pide_lo_mismo_que_get(servicio: Servicio, claves: ClavesEnMemoria, cual: str) -> None:
    de_nada = claves.crear(CAPTURA)
    leyendo = (await servicio.pedir(_rellena(cual), de_nada)).status_code
    sin_cuerpo = await servicio.pedir(_rellena(cual).replace("GET", "HEAD"), de_nada)
    assert sin_cuerpo.status_code == leyendo
    assert sin_cuerpo.content == b""


@pytest.mark.parametrize("presentada", ["ninguna", "ajena", "parecida", "revocada", "caducada"])
@pytest.mark.parametrize("cual", TABLA)
async def test_sin_una_que_valga_solo_se_entra_en_las_abiertas(
    servicio: Servicio, claves: ClavesEnMemoria, cual: str, presentada: str
) -> None:
    texto = claves.crear(*SECRETOS)
    if presentada == "revocada":
        claves.claves[0] = replace(claves.claves[0], revocada_en=AHORA)
    elif presentada == "caducada":
        claves.claves[0] = replace(claves.claves[0], caduca_en=AHORA - timedelta(seconds=1))
    clave = {"ninguna": None, "ajena": "otra", "parecida": texto[:-1] + "!"}.get(presentada, texto)
    respuesta = await servicio.pedir(_rellena(cual), clave)
    if cual in SIN_CLAVE:
        assert _entra(respuesta)
    elif cual in DEL_PANEL:
        assert respuesta.status_code == 303
        assert respuesta.headers["Location"].startswith("/panel/entrar?volver=%2Fpanel")
    else:
        assert respuesta.status_code == 401
    assert servicio.puertos.publicados == []


@pytest.mark.parametrize("desde", ["127.0.0.1", "203.0.113.9"])
@pytest.mark.parametrize("como", ["revocada", "caducada"])
async def test_que_la_ultima_deje_de_valer_no_abre_el_servicio(
    servicio: Servicio, claves: ClavesEnMemoria, como: str, desde: str
) -> None:
    claves.crear(CAPTURA)
    ayer = AHORA - timedelta(days=1)
    claves.claves[0] = (
        replace(claves.claves[0], revocada_en=ayer)
        if como == "revocada"
        else replace(claves.claves[0], caduca_en=ayer)
    )
    assert (await servicio.pedir("POST /tracking/impresiones", desde=desde)).status_code == 401


async def test_sin_ninguna_guardada_ni_en_los_ajustes_esta_maquina_entra_y_otra_no(
    servicio: Servicio,
) -> None:
    assert (await servicio.pedir("POST /tracking/impresiones", desde="127.0.0.1")).status_code == 202
    assert (await servicio.pedir("POST /tracking/impresiones")).status_code == 403


async def test_a_quien_no_tiene_clave_no_se_le_dice_que_direcciones_hay(
    servicio: Servicio, claves: ClavesEnMemoria
) -> None:
    clave = claves.crear(CAPTURA)
    assert (await servicio.pedir("GET /nada")).status_code == 401
    assert (await servicio.pedir("DELETE /tracking/impresiones")).status_code == 401
    assert (await servicio.pedir("GET /nada", clave)).status_code == 404
    assert (await servicio.pedir("DELETE /tracking/impresiones", clave)).status_code == 405
    assert (await servicio.pedir("POST /salud/viva")).status_code == 405


@pytest.mark.parametrize("cual", [cual for cual in TABLA if cual not in SIN_CLAVE])
async def test_la_de_un_dialecto_no_entra_por_lo_propio(
    servicio: Servicio, claves: ClavesEnMemoria, cual: str
) -> None:
    respuesta = await servicio.pedir(_rellena(cual), claves.crear(dialecto="segment"))
    assert respuesta.status_code == 403
    assert cual.endswith("/en-vivo") or "otro protocolo (segment)" in respuesta.text


async def test_las_de_los_ajustes_lo_pueden_todo_haya_o_no_guardadas(
    puertos: PuertosEnMemoria, claves: ClavesEnMemoria
) -> None:
    claves.crear(CAPTURA)
    api = api_en_memoria(puertos, claves=["ñandú"], guardadas=await llavero_con(claves))
    async with cliente_de(api, "203.0.113.9") as cliente:
        cabeceras = {b"Authorization": "Bearer ñandú".encode()}
        for direccion in ("/tracking/balance", "/tracking/destinos", "/metricas"):
            assert (await cliente.get(direccion, headers=cabeceras)).status_code == 200
        enviado = await cliente.post("/tracking/impresiones", json=EVENTO, headers=cabeceras)
        assert enviado.status_code == 202


# Campañas y prefijo.


@pytest.mark.parametrize(
    "cual", [cual for cual in TABLA if TABLA[cual] is LECTURA and cual not in DEL_PANEL | ELIGE_CAMPAÑA]
)
async def test_una_clave_con_campañas_solo_lee_lo_que_es_de_una_de_ellas(
    servicio: Servicio, claves: ClavesEnMemoria, cual: str
) -> None:
    clave = claves.crear(LECTURA, campañas=["cmp-1", "cmp-2"])
    sin_decirla = (await servicio.pedir(_rellena(cual, "cmp-1"), clave)).status_code
    ajena = (await servicio.pedir(_rellena(cual, "cmp-3"), clave)).status_code
    en_la_consulta = {
        campaña: await servicio.pedir(_rellena(cual, "inf-1"), clave, params={nombre: campaña})
        for campaña, nombre in (("cmp-1", "campaña_id"), ("cmp-2", "campana_id"), ("cmp-3", "campaña_id"))
    }
    if cual in DE_UNA_CAMPAÑA:
        assert (sin_decirla, ajena) == (200, 403)
    elif cual in DE_UN_EVENTO:
        assert (sin_decirla, ajena) == (404, 404)
    elif cual in CON_CAMPAÑA_EN_LA_CONSULTA:
        assert (sin_decirla, ajena) == (403, 403)
        assert [respuesta.status_code for respuesta in en_la_consulta.values()] == [200, 200, 403]
        assert en_la_consulta["cmp-3"].json()["errores"][0]["campo"] == "campaña_id"
    else:
        assert (sin_decirla, ajena) == (403, 403)
        assert {respuesta.status_code for respuesta in en_la_consulta.values()} == {403}


@pytest.mark.parametrize("formato", ["csv", "ndjson"])
@pytest.mark.parametrize("cual", sorted(CON_CAMPAÑA_EN_LA_CONSULTA))
async def test_tampoco_se_descarga_lo_de_otras(
    servicio: Servicio, claves: ClavesEnMemoria, cual: str, formato: str
) -> None:
    clave = claves.crear(LECTURA, campañas=["cmp-1"])
    for consulta in ({"formato": formato}, {"formato": formato, "campaña_id": "cmp-2"}):
        assert (await servicio.pedir(_rellena(cual), clave, params=consulta)).status_code == 403


@pytest.mark.parametrize("que", ["", "/destino"])
async def test_un_evento_de_otra_campaña_es_como_uno_que_no_existe(
    servicio: Servicio, claves: ClavesEnMemoria, que: str
) -> None:
    de_todas, suya = claves.crear(CAPTURA, LECTURA), claves.crear(LECTURA, campañas=["cmp-1"])
    for numero in (1, 2):
        cuerpo = {"id": f"imp-{numero}", "campaña_id": f"cmp-{numero}"}
        assert (await servicio.pedir("POST /tracking/impresiones", de_todas, json=cuerpo)).status_code == 202
    propio = await servicio.pedir(f"GET /tracking/impresiones/imp-1{que}", suya)
    ajeno = await servicio.pedir(f"GET /tracking/impresiones/imp-2{que}", suya)
    inexistente = await servicio.pedir(f"GET /tracking/impresiones/imp-9{que}", suya)
    assert propio.status_code == 200
    assert ajeno.status_code == inexistente.status_code == 404
    assert ajeno.text.replace("imp-2", "imp-9") == inexistente.text
    assert (await servicio.pedir(f"GET /tracking/impresiones/imp-2{que}", de_todas)).status_code == 200


async def test_de_un_id_que_enviaron_dos_campañas_cada_una_ve_lo_suyo(
    servicio: Servicio, claves: ClavesEnMemoria
) -> None:
    de_todas = claves.crear(CAPTURA, LECTURA)
    for campaña in ("cmp-1", "cmp-2"):
        await servicio.pedir("POST /tracking/impresiones", de_todas, json={"id": "x", "campaña_id": campaña})
    historias = {
        campaña: (
            await servicio.pedir(
                "GET /tracking/impresiones/x/destino", claves.crear(LECTURA, campañas=[campaña])
            )
        ).json()
        for campaña in ("cmp-1", "cmp-2")
    }
    estados = {
        campaña: [destino["estado"] for destino in historia["destinos"]]
        for campaña, historia in historias.items()
    }
    assert estados == {"cmp-1": ["REGISTRADA"], "cmp-2": ["RECHAZADA"]}
    assert {historia["omitidos"] for historia in historias.values()} == {0}


ESPERA: Final = {"Prefer": "wait=5"}
VENTA: Final = {"id": "v-1", "campaña_id": "cmp-1", "tipo_conversion": "REGISTRO", "ip_address": "190.1.2.3"}


@pytest.mark.parametrize("alcances", [[CAPTURA], [CAPTURA, LECTURA]])
async def test_repetir_lo_que_otro_envio_no_lo_enseña_sin_el_alcance_de_leer(
    servicio: Servicio, claves: ClavesEnMemoria, alcances: list[Alcance]
) -> None:
    ruta = "POST /tracking/conversiones"
    original = (await servicio.pedir(ruta, claves.crear(CAPTURA), json=VENTA)).json()["comando_id"]
    igual = {**VENTA, "ip_address": "190.9.9.9"}
    repetida = await servicio.pedir(ruta, claves.crear(*alcances), json=igual, headers=ESPERA)
    assert repetida.status_code == 200
    dicho = repetida.json()
    if LECTURA in alcances:
        assert dicho["ip_address"] == "190.1.2.3"
        return
    assert dicho.pop("comando_id") != original
    assert dicho == {"id": "v-1", "original": original, "difieren": ["ip_address"]}


async def test_quien_registra_y_no_lee_recibe_lo_que_envio(
    servicio: Servicio, claves: ClavesEnMemoria
) -> None:
    registrada = await servicio.pedir(
        "POST /tracking/conversiones", claves.crear(CAPTURA), json=VENTA, headers=ESPERA
    )
    assert (registrada.status_code, registrada.json()["ip_address"]) == (201, "190.1.2.3")


async def test_de_un_conflicto_con_otra_campaña_solo_se_dice_que_es_de_otra(
    servicio: Servicio, claves: ClavesEnMemoria
) -> None:
    de_todas = claves.crear(*SECRETOS)
    suya = claves.crear(CAPTURA, LECTURA, campañas=["cmp-2"])
    ajena = {**VENTA, "campaña_id": "cmp-2", "usuario_id": "u", "influencer_id": "i"}
    ruta = "POST /tracking/conversiones"
    await servicio.pedir(ruta, de_todas, json=VENTA)
    envio = (await servicio.pedir(ruta, suya, json=ajena, headers=ESPERA)).json()
    lote = (
        await servicio.pedir(
            "POST /tracking/lotes", suya, json=[{"clase": "conversion", **ajena}], headers=ESPERA
        )
    ).json()["resultados"][0]

    async def leidos(clave: str) -> list[tuple[object, bool]]:
        historia = (await servicio.pedir("GET /tracking/conversiones/v-1/destino", clave)).json()
        lista = await servicio.pedir("GET /tracking/destinos?campaña_id=cmp-2", clave)
        vistos = [*historia["destinos"], *lista.json()["elementos"]]
        return [
            (visto["campos"], "usuario_id" in visto["detalle"])
            for visto in vistos
            if visto["estado"] == "RECHAZADA"
        ]

    for dicho in (envio["campos"], lote["campos"], [falta["campo"] for falta in lote["errores"]]):
        assert dicho == ["campaña_id"]
    assert "usuario_id" not in envio["detail"] + lote["detalle"] + lote["errores"][0]["mensaje"]
    assert await leidos(suya) == [(["campaña_id"], False)] * 4
    assert await leidos(de_todas) == [(["campaña_id", "influencer_id", "usuario_id"], True)] * 4


async def test_enviar_a_otra_campaña_es_403_y_nombra_el_campo(
    servicio: Servicio, claves: ClavesEnMemoria
) -> None:
    clave = claves.crear(CAPTURA, campañas=["cmp-1"])
    assert (await servicio.pedir("POST /tracking/impresiones", clave, json=EVENTO)).status_code == 202
    ajena = await servicio.pedir("POST /tracking/impresiones", clave, json={"campaña_id": "cmp-2"})
    assert ajena.status_code == 403
    assert ajena.json()["type"] == "urn:alpespartners:error:sin_permiso"
    assert [(falta["campo"], falta["codigo"]) for falta in ajena.json()["errores"]] == [
        ("campaña_id", "sin_permiso")
    ]
    assert len(servicio.puertos.publicados) == 1


async def test_en_un_lote_el_de_otra_campaña_se_rechaza_y_los_demas_siguen(
    servicio: Servicio, claves: ClavesEnMemoria
) -> None:
    clave = claves.crear(CAPTURA, campañas=["cmp-1"], prefijo="t-")
    lote = [{"clase": "impresion", "id": str(n), "campaña_id": f"cmp-{n}"} for n in (1, 2)]
    recibido = (await servicio.pedir("POST /tracking/lotes", clave, json=lote)).json()
    assert [resultado["estado"] for resultado in recibido["resultados"]] == ["ACEPTADA", "RECHAZADA"]
    assert recibido["resultados"][0]["id"] == "t-1"
    assert recibido["resultados"][1]["errores"][0]["codigo"] == "sin_permiso"


async def test_un_cloudevent_solo_o_en_un_lote_se_somete_a_su_clave(
    servicio: Servicio, claves: ClavesEnMemoria
) -> None:
    clave = claves.crear(CAPTURA, campañas=["cmp-1"], prefijo="t-")
    ajeno = {**CLOUDEVENT, "data": {"campaña_id": "cmp-2"}}
    sin_id = {**CLOUDEVENT, "data": {"campaña_id": "cmp-1"}}
    ruta = "POST /tracking/cloudevents"
    assert (await servicio.pedir(ruta, clave, json=ajeno)).status_code == 403
    assert (await servicio.pedir(ruta, clave, json=sin_id)).json()["id"].startswith("t-")
    en_lote = {"Content-Type": "application/cloudevents-batch+json"}
    recibido = (await servicio.pedir(ruta, clave, json=[CLOUDEVENT, ajeno], headers=en_lote)).json()
    assert recibido["resultados"][0]["id"] == "t-imp-1"
    assert recibido["resultados"][1]["errores"][0]["codigo"] == "sin_permiso"


async def test_el_prefijo_va_delante_de_cada_id_y_asi_se_lee(
    servicio: Servicio, claves: ClavesEnMemoria
) -> None:
    clave = claves.crear(CAPTURA, LECTURA, prefijo="tienda-")
    enviado = await servicio.pedir("POST /tracking/impresiones", clave, json={"id": "7", "campaña_id": "c"})
    assert enviado.json()["id"] == "tienda-7"
    assert enviado.headers["Location"] == "/tracking/impresiones/tienda-7"
    asignado = await servicio.pedir("POST /tracking/impresiones", clave, json={"campaña_id": "c"})
    assert asignado.json()["id"].startswith("tienda-")
    assert (await servicio.pedir("GET /tracking/impresiones/tienda-7", clave)).status_code == 200


@pytest.mark.parametrize(
    ("id_propio", "codigo"),
    [
        (" x", "espacio_en_los_extremos"),
        ("x ", "espacio_en_los_extremos"),
        ("\u0301x", "valor_no_permitido"),
        ("x" * 126, "longitud_excedida"),
    ],
)
async def test_un_id_no_altera_el_prefijo_de_su_clave(
    servicio: Servicio, claves: ClavesEnMemoria, id_propio: str, codigo: str
) -> None:
    clave = claves.crear(CAPTURA, prefijo="ana")
    cuerpo = {"id": id_propio, "campaña_id": "c"}
    negado = await servicio.pedir("POST /tracking/impresiones", clave, json=cuerpo)
    assert negado.status_code == 422
    (falta,) = negado.json()["errores"]
    assert (falta["campo"], falta["codigo"]) == ("id", codigo)
    assert codigo != "longitud_excedida" or "el prefijo de la clave ocupa 3 de 128" in falta["mensaje"]


# El límite.


async def test_quien_gasta_su_limite_recibe_429_y_cuanto_falta(
    puertos: PuertosEnMemoria, claves: ClavesEnMemoria
) -> None:
    clave = claves.crear(CAPTURA, limite=1)
    otra = claves.crear(CAPTURA)
    api = api_en_memoria(puertos, guardadas=await llavero_con(claves))
    async with cliente_de(api, "203.0.113.9") as cliente:
        lote = [{"clase": "impresion", "campaña_id": "c"}] * 100
        cabeceras = {"Authorization": f"Bearer {clave}"}
        recibido = await cliente.post("/tracking/lotes", json=lote, headers=cabeceras)
        assert recibido.json()["aceptados"] == 100
        negado = await cliente.post("/tracking/impresiones", json=EVENTO, headers=cabeceras)
        assert negado.status_code == 429
        assert negado.json()["type"] == "urn:alpespartners:error:demasiados_envios"
        # Debe cien, puede deber dos, y se tardó algo en llegar aquí.
        assert 60 < int(negado.headers["Retry-After"]) <= 99
        assert f"{negado.headers['Retry-After']} s" in negado.json()["detail"]
        de_otra = {"Authorization": f"Bearer {otra}"}
        assert (await cliente.post("/tracking/impresiones", json=EVENTO, headers=de_otra)).status_code == 202
    assert len(puertos.publicados) == 101


@pytest.mark.parametrize(
    ("cual", "cuerpo_de"),
    [
        ("POST /tracking/impresiones", lambda evento: evento),
        ("POST /tracking/lotes", lambda evento: [{"clase": "impresion", **evento}]),
        ("POST /tracking/cloudevents", lambda evento: CLOUDEVENT | {"data": evento}),
        ("POST /v1/batch", lambda evento: {"batch": [{"type": "page", "properties": evento}]}),
    ],
)
async def test_un_evento_que_mide_por_quince_gasta_el_limite_como_quince(
    servicio: Servicio,
    claves: ClavesEnMemoria,
    cual: str,
    cuerpo_de: Callable[[dict[str, object]], object],
) -> None:
    dialecto = "segment" if cual == "POST /v1/batch" else None
    clave = claves.crear(CAPTURA, limite=1, dialecto=dialecto)
    cabeceras = {"Authorization": f"Basic {b64encode(f'{clave}:'.encode()).decode()}"} if dialecto else None

    async def enviar(octetos: int) -> httpx2.Response:
        cuerpo = cuerpo_de(EVENTO | {"propiedades": {"a": "x" * octetos}})
        return await servicio.pedir(cual, clave, json=cuerpo, headers=cabeceras)

    assert (await enviar(1_000)).status_code < 300
    assert (await enviar(60_000)).status_code < 300, "uno que mide poco cuesta uno, y queda otro"
    negado = await enviar(1_000)
    assert negado.status_code == 429
    # Debe dieciséis, puede deber dos, y se tardó algo en llegar aquí.
    assert 10 < int(negado.headers["Retry-After"]) <= 15


# Mientras no se sabe qué claves hay.


@pytest.fixture
def sin_leer(claves: ClavesEnMemoria) -> ClavesEnMemoria:
    claves.responde = False
    return claves


async def test_sin_saber_que_claves_hay_esta_maquina_entra_y_a_otra_se_le_dice_que_espere(
    servicio: Servicio, sin_leer: ClavesEnMemoria
) -> None:
    sin_leer.crear(CAPTURA)
    assert (await servicio.pedir("POST /tracking/impresiones", desde="127.0.0.1")).status_code == 202
    otra = await servicio.pedir("POST /tracking/impresiones")
    assert (otra.status_code, otra.headers["Retry-After"]) == (503, "5")
    assert otra.json()["type"] == "urn:alpespartners:error:claves_desconocidas"


async def test_sin_saber_que_claves_hay_no_se_abre_a_otra_maquina_ni_con_alpes_sin_clave(
    puertos: PuertosEnMemoria, sin_leer: ClavesEnMemoria
) -> None:
    llavero = await llavero_con(sin_leer)
    async with cliente_de(
        api_en_memoria(puertos, guardadas=llavero, sin_clave=True), "203.0.113.9"
    ) as cliente:
        assert (await cliente.post("/tracking/impresiones", json=EVENTO)).status_code == 503
        sin_leer.responde = True
        await llavero.ponerse_al_dia()
        assert (await cliente.post("/tracking/impresiones", json=EVENTO)).status_code == 202


@pytest.mark.parametrize("desde", ["127.0.0.1", "203.0.113.9"])
async def test_con_una_que_no_se_ha_podido_leer_no_se_entra_sin_saber_que_deja_hacer(
    servicio: Servicio, sin_leer: ClavesEnMemoria, desde: str
) -> None:
    clave = sin_leer.crear(CAPTURA, prefijo="tienda-")
    assert (await servicio.pedir("POST /tracking/impresiones", clave, desde=desde)).status_code == 503
    assert servicio.puertos.publicados == []


async def test_sin_base_de_datos_las_de_los_ajustes_siguen_valiendo(
    puertos: PuertosEnMemoria, sin_leer: ClavesEnMemoria
) -> None:
    guardada = sin_leer.crear(CAPTURA)
    api = api_en_memoria(puertos, claves=["k"], guardadas=await llavero_con(sin_leer))
    async with cliente_de(api, "203.0.113.9") as cliente:
        for clave, estado in (("k", 202), ("otra", 401), (guardada, 503)):
            cabeceras = {"Authorization": f"Bearer {clave}"}
            enviado = await cliente.post("/tracking/impresiones", json=EVENTO, headers=cabeceras)
            assert enviado.status_code == estado
        cabeceras = {"Authorization": f"Bearer {guardada}"}
        assert (await cliente.get("/salud/viva", headers=cabeceras)).status_code == 200


async def test_una_lectura_pasada_se_repite_antes_de_admitir(
    puertos: PuertosEnMemoria, claves: ClavesEnMemoria
) -> None:
    clave = claves.crear(LECTURA)
    segundos = 0.0
    llavero = LlaveroGuardado(claves.leer, lambda: AHORA, lambda: segundos)
    await llavero.ponerse_al_dia()
    segundos += SEGUNDOS_DE_VIGENCIA
    claves.claves[0] = replace(claves.claves[0], revocada_en=AHORA)
    async with cliente_de(api_en_memoria(puertos, guardadas=llavero), "203.0.113.9") as cliente:
        cabeceras = {"Authorization": f"Bearer {clave}"}
        assert (await cliente.get("/tracking/destinos", headers=cabeceras)).status_code == 401


# Lo que se dice y lo que no.


async def test_ninguna_respuesta_repite_la_clave(servicio: Servicio, claves: ClavesEnMemoria) -> None:
    clave = claves.crear(CAPTURA, limite=1)
    for respuesta in (
        await servicio.pedir("GET /tracking/destinos", clave),
        await servicio.pedir("GET /tracking/destinos", clave + "x"),
        await servicio.pedir("POST /tracking/impresiones", clave),
    ):
        assert clave.split("_", 2)[2] not in respuesta.text + json.dumps(dict(respuesta.headers))


async def test_cada_negativa_se_cuenta_en_su_ruta_y_sin_la_clave(
    puertos: PuertosEnMemoria, claves: ClavesEnMemoria
) -> None:
    clave = claves.crear(CAPTURA)
    api = api_en_memoria(puertos, guardadas=await llavero_con(claves))
    async with cliente_de(api) as cliente:
        await cliente.get("/tracking/destinos")
        await cliente.get("/tracking/destinos", headers={"Authorization": f"Bearer {clave}"})
        metricas = (await cliente.get("/metricas")).text
    for estado in (401, 403):
        assert (
            f'alpes_respuestas_total{{estado="{estado}",metodo="GET",ruta="/tracking/destinos"}} 1.0'
            in metricas
        )
    assert claves.claves[0].identidad not in metricas
