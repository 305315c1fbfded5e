"""`POST /tracking/impresiones` y `/tracking/conversiones`: lo que se acepta y lo que se responde."""

import json
from typing import Any

import httpx2
import pytest

from tests.apoyo.cuerpos import CONVERSION, IMPRESION
from tests.apoyo.memoria import AHORA, PuertosEnMemoria

RUTAS = ["/tracking/impresiones", "/tracking/conversiones"]
JSON = {"Content-Type": "application/json"}
RIGOR = {"Prefer": "handling=strict"}


def _faltas(respuesta: httpx2.Response) -> dict[str, str]:
    assert respuesta.status_code == 422, respuesta.text
    return {error["campo"]: error["codigo"] for error in respuesta.json()["errores"]}


async def test_la_impresion_de_la_semilla_se_acepta_cuando_el_broker_la_confirmo(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    respuesta = await cliente.post("/tracking/impresiones", json=IMPRESION)
    comando, comando_id, _ = puertos.publicados[0]
    assert respuesta.status_code == 202
    assert respuesta.headers["Content-Type"] == "application/json"
    assert respuesta.headers["Location"] == "/tracking/impresiones/imp-123"
    assert respuesta.json() == {
        "id": "imp-123",
        "estado": "ACEPTADA",
        "comando_id": comando_id,
        "advertencias": [],
    }
    assert (comando.id, comando.recibido_en) == ("imp-123", AHORA)


async def test_un_envio_no_admite_parametros_en_su_url(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    respuesta = await cliente.post("/tracking/impresiones?campaña_id=cmp-456", json=IMPRESION)
    assert _faltas(respuesta) == {"campaña_id": "parametro_desconocido"}
    assert puertos.publicados == []


async def test_sin_id_se_asigna_uno_distinto_del_comando_y_se_devuelve(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    respuesta = await cliente.post("/tracking/conversiones", json={**CONVERSION, "id": None})
    comando, comando_id, _ = puertos.publicados[0]
    assert respuesta.json()["id"] == comando.id
    assert comando.id
    assert comando.id != comando_id
    assert respuesta.headers["Location"] == f"/tracking/conversiones/{comando.id}"


async def test_una_errata_en_un_campo_se_acepta_con_su_advertencia(cliente: httpx2.AsyncClient) -> None:
    respuesta = await cliente.post("/tracking/impresiones", json={**IMPRESION, "influencerid": "x"})
    assert respuesta.status_code == 202
    assert respuesta.json()["advertencias"] == ["campo_desconocido:influencerid"]


async def test_una_errata_en_un_campo_que_falta_propone_su_nombre(cliente: httpx2.AsyncClient) -> None:
    cuerpo = {**IMPRESION, "influencer_id": "", "influencer": "inf-789"}
    respuesta = await cliente.post("/tracking/impresiones", json=cuerpo)
    assert respuesta.status_code == 202
    assert respuesta.json()["advertencias"] == ["campo_desconocido:influencer", "quiso_decir:influencer_id"]


async def test_con_rigor_una_errata_es_422_con_la_misma_propuesta(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    respuesta = await cliente.post(
        "/tracking/conversiones", json={**CONVERSION, "influencer": "x"}, headers=RIGOR
    )
    assert respuesta.headers["Preference-Applied"] == "handling=strict"
    assert respuesta.status_code == 422
    assert respuesta.json()["errores"] == [
        {
            "campo": "influencer",
            "codigo": "campo_desconocido",
            "mensaje": "no es un campo conocido; ¿quiso decir influencer_id?",
        }
    ]
    assert puertos.publicados == []


async def test_con_rigor_y_sin_erratas_se_acepta_como_siempre_y_se_dice(cliente: httpx2.AsyncClient) -> None:
    aceptada = await cliente.post("/tracking/conversiones", json=CONVERSION, headers=RIGOR)
    assert (aceptada.status_code, aceptada.headers["Preference-Applied"]) == (202, "handling=strict")
    repetida = await cliente.post(
        "/tracking/conversiones", json=CONVERSION, headers={"Prefer": "wait=3, handling=strict"}
    )
    assert (repetida.status_code, repetida.headers["Preference-Applied"]) == (200, "wait=3, handling=strict")


async def test_sin_rigor_ni_espera_no_se_dice_que_se_concediera_nada(cliente: httpx2.AsyncClient) -> None:
    respuesta = await cliente.post("/tracking/conversiones", json=CONVERSION)
    assert "Preference-Applied" not in respuesta.headers


async def test_sin_confirmacion_del_broker_es_503_con_el_id_para_repetir(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    puertos.disponible = False
    respuesta = await cliente.post("/tracking/impresiones", json={**IMPRESION, "id": None})
    assert respuesta.status_code == 503
    assert respuesta.headers["Content-Type"] == "application/problem+json"
    assert int(respuesta.headers["Retry-After"]) > 0
    assert respuesta.json()["type"] == "urn:alpespartners:error:broker_no_disponible"
    assert respuesta.json()["id"]


async def test_sin_base_de_datos_se_siguen_aceptando_envios(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    puertos.hay_base_de_datos = False
    assert (await cliente.post("/tracking/impresiones", json=IMPRESION)).status_code == 202


@pytest.mark.parametrize(
    "literal", ["99999999999999.99", '"99999999999999.99"', "99999999999999.990000", "9999999999999999e-2"]
)
async def test_el_dinero_sale_con_los_digitos_con_que_entro(
    cliente: httpx2.AsyncClient, literal: str
) -> None:
    cuerpo = json.dumps({**CONVERSION, "valor": 0}).replace('"valor": 0', f'"valor": {literal}')
    respuesta = await cliente.post("/tracking/conversiones", content=cuerpo, headers=JSON)
    leida = await cliente.get(respuesta.headers["Location"])
    assert '"valor":99999999999999.99,' in leida.text


@pytest.mark.parametrize(
    ("literal", "moneda", "salida"),
    [
        ("150000.0", "COP", "150000.00"),
        ('"150000.00"', "cop", "150000.00"),
        ("1.5e5", "COP", "150000.00"),
        ("0", "CLF", "0.0000"),
        ("0e-999999999", "COP", "0.00"),
        ("0.0001", "CLF", "0.0001"),
        ("1E3", "JPY", "1000"),
    ],
)
async def test_un_importe_sale_con_los_decimales_de_su_moneda_y_sin_exponente(
    cliente: httpx2.AsyncClient, literal: str, moneda: str, salida: str
) -> None:
    cuerpo = json.dumps({**CONVERSION, "valor": 0, "moneda": moneda})
    cuerpo = cuerpo.replace('"valor": 0', f'"valor": {literal}')
    respuesta = await cliente.post("/tracking/conversiones", content=cuerpo, headers=JSON)
    leida = await cliente.get(respuesta.headers["Location"])
    assert f'"valor":{salida},' in leida.text


async def test_todas_las_faltas_se_dicen_a_la_vez_y_ninguna_repite_su_valor(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    cuerpo = {
        "id": " secreto",
        "tipo_conversion": "secreto",
        "valor": -1,
        "moneda": "XXX",
        "timestamp": "secreto",
        "estado": "secreto",
    }
    respuesta = await cliente.post("/tracking/conversiones?secreto=1", json=cuerpo)
    faltas = _faltas(respuesta)
    assert faltas.keys() == {
        "secreto", "id", "campaña_id", "tipo_conversion", "moneda", "valor", "timestamp", "estado",
    }  # fmt: skip
    assert all(isinstance(error["mensaje"], str) for error in respuesta.json()["errores"])
    assert "secreto" not in json.dumps([e["mensaje"] for e in respuesta.json()["errores"]])
    assert respuesta.json()["detail"] == "8 datos no son válidos."
    assert puertos.publicados == []


async def test_una_sola_falta_se_cuenta_en_singular(cliente: httpx2.AsyncClient) -> None:
    respuesta = await cliente.post("/tracking/impresiones", json={})
    assert respuesta.json()["detail"] == "Un dato no es válido."


@pytest.mark.parametrize("ruta", RUTAS)
@pytest.mark.parametrize("cuerpo", ["[]", '"texto"', "1", "true", "null", "[{}]", "1e400"])
async def test_un_cuerpo_que_no_es_un_objeto_es_422(
    cliente: httpx2.AsyncClient, ruta: str, cuerpo: str
) -> None:
    respuesta = await cliente.post(ruta, content=cuerpo, headers=JSON)
    assert _faltas(respuesta) == {"": "tipo_incorrecto"}


@pytest.mark.parametrize("ruta", RUTAS)
@pytest.mark.parametrize(
    "cuerpo",
    [
        b"",
        b"   ",
        b"{",
        b'{"id": }',
        b"{'id': 1}",
        b'\xef\xbb\xbf{"id": "a"}',
        b'{"id": "\xff"}',
        '{"id": "a"}'.encode("utf-16"),
        b'{"id": "a", "id": "a"}',
        b'{"propiedades": {"a": 1, "a": 2}}',
        b'{"valor": NaN}',
        b'{"valor": -Infinity}',
        b"[" * 50_000,
        b'{"a":' * 10_000,
        b'{"propiedades":' + b"[" * 25_000 + b"]" * 25_000 + b"}",
        b'{"id": "a\x00b"}',
    ],
)
async def test_lo_que_no_es_json_es_400_y_no_se_publica(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, ruta: str, cuerpo: bytes
) -> None:
    respuesta = await cliente.post(ruta, content=cuerpo, headers=JSON)
    assert respuesta.status_code == 400
    assert respuesta.headers["Content-Type"] == "application/problem+json"
    assert respuesta.json()["type"] == "urn:alpespartners:error:json_ilegible"
    assert respuesta.json()["detail"].endswith(".")
    assert puertos.publicados == []


@pytest.mark.parametrize(
    ("campo", "literal"),
    [
        ("id", "123"),
        ("id", "true"),
        ("id", "[]"),
        ("id", "{}"),
        ("id", r'"a\ud800"'),
        ("id", r'"a\u0000b"'),
        ("id", '"."'),
        ("id", '".."'),
        ("id", f'"{"a" * 129}"'),
        ("campaña_id", '["cmp-456"]'),
        ("influencer_id", "1.5"),
        ("usuario_id", r'"\ud800\ud800"'),
        ("id", '""'),
        ("campaña_id", r'"cmp-456\u200b"'),
        ("tipo_conversion", "[]"),
        ("tipo_conversion", '"COMPRA"'),
        ("valor", "1e400"),
        ("valor", "1e999999999"),
        ("valor", "1e9999999999999999999"),
        ("valor", "true"),
        ("valor", "[150000]"),
        ("valor", '"1e3"'),
        ("valor", '" 15 "'),
        ("valor", r'"\u0661\u0662"'),
        ("valor", "0.001"),
        ("valor", "100000000000000"),
        ("moneda", '"XAU"'),
        ("moneda", "170"),
        ("timestamp", "1705314600"),
        ("timestamp", '"1705314600"'),
        ("timestamp", '"2024-01-15"'),
        ("timestamp", '"2024-01-15T10:30:00"'),
        ("timestamp", '"9999-12-31T23:59:59-12:00"'),
        ("timestamp", '"ayer"'),
        ("recibido_en", '"2024-01-15T10:30:00Z"'),
    ],
)
async def test_un_dato_de_otra_clase_es_422_con_su_campo(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, campo: str, literal: str
) -> None:
    cuerpo: dict[str, Any] = {**CONVERSION, campo: "@"}
    texto = json.dumps(cuerpo, ensure_ascii=False).replace('"@"', literal)
    respuesta = await cliente.post("/tracking/conversiones", content=texto.encode(), headers=JSON)
    assert _faltas(respuesta).keys() == {campo}
    assert puertos.publicados == []


async def test_un_texto_con_cifras_no_vale_como_id_numerico_ni_al_reves(cliente: httpx2.AsyncClient) -> None:
    textual = await cliente.post("/tracking/impresiones", json={**IMPRESION, "id": "150"})
    numerico = await cliente.post("/tracking/impresiones", json={**IMPRESION, "id": 150})
    assert (textual.status_code, numerico.status_code) == (202, 422)


@pytest.mark.parametrize("clave", [r"\ud800" * 10, "k" * 60_000, r"\u0000\u001b[31m"])
async def test_una_clave_hostil_no_rompe_la_respuesta_ni_se_devuelve_entera(
    cliente: httpx2.AsyncClient, clave: str
) -> None:
    respuesta = await cliente.post(
        "/tracking/impresiones",
        content=f'{{"campaña_id": "c", "{clave}": []}}'.encode(),
        headers=JSON | RIGOR,
    )
    (campo,) = _faltas(respuesta)
    assert len(campo) <= 130
    assert len(respuesta.content) < 1_000


@pytest.mark.parametrize(
    "tipo",
    ["application/json", "application/json; charset=utf-8", 'APPLICATION/JSON;charset="UTF-8"'],
)
async def test_json_en_utf8_es_el_tipo_de_contenido_que_se_admite(
    cliente: httpx2.AsyncClient, tipo: str
) -> None:
    respuesta = await cliente.post(
        "/tracking/impresiones", content=json.dumps(IMPRESION), headers={"Content-Type": tipo}
    )
    assert respuesta.status_code == 202


def _en_octetos(cabeceras: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Como viajan: un valor puede traer lo que no es ASCII (RFC 9110 §5.5)."""
    return [(nombre.encode(), valor.encode("latin-1")) for nombre, valor in cabeceras]


@pytest.mark.parametrize(
    "cabeceras",
    [
        [],
        [("Content-Type", "")],
        [("Content-Type", "text/plain")],
        [("Content-Type", "application/x-www-form-urlencoded")],
        [("Content-Type", "application/vnd.alpes+json")],
        [("Content-Type", "application/jsonl")],
        [("Content-Type", "application/json\xa0")],
        [("Content-Type", "application/json; charset=utf-16")],
        [("Content-Type", "application/json"), ("Content-Type", "application/json")],
        [("Content-Type", "application/json"), ("Content-Encoding", "br")],
        [("Content-Type", "application/json"), ("Content-Encoding", "gzip, gzip")],
        [("Content-Type", "application/json"), ("Content-Encoding", "gzip\xa0")],
        [
            ("Content-Type", "application/json"),
            ("Content-Encoding", "gzip"),
            ("Content-Encoding", "deflate"),
        ],
    ],
)
async def test_otro_tipo_de_contenido_o_ninguno_es_415(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, cabeceras: list[tuple[str, str]]
) -> None:
    respuesta = await cliente.post(
        "/tracking/impresiones", content=json.dumps(IMPRESION), headers=_en_octetos(cabeceras)
    )
    assert respuesta.status_code == 415
    assert respuesta.headers["Content-Type"] == "application/problem+json"
    assert puertos.publicados == []


async def test_la_traza_valida_se_conserva(cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria) -> None:
    traza = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await cliente.post("/tracking/impresiones", json=IMPRESION, headers={"traceparent": traza})
    assert puertos.publicados[0][2] == traza


@pytest.mark.parametrize(
    "traza",
    [
        None,
        "",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
    ],
)
async def test_sin_una_traza_valida_empieza_otra(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, traza: str | None
) -> None:
    cabeceras = {} if traza is None else {"traceparent": traza}
    await cliente.post("/tracking/impresiones", json=IMPRESION, headers=cabeceras)
    nueva = puertos.publicados[0][2]
    assert nueva is not None
    assert nueva != traza
    assert [len(parte) for parte in nueva.split("-")] == [2, 32, 16, 2]


async def test_dos_trazas_no_son_ninguna(cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria) -> None:
    traza = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    cabeceras = [("traceparent", traza), ("traceparent", traza)]
    await cliente.post("/tracking/impresiones", json=IMPRESION, headers=cabeceras)
    assert puertos.publicados[0][2] != traza


async def test_un_cuerpo_de_64_kib_cabe_y_con_un_octeto_mas_es_413(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    cuerpo = json.dumps(IMPRESION).encode().ljust(65_536)
    assert (await cliente.post("/tracking/impresiones", content=cuerpo, headers=JSON)).status_code == 202
    respuesta = await cliente.post("/tracking/impresiones", content=cuerpo + b" ", headers=JSON)
    assert respuesta.status_code == 413
    assert respuesta.json()["type"] == "urn:alpespartners:error:cuerpo_demasiado_grande"
    assert len(puertos.publicados) == 1
