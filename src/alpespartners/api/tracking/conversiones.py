"""Una conversión en HTTP: cómo se envía y cómo se lee."""

import json
from decimal import Decimal
from typing import Annotated, Final

from msgspec import UNSET, Meta, UnsetType

from alpespartners.api.http.descripcion import CuerpoPedido, Esquema
from alpespartners.api.tracking.clases import ClaseHTTP
from alpespartners.api.tracking.cuerpos import AUSENTE, IDENTIFICADOR_OPCIONAL, esquema_de_envio
from alpespartners.api.tracking.ejemplos import CURSOR, EJEMPLOS
from alpespartners.api.tracking.presentacion import (
    DEL_SERVIDOR,
    Corriente,
    Difieren,
    EventoRegistrado,
    Pagina,
)
from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.textos import CIFRAS_DE_UN_MILLAR, CON_PUNTO_DE_MILES
from alpespartners.modulos.tracking.dominio.contenido import LONGITUD_CUPON
from alpespartners.modulos.tracking.dominio.monedas import DECIMALES
from alpespartners.modulos.tracking.dominio.objetos_valor import MAXIMO_DIGITOS_ENTEROS, TipoConversion

_EJEMPLO: Final = json.loads(EJEMPLOS["conversiones"])
_SIN_VALOR_OBLIGATORIO: Final = [tipo for tipo in TipoConversion if tipo is not TipoConversion.VENTA]


class Conversion(EventoRegistrado):
    """Una conversión registrada."""

    ejemplos = ({**_EJEMPLO, "cupon": None, **DEL_SERVIDOR, "ocurrido_en": _EJEMPLO["timestamp"]},)

    tipo_conversion: TipoConversion
    valor: Annotated[
        Annotated[Decimal, Meta(extra_json_schema={"minimum": 0})] | None,
        Meta(description="Con todos los decimales de su moneda: `150000.00`."),
    ]
    moneda: Annotated[str, Meta(extra_json_schema={"enum": sorted(DECIMALES)})] | None
    cupon: Annotated[str | None, Meta(description="El código con que se atribuye a quien lo repartió.")]


class ConversionRepetida(Conversion, kw_only=True):
    """Una conversión que ya estaba registrada cuando se envió otra vez."""

    difieren: Difieren | UnsetType = UNSET


class CorrienteConversion(Corriente[Conversion]):
    """Una página de la corriente de conversiones."""

    ejemplos = ({"elementos": [*Conversion.ejemplos], "siguiente": CURSOR, "al_dia": True},)


class PaginaConversion(Pagina[Conversion]):
    """Una página de conversiones."""

    ejemplos = ({"elementos": [*Conversion.ejemplos], "siguiente": None},)


def _importe(decimales: int) -> Esquema:
    """Lo que distingue a las monedas con esos decimales.

    Cuántos admite un número se dice con palabras: los validadores juzgan `multipleOf: 0.01` en coma flotante,
    y así 19.99 no es múltiplo de un céntimo.
    """
    fraccion = rf"(?:\.[0-9]{{1,{decimales}}}0*)?" if decimales else r"(?:\.0+)?"
    sin_ambiguos = "" if decimales >= CIFRAS_DE_UN_MILLAR else f"(?!{CON_PUNTO_DE_MILES.pattern}$)"
    regla: Esquema = {"multipleOf": 1}
    if decimales:
        regla = {
            "description": f"Admite {decimales} decimales, sin contar los ceros del final; con más es un 422."
        }
    return {
        "title": f"Con valor, en una moneda de {decimales} decimales",
        "required": ["valor", "moneda"],
        "properties": {
            "valor": {
                "type": ["number", "string"],
                **regla,
                "pattern": f"^{sin_ambiguos}0*[0-9]{{1,{MAXIMO_DIGITOS_ENTEROS}}}{fraccion}$",
            },
            "moneda": {"enum": sorted(m for m, suyos in DECIMALES.items() if suyos == decimales)},
        },
    }


_PROPIOS: Final[Esquema] = {
    "tipo_conversion": {
        "enum": [*TipoConversion],
        "description": "También en minúsculas. `VENTA` exige `valor` y `moneda`.",
    },
    "valor": {
        "type": ["number", "string", "null"],
        "minimum": 0,
        "exclusiveMaximum": 10**MAXIMO_DIGITOS_ENTEROS,
        "description": (
            "Importe exacto: como número o como texto de dígitos con punto decimal. Nunca se convierte a "
            "coma flotante. Lo que se lee de dos maneras, como `150.000` COP, es un 422 `valor_ambiguo`: "
            "escriba `150000` o `150`. Uno negativo no vale: revertir una venta no tiene todavía operación."
        ),
    },
    "moneda": {
        "enum": [*sorted(DECIMALES), *AUSENTE],
        "description": (
            "ISO 4217, con unidad menor. Una retirada (`HRK` en 2023, `BGN` en 2026) vale para lo que, según "
            "su `timestamp`, ocurrió antes. También en minúsculas."
        ),
    },
    "cupon": {
        **IDENTIFICADOR_OPCIONAL,
        "maxLength": LONGITUD_CUPON,
        "description": "El código con que se atribuye a quien lo repartió, si se usó alguno.",
    },
}

CONVERSIONES: Final = ClaseHTTP(
    clase=clases.CONVERSIONES,
    una="una conversión",
    todas="las conversiones",
    cuerpo=CuerpoPedido(
        nombre="NuevaConversion",
        ejemplo=_EJEMPLO,
        esquema={
            **esquema_de_envio(_PROPIOS, requeridos=["campaña_id", "tipo_conversion"]),
            # Con un anyOf, quien genera un cliente entiende que basta con una de las partes.
            "if": {"properties": {"valor": {"enum": [*AUSENTE]}}},
            "then": {"properties": {"tipo_conversion": {"enum": _SIN_VALOR_OBLIGATORIO}}},
            "else": {
                "type": "object",
                "anyOf": [_importe(decimales) for decimales in sorted(set(DECIMALES.values()))],
            },
        },
    ),
    forma=Conversion,
    forma_repetida=ConversionRepetida,
    pagina=PaginaConversion,
    corriente=CorrienteConversion,
)
