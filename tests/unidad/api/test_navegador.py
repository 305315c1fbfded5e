"""Lo que envían las páginas: desde dónde se admite, qué consta de ello y qué deja leer el navegador."""

import gzip
import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import httpx2
import pytest

from alpespartners.api.captura.navegador.guion import guion
from alpespartners.api.captura.navegador.pixel import OCTETOS_MAXIMOS, PARAMETROS_MAXIMOS
from alpespartners.api.http.limite_por_direccion import LimitePorDireccion
from alpespartners.api.http.visitante import Privacidad, Visitantes
from alpespartners.modulos.claves.aplicacion.llavero import LlaveroGuardado
from alpespartners.modulos.tracking.aplicacion.clases import CONVERSIONES, IMPRESIONES
from alpespartners.modulos.tracking.aplicacion.comandos import Comando, RegistrarConversion
from tests.apoyo.claves import AHORA, ClavesEnMemoria, llavero_con
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria, cliente_de

TIENDA: Final = "https://tienda.com"
OTRA: Final = "https://otra.com"
LOCAL: Final = "http://localhost:5173"
DE_FUERA: Final = "203.0.113.9"
EVENTO: Final = {"id": "imp-1", "campaña_id": "cmp-1"}
VENTA: Final = {
    "clase": "conversion",
    "id": "pedido-7",
    "campaña_id": "cmp-1",
    "tipo_conversion": "VENTA",
    "valor": "19.90",
    "moneda": "EUR",
}
DE_QUIEN_LLAMA: Final = ("user_agent", "ip_address", "referrer")


class Servicio:
    """La API en memoria, con una clave de página para `TIENDA` y `cmp-1`, pedida desde otra máquina.

    Attributes:
        clave: el texto de esa clave.
    """

    def __init__(self, puertos: PuertosEnMemoria, claves: ClavesEnMemoria, **opciones: Any) -> None:
        self.puertos = puertos
        self.clave = claves.crear("navegador", origenes=[TIENDA], campañas=["cmp-1"])
        self.guardadas = LlaveroGuardado(claves.leer, lambda: AHORA)
        self.api = api_en_memoria(puertos, guardadas=self.guardadas, **opciones)

    async def pedir(self, metodo: str, ruta: str, desde: str = DE_FUERA, **opciones: Any) -> httpx2.Response:
        async with cliente_de(self.api, desde) as cliente:
            return await cliente.request(metodo, ruta, **opciones)

    async def capturar(
        self, cuerpo: object, origen: str | None = TIENDA, **cabeceras: str
    ) -> httpx2.Response:
        """Lo que enviaría `fetch` con un texto, con la clave en cada evento que no diga otra."""
        lista = cuerpo if isinstance(cuerpo, list) else [cuerpo]
        con_clave = [{"clave": self.clave, **uno} if isinstance(uno, dict) else uno for uno in lista]
        return await self.pedir(
            "POST",
            "/tracking/captura",
            content=json.dumps(con_clave if isinstance(cuerpo, list) else con_clave[0]),
            headers={"Content-Type": "text/plain;charset=UTF-8", **_origen(origen), **cabeceras},
        )

    async def pixel(
        self, parametros: Mapping[str, str] | str, pagina: str | None = f"{TIENDA}/a?b=1", **cabeceras: str
    ) -> httpx2.Response:
        if not isinstance(parametros, str):
            parametros = str(httpx2.QueryParams({"clave": self.clave, **parametros}))
        de_la_pagina = {} if pagina is None else {"Referer": pagina}
        return await self.pedir("GET", f"/p.gif?{parametros}", headers={**de_la_pagina, **cabeceras})

    @property
    def comandos(self) -> list[Comando]:
        return [comando for comando, _, _ in self.puertos.publicados]

    @property
    def registrados(self) -> list[str]:
        libros = self.puertos.registrado.libros
        return [evento for clase in (IMPRESIONES, CONVERSIONES) for evento in libros[clase].eventos]


def _origen(origen: str | None) -> dict[str, str]:
    return {} if origen is None else {"Origin": origen}


@pytest.fixture
def claves() -> ClavesEnMemoria:
    return ClavesEnMemoria()


@pytest.fixture
def servicio(puertos: PuertosEnMemoria, claves: ClavesEnMemoria) -> Servicio:
    return Servicio(puertos, claves)


def _codigo(respuesta: httpx2.Response) -> str:
    return str(respuesta.json()["type"]).rpartition(":")[2]


def _es_la_imagen(respuesta: httpx2.Response) -> bool:
    return (
        respuesta.status_code == 200
        and respuesta.headers["Content-Type"] == "image/gif"
        and respuesta.headers["Cache-Control"] == "no-store"
        and len(respuesta.content) == 43
        and respuesta.content.startswith(b"GIF89a")
    )


# La captura.


async def test_un_evento_o_una_lista_se_registran_y_se_dice_que_fue_de_cada_uno(servicio: Servicio) -> None:
    uno = await servicio.capturar(EVENTO)
    assert uno.status_code == 202
    assert [dicho["estado"] for dicho in uno.json()["resultados"]] == ["ACEPTADA"]
    varios = await servicio.capturar([VENTA, {**EVENTO, "id": "imp-2", "tipo_evento": "VISUALIZACION"}])
    assert varios.json()["aceptados"] == 2
    assert sorted(servicio.registrados) == ["imp-1", "imp-2", "pedido-7"]


async def test_se_admite_tambien_dicho_en_json_o_en_gzip(servicio: Servicio) -> None:
    cuerpo = json.dumps({"clave": servicio.clave, **EVENTO}).encode()
    for cabeceras, octetos in (
        ({"Content-Type": "application/json"}, cuerpo),
        ({"Content-Type": "text/plain", "Content-Encoding": "gzip"}, gzip.compress(cuerpo)),
    ):
        enviado = await servicio.pedir(
            "POST", "/tracking/captura", content=octetos, headers={**cabeceras, "Origin": TIENDA}
        )
        assert enviado.status_code == 202


async def test_la_direccion_el_agente_y_la_procedencia_son_de_quien_llama_y_no_del_cuerpo(
    servicio: Servicio,
) -> None:
    mentira = dict.fromkeys(DE_QUIEN_LLAMA, "198.51.100.1")
    await servicio.capturar({**EVENTO, **mentira}, **{"User-Agent": "Mozilla/5.0", "Referer": f"{TIENDA}/x"})
    (comando,) = servicio.comandos
    assert (comando.user_agent, comando.ip_address, comando.referrer) == (
        "Mozilla/5.0",
        DE_FUERA,
        f"{TIENDA}/x",
    )
    assert "198.51.100.1" not in repr(comando)


async def test_lo_que_no_se_sabe_de_quien_llama_tampoco_lo_dice_el_cuerpo(
    puertos: PuertosEnMemoria, claves: ClavesEnMemoria
) -> None:
    resumidas = Visitantes((), Privacidad.RESUMIDA, b"secreto")
    servicio = Servicio(puertos, claves, visitantes=resumidas)
    suyas = {"color": "rojo", "direccion_resumida": "la de otro"}
    await servicio.capturar(
        {**EVENTO, "ip_address": "198.51.100.1", "direccion_resumida": "la de otro", "propiedades": suyas}
    )
    (comando,) = servicio.comandos
    assert comando.ip_address is None
    assert comando.propiedades["color"] == "rojo"
    assert re.fullmatch("[0-9a-f]{32}", comando.propiedades["direccion_resumida"])


async def test_sin_clase_lo_que_dice_un_tipo_de_conversion_es_una(servicio: Servicio) -> None:
    await servicio.capturar({nombre: valor for nombre, valor in VENTA.items() if nombre != "clase"})
    (comando,) = servicio.comandos
    assert isinstance(comando, RegistrarConversion)


@pytest.mark.parametrize(
    ("cambio", "campo", "codigo"),
    [
        ({"valor": "-1"}, "valor", "valor_negativo"),
        ({"clase": "otra"}, "clase", "valor_no_permitido"),
        ({"clase": {}}, "clase", "valor_no_permitido"),
        ({"recibido_en": "ayer"}, "recibido_en", "valor_no_permitido"),
        ({"campaña_id": "cmp-2"}, "campaña_id", "sin_permiso"),
    ],
)
async def test_lo_que_no_vale_se_dice_y_consta_bajo_el_id_que_hizo_el_navegador(
    servicio: Servicio, claves: ClavesEnMemoria, cambio: dict[str, object], campo: str, codigo: str
) -> None:
    enviado = await servicio.capturar({**VENTA, **cambio})
    assert enviado.status_code == 202
    (dicho,) = enviado.json()["resultados"]
    assert (dicho["estado"], dicho["id"]) == ("RECHAZADA", "pedido-7")
    assert dicho["errores"][0]["campo"] == campo
    assert servicio.registrados == []
    lectora = {"Authorization": f"Bearer {claves.crear('lectura')}"}
    await servicio.guardadas.ponerse_al_dia()
    historia = await servicio.pedir("GET", "/tracking/conversiones/pedido-7/destino", headers=lectora)
    (destino,) = historia.json()["destinos"]
    assert (destino["estado"], destino["motivo"]) == ("RECHAZADA", codigo)
    assert campo in destino["campos"]


async def test_lo_que_no_es_un_evento_o_es_de_otra_clave_no_estorba_a_los_demas(servicio: Servicio) -> None:
    enviado = await servicio.capturar([EVENTO, 7, {**EVENTO, "id": "b", "clave": "pk_otra"}])
    assert [dicho["estado"] for dicho in enviado.json()["resultados"]] == [
        "ACEPTADA",
        "RECHAZADA",
        "RECHAZADA",
    ]
    assert servicio.registrados == ["imp-1"]


@pytest.mark.parametrize(
    ("contenido", "estado"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 422),
        (b"7", 422),
        (b"[" + b"{}," * 100 + b"{}]", 422),
        (b"{" + b" " * 65_536 + b"}", 413),
    ],
)
async def test_un_cuerpo_que_no_vale_lo_dice_y_la_pagina_lo_puede_leer(
    servicio: Servicio, contenido: bytes, estado: int
) -> None:
    cabeceras = {"Content-Type": "text/plain", "Origin": TIENDA}
    negado = await servicio.pedir("POST", "/tracking/captura", content=contenido, headers=cabeceras)
    assert negado.status_code == estado
    assert negado.headers["Access-Control-Allow-Origin"] == TIENDA
    assert servicio.comandos == []


async def test_si_el_broker_no_confirma_nada_la_pagina_sabe_que_debe_repetirlo(
    puertos: PuertosEnMemoria, servicio: Servicio
) -> None:
    puertos.disponible = False
    negado = await servicio.capturar([EVENTO])
    assert (negado.status_code, negado.headers["Retry-After"]) == (503, "5")
    assert negado.headers["Access-Control-Expose-Headers"] == "Retry-After"
    assert negado.json()["resultados"][0]["estado"] == "SIN_CONFIRMAR"


async def test_repetir_lo_mismo_con_su_id_no_cuenta_dos_veces(servicio: Servicio) -> None:
    for agente in ("uno", "otro"):
        await servicio.capturar(VENTA, **{"User-Agent": agente})
    assert servicio.registrados == ["pedido-7"]


async def test_una_direccion_que_pide_demasiado_recibe_429_tambien_en_el_permiso_previo(
    puertos: PuertosEnMemoria, claves: ClavesEnMemoria
) -> None:
    servicio = Servicio(puertos, claves, limite_por_direccion=LimitePorDireccion(1, 1, cronometro=lambda: 0))
    assert (await servicio.capturar(EVENTO)).status_code == 202
    negado = await servicio.capturar(EVENTO)
    assert (negado.status_code, _codigo(negado)) == (429, "demasiadas_peticiones")
    assert int(negado.headers["Retry-After"]) >= 1
    assert (await _permiso(servicio, TIENDA)).status_code == 429


async def test_lo_que_lleva_gasta_el_limite_de_su_clave(
    puertos: PuertosEnMemoria, claves: ClavesEnMemoria
) -> None:
    servicio = Servicio(puertos, claves)
    servicio.clave = claves.crear("navegador", origenes=[TIENDA], campañas=["cmp-1"], limite=1)
    muchos = [{**EVENTO, "id": f"i-{numero}"} for numero in range(50)]
    assert (await servicio.capturar(muchos)).status_code == 202
    negado = await servicio.capturar(EVENTO)
    assert (negado.status_code, _codigo(negado)) == (429, "demasiados_envios")


# De dónde se admite.


@pytest.mark.parametrize("origen", [OTRA, "null", None, f"{TIENDA}:8443", "http://tienda.com", "*", "x"])
async def test_desde_otro_origen_o_sin_decirlo_no_se_admite_nada(
    servicio: Servicio, origen: str | None
) -> None:
    negado = await servicio.capturar(EVENTO, origen)
    assert (negado.status_code, _codigo(negado)) == (403, "origen_no_registrado")
    assert "Access-Control-Allow-Origin" not in negado.headers
    assert negado.headers["Vary"] == "Origin"
    pixel = await servicio.pixel(EVENTO, None if origen is None else f"{origen}/pagina")
    assert _es_la_imagen(pixel)
    assert pixel.headers["Alpes-Error"] == "origen_no_registrado"
    assert servicio.comandos == []


async def test_la_clave_de_otra_pagina_no_vale_en_esta(servicio: Servicio, claves: ClavesEnMemoria) -> None:
    claves.crear("navegador", origenes=["https://*.otra.com"], campañas=["cmp-1"])
    negado = await servicio.capturar(EVENTO, "https://a.otra.com")
    assert (negado.status_code, _codigo(negado)) == (403, "origen_no_registrado")
    assert servicio.comandos == []


@pytest.mark.parametrize("clave", ["pk_nadie", "", "x" * 500, None, 7, {"pk": 1}])
async def test_sin_una_clave_de_pagina_que_valga_no_se_admite_nada(servicio: Servicio, clave: object) -> None:
    negado = await servicio.capturar({**EVENTO, "clave": clave})
    assert (negado.status_code, _codigo(negado)) == (403, "clave_de_navegador_desconocida")
    assert servicio.comandos == []


async def test_ni_una_secreta_ni_una_caducada_valen_en_una_pagina(
    servicio: Servicio, claves: ClavesEnMemoria
) -> None:
    secreta = claves.crear("captura")
    manana = (AHORA + timedelta(days=1)).isoformat()
    caducada = claves.crear("navegador", origenes=[TIENDA], campañas=["cmp-1"], caduca=manana)
    reloj = LlaveroGuardado(claves.leer, lambda: AHORA + timedelta(days=2))
    servicio.api = api_en_memoria(servicio.puertos, guardadas=reloj)
    for clave in (secreta, caducada, f"pk_{secreta.split('_')[1]}"):
        assert (
            _codigo(await servicio.capturar({**EVENTO, "clave": clave})) == "clave_de_navegador_desconocida"
        )


async def test_la_de_una_pagina_no_abre_nada_mas(servicio: Servicio) -> None:
    cabeceras = {"Authorization": f"Bearer {servicio.clave}", "Origin": TIENDA}
    for metodo, ruta in (("POST", "/tracking/impresiones"), ("GET", "/tracking/destinos")):
        negado = await servicio.pedir(metodo, ruta, headers=cabeceras, json=EVENTO)
        assert negado.status_code == 401
        assert "Access-Control-Allow-Origin" not in negado.headers
    entrar = await servicio.pedir("GET", "/panel/entrar")
    testigo = re.findall(r'name="testigo" value="([^"]+)', entrar.text)[0]
    async with cliente_de(servicio.api, DE_FUERA) as cliente:
        await cliente.get("/panel/entrar")
        negado = await cliente.post("/panel/entrar", data={"testigo": testigo, "clave": servicio.clave})
    assert "alpes_sesion" not in negado.cookies


async def test_mientras_no_haya_ninguna_se_dice_como_se_crea(
    puertos: PuertosEnMemoria, claves: ClavesEnMemoria
) -> None:
    claves.crear("captura", "lectura")
    api = api_en_memoria(puertos, guardadas=await llavero_con(claves))
    async with cliente_de(api, DE_FUERA) as cliente:
        negado = await cliente.post("/tracking/captura", json=EVENTO, headers={"Origin": TIENDA})
        assert (negado.status_code, _codigo(negado)) == (403, "sin_claves_de_navegador")
        assert "claves crear" in negado.json()["detail"]
        assert "--alcance navegador" in negado.json()["detail"]
        pixel = await cliente.get("/p.gif", params=EVENTO, headers={"Referer": TIENDA})
        assert pixel.headers["Alpes-Error"] == "sin_claves_de_navegador"


async def test_sin_saber_que_claves_hay_se_dice_que_se_repita(
    servicio: Servicio, claves: ClavesEnMemoria
) -> None:
    claves.responde = False
    assert (await servicio.capturar(EVENTO)).status_code == 503


@pytest.mark.parametrize(
    ("origen", "estado"), [(LOCAL, 202), ("http://127.0.0.1:9", 202), (TIENDA, 403), (None, 403)]
)
async def test_sin_claves_se_admite_sin_ninguna_desde_las_paginas_de_esta_maquina(
    puertos: PuertosEnMemoria, origen: str | None, estado: int
) -> None:
    async with cliente_de(api_en_memoria(puertos)) as cliente:
        enviado = await cliente.post("/tracking/captura", json=EVENTO, headers=_origen(origen))
        assert enviado.status_code == estado
        pixel = await cliente.get(
            "/p.gif", params={"id": "b", "c": "cmp-1"}, headers={"Referer": origen or ""}
        )
        assert ("Alpes-Error" in pixel.headers) is (estado == 403)


# CORS.


async def _permiso(servicio: Servicio, origen: str | None) -> httpx2.Response:
    cabeceras = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    return await servicio.pedir("OPTIONS", "/tracking/captura", headers={**cabeceras, **_origen(origen)})


async def test_el_permiso_previo_se_da_solo_a_los_origenes_registrados(servicio: Servicio) -> None:
    dado = await _permiso(servicio, TIENDA)
    assert (dado.status_code, dado.content) == (204, b"")
    assert dado.headers["Access-Control-Allow-Origin"] == TIENDA
    assert dado.headers["Access-Control-Allow-Methods"] == "POST"
    assert dado.headers["Access-Control-Allow-Headers"] == "Content-Type"
    assert "Access-Control-Allow-Credentials" not in dado.headers
    assert dado.headers["Vary"] == "Origin"
    for origen in (OTRA, "null", None):
        negado = await _permiso(servicio, origen)
        assert (negado.status_code, negado.headers["Vary"]) == (403, "Origin")
        assert not [nombre for nombre in negado.headers if nombre.startswith("access-control")]


async def test_solo_la_captura_deja_leer_a_una_pagina(servicio: Servicio, claves: ClavesEnMemoria) -> None:
    cabeceras = {"Origin": TIENDA, "Authorization": f"Bearer {claves.crear('captura', 'lectura')}"}
    for metodo, ruta in (
        ("POST", "/tracking/impresiones"),
        ("GET", "/tracking/destinos"),
        ("GET", "/tracking/nada"),
        ("GET", "/t.js"),
        ("GET", "/p.gif"),
        ("GET", "/docs"),
        ("OPTIONS", "/tracking/impresiones"),
    ):
        respuesta = await servicio.pedir(metodo, ruta, headers=cabeceras)
        assert not [nombre for nombre in respuesta.headers if nombre.startswith("access-control")], ruta


# El píxel.


async def test_el_pixel_registra_una_impresion_con_sus_nombres_cortos(servicio: Servicio) -> None:
    respuesta = await servicio.pixel(
        {"id": "imp-1", "c": "cmp-1", "i": "ana", "u": "u-1", "cl": "clic", "t": "VISUALIZACION", "_": "9"}
        | {"p.color": "rojo", "utm_source": "ig", "ip_address": "198.51.100.1"}
    )
    assert _es_la_imagen(respuesta)
    assert "Alpes-Error" not in respuesta.headers
    (comando,) = servicio.comandos
    assert (comando.campaña_id, comando.influencer_id, comando.usuario_id) == ("cmp-1", "ana", "u-1")
    assert (comando.clic_id, comando.ip_address) == ("clic", DE_FUERA)
    assert comando.propiedades == {"color": "rojo", "utm.source": "ig"}
    assert comando.advertencias == ()
    assert comando.referrer == f"{TIENDA}/a?b=1"


async def test_el_pixel_registra_una_conversion_si_dice_su_tipo(servicio: Servicio) -> None:
    await servicio.pixel({"id": "7", "c": "cmp-1", "tc": "VENTA", "v": "19.90", "m": "EUR", "cu": "ANA10"})
    (comando,) = servicio.comandos
    assert isinstance(comando, RegistrarConversion)
    assert (str(comando.valor), comando.moneda, comando.cupon) == ("19.90", "EUR", "ANA10")


async def test_sin_id_cada_carga_es_otra_impresion(servicio: Servicio) -> None:
    for _ in range(2):
        await servicio.pixel({"c": "cmp-1"})
    assert len(servicio.registrados) == 2


@pytest.mark.parametrize(
    ("consulta", "error"),
    [
        ("id=x&c=cmp-1&v=-1&m=EUR&tc=VENTA", "valor_negativo; campo=valor"),
        ("id=x", "requerido; campo=campa%C3%B1a_id"),
        ("id=x&c=cmp-1&c=cmp-9", "campo_repetido; campo=campa%C3%B1a_id"),
        ("id=x&c=cmp-1&u=%FF", "valor_no_permitido; campo=usuario_id"),
        ("id=x&c=cmp-2", "sin_permiso; campo=campa%C3%B1a_id"),
        ("id=x&c=cmp-1&clase=%0d%0aSet-Cookie:a", "valor_no_permitido; campo=clase"),
        ("id=x&c=cmp-1" + "&p.a=1" * PARAMETROS_MAXIMOS, "longitud_excedida; campo=consulta"),
        ("id=x&c=cmp-1&p.a=" + "b" * OCTETOS_MAXIMOS, "longitud_excedida; campo=consulta"),
    ],
)
async def test_lo_que_no_vale_de_un_pixel_consta_y_lo_dice_su_cabecera(
    servicio: Servicio, consulta: str, error: str
) -> None:
    respuesta = await servicio.pixel(f"k={servicio.clave}&{consulta}")
    assert _es_la_imagen(respuesta)
    assert respuesta.headers["Alpes-Error"] == error
    assert servicio.registrados == []
    (comando,) = servicio.comandos
    assert comando.id == "x"
    assert comando.faltas


async def test_lo_de_un_pixel_que_el_broker_no_confirma_espera_en_disco_tambien_lo_que_no_vale(
    puertos: PuertosEnMemoria, servicio: Servicio
) -> None:
    puertos.disponible = False
    vale = await servicio.pixel({"id": "x", "c": "cmp-1", "cl": "clic"})
    assert "Alpes-Error" not in vale.headers
    no_vale = await servicio.pixel({"id": "y", "c": "cmp-9"})
    assert no_vale.headers["Alpes-Error"] == "sin_permiso; campo=campa%C3%B1a_id"
    assert servicio.comandos == []
    (uno, comando_id, _), (otro, otro_comando, _) = puertos.clics.guardados
    assert (uno.id, uno.clic_id, uno.señales) == ("x", "clic", ("en_la_pagina",))
    assert (otro.id, bool(otro.faltas)) == ("y", True)
    assert comando_id != otro_comando


async def test_el_pixel_es_la_imagen_aunque_todo_falle(
    puertos: PuertosEnMemoria, servicio: Servicio, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _es_la_imagen(await servicio.pedir("GET", "/p.gif"))
    assert _es_la_imagen(await servicio.pedir("GET", "/p.gif?%FF=%FF&&&=&;"))
    assert _es_la_imagen(await servicio.pedir("GET", f"/p.gif?{'a' * 20_000}"))
    assert _es_la_imagen(await servicio.pedir("POST", "/p.gif"))
    puertos.disponible = False
    assert _es_la_imagen(await servicio.pixel({"c": "cmp-1"}))

    def romperse(*_: object, **__: object) -> None:
        raise RuntimeError

    puertos.disponible = True
    monkeypatch.setattr(puertos, "publicar_enseguida", romperse)
    rota = await servicio.pixel({"c": "cmp-1"})
    assert _es_la_imagen(rota)
    assert rota.headers["Alpes-Error"] == "error_interno"
    sin_claves = api_en_memoria(puertos)
    async with cliente_de(sin_claves, DE_FUERA) as cliente:
        assert _es_la_imagen(await cliente.get("/p.gif"))


async def test_un_pixel_de_quien_pide_demasiado_es_la_imagen_y_no_se_registra(
    puertos: PuertosEnMemoria, claves: ClavesEnMemoria
) -> None:
    servicio = Servicio(puertos, claves, limite_por_direccion=LimitePorDireccion(1, 1, cronometro=lambda: 0))
    await servicio.pixel({"c": "cmp-1"})
    negado = await servicio.pixel({"c": "cmp-1"})
    assert _es_la_imagen(negado)
    assert negado.headers["Alpes-Error"] == "demasiadas_peticiones"
    assert len(servicio.comandos) == 1


async def test_head_no_cuenta_y_lo_preparado_por_si_acaso_lleva_su_señal(servicio: Servicio) -> None:
    consulta = httpx2.QueryParams({"clave": servicio.clave, "c": "cmp-1"})
    cabeza = await servicio.pedir("HEAD", f"/p.gif?{consulta}", headers={"Referer": TIENDA})
    assert (cabeza.status_code, servicio.comandos) == (200, [])
    await servicio.pixel({"c": "cmp-1"}, **{"Sec-Purpose": "prefetch;prerender"})
    await servicio.pixel({"c": "cmp-1"})
    assert [comando.señales for comando in servicio.comandos] == [
        ("en_la_pagina", "precarga"),
        ("en_la_pagina",),
    ]


# El guion.


async def test_el_guion_se_sirve_a_cualquiera_se_guarda_un_rato_y_se_revisa_por_su_etag(
    servicio: Servicio,
) -> None:
    servido = await servicio.pedir("GET", "/t.js")
    assert servido.status_code == 200
    assert servido.headers["Content-Type"].startswith("text/javascript")
    assert servido.headers["Cache-Control"] == "public, max-age=600"
    assert servido.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    repetido = await servicio.pedir("GET", "/t.js", headers={"If-None-Match": servido.headers["ETag"]})
    assert (repetido.status_code, repetido.content) == (304, b"")
    assert repetido.headers["ETag"] == servido.headers["ETag"]
    otro = await servicio.pedir("GET", "/t.js", headers={"If-None-Match": '"otra"'})
    assert otro.content == servido.content


@pytest.mark.parametrize(
    ("admite", "codificado"),
    [
        ("gzip, deflate, br", "gzip"),
        ("br;q=1, GZIP;q=0.5", "gzip"),
        ("gzip;q=0, br", None),
        ("gzip ; q=0.00", None),
        ("gzipado, identity", None),
        ("", None),
    ],
)
async def test_el_guion_va_comprimido_a_quien_lo_admite_y_cada_forma_tiene_su_etag(
    servicio: Servicio, admite: str, codificado: str | None
) -> None:
    servido = await servicio.pedir("GET", "/t.js", headers={"Accept-Encoding": admite})
    assert servido.headers.get("Content-Encoding") == codificado
    assert servido.headers["Vary"] == "Accept-Encoding"
    assert (int(servido.headers["Content-Length"]) <= 3_000) == (codificado == "gzip")
    assert servido.content == guion()
    sabida = {"If-None-Match": servido.headers["ETag"]}
    for otro, estado in ((admite, 304), ("identity" if codificado else "gzip", 200)):
        repetido = await servicio.pedir("GET", "/t.js", headers={"Accept-Encoding": otro, **sabida})
        assert repetido.status_code == estado


def test_el_guion_cabe_en_tres_kilobytes_y_no_evalua_texto_ni_pide_nada_a_nadie() -> None:
    servido = guion()
    assert len(gzip.compress(servido, 9)) <= 3_000
    for prohibido in (rb"\beval\b", rb"\bFunction\(", rb"\bimport\b", rb"innerHTML", rb"document\.write"):
        assert not re.search(prohibido, servido)
    assert b"http://" not in servido
    assert b"https://" not in servido
