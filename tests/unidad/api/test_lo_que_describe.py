"""Nada de lo que solo describe le cuesta a nadie una venta: ni a la API ni al consumidor."""

import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx2
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alpespartners.api.http.limites import DE_UN_EVENTO
from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.aplicacion.mensajes import ComandoRecibido
from alpespartners.modulos.tracking.dominio.destinos import Registrada
from alpespartners.modulos.tracking.dominio.excepciones import Recolector
from alpespartners.modulos.tracking.infraestructura.mensajes.lectura_avro import MAXIMO_CARGA
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import abrir_comando, sobre_de_comando
from tests.apoyo.cuerpos import CONVERSION
from tests.apoyo.eventos import CONVERSION as COMANDO
from tests.apoyo.eventos import recibido
from tests.apoyo.libro_en_memoria import TransaccionEnMemoria
from tests.apoyo.memoria import AHORA, PuertosEnMemoria, api_en_memoria, cliente_de

JSON = {"Content-Type": "application/json"}
ESPERAR = JSON | {"Prefer": "wait=10"}
_DE_LA_VENTA = {"id", "campaña_id", "campana_id", "influencer_id", "usuario_id", "cupon"} | CONVERSION.keys()
_RESERVADOS = {"recibido_en", "registrado_en", "ocurrido_en", "estado", "advertencias", "comando_id"}

_TEXTOS = st.text(st.characters(), max_size=30) | st.sampled_from(
    [
        "\x00",
        "\ud83d",
        "x" * 300,
        "ñ" * 2049,
        "n\u0303",
        "203.0.113.7:1",
        "instagram.com",
        "https://u:c@a.co/ ñ",
    ]
)
_VALORES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXTOS,
    lambda hijos: st.lists(hijos, max_size=4) | st.dictionaries(_TEXTOS, hijos, max_size=4),
    max_leaves=10,
)
_DESCRIPTIVOS = st.fixed_dictionaries(
    {},
    optional={
        "user_agent": _VALORES,
        "ip_address": _VALORES,
        "referrer": _VALORES,
        "propiedades": _VALORES | st.dictionaries(_TEXTOS, _VALORES, max_size=90),
    },
)
_DESCONOCIDOS = st.dictionaries(
    _TEXTOS.filter(lambda nombre: nombre not in _DE_LA_VENTA | _RESERVADOS), _VALORES, max_size=90
)


async def _registrada(cuerpo: dict[str, Any] | str) -> dict[str, Any]:
    """La conversión que resulta de enviarla, tras pasar por los octetos de su comando y por el consumidor."""
    puertos = PuertosEnMemoria()
    octetos = (cuerpo if isinstance(cuerpo, str) else json.dumps(cuerpo)).encode()
    assert len(octetos) <= DE_UN_EVENTO.octetos
    async with cliente_de(api_en_memoria(puertos)) as cliente:
        respuesta = await cliente.post("/tracking/conversiones", content=octetos, headers=ESPERAR)
        assert respuesta.status_code == 201, respuesta.text
        leida: dict[str, Any] = json.loads(respuesta.text, parse_float=str)
    _exigir_que_el_consumidor_no_cambie_nada(puertos, leida)
    return leida


def _exigir_que_el_consumidor_no_cambie_nada(puertos: PuertosEnMemoria, leida: dict[str, Any]) -> None:
    ((comando, comando_id, traza),) = puertos.publicados
    sobre = sobre_de_comando(comando, comando_id, traza)
    assert len(sobre.carga) < MAXIMO_CARGA // 4
    abierto = abrir_comando(
        sobre.topico,
        carga=sobre.carga,
        propiedades=sobre.propiedades,
        clave=sobre.clave,
        publicado_en=AHORA,
        posicion="1:2:-1:0",
        epoca=UUID(int=1),
    )
    assert isinstance(abierto, ComandoRecibido)
    recolector = Recolector()
    contenido = clases.CONVERSIONES.contenido.crear(abierto.comando, AHORA, recolector)
    assert (recolector.fallos, recolector.avisos) == ([], [])
    assert contenido.campos() | {"propiedades": dict(contenido.propiedades)} == {
        nombre: getattr(comando, nombre) for nombre in contenido.campos()
    }
    assert leida["propiedades"] == contenido.propiedades
    assert leida["advertencias"] == list(comando.advertencias)
    assert len(leida["advertencias"]) <= 64
    assert all(len(aviso) <= 128 for aviso in leida["advertencias"])


@given(_DESCRIPTIVOS, _DESCONOCIDOS)
@example({"propiedades": {"": {"": {"": []}}}}, {"": "x", "(vacío)": "y"})
@settings(deadline=None)
async def test_ningun_contenido_descriptivo_rechaza_una_venta_valida(
    descriptivos: dict[str, Any], desconocidos: dict[str, Any]
) -> None:
    cuerpo = CONVERSION | desconocidos | descriptivos
    if len(json.dumps(cuerpo)) <= DE_UN_EVENTO.octetos:
        await _registrada(cuerpo)


_DE_AVRO = st.text(st.characters(exclude_categories=["Cs"]), max_size=70)


@given(*[st.none() | _DE_AVRO] * 3, st.dictionaries(_DE_AVRO, _DE_AVRO, max_size=100))
def test_ni_cuando_lo_publica_otro_en_avro(
    agente: str | None, direccion: str | None, procedencia: str | None, propiedades: dict[str, str]
) -> None:
    comando = replace(
        COMANDO, user_agent=agente, ip_address=direccion, referrer=procedencia, propiedades=propiedades
    )
    manejador = ManejadorDeRegistro(clases.CONVERSIONES)
    asentado = manejador.manejar([recibido(comando, "c-1")], TransaccionEnMemoria(), AHORA)
    assert [decidido.destino for decidido in asentado.destinos] == [Registrada()]


@pytest.mark.parametrize(
    "sobra",
    [
        lambda tope: {"user_agent": "\x00" * (tope // 6)},
        lambda tope: {"user_agent": "\u0958" * (tope // 6)},
        lambda tope: {"referrer": "https://" + " " * (tope - 20)},
        lambda tope: {"referrer": "https://a.co/" + "\u3000" * (tope // 6 - 20)},
        lambda tope: {"ip_address": "[" * (tope - 20)},
        lambda tope: {"propiedades": {"k" * (tope - 200): {"a": "b", "c": "d"}}},
        lambda tope: {"propiedades": {str(numero): "" for numero in range(tope // 14)}},
        lambda tope: {f"campo_desconocido_{numero}": 1 for numero in range(tope // 32)},
        lambda tope: {"n": {f"{'k' * 60}{numero}": [] for numero in range(tope // 90)}},
        lambda tope: {"\n" + "x" * 70 + str(numero): "\x00" for numero in range(tope // 110)},
        lambda tope: {"p": "\U0001d160" * (tope // 14)},
        lambda tope: {"propiedades": {f"p{n}": "\U0001d160" * (tope // 14 // 64) for n in range(64)}},
        lambda tope: {"propiedades": list(range(tope // 9))},
    ],
)
async def test_ni_cuando_llena_el_cuerpo_hasta_su_limite(sobra: Any) -> None:
    await _registrada(CONVERSION | sobra(DE_UN_EVENTO.octetos - len(json.dumps(CONVERSION)) - 100))


async def test_ni_cuando_lo_que_llena_el_cuerpo_no_es_ascii() -> None:
    propiedades = {f"p{numero}": "\U0001d160" * 240 for numero in range(64)}
    leida = await _registrada(json.dumps(CONVERSION | {"propiedades": propiedades}, ensure_ascii=False))
    assert leida["advertencias"] == []


async def _con(**campos: Any) -> dict[str, Any]:
    return await _registrada(CONVERSION | campos)


async def test_medio_emoji_en_el_agente_y_un_nul_en_una_propiedad_se_registran_con_aviso() -> None:
    leida = await _con(user_agent="x \ud83d", propiedades={"nota": "a\x00b"})
    assert (leida["user_agent"], leida["propiedades"]) == ("x \ufffd", {"nota": "a\ufffdb"})
    assert leida["advertencias"] == ["propiedad_reparada:nota", "user_agent_reparado"]


async def test_las_marcas_apiladas_sin_cuento_quedan_ilegibles_con_aviso() -> None:
    marcas = "\u0301\u0316" * 300
    leida = await _con(
        user_agent=f"x{marcas}", referrer=f"https://a.co/{marcas}", propiedades={"nota": marcas}
    )
    ilegibles = "\ufffd" * 600
    assert (leida["user_agent"], leida["referrer"]) == (f"x{ilegibles}", f"https://a.co/{ilegibles}")
    assert leida["propiedades"] == {"nota": ilegibles}
    assert leida["advertencias"] == ["propiedad_reparada:nota", "user_agent_reparado", "referrer_reparado"]


async def test_una_pagina_de_destino_larga_se_guarda_entera_y_una_enorme_recortada() -> None:
    entera = await _con(propiedades={"landing_page": "x" * 400})
    assert (entera["propiedades"], entera["advertencias"]) == ({"landing_page": "x" * 400}, [])
    enorme = await _con(propiedades={"landing_page": "x" * 5_000})
    assert enorme["propiedades"] == {"landing_page": "x" * 2_048}
    assert enorme["advertencias"] == ["propiedad_recortada:landing_page"]


async def test_articulos_etiquetas_anidadas_y_setenta_propiedades_se_registran() -> None:
    leida = await _con(
        items=[{"sku": "A", "qty": 2}], utm={"source": "ig"}, propiedades={str(n): n for n in range(62)}
    )
    assert json.loads(leida["propiedades"]["items"]) == [{"sku": "A", "qty": 2}]
    assert leida["propiedades"]["utm.source"] == "ig"
    assert leida["advertencias"] == ["campo_desconocido:items", "campo_desconocido:utm"]
    sobran = await _con(
        items=[{"sku": "A", "qty": 2}], utm={"source": "ig"}, propiedades={str(n): n for n in range(70)}
    )
    assert sobran["propiedades"].keys() == {*(str(n) for n in range(62)), "items", "utm.source"}
    assert sobran["advertencias"][-1] == "propiedades_de_mas:8"
    setenta = await _con(propiedades={str(n): n for n in range(70)})
    assert len(setenta["propiedades"]) == 64
    assert setenta["advertencias"] == ["propiedades_de_mas:6"]


@pytest.mark.parametrize(
    ("enviado", "guardado"),
    [
        ("instagram.com", "https://instagram.com"),
        ("https://shop.example/oferta?" + "q" * 3_000, "https://shop.example/oferta"),
        ("https://user:clave@shop.example/x", "https://shop.example/x"),
    ],
)
async def test_una_procedencia_que_se_puede_salvar_se_salva(enviado: str, guardado: str) -> None:
    leida = await _con(referrer=enviado)
    assert (leida["referrer"], leida["advertencias"]) == (guardado, ["referrer_reparado"])


async def test_una_direccion_con_puerto_se_salva() -> None:
    leida = await _con(ip_address="203.0.113.7:51234")
    assert (leida["ip_address"], leida["advertencias"]) == ("203.0.113.7", ["ip_reparada"])


async def test_un_caracter_invisible_en_la_campaña_es_422_con_su_posicion(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    respuesta = await cliente.post(
        "/tracking/conversiones", json={**CONVERSION, "campaña_id": "cmp-456\u200b"}
    )
    (error,) = respuesta.json()["errores"]
    assert (respuesta.status_code, error["campo"], error["codigo"]) == (
        422,
        "campaña_id",
        "caracter_invisible",
    )
    assert "posición 7" in error["mensaje"]
    assert puertos.publicados == []
