"""Instantes e importes tal como los escribe una persona o un programa, convertidos sin perder nada.

Qué es: la lectura de un texto RFC 3339 y de un importe decimal, que rechaza el que se lee de dos maneras.
Qué no es: la regla que decide si el instante o el importe valen; esa es del dominio.
Por qué existe: las bibliotecas aceptan de más (`0`, `2024-01-15`, `" 15 "`, `١٢`) o pasan por coma
flotante, y aquí se paga dinero por cada dígito. Lo ambiguo es lo escrito, no la cantidad: un comando lleva un
decimal, y por eso la regla está aquí y no en el dominio.
"""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.dominio.excepciones import CampoInvalido, Codigo
from alpespartners.modulos.tracking.dominio.monedas import DECIMALES
from alpespartners.modulos.tracking.dominio.objetos_valor import codigo_de_moneda
from alpespartners.seedwork.json_estricto import NumeroJson

_RFC_3339 = re.compile(
    r"(\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))[Tt]"
    r"((?:[01]\d|2[0-3]):[0-5]\d:)([0-5]\d|60)(\.\d+)?"
    r"([Zz]|[+-](?:[01]\d|2[0-3]):?[0-5]\d)",
    re.ASCII,
)
_IMPORTE = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")

CON_PUNTO_DE_MILES = re.compile(r"[1-9][0-9]{0,2}\.[0-9]{3}")
"""El importe que, según quién lo lea, tiene un millar o tres decimales."""
CIFRAS_DE_UN_MILLAR = 3
"""En una moneda con tantos decimales o más, lo que sigue al punto son decimales para todos."""
FORMA_DE_UN_INSTANTE = "RFC 3339 con zona, como 2024-01-15T10:30:00Z"
"""Cómo se escribe un instante, para decírselo a quien lo escribió de otra manera."""


def instante_de_texto(campo: str, texto: str, forma: str = FORMA_DE_UN_INSTANTE) -> datetime:
    """Lee un instante RFC 3339 con desplazamiento y lo devuelve en UTC, truncado a microsegundos.

    El desplazamiento vale también sin dos puntos (`-0700`, como lo escribe `strftime`). Un segundo
    intercalar (`:60`, RFC 3339 §5.7: solo al acabar un mes en UTC) es el comienzo del siguiente.

    Raises:
        CampoInvalido: no es RFC 3339, no lleva desplazamiento o no cabe en el calendario en UTC.
    """
    partes = _RFC_3339.fullmatch(texto)
    if partes is None:
        raise CampoInvalido(campo, Codigo.TIMESTAMP_ILEGIBLE, f"debe ser {forma}")
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


def instante_de_parametro(campo: str, texto: str) -> datetime:
    """Como `instante_de_texto`, pero a quien perdió el + en una URL (llega como espacio) se lo recuerda.

    Solo a él: el mismo filtro se escribe también en una terminal.

    Raises:
        CampoInvalido: lo mismo.
    """
    if _RFC_3339.fullmatch("+".join(texto.rsplit(" ", 1))) and not _RFC_3339.fullmatch(texto):
        return instante_de_texto(campo, texto, f"{FORMA_DE_UN_INSTANTE} (en una URL, el + se escribe %2B)")
    return instante_de_texto(campo, texto)


def importe(campo: str, escrito: str, moneda: str | None) -> Decimal:
    """Lee un importe, venga como número JSON o como texto.

    `150.000` es ciento cincuenta mil para quien escribe en español y ciento cincuenta para un programa:
    salvo en una moneda con tres decimales o más, no se elige por nadie; tampoco si falta o no se conoce.

    Raises:
        CampoInvalido: no es un importe, o se lee de dos maneras.
    """
    leer = importe_de_literal if isinstance(escrito, NumeroJson) else importe_de_texto
    leido = leer(campo, escrito)
    if CON_PUNTO_DE_MILES.fullmatch(escrito):
        decimales = DECIMALES.get(codigo_de_moneda(moneda or ""))
        if decimales is None or decimales < CIFRAS_DE_UN_MILLAR:
            raise CampoInvalido(campo, CodigoDePeticion.VALOR_AMBIGUO, _las_dos_lecturas(escrito, decimales))
    return leido


def _las_dos_lecturas(escrito: str, decimales: int | None) -> str:
    """Dice cómo se escribe cada lectura sin que quede duda; es la única falta que repite lo que vino."""
    enteros, _, fraccion = escrito.partition(".")
    significativos = fraccion.rstrip("0")
    miles = f"escriba {enteros}{fraccion} si el punto separa miles"
    if decimales is not None and len(significativos) > decimales:
        demasiados = f"{enteros}.{significativos} tiene más de los que admite esta moneda"
        return f"se lee de dos maneras: {miles}; si separa decimales, {demasiados}"
    # Con un cero más, tres decimales ya no se confunden con un millar.
    ceros = "0" if len(significativos) == CIFRAS_DE_UN_MILLAR else ""
    exacto = f"{enteros}.{significativos}{ceros}".rstrip(".")
    return f"se lee de dos maneras: {miles}, o {exacto} si separa decimales"


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

    El signo se lee para que el dominio diga lo mismo de `"-10"` que de `-10`.

    Raises:
        CampoInvalido: no tiene esa forma.
    """
    if not _IMPORTE.fullmatch(texto):
        raise CampoInvalido(campo, Codigo.VALOR_ILEGIBLE, "debe tener la forma 150000 o 150000.50")
    return Decimal(texto)
