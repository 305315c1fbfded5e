"""La orden que envía enmendado lo que no se registró."""

import json
import re
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from alpespartners.modulos.tracking.aplicacion.clases import CONVERSIONES
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.dominio.destinos import (
    Destino,
    Duplicada,
    Ignorada,
    Ilegible,
    MotivoDeIgnorar,
    Rechazada,
)
from alpespartners.modulos.tracking.dominio.excepciones import Codigo
from alpespartners.panel.enmiendas import Envio, enmienda_de
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria, cliente_de

RECIBIDO = datetime(2026, 1, 15, 10, 31, tzinfo=UTC)
AQUI = Envio("http://127.0.0.1:8000", con_clave=False)
ENVIADO: dict[str, Any] = {
    "id": "v-1",
    "campaña_id": "cmp-1",
    "influencer_id": None,
    "valor": Decimal("150000.50"),
    "moneda": "PESOS",
    "timestamp": datetime(2026, 1, 15, 10, 30, tzinfo=UTC),
    "propiedades": {},
}


def orden(destino: Destino, enviado: Mapping[str, Any] | None = ENVIADO, envio: Envio = AQUI) -> str:
    enmienda = enmienda_de(CONVERSIONES, destino, enviado, RECIBIDO, envio)
    assert enmienda is not None
    return enmienda.orden


def cuerpo(texto: str) -> dict[str, Any]:
    """El que enviaría la terminal, con sus cifras como se escriben, y entre comillas lo que falta."""
    completo = re.sub(r":(<\w+>)", r':"\1"', shlex.split(texto)[-1])
    leido: dict[str, Any] = json.loads(completo, parse_float=str)
    return leido


def rechazada(codigo: Any, *campos: str) -> Rechazada:
    return Rechazada(codigo, "detalle", campos)


def test_lleva_lo_que_se_envio_y_deja_por_escribir_lo_que_no_vale() -> None:
    texto = orden(rechazada(Codigo.MONEDA_DESCONOCIDA, "moneda"))
    assert shlex.split(texto)[:4] == ["curl", "-X", "POST", "http://127.0.0.1:8000/tracking/conversiones"]
    assert cuerpo(texto) == {
        "id": "v-1",
        "campaña_id": "cmp-1",
        "valor": "150000.50",
        "moneda": "<moneda>",
        "timestamp": "2026-01-15T10:30:00Z",
    }


@pytest.mark.parametrize(
    ("codigo", "campo"),
    [
        (Codigo.CONFLICTO_DE_ID, "valor"),
        (Codigo.LONGITUD_EXCEDIDA, "cupon"),
        (Codigo.VALOR_ILEGIBLE, "valor"),
    ],
)
async def test_la_orden_sin_completar_no_la_acepta_el_servicio(codigo: Codigo, campo: str) -> None:
    venta = {"id": "v-1", "campaña_id": "cmp-1", "tipo_conversion": "REGISTRO", "cupon": "x", "valor": None}
    async with cliente_de(api_en_memoria(PuertosEnMemoria())) as cliente:
        respuesta = await cliente.post(
            "/tracking/conversiones",
            content=shlex.split(orden(rechazada(codigo, campo), venta))[-1],
            headers={"Content-Type": "application/json"},
        )
    assert respuesta.status_code == 400


def test_de_un_conflicto_lo_unico_por_escribir_es_el_id() -> None:
    enviado = cuerpo(orden(rechazada(Codigo.CONFLICTO_DE_ID, "valor", "moneda")))
    assert (enviado["id"], enviado["moneda"]) == ("<id>", "PESOS")


@pytest.mark.parametrize(
    ("codigo", "valor"),
    [(Codigo.ESPACIO_EN_LOS_EXTREMOS, " cmp-1 "), (CodigoDePeticion.CARACTER_INVISIBLE, "cmp\u200b-1")],
)
def test_lo_que_solo_sobraba_ya_no_esta(codigo: Codigo, valor: str) -> None:
    texto = orden(rechazada(codigo, "campaña_id", "moneda"), {**ENVIADO, "campaña_id": valor})
    assert cuerpo(texto)["campaña_id"] == "cmp-1"
    assert cuerpo(texto)["moneda"] == "<moneda>"


def test_lo_que_no_cupo_en_su_campo_no_se_envia_otra_vez_entre_las_propiedades() -> None:
    enviado = {**ENVIADO, "valor": None, "propiedades": {"valor": "mil", "utm": "x"}}
    dicho = cuerpo(orden(rechazada(Codigo.VALOR_ILEGIBLE, "valor"), enviado))
    assert (dicho["valor"], dicho["propiedades"]) == ("<valor>", {"utm": "x"})


def test_con_clave_la_pide_sin_decir_cual() -> None:
    texto = orden(
        rechazada(Codigo.REQUERIDO, "moneda"), envio=Envio("https://tracking.example", con_clave=True)
    )
    assert '-H "Authorization: Bearer $ALPES_CLAVE"' in texto


@pytest.mark.parametrize(
    "ajeno", ["'; rm -rf / #", "$(id)`id`", "a\nb", "\u202egpj", "\\", '"', "\U000e0041"]
)
def test_lo_ajeno_no_se_ejecuta_al_pegarla_y_lo_que_no_se_ve_va_escapado(ajeno: str) -> None:
    texto = orden(rechazada(Codigo.REQUERIDO, "moneda"), {**ENVIADO, "campaña_id": ajeno})
    assert cuerpo(texto)["campaña_id"] == ajeno
    assert texto.isprintable()


@pytest.mark.parametrize(
    "destino",
    [
        rechazada(CodigoDePeticion.SIN_PERMISO, "campaña_id"),
        Duplicada("c-1"),
        Ignorada(MotivoDeIgnorar.OTRO, "detalle"),
        Ilegible("detalle"),
    ],
)
def test_lo_que_asi_no_se_enmienda_no_tiene_orden(destino: Destino) -> None:
    assert enmienda_de(CONVERSIONES, destino, ENVIADO, RECIBIDO, AQUI) is None


@pytest.mark.parametrize("enviado", [None, {**ENVIADO, "recortado": True}])
def test_sin_saber_todo_lo_que_se_envio_tampoco(enviado: Mapping[str, Any] | None) -> None:
    destino = rechazada(Codigo.REQUERIDO, "moneda")
    assert enmienda_de(CONVERSIONES, destino, enviado, RECIBIDO, AQUI) is None


@pytest.mark.parametrize(
    ("timestamp", "escrito"),
    [
        (None, "2026-01-15T10:31:00Z"),
        (datetime(1970, 1, 1, tzinfo=UTC), "2026-01-15T10:31:00Z"),
        (datetime(2026, 1, 15, 11, tzinfo=UTC), "2026-01-15T10:31:00Z"),
        (datetime(2025, 12, 31, tzinfo=UTC), "2025-12-31T00:00:00Z"),
    ],
)
def test_lo_enmendado_cuenta_el_dia_en_que_ocurrio_y_no_el_de_la_enmienda(
    timestamp: datetime | None, escrito: str
) -> None:
    destino = rechazada(Codigo.REQUERIDO, "moneda")
    enmienda = enmienda_de(CONVERSIONES, destino, {**ENVIADO, "timestamp": timestamp}, RECIBIDO, AQUI)
    assert enmienda is not None
    assert cuerpo(enmienda.orden)["timestamp"] == escrito
    assert enmienda.fechada is escrito.startswith("2026")


def test_un_instante_que_no_se_entiende_sigue_por_escribir() -> None:
    enviado = {**ENVIADO, "timestamp": None, "propiedades": {"timestamp": "ayer"}}
    dicho = cuerpo(orden(rechazada(Codigo.TIMESTAMP_ILEGIBLE, "timestamp"), enviado))
    assert dicho["timestamp"] == "<timestamp>"
