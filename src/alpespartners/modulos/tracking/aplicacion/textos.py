"""Instantes e importes tal como los escribe una persona o un programa, convertidos sin perder nada.

Qué es: la lectura de un texto RFC 3339 y de un importe decimal.
Qué no es: la regla que decide si el instante o el importe valen; esa es del dominio.
Por qué existe: las bibliotecas aceptan de más (`0`, `2024-01-15`, `" 15 "`, `١٢`) o pasan por coma
flotante, y aquí se paga dinero por cada dígito.
"""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

from alpespartners.modulos.tracking.dominio.excepciones import CampoInvalido, Codigo
from alpespartners.seedwork.json_estricto import NumeroJson

_RFC_3339 = re.compile(
    r"(\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))[Tt]"
    r"((?:[01]\d|2[0-3]):[0-5]\d:)([0-5]\d|60)(\.\d+)?"
    r"([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
_IMPORTE = re.compile(r"[0-9]+(?:\.[0-9]+)?")


def instante_de_texto(campo: str, texto: str) -> datetime:
    """Lee un instante RFC 3339 con desplazamiento y lo devuelve en UTC, truncado a microsegundos.

    Un segundo intercalar (`:60`, RFC 3339 §5.7: solo al acabar un mes en UTC) es el comienzo del siguiente.

    Raises:
        CampoInvalido: no es RFC 3339, no lleva desplazamiento o no cabe en el calendario en UTC.
    """
    partes = _RFC_3339.fullmatch(texto)
    if partes is None:
        raise CampoInvalido(
            campo,
            Codigo.TIMESTAMP_ILEGIBLE,
            "debe ser RFC 3339 con zona, como 2024-01-15T10:30:00Z (en una URL, el + se escribe %2B)",
        )
    fecha, hora, segundo, fraccion, zona = partes.groups()
    intercalar = segundo == "60"
    try:
        instante = datetime.fromisoformat(
            f"{fecha}T{hora}{'59' if intercalar else segundo}{(fraccion or '')[:7]}{zona.upper()}"
        ).astimezone(UTC)
        if intercalar:
            instante += timedelta(seconds=1)
    except (ValueError, OverflowError):
        raise CampoInvalido(campo, Codigo.TIMESTAMP_ILEGIBLE, "no es una fecha que exista") from None
    if intercalar and (instante.day, instante.hour, instante.minute) != (1, 0, 0):
        raise CampoInvalido(
            campo, Codigo.TIMESTAMP_ILEGIBLE, "un segundo 60 solo existe a fin de mes, a las 23:59:60 UTC"
        )
    return instante


def importe(campo: str, escrito: str) -> Decimal:
    """Lee un importe, venga como número JSON o como texto.

    Raises:
        CampoInvalido: no es un importe.
    """
    leer = importe_de_literal if isinstance(escrito, NumeroJson) else importe_de_texto
    return leer(campo, escrito)


def importe_de_literal(campo: str, literal: str) -> Decimal:
    """Lee el literal de un número JSON (RFC 8259 §6), con exponente o sin él, sin expandirlo.

    Raises:
        CampoInvalido: su exponente no cabe en un `Decimal`.
    """
    try:
        return Decimal(literal)
    except InvalidOperation:
        raise CampoInvalido(campo, Codigo.VALOR_ILEGIBLE, "su exponente es desmesurado") from None


def importe_de_texto(campo: str, texto: str) -> Decimal:
    """Lee un importe escrito como texto: dígitos ASCII, con punto decimal o sin él.

    Raises:
        CampoInvalido: no tiene esa forma.
    """
    if not _IMPORTE.fullmatch(texto):
        raise CampoInvalido(campo, Codigo.VALOR_ILEGIBLE, "debe tener la forma 150000 o 150000.50")
    return Decimal(texto)
