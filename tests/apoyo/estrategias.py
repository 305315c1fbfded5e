"""Estrategias de hypothesis: comandos que el dominio acepta, y registros Avro de nuestros esquemas."""

from collections.abc import Mapping, Sequence
from datetime import UTC, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from alpespartners.modulos.tracking.aplicacion.comandos import RegistrarConversion, RegistrarImpresion
from alpespartners.modulos.tracking.dominio.contenido import LONGITUD_CUPON
from alpespartners.modulos.tracking.dominio.monedas import DECIMALES, RETIRADA_EN
from alpespartners.modulos.tracking.dominio.objetos_valor import (
    ADELANTO_MAXIMO,
    TIMESTAMP_MINIMO,
    TipoConversion,
    TipoEvento,
)
from tests.apoyo.eventos import AHORA

MICROSEGUNDO = timedelta(microseconds=1)
ULTIMO = AHORA + ADELANTO_MAXIMO

_VIGENTES = sorted((codigo, suyos) for codigo, suyos in DECIMALES.items() if codigo not in RETIRADA_EN)
_SIN_CONTROLES = st.characters(exclude_categories=["Cs", "Cc"])
_RAREZAS = st.sampled_from(
    [
        "FV/2024/001",
        "a b%c?d#e",
        "ñandú-1",
        "n\u0303",
        "'; DROP TABLE impresiones; --",
        '"\\',
        "🛒",
        "ﬁ",
        "👨\u200d👩\u200d👧",
        "\u200b",
    ]
)

# Al normalizar a NFC un texto puede alargarse; la mitad del límite deja sitio.
identificadores = (
    st.one_of(_RAREZAS, st.text(_SIN_CONTROLES, min_size=1, max_size=40))
    .filter(lambda texto: texto == texto.strip())
    .filter(lambda texto: texto not in {".", ".."})
)
textos = st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
propiedades = st.dictionaries(
    st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1, max_size=64),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=60),
    max_size=60,
)
timestamps = st.integers(0, (ULTIMO - TIMESTAMP_MINIMO) // MICROSEGUNDO).map(
    lambda micros: TIMESTAMP_MINIMO + micros * MICROSEGUNDO
)
direcciones = st.one_of(st.none(), st.ip_addresses().map(str))


@st.composite
def importes(sortear: st.DrawFn) -> tuple[Decimal, str]:
    """Un importe de hasta 14 dígitos enteros y una moneda vigente que admite sus decimales."""
    moneda, decimales = sortear(st.sampled_from(_VIGENTES))
    unidades = sortear(st.integers(0, 10 ** (14 + decimales) - 1))
    return Decimal(unidades).scaleb(-decimales), moneda


@st.composite
def comandos_de_impresion(sortear: st.DrawFn) -> RegistrarImpresion:
    """Un comando que acaba en una impresión."""
    return RegistrarImpresion(
        id=sortear(identificadores),
        campaña_id=sortear(identificadores),
        influencer_id=sortear(st.none() | identificadores),
        usuario_id=sortear(st.none() | identificadores),
        tipo_evento=sortear(st.sampled_from(TipoEvento)).value,
        clic_id=sortear(st.none() | identificadores),
        user_agent=sortear(textos),
        ip_address=sortear(direcciones),
        referrer=sortear(st.sampled_from([None, "https://instagram.com/ñ?q='\"", "no es una URL"])),
        timestamp=sortear(st.none() | timestamps),
        recibido_en=AHORA,
        propiedades=sortear(propiedades),
        advertencias=(),
    )


@st.composite
def comandos_de_conversion(sortear: st.DrawFn) -> RegistrarConversion:
    """Un comando que acaba en una conversión."""
    tipo = sortear(st.sampled_from(TipoConversion))
    valor, moneda = sortear(importes())
    if tipo is not TipoConversion.VENTA:
        con_valor, con_moneda = sortear(st.sampled_from([(True, True), (False, True), (False, False)]))
    else:
        con_valor, con_moneda = True, True
    return RegistrarConversion(
        id=sortear(identificadores),
        campaña_id=sortear(identificadores),
        influencer_id=sortear(st.none() | identificadores),
        usuario_id=sortear(st.none() | identificadores),
        tipo_conversion=tipo.value,
        valor=valor if con_valor else None,
        moneda=moneda if con_moneda else None,
        cupon=sortear(st.none() | identificadores.filter(lambda texto: len(texto) <= LONGITUD_CUPON)),
        clic_id=sortear(st.none() | identificadores),
        user_agent=sortear(textos),
        ip_address=sortear(direcciones),
        referrer=sortear(st.sampled_from([None, "https://instagram.com/ñ?q='\"", "no es una URL"])),
        timestamp=sortear(st.none() | timestamps),
        recibido_en=AHORA,
        propiedades=sortear(propiedades),
        advertencias=(),
    )


def registros_avro(campos: Sequence[Mapping[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Lo que puede llevar un registro Avro con esos campos, de los tipos que usan nuestros esquemas."""
    return st.fixed_dictionaries({campo["name"]: _de_tipo_avro(campo["type"]) for campo in campos})


def _de_tipo_avro(tipo: Any) -> st.SearchStrategy[Any]:  # noqa: PLR0911 (una por tipo)
    textos = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
    match tipo:
        case ["null", otro]:
            return st.none() | _de_tipo_avro(otro)
        case "string":
            return textos
        case {"logicalType": "timestamp-micros"}:
            return st.datetimes(timezones=st.just(UTC))
        case {"logicalType": "decimal"}:
            return st.integers(-(10**18) + 1, 10**18 - 1).map(
                lambda sin_escala: Decimal(sin_escala).scaleb(-4)
            )
        case "boolean":
            return st.booleans()
        case {"type": "record", "fields": campos}:
            return registros_avro(campos)
        case {"type": "map"}:
            return st.dictionaries(textos, textos, max_size=5)
        case _:
            return st.lists(textos, max_size=5)
