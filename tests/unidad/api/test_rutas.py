"""Direcciones: identificadores con barras, porcentajes y eñes; métodos; lo que no existe."""

import unicodedata
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.http.problemas import ErrorHTTP
from alpespartners.api.http.rutas import Ruta, Rutas, partes_de_la_ruta
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria, cliente_de

IDS = ["FV/2024/001", "a/destino", "a b%c?d#e", "ñandú-1", "a" * 128, "%2F", "a+b&c=d", "...", "日本語"]


@pytest.mark.parametrize("id_evento", IDS)
async def test_cualquier_id_se_lee_por_su_direccion_codificada(
    cliente: httpx2.AsyncClient, id_evento: str
) -> None:
    aceptada = await cliente.post("/tracking/impresiones", json={"id": id_evento, "campaña_id": "c"})
    leida = await cliente.get(aceptada.headers["Location"])
    assert (leida.status_code, leida.json()["id"]) == (200, id_evento)


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1, max_size=30))
async def test_todo_id_aceptado_se_puede_leer_en_su_location(id_evento: str) -> None:
    async with cliente_de(api_en_memoria(PuertosEnMemoria())) as cliente:
        aceptada = await cliente.post("/tracking/impresiones", json={"id": id_evento, "campaña_id": "c"})
        if aceptada.status_code == 202:
            leida = await cliente.get(aceptada.headers["Location"])
            assert leida.json()["id"] == unicodedata.normalize("NFC", id_evento)


async def test_un_id_en_forma_descompuesta_es_el_mismo(cliente: httpx2.AsyncClient) -> None:
    await cliente.post("/tracking/impresiones", json={"id": "ñandú-1", "campaña_id": "c"})
    descompuesto = quote(unicodedata.normalize("NFD", "ñandú-1"), safe="")
    assert (await cliente.get(f"/tracking/impresiones/{descompuesto}")).status_code == 200


@pytest.mark.parametrize(
    "campañas", ["campa%C3%B1as", "campan%CC%83as", "campanas", "campa%c3%b1as", "%63ampanas"]
)
async def test_las_campañas_se_piden_con_eñe_sin_ella_o_descompuesta(
    cliente: httpx2.AsyncClient, campañas: str
) -> None:
    await cliente.post("/tracking/impresiones", json={"id": "i", "campaña_id": "c/1"})
    respuesta = await cliente.get(f"/tracking/{campañas}/c%2F1/impresiones")
    assert [evento["id"] for evento in respuesta.json()["elementos"]] == ["i"]


@pytest.mark.parametrize(
    "direccion",
    [
        "/tracking",
        "/tracking/",
        "/tracking/impresiones/nadie",
        "/tracking/impresiones/nadie/",
        "/tracking/impresiones//",
        "//tracking/impresiones/a",
        "/tracking%2Fimpresiones/a",
        "/tracking/impresiones/a/b",
        "/tracking/impresiones/%FF",
        "/tracking/impresiones/%C3",
        "/tracking/impresiones/%ED%A0%80",
        "/tracking/impresiones/%00",
        "/tracking/impresiones/%20a",
        f"/tracking/impresiones/{'a' * 129}",
        "/tracking/campañas//impresiones",
        f"/tracking/campañas/{'a' * 129}/impresiones",
        "/tracking/campañas/c/impresiones//",
        "/tracking/campañas/c",
        "/docs//",
        "/docs/recursos/otro.js",
        "/docs/recursos/..%2Fopenapi.py",
        "/openapi.yaml",
    ],
)
async def test_lo_que_no_existe_es_404(cliente: httpx2.AsyncClient, direccion: str) -> None:
    respuesta = await cliente.get(f"http://127.0.0.1:8000{direccion}")
    assert respuesta.status_code == 404
    assert respuesta.json()["type"] == "urn:alpespartners:error:no_encontrado"


@pytest.mark.parametrize("clase", ["impresiones", "conversiones"])
async def test_una_barra_final_no_cambia_nada(cliente: httpx2.AsyncClient, clase: str) -> None:
    cuerpo = {"id": "e", "campaña_id": "c", "tipo_conversion": "REGISTRO"}
    assert (await cliente.post(f"/tracking/{clase}/", json=cuerpo)).status_code == 202
    for direccion in (
        f"/tracking/{clase}/e",
        f"/tracking/{clase}/e/destino",
        f"/tracking/campañas/c/{clase}",
        "/salud/viva",
        "/docs",
    ):
        con_barra, sin_barra = await cliente.get(f"{direccion}/"), await cliente.get(direccion)
        assert (con_barra.status_code, con_barra.content) == (200, sin_barra.content)


@pytest.mark.parametrize("metodo", ["GET", "HEAD", "POST", "PUT"])
@pytest.mark.parametrize(
    "direccion",
    [
        "/tracking/impresiones//",
        "/tracking/conversiones//",
        "/tracking/campañas//impresiones",
        "/tracking/impresiones/%00",
        "/tracking/conversiones/%20a/destino",
        f"/tracking/impresiones/{'a' * 129}",
        f"/tracking/campanas/{'a' * 129}/conversiones",
        "/docs/recursos/",
        "/docs/recursos/otro.js",
    ],
)
async def test_lo_que_no_puede_existir_es_404_con_cualquier_metodo(
    cliente: httpx2.AsyncClient, metodo: str, direccion: str
) -> None:
    respuesta = await cliente.request(metodo, f"http://127.0.0.1:8000{direccion}", json={"campaña_id": "c"})
    assert respuesta.status_code == 404


@pytest.mark.parametrize("cruda", [b"/tracking/impresiones/\xc3\xb1", b"/tracking/impresiones/\xff%20"])
def test_una_ruta_con_octetos_sin_codificar_que_no_son_ascii_o_utf8_es_404(cruda: bytes) -> None:
    with pytest.raises(ErrorHTTP) as error:
        partes_de_la_ruta({"raw_path": cruda})
    assert error.value.estado == 404


@pytest.mark.parametrize(
    ("metodo", "direccion", "permitidos"),
    [
        ("PUT", "/tracking/impresiones", "POST, GET, HEAD"),
        ("DELETE", "/tracking/conversiones", "POST, GET, HEAD"),
        ("OPTIONS", "/tracking/conversiones", "POST, GET, HEAD"),
        ("POST", "/tracking/impresiones/a", "GET, HEAD"),
        ("PUT", "/tracking/campañas/c/impresiones", "GET, HEAD"),
        ("POST", "/salud/viva", "GET, HEAD"),
    ],
)
async def test_un_metodo_que_no_toca_es_405_y_dice_cuales_si(
    cliente: httpx2.AsyncClient, metodo: str, direccion: str, permitidos: str
) -> None:
    respuesta = await cliente.request(metodo, direccion)
    assert respuesta.status_code == 405
    assert respuesta.headers["Allow"] == permitidos
    assert respuesta.json()["status"] == 405


@pytest.mark.parametrize(
    ("otro", "nuestro"),
    [
        ("/health", "/salud/lista"),
        ("/healthz", "/salud/lista"),
        ("/readyz", "/salud/lista"),
        ("/salud/", "/salud/lista"),
        ("/livez", "/salud/viva"),
        ("/metrics", "/metricas"),
        ("/swagger", "/docs"),
        ("/redoc", "/docs"),
        ("/openapi", "/openapi.json"),
        ("/swagger.json", "/openapi.json"),
    ],
)
async def test_los_nombres_de_otros_servicios_llevan_a_los_nuestros_tambien_sin_clave(
    puertos: PuertosEnMemoria, otro: str, nuestro: str
) -> None:
    async with cliente_de(api_en_memoria(puertos, claves=["k"])) as cliente:
        hallada = await cliente.get(otro)
        assert (hallada.status_code, hallada.headers["Location"]) == (308, nuestro)
        assert nuestro in hallada.text
        assert (await cliente.get(otro, follow_redirects=True)).status_code == 200


@pytest.mark.parametrize("id_evento", ["nadie", "FV/2024/001", "a b%c?d#e", "ñandú"])
@pytest.mark.parametrize("clase", ["impresiones", "conversiones"])
async def test_el_404_de_un_id_lleva_a_su_destino(
    cliente: httpx2.AsyncClient, clase: str, id_evento: str
) -> None:
    nadie = await cliente.get(f"/tracking/{clase}/{quote(id_evento, safe='')}")
    assert nadie.status_code == 404
    destino = await cliente.get(nadie.json()["destino"])
    assert destino.json()["type"] == "urn:alpespartners:error:destino_desconocido"


async def test_de_lo_que_no_cabe_en_una_direccion_tampoco_se_da_la_de_su_destino(
    cliente: httpx2.AsyncClient,
) -> None:
    respuesta = await cliente.get("http://127.0.0.1:8000/tracking/impresiones/%2E%2E")
    assert respuesta.status_code == 404
    assert "destino" not in respuesta.json()


async def test_una_direccion_con_dos_rutas_admite_los_metodos_de_las_dos() -> None:
    async def leer(_peticion: Request) -> Response:
        return Response("leído")

    async def escribir(_peticion: Request) -> Response:
        return Response("escrito")

    direccion, variables = Rutas(
        [
            Ruta(plantilla="/a/{id}", metodo="GET", atencion=leer, alcance=None),
            Ruta(plantilla="/a/{id}", metodo="POST", atencion=escribir, alcance=None),
        ]
    ).buscar(["a", "b/c"])
    assert direccion is not None
    assert variables == {"id": "b/c"}
    assert [direccion.atencion(metodo) for metodo in ("GET", "HEAD", "POST")] == [leer, leer, escribir]
    with pytest.raises(ErrorHTTP) as error:
        direccion.atencion("PUT")
    assert (error.value.estado, error.value.cabeceras) == (405, {"Allow": "GET, HEAD, POST"})


@pytest.mark.parametrize(
    "direccion", ["/salud/viva", "/openapi.json", "/docs", "/tracking/campañas/c/impresiones"]
)
async def test_head_responde_lo_mismo_que_get_sin_cuerpo(cliente: httpx2.AsyncClient, direccion: str) -> None:
    con_cuerpo = await cliente.get(direccion)
    sin_cuerpo = await cliente.head(direccion)
    assert sin_cuerpo.status_code == con_cuerpo.status_code == 200
    assert sin_cuerpo.headers["Content-Length"] == con_cuerpo.headers["Content-Length"]
    assert sin_cuerpo.content == b""


async def test_toda_respuesta_de_texto_acaba_en_un_salto_de_linea_y_dice_cuanto_mide(
    cliente: httpx2.AsyncClient,
) -> None:
    aceptada = await cliente.post("/tracking/impresiones", json={"id": "i", "campaña_id": "c"})
    direcciones = ["/", "/nada", "/health", "/salud/lista", "/metricas", "/openapi.json", "/tracking/balance"]
    leidas = [await cliente.get(direccion) for direccion in (*direcciones, aceptada.headers["Location"])]
    for respuesta in (aceptada, *leidas, await cliente.post("/tracking/impresiones", json={})):
        assert respuesta.text.endswith("\n")
        assert not respuesta.text.endswith("\n\n")
        assert respuesta.headers["Content-Length"] == str(len(respuesta.content))


@pytest.mark.parametrize(
    "direccion", ["/salud/viva", "/nada", "/tracking/campañas/c/impresiones", "/openapi.json"]
)
async def test_toda_respuesta_prohibe_adivinar_su_tipo_y_guardarla_y_no_abre_cors(
    cliente: httpx2.AsyncClient, direccion: str
) -> None:
    respuesta = await cliente.get(direccion, headers={"Origin": "https://ajeno.example"})
    assert respuesta.headers["X-Content-Type-Options"] == "nosniff"
    assert respuesta.headers["Cache-Control"] == "no-store"
    assert not [nombre for nombre in respuesta.headers if nombre.startswith("access-control")]
