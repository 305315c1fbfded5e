"""Quién puede hablar con la API, con claves y sin ellas."""

import httpx2
import pytest

from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria, cliente_de

LISTA = "/tracking/campanas/c/impresiones"
ABIERTAS = ["/salud/viva", "/salud/lista", "/docs", "/docs/recursos/documentacion.js", "/openapi.json"]


@pytest.mark.parametrize("direccion", ABIERTAS)
async def test_con_claves_la_salud_y_la_documentacion_siguen_abiertas(
    puertos: PuertosEnMemoria, direccion: str
) -> None:
    async with cliente_de(api_en_memoria(puertos, claves=["k"]), desde="203.0.113.9") as cliente:
        respuesta = await cliente.get(direccion, headers={"Host": "alpes.example"})
        assert respuesta.status_code == 200


@pytest.mark.parametrize("autorizacion", ["Bearer clave-2", "bearer clave-2", "Bearer  clave-2 "])
async def test_con_una_clave_valida_se_entra_desde_cualquier_sitio(
    puertos: PuertosEnMemoria, autorizacion: str
) -> None:
    async with cliente_de(api_en_memoria(puertos, claves=["clave-1", "clave-2"]), "203.0.113.9") as cliente:
        cabeceras = {"Host": "alpes.example", "X-Forwarded-For": "1.2.3.4", "Authorization": autorizacion}
        assert (await cliente.get(LISTA, headers=cabeceras)).status_code == 200


@pytest.mark.parametrize(
    "cabeceras",
    [
        [],
        [("Authorization", "")],
        [("Authorization", "Bearer")],
        [("Authorization", "Bearer ")],
        [("Authorization", "Bearer clave-")],
        [("Authorization", "Bearer clave-11")],
        [("Authorization", "Basic clave-1")],
        [("Authorization", "clave-1")],
        [("Authorization", "Bearer clave-1"), ("Authorization", "Bearer clave-1")],
    ],
)
@pytest.mark.parametrize("direccion", [LISTA, "/%74racking/campanas/c/impresiones", "/nada"])
async def test_sin_una_clave_valida_es_401_aunque_la_ruta_vaya_disfrazada(
    puertos: PuertosEnMemoria, direccion: str, cabeceras: list[tuple[str, str]]
) -> None:
    async with cliente_de(api_en_memoria(puertos, claves=["clave-1"])) as cliente:
        respuesta = await cliente.get(direccion, headers=cabeceras)
        assert respuesta.status_code == 401
        assert respuesta.headers["WWW-Authenticate"].startswith("Bearer")
        assert "ALPES_CLAVES_API" in respuesta.json()["detail"]


async def test_un_envio_sin_clave_no_se_publica(puertos: PuertosEnMemoria) -> None:
    async with cliente_de(api_en_memoria(puertos, claves=["k"])) as cliente:
        assert (await cliente.post("/tracking/impresiones", json={"campaña_id": "c"})).status_code == 401
    assert puertos.publicados == []


@pytest.mark.parametrize("desde", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
async def test_sin_claves_se_atiende_a_esta_maquina(puertos: PuertosEnMemoria, desde: str) -> None:
    async with cliente_de(api_en_memoria(puertos), desde) as cliente:
        assert (await cliente.get(LISTA)).status_code == 200


@pytest.mark.parametrize("desde", ["203.0.113.9", "10.0.0.1", "::ffff:10.0.0.1", "2001:db8::1", "testclient"])
@pytest.mark.parametrize("direccion", [LISTA, "/salud/viva"])
async def test_sin_claves_a_otra_maquina_se_le_dice_403_y_como_abrirlo(
    puertos: PuertosEnMemoria, desde: str, direccion: str
) -> None:
    async with cliente_de(api_en_memoria(puertos), desde) as cliente:
        respuesta = await cliente.get(direccion)
        assert respuesta.status_code == 403
        assert "ALPES_CLAVES_API" in respuesta.json()["detail"]
        assert "ALPES_SIN_CLAVE=1" in respuesta.json()["detail"]


@pytest.mark.parametrize(
    "cabecera", ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via"]
)
async def test_sin_claves_lo_que_llega_por_un_intermediario_es_403(
    cliente: httpx2.AsyncClient, cabecera: str
) -> None:
    assert (await cliente.get(LISTA, headers={cabecera: "127.0.0.1"})).status_code == 403


@pytest.mark.parametrize("cabecera", ["Forwarded-Ref", "Viaje", "X-Real-IP-Cruda", "X-Forward", "No-Via"])
async def test_una_cabecera_que_solo_se_parece_a_la_de_un_intermediario_no_lo_es(
    cliente: httpx2.AsyncClient, cabecera: str
) -> None:
    assert (await cliente.get(LISTA, headers={cabecera: "127.0.0.1"})).status_code == 200


@pytest.mark.parametrize(
    "anfitrion",
    ["localhost", "LOCALHOST:8000", "localhost.", "127.0.0.1", "127.1.2.3:80", "[::1]", "[::1]:8000"],
)
async def test_sin_claves_valen_los_nombres_locales(cliente: httpx2.AsyncClient, anfitrion: str) -> None:
    assert (await cliente.get(LISTA, headers={"Host": anfitrion})).status_code == 200


@pytest.mark.parametrize(
    "anfitrion",
    [
        "",
        "ajeno.example",
        "localhost.ajeno.example",
        "127.0.0.1.ajeno.example",
        "128.0.0.1",
        "[2001:db8::1]",
        "localhost@ajeno",
        "localhost:8000:1",
        "localhost, ajeno.example",
        "0.0.0.0",  # noqa: S104 - no se escucha ahí: es un nombre que debe rechazarse
    ],
)
@pytest.mark.parametrize("sin_clave", [False, True])
async def test_sin_claves_otro_nombre_es_421_y_se_dice_donde_anadirlo(
    puertos: PuertosEnMemoria, *, anfitrion: str, sin_clave: bool
) -> None:
    async with cliente_de(api_en_memoria(puertos, sin_clave=sin_clave)) as cliente:
        respuesta = await cliente.get(LISTA, headers={"Host": anfitrion})
        assert respuesta.status_code == 421
        assert "ALPES_NOMBRES" in respuesta.json()["detail"]


async def test_dos_cabeceras_host_son_421(cliente: httpx2.AsyncClient) -> None:
    respuesta = await cliente.get(LISTA, headers=[("Host", "localhost"), ("Host", "localhost")])
    assert respuesta.status_code == 421


async def test_los_nombres_configurados_valen(puertos: PuertosEnMemoria) -> None:
    async with cliente_de(api_en_memoria(puertos, nombres=["Alpes.Local"])) as cliente:
        assert (await cliente.get(LISTA, headers={"Host": "alpes.local:8000"})).status_code == 200


async def test_sin_clave_admite_otras_maquinas_e_intermediarios(puertos: PuertosEnMemoria) -> None:
    async with cliente_de(api_en_memoria(puertos, sin_clave=True), "203.0.113.9") as cliente:
        respuesta = await cliente.get(LISTA, headers={"X-Forwarded-For": "203.0.113.9"})
        assert respuesta.status_code == 200
