"""Las formas de lo que se envía y se responde. Lo escribe clientes/generar_tipos.py a partir de la descripción OpenAPI de la API."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal, NotRequired, TypedDict


class NuevaImpresion(TypedDict):
    """Lo que se envía de un evento."""

    id: NotRequired[str | None]
    campaña_id: str
    influencer_id: NotRequired[str | None]
    usuario_id: NotRequired[str | None]
    tipo_evento: NotRequired[Literal["IMPRESION", "CLIC", "VISUALIZACION"] | None]
    clic_id: NotRequired[str | None]
    user_agent: NotRequired[str | None]
    ip_address: NotRequired[str | None]
    referrer: NotRequired[str | None]
    timestamp: NotRequired[str | None]
    propiedades: NotRequired[Mapping[str, Any] | None]


class NuevaConversion(TypedDict):
    """Lo que se envía de un evento."""

    id: NotRequired[str | None]
    campaña_id: str
    influencer_id: NotRequired[str | None]
    usuario_id: NotRequired[str | None]
    tipo_conversion: Literal["VENTA", "REGISTRO", "SUSCRIPCION", "DESCARGA", "FORMULARIO", "OTRA"]
    valor: NotRequired[Decimal | int | str | None]
    moneda: NotRequired[Literal["ADP", "AED", "AFA", "AFN", "ALL", "AMD", "ANG", "AOA", "AON", "AOR", "ARS", "ATS", "AUD", "AWG", "AYM", "AZM", "AZN", "BAM", "BBD", "BDT", "BEF", "BGL", "BGN", "BHD", "BIF", "BMD", "BND", "BOB", "BOV", "BRL", "BSD", "BTN", "BWP", "BYB", "BYN", "BYR", "BZD", "CAD", "CDF", "CHC", "CHE", "CHF", "CHW", "CLF", "CLP", "CNY", "COP", "COU", "CRC", "CSD", "CUC", "CUP", "CVE", "CYP", "CZK", "DEM", "DJF", "DKK", "DOP", "DZD", "ECS", "ECV", "EEK", "EGP", "ERN", "ESP", "ETB", "EUR", "FIM", "FJD", "FKP", "FRF", "GBP", "GEL", "GHC", "GHP", "GHS", "GIP", "GMD", "GNF", "GRD", "GTQ", "GYD", "HKD", "HNL", "HRK", "HTG", "HUF", "IDR", "IEP", "ILS", "INR", "IQD", "IRR", "ISK", "ITL", "JMD", "JOD", "JPY", "KES", "KGS", "KHR", "KMF", "KPW", "KRW", "KWD", "KYD", "KZT", "LAK", "LBP", "LKR", "LRD", "LSL", "LTL", "LUF", "LVL", "LYD", "MAD", "MDL", "MGA", "MGF", "MKD", "MMK", "MNT", "MOP", "MRO", "MRU", "MTL", "MUR", "MVR", "MWK", "MXN", "MXV", "MYR", "MZM", "MZN", "NAD", "NGN", "NIO", "NLG", "NOK", "NPR", "NZD", "OMR", "PAB", "PEN", "PGK", "PHP", "PKR", "PLN", "PTE", "PYG", "QAR", "ROL", "RON", "RSD", "RUB", "RUR", "RWF", "SAR", "SBD", "SCR", "SDD", "SDG", "SEK", "SGD", "SHP", "SIT", "SKK", "SLE", "SLL", "SOS", "SRD", "SRG", "SSP", "STD", "STN", "SVC", "SYP", "SZL", "THB", "TJR", "TJS", "TMM", "TMT", "TND", "TOP", "TPE", "TRL", "TRY", "TTD", "TWD", "TZS", "UAH", "UGX", "USD", "USN", "USS", "UYI", "UYU", "UYW", "UZS", "VEB", "VED", "VEF", "VES", "VND", "VUV", "WST", "XAD", "XAF", "XCD", "XCG", "XOF", "XPF", "YER", "YUM", "ZAR", "ZMK", "ZMW", "ZWD", "ZWG", "ZWL", "ZWN", "ZWR"] | None]
    cupon: NotRequired[str | None]
    clic_id: NotRequired[str | None]
    user_agent: NotRequired[str | None]
    ip_address: NotRequired[str | None]
    referrer: NotRequired[str | None]
    timestamp: NotRequired[str | None]
    propiedades: NotRequired[Mapping[str, Any] | None]


class Falta(TypedDict):
    """Lo que un campo incumple."""

    campo: str
    codigo: Literal["requerido", "longitud_excedida", "caracter_de_control", "espacio_en_los_extremos", "sustituto_suelto", "id_no_direccionable", "valor_no_permitido", "valor_ilegible", "valor_negativo", "valor_demasiado_grande", "demasiados_decimales", "moneda_desconocida", "timestamp_ilegible", "campo_repetido", "conflicto_de_id", "rechazada_por_la_base_de_datos", "demasiadas_propiedades", "timestamp_demasiado_antiguo", "timestamp_en_el_futuro", "tipo_incorrecto", "valor_ambiguo", "campo_desconocido", "caracter_invisible", "elemento_ilegible", "sin_permiso", "macro_sin_reemplazar", "campo_reservado", "cabecera_ilegible", "cabecera_no_admitida", "elemento_demasiado_grande", "parametro_desconocido", "parametro_invalido", "cursor_invalido", "sin_respuesta_exacta"]
    mensaje: str


class ElementoAceptado(TypedDict):
    """El broker ya guardó este."""

    estado: Literal["ACEPTADA"]
    indice: int
    id: str
    comando_id: str
    advertencias: list[str]


class ElementoRechazado(TypedDict):
    """Este no vale; lo demás sigue.

    Lo que va detrás de `errores` solo está si el broker lo guardó y, con `Prefer: wait`, se supo que no se
    pudo registrar."""

    estado: Literal["RECHAZADA"]
    indice: int
    errores: list[Falta]
    id: NotRequired[str]
    comando_id: NotRequired[str]
    motivo: NotRequired[Literal["requerido", "longitud_excedida", "caracter_de_control", "espacio_en_los_extremos", "sustituto_suelto", "id_no_direccionable", "valor_no_permitido", "valor_ilegible", "valor_negativo", "valor_demasiado_grande", "demasiados_decimales", "moneda_desconocida", "timestamp_ilegible", "campo_repetido", "conflicto_de_id", "rechazada_por_la_base_de_datos", "demasiadas_propiedades", "timestamp_demasiado_antiguo", "timestamp_en_el_futuro", "tipo_incorrecto", "valor_ambiguo", "campo_desconocido", "caracter_invisible", "elemento_ilegible", "sin_permiso", "macro_sin_reemplazar", "campo_reservado", "cabecera_ilegible", "cabecera_no_admitida", "elemento_demasiado_grande", "parametro_desconocido", "parametro_invalido", "cursor_invalido", "sin_respuesta_exacta"] | None]
    detalle: NotRequired[str]
    campos: NotRequired[list[str]]
