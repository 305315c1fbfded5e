"""Lo que comparten las lecturas por páginas: el límite, el texto de un cursor y a qué está atado.

Qué es: un cursor es opaco para quien lo lleva, y solo vale para la misma lectura con los mismos filtros.
Qué no es: la posición que lleva dentro, que es de cada lectura.
Por qué existe: un cursor de otra lectura que se aceptara se saltaría eventos sin que nadie lo supiera.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.dominio.excepciones import CampoInvalido, Recolector
from alpespartners.modulos.tracking.dominio.objetos_valor import identificador

LIMITE_MAXIMO: Final = 1000
LIMITE_POR_OMISION: Final = 100
EPOCA: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSEGUNDO: Final = timedelta(microseconds=1)
"""Un instante va en un cursor como los que hay desde la época: un entero no pierde ninguno."""


def lector_de(parametros: Mapping[str, str], recolector: Recolector) -> Callable[..., Any]:
    """Lo que lee un parámetro con una regla, que recibe su nombre, su texto y lo demás que se le dé.

    Si falta, o si incumple la regla y el recolector lo anota, vale `None`.
    """

    def leer(nombre: str, regla: Callable[..., Any], *mas: object) -> Any:
        return recolector.intentar(regla, nombre, parametros[nombre], *mas) if nombre in parametros else None

    return leer


def limite_de(nombre: str, texto: str) -> int:
    """El límite que dice un parámetro.

    Raises:
        CampoInvalido: no es un entero entre 1 y el máximo.
    """
    # La longitud se mira antes de convertir: un número de miles de cifras no llega a serlo.
    es_entero = texto.isascii() and texto.isdigit() and len(texto) <= len(str(LIMITE_MAXIMO))
    if not es_entero or not 1 <= int(texto) <= LIMITE_MAXIMO:
        raise CampoInvalido(
            nombre, CodigoDePeticion.PARAMETRO_INVALIDO, f"debe ser un entero entre 1 y {LIMITE_MAXIMO}"
        )
    return int(texto)


def atadura_de(filtro: object, permitidos: frozenset[str]) -> str:
    """La huella de un filtro y de los parámetros que su lectura admite, que la distinguen de las demás."""
    identidad = repr((filtro, sorted(permitidos))).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(identidad, digest_size=8).hexdigest()


def cursor_en_texto(*partes: str | int) -> str:
    """El texto de un cursor, que puede ir en una URL."""
    return base64.urlsafe_b64encode(json.dumps(partes).encode()).decode().rstrip("=")


def partes_del_cursor(texto: str) -> Any:
    """Lo que lleva el texto de un cursor, o `None` si no es ninguno; puede ser cualquier JSON."""
    try:
        relleno = "=" * (-len(texto) % 4)
        return json.loads(base64.b64decode(texto + relleno, altchars=b"-_", validate=True))
    except (ValueError, RecursionError, binascii.Error):
        return None


def cursor_de_lugar(version: int, atadura: str, instante: datetime, identidad: str) -> str:
    """El de una lista que va por un instante y, en él, por un identificador."""
    return cursor_en_texto(version, atadura, (instante - EPOCA) // MICROSEGUNDO, identidad)


def lugar_del_cursor(nombre: str, texto: str, version: int, atadura: str) -> tuple[datetime, str]:
    """El instante y el identificador que lleva.

    Nadie firma un cursor: el que se escribe a mano no puede hacer fallar la consulta.

    Raises:
        CampoInvalido: no es de esa lista con esos filtros.
    """
    invalido = CampoInvalido(
        nombre, CodigoDePeticion.CURSOR_INVALIDO, "no es un cursor de esta lista con estos filtros"
    )
    match partes_del_cursor(texto):
        case [int(suya), str(atada), int(micros), str(identidad)] if suya == version and atada == atadura:
            pass
        case _:
            raise invalido
    try:
        return EPOCA + micros * MICROSEGUNDO, identificador(nombre, identidad)
    except (OverflowError, CampoInvalido):
        raise invalido from None
