"""`GET /c/{enlace_id}`: adónde lleva un enlace, qué clic queda, y qué no puede decidir quien lo sigue."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpespartners.api.captura.redireccion import (
    LETRAS_DE_UN_VALOR,
    OCTETOS_QUE_PASAN,
    PASAN_COMO_MUCHO,
    SEGUNDOS_DE_UNA_VISITA,
)
from alpespartners.api.http.limite_por_direccion import LimitePorDireccion
from alpespartners.modulos.enlaces.dominio.clic import Legitimo, comprobar
from alpespartners.modulos.enlaces.dominio.destino_firmado import firma_de
from alpespartners.modulos.enlaces.dominio.enlace import Enlace
from alpespartners.modulos.enlaces.dominio.secreto import Secreto
from alpespartners.modulos.tracking.aplicacion.comandos import RegistrarImpresion
from tests.apoyo.enlaces import EnlacesEnMemoria
from tests.apoyo.memoria import AHORA, PuertosEnMemoria, api_en_memoria, cliente_de

ENLACE: Final = Enlace(
    enlace_id="juan",
    campaña_id="verano",
    influencer_id="juan.perez",
    destino="https://tienda.example/oferta?color=azul#arriba",
    dominios_permitidos=("otra.example", "*.tienda.example"),
    creado_en=datetime(2024, 1, 1, tzinfo=UTC),
)
SECRETO: Final = Secreto(b"el secreto de las pruebas")
AGENTE: Final = "Mozilla/5.0 (de prueba)"


@pytest.fixture
def puertos() -> PuertosEnMemoria:
    return PuertosEnMemoria(enlaces=EnlacesEnMemoria(guardados={"juan": ENLACE}), detenidos=True)


@pytest.fixture
async def cliente(puertos: PuertosEnMemoria) -> AsyncGenerator[httpx2.AsyncClient]:
    async with cliente_de(api_en_memoria(puertos)) as abierto:
        abierto.headers["User-Agent"] = AGENTE
        yield abierto


def _unico_clic(puertos: PuertosEnMemoria) -> RegistrarImpresion:
    ((comando, _, _),) = puertos.publicados
    assert isinstance(comando, RegistrarImpresion)
    return comando


def _ultimas_señales(puertos: PuertosEnMemoria) -> tuple[str, ...]:
    return puertos.publicados[-1][0].señales


def _parametros(respuesta: httpx2.Response) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(respuesta.headers["Location"]).query, keep_blank_values=True)


async def test_lleva_al_destino_guardado_con_un_clic_que_se_prueba_a_si_mismo(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    respuesta = await cliente.get("/c/juan", headers={"Referer": "https://www.instagram.com/"})
    assert respuesta.status_code == 302
    clic = _unico_clic(puertos)
    assert clic.id is not None
    assert respuesta.headers["Location"] == (
        f"https://tienda.example/oferta?color=azul&alp_clic={clic.id}#arriba"
    )
    legitimo = comprobar(clic.id, [SECRETO])
    assert isinstance(legitimo, Legitimo)
    assert legitimo.es_de("juan")
    assert clic == RegistrarImpresion(
        id=clic.id,
        clic_id=clic.id,
        campaña_id="verano",
        influencer_id="juan.perez",
        usuario_id=None,
        tipo_evento="CLIC",
        user_agent=AGENTE,
        ip_address="127.0.0.1",
        referrer="https://www.instagram.com/",
        timestamp=None,
        recibido_en=AHORA,
        propiedades={"enlace_id": "juan"},
        advertencias=(),
        señales=(),
    )


async def test_nadie_guarda_la_redireccion_ni_la_pone_en_un_buscador(cliente: httpx2.AsyncClient) -> None:
    cabeceras = (await cliente.get("/c/juan")).headers
    assert cabeceras["Cache-Control"] == "no-store"
    assert cabeceras["X-Robots-Tag"] == "noindex"
    assert cabeceras["Referrer-Policy"] == "strict-origin-when-cross-origin"


async def test_dos_clics_seguidos_son_dos_clics(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    await cliente.get("/c/juan")
    cliente.cookies.clear()
    await cliente.get("/c/juan")
    primero, segundo = puertos.publicados
    assert primero[0].id != segundo[0].id
    assert primero[0].señales == segundo[0].señales == ()


async def test_un_enlace_sin_influencer_no_es_de_nadie(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    puertos.enlaces.guardados["juan"] = replace(ENLACE, influencer_id=None)
    await cliente.get("/c/juan?influencer_id=otro")
    assert _unico_clic(puertos).influencer_id is None


async def test_sub_y_utm_pasan_al_destino_y_al_clic_y_lo_demas_no(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    consulta = "sub1=a%20b&utm_source=instagram&sub6=no&gclid=no&sub5=%C3%B1&utm_source=segundo&color=rojo"
    respuesta = await cliente.get(f"/c/juan?{consulta}")
    clic = _unico_clic(puertos)
    assert _parametros(respuesta) == [
        ("color", "azul"),
        ("sub1", "a b"),
        ("utm_source", "instagram"),
        ("sub5", "ñ"),
        ("alp_clic", clic.id),
    ]
    assert clic.propiedades == {
        "enlace_id": "juan",
        "sub1": "a b",
        "utm.source": "instagram",
        "sub5": "ñ",
    }


async def test_lo_que_el_destino_ya_dice_no_lo_cambia_quien_lo_sigue(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    puertos.enlaces.guardados["juan"] = replace(ENLACE, destino="https://tienda.example/?utm_source=contrato")
    respuesta = await cliente.get("/c/juan?utm_source=otro")
    assert [valor for nombre, valor in _parametros(respuesta) if nombre == "utm_source"] == ["contrato"]


@pytest.mark.parametrize(
    "valor", ["", "x" * (LETRAS_DE_UN_VALOR + 1), "%0d%0aX-Otra:%201", "%00", "%ff", "a%E2%80%A8b"]
)
async def test_un_valor_que_no_se_puede_pasar_no_pasa_y_lo_demas_si(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, valor: str
) -> None:
    respuesta = await cliente.get(f"/c/juan?sub1={valor}&sub2=sí")
    assert "sub1" not in dict(_parametros(respuesta))
    assert "x-otra" not in respuesta.headers
    assert _unico_clic(puertos).propiedades == {"enlace_id": "juan", "sub2": "sí"}


async def test_lo_que_pasa_tiene_limite(cliente: httpx2.AsyncClient) -> None:
    muchos = urlencode({f"utm_{numero}": "x" for numero in range(60)})
    respuesta = await cliente.get(f"/c/juan?{muchos}")
    assert len(_parametros(respuesta)) == PASAN_COMO_MUCHO + 2
    largos = urlencode({f"utm_{numero}": "ñ" * LETRAS_DE_UN_VALOR for numero in range(8)})
    respuesta = await cliente.get(f"/c/juan?{largos}")
    assert len(respuesta.headers["Location"]) < len(ENLACE.destino) + OCTETOS_QUE_PASAN + 100


@pytest.mark.parametrize(
    "cabeceras",
    [
        {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
        {"X-Purpose": "Preview"},
        {"X-Moz": "prefetch"},
    ],
)
async def test_lo_que_un_programa_pide_por_si_acaso_lleva_al_destino_y_no_es_un_clic(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, cabeceras: dict[str, str]
) -> None:
    respuesta = await cliente.get("/c/juan?sub1=a", headers=cabeceras)
    assert respuesta.status_code == 302
    assert respuesta.headers["Location"] == "https://tienda.example/oferta?color=azul&sub1=a#arriba"
    assert "set-cookie" not in respuesta.headers
    assert puertos.publicados == []


async def test_head_lleva_al_destino_y_no_es_un_clic(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    respuesta = await cliente.head("/c/juan")
    assert (respuesta.status_code, respuesta.headers["Location"]) == (302, ENLACE.destino)
    assert puertos.publicados == []


async def test_volver_antes_de_24_horas_es_una_visita_repetida_y_despues_otra(
    puertos: PuertosEnMemoria,
) -> None:
    ahora = AHORA
    async with cliente_de(api_en_memoria(puertos, reloj=lambda: ahora)) as cliente:
        galleta = (await cliente.get("/c/juan")).headers["Set-Cookie"]
        assert f"Max-Age={SEGUNDOS_DE_UNA_VISITA}; Path=/c/juan; SameSite=lax" in galleta
        assert "HttpOnly" in galleta
        presentada = {"Cookie": galleta.partition(";")[0]}
        cliente.cookies.clear()
        ahora = AHORA + timedelta(hours=23)
        respuesta = await cliente.get("/c/juan", headers=presentada)
        assert _ultimas_señales(puertos) == ("visita_repetida",)
        # La visita no se alarga cada vez que se vuelve.
        assert "set-cookie" not in respuesta.headers
        ahora = AHORA + timedelta(hours=24, seconds=1)
        respuesta = await cliente.get("/c/juan", headers=presentada)
        assert _ultimas_señales(puertos) == ()
        assert "set-cookie" in respuesta.headers


@pytest.mark.parametrize("valor", ["", "nada", "-1", "99999999999", "1" * 400, "1.5", "1e3"])
async def test_una_galleta_que_no_es_la_nuestra_no_dice_nada(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, valor: str
) -> None:
    await cliente.get("/c/juan", headers={"Cookie": f"alp_v_juan={valor}"})
    assert _unico_clic(puertos).señales == ()


async def test_un_enlace_vencido_lleva_a_su_destino_y_su_clic_lo_dice(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    puertos.enlaces.guardados["juan"] = replace(ENLACE, vence_en=AHORA)
    respuesta = await cliente.get("/c/juan")
    assert respuesta.headers["Location"].startswith("https://tienda.example/oferta?color=azul&alp_clic=")
    assert _unico_clic(puertos).señales == ("enlace_vencido",)


def _con_destino(destino: str, hasta: str = "", **cambios: str) -> str:
    firma = firma_de(SECRETO, "juan", destino, hasta)
    partes = {"destino": destino, "firma": firma} | ({"vence": hasta} if hasta else {}) | cambios
    return f"/c/juan?{urlencode(partes)}"


@pytest.mark.parametrize("destino", ["https://otra.example/a?b=1", "https://es.tienda.example/"])
async def test_lleva_a_otro_destino_permitido_y_firmado(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, destino: str
) -> None:
    respuesta = await cliente.get(_con_destino(destino, str(int(AHORA.timestamp()) + 60)))
    assert respuesta.headers["Location"].startswith(destino)
    assert _unico_clic(puertos).señales == ()


@pytest.mark.parametrize(
    ("direccion", "señal"),
    [
        (_con_destino("https://malo.example/"), "destino_ignorado"),
        (_con_destino("https://otra.example.malo.example/"), "destino_ignorado"),
        (_con_destino("javascript:alert(1)"), "destino_ignorado"),
        (_con_destino("https://otra.example/?alp_clic=suyo"), "destino_ignorado"),
        (_con_destino(""), "destino_ignorado"),
        (_con_destino("https://otra.example/", firma="x" * 43), "firma_invalida"),
        (_con_destino("https://otra.example/", firma=""), "firma_invalida"),
        (_con_destino("https://otra.example/", "1705314959"), "firma_invalida"),
        (_con_destino("https://otra.example/", vence="9999999999"), "firma_invalida"),
        ("/c/juan?destino=https://otra.example/", "firma_invalida"),
    ],
)
async def test_a_uno_que_no_se_permite_o_no_esta_firmado_no_lleva_y_el_clic_lo_dice(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, direccion: str, señal: str
) -> None:
    respuesta = await cliente.get(direccion)
    assert respuesta.headers["Location"].startswith("https://tienda.example/oferta?color=azul&alp_clic=")
    assert _unico_clic(puertos).señales == (señal,)


async def test_si_el_broker_no_responde_lleva_igual_y_el_clic_queda_en_la_cola(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    puertos.disponible = False
    respuesta = await cliente.get("/c/juan")
    ((comando, comando_id, traza),) = puertos.clics.guardados
    assert respuesta.status_code == 302
    assert comando.id == dict(_parametros(respuesta))["alp_clic"]
    assert comando_id != comando.id
    assert traza is not None


async def test_con_la_base_de_datos_caida_siguen_llevando_los_que_se_conocen(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    await cliente.get("/c/juan")
    puertos.hay_base_de_datos = False
    assert (await cliente.get("/c/juan")).status_code == 302
    respuesta = await cliente.get("/c/otro")
    assert (respuesta.status_code, respuesta.headers["Retry-After"]) == (503, "5")
    assert "Este enlace no se puede abrir ahora" in respuesta.text


@pytest.mark.parametrize("direccion", ["/c/nadie", "/c/%3Cscript%3Ealert(1)", "/c/juan/otro", "/c/"])
async def test_uno_que_no_existe_se_le_dice_a_una_persona_sin_repetir_lo_que_pidio(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, direccion: str
) -> None:
    respuesta = await cliente.get(direccion, headers={"Accept": "text/html,*/*"})
    assert respuesta.status_code == 404
    assert respuesta.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "Este enlace no existe" in respuesta.text
    assert "nadie" not in respuesta.text
    assert "alert" not in respuesta.text
    assert "default-src 'none'" in respuesta.headers["Content-Security-Policy"]
    assert respuesta.headers["X-Robots-Tag"] == "noindex"
    assert puertos.publicados == []


@pytest.mark.parametrize(
    ("quiere", "idioma", "titulo"),
    [
        ("", "es", "Este enlace no existe"),
        ("es-CO,es;q=0.9,en;q=0.8", "es", "Este enlace no existe"),
        ("en-GB,en;q=0.9,es;q=0.8", "en", "This link does not exist"),
        ("fr, en;q=0.5", "en", "This link does not exist"),
        ("fr", "es", "Este enlace no existe"),
    ],
)
async def test_lo_que_va_mal_se_le_dice_a_cada_uno_en_su_idioma(
    cliente: httpx2.AsyncClient, quiere: str, idioma: str, titulo: str
) -> None:
    respuesta = await cliente.get("/c/nadie", headers={"Accept-Language": quiere})
    assert f'<html lang="{idioma}">' in respuesta.text
    assert f"<h1>{titulo}</h1>" in respuesta.text
    assert respuesta.headers["Vary"] == "Accept, Accept-Language"


async def test_a_un_programa_que_pide_json_se_le_dice_con_un_problema(cliente: httpx2.AsyncClient) -> None:
    respuesta = await cliente.get("/c/nadie", headers={"Accept": "application/json"})
    assert respuesta.headers["Content-Type"] == "application/problem+json"
    assert respuesta.json()["type"] == "urn:alpespartners:error:no_encontrado"


async def test_quien_pide_sin_parar_recibe_429_sin_clic_y_los_demas_siguen(puertos: PuertosEnMemoria) -> None:
    api = api_en_memoria(puertos, limite_por_direccion=LimitePorDireccion(1, 2, cronometro=lambda: 1))
    async with cliente_de(api) as cliente, cliente_de(api, "127.0.0.2") as otro:
        estados = [(await cliente.get("/c/juan")).status_code for _ in range(4)]
        assert estados == [302, 302, 429, 429]
        respuesta = await cliente.get("/c/juan")
        assert int(respuesta.headers["Retry-After"]) > 0
        assert "Demasiadas visitas a la vez" in respuesta.text
        assert (await otro.get("/c/juan")).status_code == 302
    assert len(puertos.publicados) == 3


async def test_con_claves_se_sigue_un_enlace_sin_ninguna_y_desde_fuera(puertos: PuertosEnMemoria) -> None:
    api = api_en_memoria(puertos, claves=["una clave"])
    async with cliente_de(api, "203.0.113.9") as cliente:
        assert (await cliente.get("/c/juan")).status_code == 302
    assert _unico_clic(puertos).ip_address == "203.0.113.9"


_NOMBRES: Final = st.sampled_from(
    [
        "alp_clic",
        "ALP_CLIC",
        "alp%5Fclic",
        "%61lp_clic",
        "alp_clic%00",
        "alp_clic[]",
        "destino",
        "firma",
        "vence",
        "influencer_id",
        "campa%C3%B1a_id",
        "id",
        "clic_id",
        "sub1",
        "sub2;alp_clic",
        "utm_source",
        "utm_source%26alp_clic",
        "sub3%0d%0aLocation",
    ]
)
_VALORES: Final = st.one_of(
    st.sampled_from(
        [
            "https://malo.example/",
            "//malo.example",
            "a%26alp_clic=robado",
            "a;alp_clic=robado",
            "a%23alp_clic=robado",
            "x%0d%0aLocation:%20https://malo.example/",
            "%00",
            "%ff%fe",
            "javascript:alert(1)",
            "a%2",
        ]
    ),
    st.text(max_size=30).map(lambda texto: quote(texto.encode("utf-8", "replace"))),
)
_CONSULTAS: Final = st.lists(st.tuples(_NOMBRES, _VALORES), max_size=12).map(
    lambda pares: "&".join(f"{nombre}={valor}" for nombre, valor in pares)
)


# Cada ejemplo compone la API entera.
@settings(max_examples=50)
@given(consulta=_CONSULTAS)
async def test_nada_de_la_peticion_elige_el_anfitrion_ni_el_influencer_ni_el_clic(consulta: str) -> None:
    puertos = PuertosEnMemoria(enlaces=EnlacesEnMemoria(guardados={"juan": ENLACE}), detenidos=True)
    async with cliente_de(api_en_memoria(puertos)) as cliente:
        respuesta = await cliente.get(f"/c/juan?{consulta}")
    assert respuesta.status_code == 302
    clic = _unico_clic(puertos)
    destino = respuesta.headers["Location"]
    partes = urlsplit(destino)
    assert (partes.scheme, partes.netloc, partes.path, partes.fragment) == (
        "https",
        "tienda.example",
        "/oferta",
        "arriba",
    )
    assert destino.isascii()
    assert destino.isprintable()
    # También como la leería un servidor que separa con «;».
    leidos = [par for separador in "&;" for par in parse_qsl(partes.query, separator=separador)]
    assert {valor for nombre, valor in leidos if nombre == "alp_clic"} == {clic.id}
    assert isinstance(comprobar(clic.id or "", [SECRETO]), Legitimo)
    assert (clic.campaña_id, clic.influencer_id, clic.clic_id) == ("verano", "juan.perez", clic.id)
    assert clic.propiedades["enlace_id"] == "juan"
