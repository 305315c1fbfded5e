"""Lo que se escribió con los esquemas v1 tiene que poder leerse siempre, y nadie puede cambiarlos sin querer.

Los octetos de `v1/*.hex` se grabaron una vez con la primera versión: no se regeneran. Si una de estas
pruebas falla, lo que hay que cambiar es el código.
"""

from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.schema import fingerprint, to_parsing_canonical_form

from alpespartners.modulos.tracking.aplicacion.comandos import RegistrarConversion, RegistrarImpresion
from alpespartners.modulos.tracking.aplicacion.mensajes import ComandoRecibido
from alpespartners.modulos.tracking.aplicacion.topicos import (
    COMANDO_REGISTRAR_CONVERSION,
    COMANDO_REGISTRAR_IMPRESION,
    EVENTO_CONVERSION_REGISTRADA,
    EVENTO_IMPRESION_REGISTRADA,
)
from alpespartners.modulos.tracking.infraestructura.mensajes.esquemas import (
    ESQUEMAS,
)
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import abrir_comando
from tests.apoyo.primer_esquema import primero

RECIBIDO = datetime(2026, 1, 15, 10, 36, 0, 120_000, tzinfo=UTC)
OCURRIDO = datetime(2026, 1, 15, 10, 30, 0, 1, tzinfo=UTC)
REGISTRADO = datetime(2026, 1, 15, 10, 36, 1, 999_999, tzinfo=UTC)

HUELLAS = {
    COMANDO_REGISTRAR_IMPRESION: "3729d0371bca011476a40dd2a021c9d04210850601000836ab99a5f44b65d7f3",
    COMANDO_REGISTRAR_CONVERSION: "edfa67dc69337cabb0b58c6e5ac46c05de4ee1add390a016116765713034afa9",
    EVENTO_IMPRESION_REGISTRADA: "5632745d0150399635dc02088421f81b635293f39d0ebc11fe3bb60097169810",
    EVENTO_CONVERSION_REGISTRADA: "ecff9207b3ac313d9a0bb5ef7f70bef029bd632a2f9dd6ea5eaac59e97bff438",
}

COMANDOS: dict[str, RegistrarImpresion | RegistrarConversion] = {
    "ComandoRegistrarImpresion": RegistrarImpresion(
        id="ñandú-1",
        campaña_id="campaña de año nuevo",
        influencer_id="inf-789",
        usuario_id="usr-101",
        tipo_evento="CLIC",
        user_agent="Mozilla/5.0 🛒",
        ip_address="2001:db8::1",
        referrer="https://instagram.com",
        timestamp=OCURRIDO,
        recibido_en=RECIBIDO,
        propiedades={"color": "añil", "talla": ""},
        advertencias=("campo_desconocido:influencerid",),
    ),
    "ComandoRegistrarImpresion-minimo": RegistrarImpresion(
        id="imp-1",
        campaña_id="cmp-456",
        influencer_id=None,
        usuario_id=None,
        tipo_evento="IMPRESION",
        user_agent=None,
        ip_address=None,
        referrer=None,
        timestamp=None,
        recibido_en=None,
        propiedades={},
        advertencias=(),
    ),
    "ComandoRegistrarConversion": RegistrarConversion(
        id="FV/2024/001",
        campaña_id="cmp-456",
        influencer_id="inf-789",
        usuario_id="usr-101",
        tipo_conversion="VENTA",
        valor=Decimal("99999999999999.99"),
        moneda="COP",
        user_agent="Mozilla/5.0",
        ip_address="192.168.1.1",
        referrer="https://instagram.com",
        timestamp=OCURRIDO,
        recibido_en=RECIBIDO,
        propiedades={"pedido": "9"},
        advertencias=("ip_ilegible", "reloj_adelantado"),
    ),
    "ComandoRegistrarConversion-minimo": RegistrarConversion(
        id="conv-1",
        campaña_id="cmp-456",
        influencer_id=None,
        usuario_id=None,
        tipo_conversion="REGISTRO",
        valor=None,
        moneda=None,
        user_agent=None,
        ip_address=None,
        referrer=None,
        timestamp=None,
        recibido_en=None,
        propiedades={},
        advertencias=(),
    ),
}

_EVENTO = {
    "comando_id": "018d0d3c-0000-7000-8000-000000000001",
    "campana_id": "cmp-456",
    "influencer_id": "inf-789",
    "usuario_id": None,
    "user_agent": None,
    "ip_address": "192.168.1.1",
    "referrer": None,
    "recibido_en": RECIBIDO,
    "registrado_en": REGISTRADO,
    "propiedades": {"color": "añil"},
    "advertencias": ["ip_ilegible"],
}
EVENTOS: dict[str, dict[str, Any]] = {
    EVENTO_IMPRESION_REGISTRADA: {
        **_EVENTO,
        "tipo_mensaje": "EventoImpresionRegistrada",
        "id": "ñandú-1",
        "tipo_evento": "VISUALIZACION",
        "timestamp": None,
        "ocurrido_en": RECIBIDO,
    },
    EVENTO_CONVERSION_REGISTRADA: {
        **_EVENTO,
        "tipo_mensaje": "EventoConversionRegistrada",
        "id": "FV/2024/001",
        "tipo_conversion": "VENTA",
        "valor": Decimal("0.0001"),
        "moneda": "CLF",
        "timestamp": OCURRIDO,
        "ocurrido_en": OCURRIDO,
    },
}


def grabado(nombre: str) -> bytes:
    ruta = Path(__file__).parent / "v1" / f"{nombre}.hex"
    return bytes.fromhex(ruta.read_text(encoding="ascii"))


@pytest.mark.parametrize("topico", ESQUEMAS)
def test_la_forma_canonica_del_primer_esquema_no_cambia(topico: str) -> None:
    canonica = to_parsing_canonical_form(primero(topico))
    assert fingerprint(canonica, "SHA-256") == HUELLAS[topico]


@pytest.mark.parametrize("nombre", COMANDOS)
def test_un_comando_grabado_se_lee_igual_para_siempre(nombre: str) -> None:
    es_impresion = isinstance(COMANDOS[nombre], RegistrarImpresion)
    abierto = abrir_comando(
        COMANDO_REGISTRAR_IMPRESION if es_impresion else COMANDO_REGISTRAR_CONVERSION,
        carga=grabado(nombre),
        propiedades={},
        clave=None,
        publicado_en=RECIBIDO,
        posicion="1:2:-1:0",
        epoca=UUID(int=1),
    )
    assert isinstance(abierto, ComandoRecibido)
    assert abierto.comando == COMANDOS[nombre]


@pytest.mark.parametrize("topico", EVENTOS)
def test_un_evento_grabado_se_lee_igual_para_siempre(topico: str) -> None:
    esquema = ESQUEMAS[topico]
    assert _leer(grabado(esquema.registro), primero(topico)) == EVENTOS[topico]
    con_el_de_hoy = _leer(grabado(esquema.registro), primero(topico), esquema.definicion)
    assert con_el_de_hoy | EVENTOS[topico] == con_el_de_hoy


@pytest.mark.parametrize("topico", EVENTOS)
def test_quien_conozca_un_campo_nuevo_lee_lo_grabado_y_quien_no_lee_lo_nuevo(topico: str) -> None:
    esquema = ESQUEMAS[topico]
    nuevo = {"name": "canal", "type": ["null", "string"], "default": None}
    de_antes = primero(topico)
    evolucionado = parse_schema({**de_antes, "fields": [*de_antes["fields"], nuevo]})
    assert _leer(grabado(esquema.registro), de_antes, evolucionado) == {
        **EVENTOS[topico],
        "canal": None,
    }

    salida = BytesIO()
    schemaless_writer(salida, evolucionado, {**EVENTOS[topico], "canal": "historias"})
    assert _leer(salida.getvalue(), evolucionado, de_antes) == EVENTOS[topico]


@pytest.mark.parametrize("topico", ESQUEMAS)
def test_todo_campo_que_puede_faltar_tiene_valor_por_omision_y_cada_campo_se_explica(topico: str) -> None:
    for campo in ESQUEMAS[topico].definicion["fields"]:
        assert campo["doc"].endswith("."), campo["name"]
        if isinstance(campo["type"], list):
            assert campo["type"][0] == "null", campo["name"]
            assert campo["default"] is None, campo["name"]
        elif isinstance(campo["type"], dict) and campo["type"]["type"] in {"map", "array"}:
            assert campo["default"] in ({}, []), campo["name"]


def _leer(octetos: bytes, escritor: Any, lector: Any = None) -> Any:
    return schemaless_reader(BytesIO(octetos), escritor, lector)
