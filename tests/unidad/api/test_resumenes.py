"""`GET /tracking/campañas` y `/tracking/influencers`: de quién hay algo, cuánto, y cuándo fue lo último."""

import base64
import csv
import io
import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import httpx2
import msgspec
import pytest

from alpespartners.api.informes.presentacion_de_listas import PaginaCampanas, PaginaInfluencers
from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.seedwork.csv_protegido import sin_proteger
from tests.apoyo.eventos import conversion, impresion
from tests.apoyo.memoria import PuertosEnMemoria

CAMPAÑAS = f"/tracking/{quote('campañas')}"
INFLUENCERS = "/tracking/influencers"


def registrar(puertos: PuertosEnMemoria, *eventos: Any) -> None:
    for numero, evento in enumerate(eventos):
        clase = clases.CONVERSIONES if type(evento).__name__ == "Conversion" else clases.IMPRESIONES
        puertos.registrado.libros[clase].eventos[f"{numero}"] = evento


async def pedir(cliente: httpx2.AsyncClient, direccion: str, **parametros: str) -> dict[str, Any]:
    respuesta = await cliente.get(direccion, params=parametros)
    assert respuesta.status_code == 200, respuesta.text
    cuerpo: dict[str, Any] = respuesta.json()
    return cuerpo


async def faltas(cliente: httpx2.AsyncClient, direccion: str, **parametros: str) -> dict[str, str]:
    respuesta = await cliente.get(direccion, params=parametros)
    assert respuesta.status_code == 422, respuesta.text
    return {falta["campo"]: falta["codigo"] for falta in respuesta.json()["errores"]}


def identidades(pagina: dict[str, Any], de: str = "campaña_id") -> Iterable[str]:
    return [elemento[de] for elemento in pagina["elementos"]]


@pytest.mark.parametrize("direccion", [CAMPAÑAS, INFLUENCERS])
async def test_en_csv_y_en_ndjson_va_lo_mismo_y_sin_limite_va_entera(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, direccion: str
) -> None:
    registrar(
        puertos,
        *(conversion(campaña_id=f"=c{n}", influencer_id=f"=i{n}", valor=Decimal(n)) for n in range(3)),
        *(impresion(campaña_id=f"c{n}", influencer_id=f"i{n}") for n in range(1_100)),
    )
    primera = await pedir(cliente, direccion, limite="1000")
    segunda = await pedir(cliente, direccion, limite="1000", cursor=primera["siguiente"])
    todos = [*primera["elementos"], *segunda["elementos"]]
    en_ndjson = await cliente.get(direccion, params={"formato": "ndjson"})
    assert [json.loads(linea) for linea in en_ndjson.text.splitlines()] == todos
    en_csv = await cliente.get(direccion, params={"formato": "csv"})
    nombres, *filas = csv.reader(io.StringIO(en_csv.text, newline=""), strict=True)
    assert nombres == [*todos[0]]
    for fila, elemento in zip(filas, todos, strict=True):
        for celda, valor in zip(map(sin_proteger, fila), elemento.values(), strict=True):
            assert (json.loads(celda) if isinstance(valor, dict) else celda) == (
                valor if isinstance(valor, dict) else str(valor)
            )
    pagina = await cliente.get(direccion, params={"formato": "csv", "limite": "2"})
    assert len(pagina.text.splitlines()) == 3
    assert 'rel="next"' in pagina.headers["Link"]
    assert "formato=csv" in pagina.headers["Link"]


async def test_cada_influencer_trae_lo_de_todas_sus_campañas(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    registrar(
        puertos,
        conversion(valor=Decimal("99999999999999.99"), campaña_id="a"),
        conversion(valor=Decimal("99999999999999.99"), campaña_id="b"),
        conversion(valor=Decimal(500), moneda="JPY", campaña_id="b"),
        impresion(tipo_evento="CLIC", campaña_id="c"),
        impresion(influencer_id=None, campaña_id="d"),
    )
    pagina = await pedir(cliente, INFLUENCERS)
    assert pagina == {
        "elementos": [
            {
                "influencer_id": "inf-789",
                "campañas": 3,
                "impresiones": 0,
                "clics": 1,
                "visualizaciones": 0,
                "conversiones": {
                    "VENTA": 3,
                    "REGISTRO": 0,
                    "SUSCRIPCION": 0,
                    "DESCARGA": 0,
                    "FORMULARIO": 0,
                    "OTRA": 0,
                },
                "valor": {"COP": "199999999999999.98", "JPY": "500"},
                "ultimo_evento": "2026-01-15T10:35:00Z",
            }
        ],
        "siguiente": None,
    }
    campañas = await pedir(cliente, CAMPAÑAS)
    assert [*campañas["elementos"][0]][:2] == ["campaña_id", "impresiones"]
    assert identidades(campañas) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("direccion", [CAMPAÑAS, "/tracking/campanas"])
async def test_el_enlace_lleva_a_la_pagina_siguiente_con_el_mismo_prefijo(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, direccion: str
) -> None:
    registrar(puertos, *(impresion(campaña_id=f"{inicio}-{n}") for inicio in ("ñ%", "z") for n in range(3)))
    primera = await cliente.get(direccion, params={"prefijo": "ñ%", "limite": "2"})
    assert identidades(primera.json()) == ["ñ%-0", "ñ%-1"]
    enlace = primera.headers["Link"]
    assert enlace.startswith(f"<{direccion}?prefijo=%C3%B1%25&limite=2&cursor=")
    assert enlace.endswith('>; rel="next"')
    ultima = await cliente.get(enlace[1:].partition(">")[0])
    assert (identidades(ultima.json()), ultima.json()["siguiente"]) == (["ñ%-2"], None)
    assert "Link" not in ultima.headers


@pytest.mark.parametrize(
    ("prefijo", "hay"),
    [
        ("a", ["a%", "a_b", "ab", "añ", "a\U0010ffffz"]),
        ("a%", ["a%"]),
        ("a_", ["a_b"]),
        ("an\u0303", ["añ"]),
        ("A", []),
        ("a\U0010ffff", ["a\U0010ffffz"]),
        ("\U0010ffff", ["\U0010ffff"]),
        ("\x00", []),
        ("a ", []),
    ],
)
async def test_un_prefijo_es_el_comienzo_letra_por_letra(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, prefijo: str, hay: list[str]
) -> None:
    nombres = ["a%", "a_b", "ab", "añ", "b", "a\U0010ffffz", "\U0010ffff"]
    registrar(puertos, *(impresion(campaña_id=nombre) for nombre in nombres))
    assert identidades(await pedir(cliente, CAMPAÑAS, prefijo=prefijo)) == hay


@pytest.mark.parametrize("direccion", [CAMPAÑAS, INFLUENCERS])
@pytest.mark.parametrize(
    ("parametros", "esperadas"),
    [
        ({"desde": "2024-01-01"}, {"desde": "parametro_desconocido"}),
        (
            {"limite": "0", "prefijo": "x" * 129},
            {"limite": "parametro_invalido", "prefijo": "parametro_invalido"},
        ),
        ({"limite": "1001"}, {"limite": "parametro_invalido"}),
        ({"prefijo": ""}, {"prefijo": "parametro_invalido"}),
        ({"cursor": "no-lo-es"}, {"cursor": "cursor_invalido"}),
    ],
)
async def test_lo_que_no_se_entiende_es_422(
    cliente: httpx2.AsyncClient, direccion: str, parametros: dict[str, str], esperadas: dict[str, str]
) -> None:
    assert await faltas(cliente, direccion, **parametros) == esperadas


async def test_un_cursor_de_otra_lista_de_otro_prefijo_o_retocado_es_422(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    registrar(puertos, *(impresion(campaña_id=f"a{n}", influencer_id=f"a{n}") for n in range(2)))
    cursor = (await pedir(cliente, CAMPAÑAS, limite="1"))["siguiente"]
    assert await faltas(cliente, INFLUENCERS, cursor=cursor) == {"cursor": "cursor_invalido"}
    assert await faltas(cliente, CAMPAÑAS, cursor=cursor, prefijo="a") == {"cursor": "cursor_invalido"}
    version, atadura, _ = json.loads(base64.urlsafe_b64decode(cursor + "=="))
    for partes in ([version, atadura, "\ud800"], [version, atadura, 7], [version + 1, atadura, "a0"]):
        retocado = base64.urlsafe_b64encode(json.dumps(partes).encode()).decode()
        assert await faltas(cliente, CAMPAÑAS, cursor=retocado) == {"cursor": "cursor_invalido"}
    # Otra página de la misma lista puede ser más corta.
    assert identidades(await pedir(cliente, CAMPAÑAS, cursor=cursor, limite="7")) == ["a1"]


@pytest.mark.parametrize("direccion", [CAMPAÑAS, "/tracking/campanas", INFLUENCERS])
async def test_sin_base_de_datos_se_dice_cuando_volver(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, direccion: str
) -> None:
    puertos.hay_base_de_datos = False
    respuesta = await cliente.get(direccion)
    assert (respuesta.status_code, respuesta.headers["Retry-After"]) == (503, "5")


@pytest.mark.parametrize("forma", [PaginaCampanas, PaginaInfluencers])
def test_el_ejemplo_es_una_pagina(forma: type[PaginaCampanas] | type[PaginaInfluencers]) -> None:
    (ejemplo,) = forma.ejemplos
    assert len(msgspec.convert(ejemplo, forma).elementos) == 1
