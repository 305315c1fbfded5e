"""Lo común a las listas por páginas: cuántos elementos se piden, y el cursor que va de una a la siguiente.

Qué es: leer y escribir el cursor, atado a lo que se pidió, y leer el límite.
Qué no es: qué posición lleva un cursor; cada lista pone la suya.
Por qué existe: un cursor de otra lista, o de otros filtros, daría una página equivocada sin avisar.
"""

import base64
import binascii
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.dominio.excepciones import CampoInvalido

LIMITE_MAXIMO: Final = 1000
LIMITE_POR_OMISION: Final = 100

_VERSION_CURSOR: Final = 1
_EPOCA: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSEGUNDO: Final = timedelta(microseconds=1)


def limite_de_texto(texto: str) -> int:
    """Lee cuántos elementos se piden.

    Raises:
        CampoInvalido: no es un entero entre 1 y el máximo.
    """
    # La longitud se mira antes de convertir: un número de miles de cifras no llega a serlo.
    es_entero = texto.isascii() and texto.isdigit() and len(texto) <= len(str(LIMITE_MAXIMO))
    if not es_entero or not 1 <= int(texto) <= LIMITE_MAXIMO:
        raise CampoInvalido(
            "limite", CodigoDePeticion.PARAMETRO_INVALIDO, f"debe ser un entero entre 1 y {LIMITE_MAXIMO}"
        )
    return int(texto)


def atadura_de(*pedido: object) -> str:
    """Devuelve la huella de lo que se pide: un cursor solo vale con la misma."""
    return hashlib.blake2b(repr(pedido).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def escribir_cursor(atadura: str, cuando: datetime, *clave: str) -> str:
    """Devuelve el cursor de una posición: un instante y lo que ordena a los del mismo."""
    micros = (cuando - _EPOCA) // _MICROSEGUNDO
    contenido = json.dumps([_VERSION_CURSOR, atadura, micros, *clave])
    return base64.urlsafe_b64encode(contenido.encode()).decode().rstrip("=")


def cursor_invalido(de_que: str) -> CampoInvalido:
    """La falta de un cursor que no es de lo que se pide."""
    return CampoInvalido("cursor", CodigoDePeticion.CURSOR_INVALIDO, f"no es un cursor de {de_que}")


def leer_cursor(texto: str, atadura: str, de_que: str) -> tuple[datetime, list[str]]:
    """Lee el instante y la clave de un cursor.

    Raises:
        CampoInvalido: no se entiende, o es de otra lista, de otros filtros o de otra versión.
    """
    try:
        relleno = "=" * (-len(texto) % 4)
        contenido: Any = json.loads(base64.b64decode(texto + relleno, altchars=b"-_", validate=True))
        match contenido:
            case [int(version), str(suya), int(micros), *clave] if (
                version == _VERSION_CURSOR
                and suya == atadura
                and all(isinstance(parte, str) for parte in clave)
            ):
                return _EPOCA + micros * _MICROSEGUNDO, clave
    except (ValueError, RecursionError, OverflowError, binascii.Error):
        raise cursor_invalido(de_que) from None
    raise cursor_invalido(de_que)
