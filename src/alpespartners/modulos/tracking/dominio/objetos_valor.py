"""Los valores de un evento y la regla de cada uno.

Qué es: funciones y objetos inmutables que aceptan un valor ya tipado y lo devuelven normalizado, o
dicen con `CampoInvalido` por qué no vale. Identidad, tipo, dinero y tiempo son estrictos; lo que solo
describe (`Metadatos`) se repara o se descarta con un aviso (`descriptivos.py`).
Qué no es: lectura de JSON o de Avro; eso ocurre antes, en los mapeadores.
Por qué existe: la API y el consumidor juzgan con estas mismas reglas. Todas son idempotentes: aplicar
una a su propio resultado no lo cambia.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Self, TypeVar

from alpespartners.modulos.tracking.dominio.descriptivos import (
    ip_legible,
    referrer_legible,
    user_agent_legible,
)
from alpespartners.modulos.tracking.dominio.excepciones import (
    MAXIMO_ADVERTENCIAS,
    CampoInvalido,
    Codigo,
    Recolector,
)
from alpespartners.modulos.tracking.dominio.monedas import DECIMALES, RETIRADA_EN
from alpespartners.modulos.tracking.dominio.normalizacion import ILEGIBLE, en_nfc

LONGITUD_IDENTIFICADOR = 128
MAXIMO_DIGITOS_ENTEROS = 14
LONGITUD_ADVERTENCIA = 128
TIMESTAMP_MINIMO = datetime(2000, 1, 1, tzinfo=UTC)
ADELANTO_MAXIMO = timedelta(hours=24)
TIMESTAMP_RECIBIDO = "timestamp_recibido"
"""La propiedad en que queda el `timestamp` de un reloj que no se puede creer."""
CLIC_ID_RECIBIDO = "clic_id_recibido"
"""La propiedad en que queda un `clic_id` que no puede serlo."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SUSTITUTO = re.compile(r"[\ud800-\udfff]")
_DECIMALES_MAXIMOS = max(DECIMALES.values())
_UNIDADES_MENORES = {decimales: Decimal((0, (1,), -decimales)) for decimales in DECIMALES.values()}


class TipoEvento(StrEnum):
    """Qué vio o hizo la persona ante la campaña."""

    IMPRESION = "IMPRESION"
    CLIC = "CLIC"
    VISUALIZACION = "VISUALIZACION"


class TipoConversion(StrEnum):
    """Qué logró la campaña."""

    VENTA = "VENTA"
    REGISTRO = "REGISTRO"
    SUSCRIPCION = "SUSCRIPCION"
    DESCARGA = "DESCARGA"
    FORMULARIO = "FORMULARIO"
    OTRA = "OTRA"


_Tipo = TypeVar("_Tipo", bound=StrEnum)


def identificador(campo: str, texto: str, maximo: int = LONGITUD_IDENTIFICADOR) -> str:
    """Devuelve un identificador normalizado: de 1 a `maximo` caracteres, sin controles ni espacios al borde.

    Queda en forma NFC (UAX #15).

    Raises:
        CampoInvalido: falta o incumple la regla; un sustituto suelto (RFC 8259 §8.2) no existe en UTF-8.
    """
    if not texto.isascii():
        if _SUSTITUTO.search(texto):
            raise CampoInvalido(campo, Codigo.SUSTITUTO_SUELTO, "contiene un carácter sustituto suelto")
        texto = en_nfc(texto)
    if not texto:
        raise CampoInvalido(campo, Codigo.REQUERIDO, "es obligatorio")
    if len(texto) > maximo:
        raise CampoInvalido(campo, Codigo.LONGITUD_EXCEDIDA, f"admite como mucho {maximo} caracteres")
    if not texto.isprintable() and _CONTROL.search(texto):
        raise CampoInvalido(campo, Codigo.CARACTER_DE_CONTROL, "contiene un carácter de control")
    if texto != texto.strip():
        raise CampoInvalido(
            campo, Codigo.ESPACIO_EN_LOS_EXTREMOS, "no puede empezar ni terminar con un espacio"
        )
    return texto


def identificador_opcional(campo: str, texto: str | None, maximo: int = LONGITUD_IDENTIFICADOR) -> str | None:
    """Como `identificador`, pero ausente y vacío valen `None`."""
    return identificador(campo, texto, maximo) if texto else None


def id_de_evento(texto: str) -> str:
    """Devuelve el `id` de un evento: un identificador que además cabe en una URL.

    Raises:
        CampoInvalido: incumple la regla, o es `.` o `..`, que RFC 3986 §5.2.4 elimina de las rutas.
    """
    texto = identificador("id", texto)
    if texto in {".", ".."}:
        raise CampoInvalido("id", Codigo.ID_NO_DIRECCIONABLE, "«.» y «..» no pueden ir en una URL")
    return texto


def identificador_consultable(texto: str | None) -> str | None:
    """Devuelve el identificador por el que se podrá buscar, o `None` si ese texto nunca pudo ser uno."""
    try:
        return identificador("", texto or "")
    except CampoInvalido:
        return None


def id_consultable(texto: str | None) -> str | None:
    """Devuelve el `id` por el que se podrá preguntar, o `None` si ese texto nunca pudo ser un `id`."""
    try:
        return id_de_evento(texto or "")
    except CampoInvalido:
        return None


def tipo(campo: str, texto: str, enumeracion: type[_Tipo]) -> _Tipo:
    """Devuelve el tipo que nombra el texto, sin distinguir mayúsculas.

    Raises:
        CampoInvalido: falta, o no es uno de los permitidos; el mensaje los enumera.
    """
    if not texto:
        raise CampoInvalido(campo, Codigo.REQUERIDO, "es obligatorio")
    # Solo ASCII: la mayúscula de la i turca sin punto es «I», y un tipo mal escrito pasaría por bueno.
    miembro = enumeracion.__members__.get(texto.upper()) if texto.isascii() else None
    if miembro is None:
        permitidos = ", ".join(enumeracion.__members__)
        raise CampoInvalido(campo, Codigo.VALOR_NO_PERMITIDO, f"debe ser uno de: {permitidos}")
    return miembro


def tipo_guardado(campo: str, texto: str, enumeracion: type[_Tipo]) -> _Tipo:
    """Devuelve el tipo que se guardó con ese nombre exacto.

    Raises:
        CampoInvalido: lo escribió otro programa, o una versión posterior de este.
    """
    try:
        return enumeracion(texto)
    except ValueError:
        raise CampoInvalido(campo, Codigo.VALOR_NO_PERMITIDO, "el programa no lo conoce") from None


def timestamp_creible(
    timestamp: datetime | None,
    recibido_en: datetime,
    propiedades: Mapping[str, str],
    recolector: Recolector,
) -> tuple[datetime | None, Mapping[str, str]]:
    """Devuelve el instante en UTC y las propiedades; de un reloj que no se puede creer solo quedan estas.

    No lo es el anterior al año 2000 ni el que se adelanta más de 24 horas: una pila gastada no debe
    costarle a nadie una venta. Lo que vino queda en `timestamp_recibido`, la primera de las propiedades,
    para que no sea la que sobre; si el cliente usaba ese nombre para otra cosa, cede y se avisa.

    Se juzga frente a `recibido_en` y no frente al reloj de quien juzga: una reentrega de mañana recibe
    el mismo veredicto que hoy.
    """
    if timestamp is None:
        return None, propiedades
    if timestamp.tzinfo is not UTC:
        timestamp = timestamp.astimezone(UTC)
    if TIMESTAMP_MINIMO <= timestamp <= recibido_en + ADELANTO_MAXIMO:
        if timestamp > recibido_en:
            recolector.avisar("reloj_adelantado")
        return timestamp, propiedades
    recolector.avisar("timestamp_fuera_de_rango")
    recibido = timestamp.isoformat().replace("+00:00", "Z")
    if propiedades.get(TIMESTAMP_RECIBIDO, recibido) != recibido:
        recolector.avisar(f"propiedad_sustituida:{TIMESTAMP_RECIBIDO}")
    suyas = {clave: valor for clave, valor in propiedades.items() if clave != TIMESTAMP_RECIBIDO}
    return None, {TIMESTAMP_RECIBIDO: recibido, **suyas}


def clic_legible(
    texto: str | None, propiedades: Mapping[str, str], recolector: Recolector
) -> tuple[str | None, Mapping[str, str]]:
    """Devuelve el identificador del clic y las propiedades; de uno que no puede serlo solo quedan estas.

    Una conversión no se rechaza por su clic: lo que venía queda en `clic_id_recibido`, la primera de las
    propiedades, con un aviso, y quien atribuye sabe que hubo algo. Si el cliente usaba ese nombre para otra
    cosa, cede y se avisa.
    """
    try:
        return identificador_opcional("clic_id", texto), propiedades
    except CampoInvalido:
        recolector.avisar("clic_id_ilegible")
    recibido = texto or ""
    if propiedades.get(CLIC_ID_RECIBIDO, recibido) != recibido:
        recolector.avisar(f"propiedad_sustituida:{CLIC_ID_RECIBIDO}")
    suyas = {clave: valor for clave, valor in propiedades.items() if clave != CLIC_ID_RECIBIDO}
    return None, {CLIC_ID_RECIBIDO: recibido, **suyas}


def momento_de_ocurrencia(timestamp: datetime | None, recibido_en: datetime) -> datetime:
    """Devuelve el instante por el que van listas e informes; un reloj adelantado no escribe el futuro."""
    return recibido_en if timestamp is None or timestamp > recibido_en else timestamp


@dataclass(frozen=True, slots=True)
class ValorConversion:
    """Cuánto vale una conversión y en qué moneda (ISO 4217).

    El importe es un `Decimal` exacto con los decimales de la moneda, nunca un número de coma flotante.
    Una moneda sin importe se conserva: lo que dijo el cliente no se pierde.
    """

    valor: Decimal | None
    moneda: str

    @classmethod
    def crear(
        cls, valor: Decimal | None, moneda: str, ocurrido_en: datetime | None, recolector: Recolector
    ) -> Self:
        """Valida importe y moneda y los normaliza (`150000.0` COP → `150000.00`).

        Anota en el recolector una moneda que no existía cuando ocurrió (o nunca, si no se sabe cuándo fue), y
        un importe negativo, demasiado grande o con más decimales (sin contar ceros finales) que la moneda.
        """
        codigo = codigo_de_moneda(moneda)
        if codigo not in DECIMALES:
            recolector.anotar(
                "moneda",
                Codigo.MONEDA_DESCONOCIDA,
                "debe ser un código de ISO 4217 con unidad menor, como COP, USD o EUR",
            )
        elif codigo in RETIRADA_EN and ocurrido_en is not None and ocurrido_en >= RETIRADA_EN[codigo]:
            recolector.anotar(
                "moneda",
                Codigo.MONEDA_DESCONOCIDA,
                "se retiró de ISO 4217: solo vale para lo que, según su timestamp, ocurrió antes de "
                f"{RETIRADA_EN[codigo]:%Y-%m-%d}",
            )
        decimales = DECIMALES.get(codigo)
        return cls(None if valor is None else recolector.intentar(importe_valido, valor, decimales), codigo)

    @classmethod
    def leer(cls, valor: Decimal | None, moneda: str) -> Self:
        """Lo guardado, con los decimales de su moneda de hoy si así no cambia; no juzga nada."""
        unidad = _UNIDADES_MENORES.get(DECIMALES.get(moneda, -1))
        # Uno ajeno puede no caber, y ajustarlo fallaría.
        if valor is None or unidad is None or valor.adjusted() >= MAXIMO_DIGITOS_ENTEROS:
            return cls(valor, moneda)
        ajustado = valor.quantize(unidad)
        return cls(ajustado if ajustado == valor else valor, moneda)


def codigo_de_moneda(moneda: str) -> str:
    """Devuelve el código en mayúsculas."""
    # Solo ASCII: la mayúscula de una s larga es «S», y uno mal escrito pasaría por bueno.
    return moneda.upper() if moneda.isascii() else moneda


def importe_valido(valor: Decimal, decimales: int | None) -> Decimal:
    """Ajusta el importe a los decimales de su moneda sin expandir jamás su exponente.

    Si no se sabe cuál es (`None`), los de la que más tiene.

    Raises:
        CampoInvalido: no es finito, es negativo, es demasiado grande o le sobran decimales.
    """
    maximo = _DECIMALES_MAXIMOS if decimales is None else decimales
    if not valor.is_finite():
        raise CampoInvalido("valor", Codigo.VALOR_ILEGIBLE, "no es un número finito")
    if valor.is_zero():
        return Decimal((0, (0,), -maximo))
    if valor.is_signed():
        raise CampoInvalido(
            "valor",
            Codigo.VALOR_NEGATIVO,
            "no puede ser negativo; para revertir una venta todavía no hay operación: descuéntela al pagar, "
            "por su id",
        )
    if valor.adjusted() >= MAXIMO_DIGITOS_ENTEROS:
        raise CampoInvalido(
            "valor",
            Codigo.VALOR_DEMASIADO_GRANDE,
            f"admite como mucho {MAXIMO_DIGITOS_ENTEROS} dígitos enteros",
        )
    _, digitos, exponente = valor.as_tuple()
    # `is_finite` ya descartó los exponentes que son letras.
    sobrantes = -int(exponente) - maximo
    if sobrantes > 0 and (sobrantes >= len(digitos) or any(digitos[-sobrantes:])):
        quien = "ninguna moneda admite más de" if decimales is None else "esta moneda admite como mucho"
        raise CampoInvalido("valor", Codigo.DEMASIADOS_DECIMALES, f"{quien} {maximo} decimales")
    return valor.quantize(_UNIDADES_MENORES[maximo])


@dataclass(frozen=True, slots=True)
class Metadatos:
    """Lo que solo describe el contexto de un evento: nunca es motivo para rechazarlo."""

    user_agent: str | None = None
    ip_address: str | None = None
    referrer: str | None = None

    @classmethod
    def limpiar(
        cls, user_agent: str | None, ip_address: str | None, referrer: str | None, recolector: Recolector
    ) -> Self:
        """Repara o descarta cada metadato y deja el aviso de lo que hizo; `""` es ausencia."""
        return cls(
            user_agent_legible(user_agent, recolector) if user_agent else None,
            ip_legible(ip_address, recolector) if ip_address else None,
            referrer_legible(referrer, recolector) if referrer else None,
        )


def recibido_en_creible(
    recibido_en: datetime | None, publicado_en: datetime
) -> tuple[datetime, tuple[str, ...]]:
    """Devuelve cuándo se recibió un comando, y el aviso si hubo que sustituirlo.

    Lo pone quien publica; si falta o dista más de 24 horas de la publicación vale esta.
    """
    if recibido_en is None or abs(recibido_en - publicado_en) > ADELANTO_MAXIMO:
        return publicado_en, ("recibido_en_sustituido",)
    return recibido_en.astimezone(UTC), ()


def advertencias_ajenas(advertencias: Sequence[str]) -> list[str]:
    """Devuelve las advertencias que trae un comando, acotadas: hasta 64, sin controles y cortas.

    Un publicador ajeno puede escribir en ellas lo que quiera; nunca son motivo para rechazar.
    """
    return [
        _CONTROL.sub(ILEGIBLE, en_nfc(aviso))[:LONGITUD_ADVERTENCIA]
        for aviso in advertencias[:MAXIMO_ADVERTENCIAS]
    ]
