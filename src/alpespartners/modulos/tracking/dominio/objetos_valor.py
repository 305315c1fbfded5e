"""Los valores de un evento y la regla de cada uno.

Qué es: funciones y objetos inmutables que aceptan un valor ya tipado y lo devuelven normalizado, o
dicen con `CampoInvalido` por qué no vale. Identidad, tipo, dinero y tiempo son estrictos; lo que solo
describe (`Metadatos`) se repara o se descarta con un aviso, porque un mal `referrer` no debe costarle
a nadie una venta pagada.
Qué no es: lectura de JSON o de Avro; eso ocurre antes, en los mapeadores.
Por qué existe: la API y el consumidor juzgan con estas mismas reglas. Todas son idempotentes: aplicar
una a su propio resultado no lo cambia.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import islice
from typing import Self, TypeVar
from urllib.parse import urlsplit

from alpespartners.modulos.tracking.dominio.excepciones import (
    CampoInvalido,
    Codigo,
    CodigoDeFalta,
    Recolector,
)
from alpespartners.modulos.tracking.dominio.monedas import DECIMALES

LONGITUD_IDENTIFICADOR = 128
LONGITUD_USER_AGENT = 1024
LONGITUD_REFERRER = 2048
MAXIMO_PROPIEDADES = 32
PROPIEDADES_QUE_SE_JUZGAN = 128
"""De las que sobran también se dicen las faltas, con un límite: un rechazo se guarda con todas las suyas."""
LONGITUD_CLAVE_PROPIEDAD = 64
LONGITUD_VALOR_PROPIEDAD = 256
MAXIMO_DIGITOS_ENTEROS = 14
MAXIMO_ADVERTENCIAS = 64
LONGITUD_ADVERTENCIA = 128
TIMESTAMP_MINIMO = datetime(2000, 1, 1, tzinfo=UTC)
ADELANTO_MAXIMO = timedelta(hours=24)

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SUSTITUTO = re.compile(r"[\ud800-\udfff]")
_ILEGIBLE_EN_UN_NOMBRE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_FUERA_DE_UNA_URL = re.compile(r"[\x00-\x1f\x7f-\x9f\s\\]")
_DECIMALES_MAXIMOS = max(DECIMALES.values())
_UNIDADES_MENORES = {decimales: Decimal((0, (1,), -decimales)) for decimales in DECIMALES.values()}
_ESQUEMAS_REFERRER = frozenset({"http", "https", "android-app", "ios-app"})


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


def texto_normalizado(campo: str, texto: str) -> str:
    """Devuelve el texto en forma NFC (UAX #15).

    Raises:
        CampoInvalido: el texto tiene un sustituto suelto (RFC 8259 §8.2), que no existe en UTF-8.
    """
    if texto.isascii():
        return texto
    if _SUSTITUTO.search(texto):
        raise CampoInvalido(campo, Codigo.SUSTITUTO_SUELTO, "contiene un carácter sustituto suelto")
    return unicodedata.normalize("NFC", texto)


def identificador(campo: str, texto: str, maximo: int = LONGITUD_IDENTIFICADOR) -> str:
    """Devuelve un identificador normalizado: de 1 a `maximo` caracteres, sin controles ni espacios al borde.

    Raises:
        CampoInvalido: falta o incumple la regla.
    """
    texto = texto_normalizado(campo, texto)
    if not texto:
        raise CampoInvalido(campo, Codigo.REQUERIDO, "es obligatorio")
    if len(texto) > maximo:
        raise CampoInvalido(campo, Codigo.LONGITUD_EXCEDIDA, f"admite como mucho {maximo} caracteres")
    if _CONTROL.search(texto):
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


def timestamp_valido(timestamp: datetime, recibido_en: datetime) -> datetime:
    """Devuelve el instante en UTC, si es creíble frente al momento en que se recibió.

    Se juzga frente a `recibido_en` y no frente al reloj de quien juzga: una reentrega de mañana recibe
    el mismo veredicto que hoy.

    Raises:
        CampoInvalido: es anterior al año 2000 o se adelanta más de 24 horas a `recibido_en`.
    """
    if timestamp < TIMESTAMP_MINIMO:
        raise CampoInvalido(
            "timestamp", Codigo.TIMESTAMP_DEMASIADO_ANTIGUO, "es anterior a 2000-01-01T00:00:00Z"
        )
    if timestamp > recibido_en + ADELANTO_MAXIMO:
        raise CampoInvalido(
            "timestamp", Codigo.TIMESTAMP_EN_EL_FUTURO, "se adelanta más de 24 horas al reloj del servidor"
        )
    return timestamp if timestamp.tzinfo is UTC else timestamp.astimezone(UTC)


def propiedades_validas(propiedades: Mapping[str, str], recolector: Recolector) -> dict[str, str]:
    """Devuelve las propiedades en NFC: hasta 32, claves de 1 a 64 caracteres, valores de hasta 256.

    Las que incumplen la regla quedan fuera y en el recolector, cada una con su falta; el campo es
    `propiedades.<clave>`.
    """
    validas: dict[str, str] = {}
    if not propiedades:
        return validas
    if len(propiedades) > MAXIMO_PROPIEDADES:
        recolector.anotar(
            "propiedades",
            Codigo.DEMASIADAS_PROPIEDADES,
            f"admite como mucho {MAXIMO_PROPIEDADES}, y entre ellas cuentan los campos desconocidos",
        )
    for clave, valor in islice(propiedades.items(), PROPIEDADES_QUE_SE_JUZGAN):
        try:
            clave_normal, valor_normal = _propiedad_valida(clave, valor)
        except CampoInvalido as invalido:
            anotar_propiedad(clave, invalido.fallo.codigo, invalido.fallo.mensaje, recolector)
        else:
            if validas.setdefault(clave_normal, valor_normal) != valor_normal:
                anotar_propiedad(
                    clave, Codigo.CAMPO_REPETIDO, "aparece dos veces con valores distintos", recolector
                )
    return validas


def anotar_propiedad(clave: str, codigo: CodigoDeFalta, mensaje: str, recolector: Recolector) -> None:
    """Anota la falta de una propiedad.

    Se distingue por su clave entera: dos que se leen igual, recortadas y sin controles, son dos faltas.
    """
    recolector.anotar(f"propiedades.{clave}", codigo, mensaje, nombre=f"propiedades.{nombre_legible(clave)}")


def nombre_legible(nombre: str) -> str:
    """Devuelve un nombre ajeno en condiciones de ir en una respuesta: sin controles, corto y visible."""
    return _ILEGIBLE_EN_UN_NOMBRE.sub("\ufffd", nombre)[:LONGITUD_CLAVE_PROPIEDAD] or "(vacío)"


def _propiedad_valida(clave: str, valor: str) -> tuple[str, str]:
    clave_normal = texto_normalizado(clave, clave)
    if not clave_normal:
        raise CampoInvalido(clave, Codigo.REQUERIDO, "su nombre está vacío")
    if len(clave_normal) > LONGITUD_CLAVE_PROPIEDAD:
        raise CampoInvalido(
            clave, Codigo.LONGITUD_EXCEDIDA, f"su nombre pasa de {LONGITUD_CLAVE_PROPIEDAD} caracteres"
        )
    if _CONTROL.search(clave_normal):
        raise CampoInvalido(clave, Codigo.CARACTER_DE_CONTROL, "su nombre contiene un carácter de control")
    valor_normal = texto_normalizado(clave, valor)
    if len(valor_normal) > LONGITUD_VALOR_PROPIEDAD:
        raise CampoInvalido(
            clave, Codigo.LONGITUD_EXCEDIDA, f"admite como mucho {LONGITUD_VALOR_PROPIEDAD} caracteres"
        )
    if "\x00" in valor_normal:
        raise CampoInvalido(clave, Codigo.CARACTER_DE_CONTROL, "contiene el carácter NUL")
    return clave_normal, valor_normal


@dataclass(frozen=True, slots=True)
class ValorConversion:
    """Cuánto vale una conversión y en qué moneda (ISO 4217).

    El importe es un `Decimal` exacto con los decimales de la moneda, nunca un número de coma flotante.
    Una moneda sin importe se conserva: lo que dijo el cliente no se pierde.
    """

    valor: Decimal | None
    moneda: str

    @classmethod
    def crear(cls, valor: Decimal | None, moneda: str, recolector: Recolector) -> Self:
        """Valida importe y moneda y los normaliza (`150000.0` COP → `150000.00`).

        Anota en el recolector una moneda desconocida, y un importe negativo, demasiado grande o con más
        decimales (sin contar ceros finales) que la moneda.
        """
        codigo = moneda.upper() if moneda.isascii() else moneda
        decimales = DECIMALES.get(codigo)
        if decimales is None:
            recolector.anotar(
                "moneda", Codigo.MONEDA_DESCONOCIDA, "no es un código activo de ISO 4217 con unidad menor"
            )
            decimales = _DECIMALES_MAXIMOS
        return cls(None if valor is None else recolector.intentar(_importe, valor, decimales), codigo)

    @classmethod
    def leer(cls, valor: Decimal | None, moneda: str) -> Self:
        """Lo guardado, con los decimales de su moneda de hoy si así no cambia; no juzga nada."""
        unidad = _UNIDADES_MENORES.get(DECIMALES.get(moneda, -1))
        # Uno ajeno puede no caber, y ajustarlo fallaría.
        if valor is None or unidad is None or valor.adjusted() >= MAXIMO_DIGITOS_ENTEROS:
            return cls(valor, moneda)
        ajustado = valor.quantize(unidad)
        return cls(ajustado if ajustado == valor else valor, moneda)


def _importe(valor: Decimal, decimales: int) -> Decimal:
    """Ajusta el importe a los decimales de su moneda sin expandir jamás su exponente."""
    if not valor.is_finite():
        raise CampoInvalido("valor", Codigo.VALOR_ILEGIBLE, "no es un número finito")
    if valor.is_zero():
        return Decimal((0, (0,), -decimales))
    if valor.is_signed():
        raise CampoInvalido("valor", Codigo.VALOR_NEGATIVO, "no puede ser negativo")
    if valor.adjusted() >= MAXIMO_DIGITOS_ENTEROS:
        raise CampoInvalido(
            "valor",
            Codigo.VALOR_DEMASIADO_GRANDE,
            f"admite como mucho {MAXIMO_DIGITOS_ENTEROS} dígitos enteros",
        )
    _, digitos, exponente = valor.as_tuple()
    # `is_finite` ya descartó los exponentes que son letras.
    sobrantes = -int(exponente) - decimales
    if sobrantes > 0 and (sobrantes >= len(digitos) or any(digitos[-sobrantes:])):
        raise CampoInvalido(
            "valor", Codigo.DEMASIADOS_DECIMALES, f"esta moneda admite como mucho {decimales} decimales"
        )
    return valor.quantize(_UNIDADES_MENORES[decimales])


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
        """Repara o descarta cada metadato y deja en el recolector el aviso de lo que hizo.

        Solo un sustituto suelto es una falta: ni siquiera puede guardarse su reparación.
        """
        agente = _metadato("user_agent", user_agent, recolector)
        if agente is not None:
            if not agente.isprintable():
                agente = _CONTROL.sub("\ufffd", agente)
            if len(agente) > LONGITUD_USER_AGENT:
                agente = agente[:LONGITUD_USER_AGENT]
                recolector.avisar("user_agent_recortado")
        direccion = _metadato("ip_address", ip_address, recolector)
        if direccion is not None:
            direccion = _direccion_canonica(direccion)
            if direccion is None:
                recolector.avisar("ip_ilegible")
        procedencia = _metadato("referrer", referrer, recolector)
        if procedencia is not None:
            procedencia = _referrer_legible(procedencia)
            if procedencia is None:
                recolector.avisar("referrer_ilegible")
        return cls(agente, direccion, procedencia)


def _metadato(campo: str, texto: str | None, recolector: Recolector) -> str | None:
    if not texto or texto.isascii():
        return texto or None
    return recolector.intentar(texto_normalizado, campo, texto)


def _direccion_canonica(texto: str) -> str | None:
    """Forma canónica de una IPv4 o IPv6 (RFC 5952); una IPv4 envuelta en IPv6 vuelve a ser IPv4."""
    try:
        direccion = ipaddress.ip_address(texto)
    except ValueError:
        return None
    if isinstance(direccion, ipaddress.IPv4Address):
        # Python solo lee la que está escrita de la única manera canónica.
        return texto
    return None if direccion.scope_id is not None else str(direccion.ipv4_mapped or direccion)


def _referrer_legible(texto: str) -> str | None:
    """El mismo texto si es una URL (RFC 3986) con anfitrión y un esquema de web o de aplicación."""
    return texto if len(texto) <= LONGITUD_REFERRER and _es_referrer(texto) else None


def _es_referrer(texto: str) -> bool:
    if _FUERA_DE_UNA_URL.search(texto):
        return False
    try:
        partes = urlsplit(texto)
    except ValueError:
        return False
    return partes.scheme in _ESQUEMAS_REFERRER and bool(partes.hostname)


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
        _CONTROL.sub("\ufffd", unicodedata.normalize("NFC", aviso))[:LONGITUD_ADVERTENCIA]
        for aviso in advertencias[:MAXIMO_ADVERTENCIAS]
    ]
