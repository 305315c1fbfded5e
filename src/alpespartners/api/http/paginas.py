"""Lo que comparten las lecturas por páginas: leer sus parámetros, y el enlace a la página siguiente.

Qué es: dos grafías de un parámetro son el mismo, y todas las faltas de una petición se dicen a la vez.
Qué no es: lo que se pide ni el cursor (`aplicacion/consultas`).
"""

from collections.abc import Callable, Collection, Mapping
from typing import Final, TypeVar
from urllib.parse import urlencode

from starlette.requests import Request

from alpespartners.api.http.descripcion import Esquema
from alpespartners.api.http.parametros import leer_parametros
from alpespartners.modulos.tracking.aplicacion.mapeadores import ALIAS
from alpespartners.modulos.tracking.dominio.excepciones import Codigo, DatosInvalidos, Recolector

P = TypeVar("P")

ENLACE: Final[Esquema] = {
    "description": 'La página siguiente, si la hay: `<…>; rel="next"` (RFC 8288).',
    "schema": {"type": "string", "pattern": '^<[^>]+>; rel="next"$'},
}


def leer_peticion(
    peticion: Request, admitidos: Collection[str], leer: Callable[[Mapping[str, str]], P]
) -> tuple[Mapping[str, str], P]:
    """Devuelve los parámetros por su nombre canónico, y lo que con ellos se pide.

    Raises:
        DatosInvalidos: con todas las faltas: las de los parámetros y las de lo que dicen.
    """
    recolector = Recolector()
    alias = {nombre for nombre, canonico in ALIAS.items() if canonico in admitidos}
    escritos = leer_parametros(peticion.scope["query_string"], {*admitidos, *alias}, recolector)
    parametros: dict[str, str] = {}
    for nombre, valor in escritos.items():
        canonico = ALIAS.get(nombre, nombre)
        if parametros.setdefault(canonico, valor) != valor:
            recolector.anotar(canonico, Codigo.CAMPO_REPETIDO, "aparece con dos grafías y valores distintos")
    try:
        pedido = leer(parametros)
    except DatosInvalidos as invalidos:
        raise DatosInvalidos([*recolector.fallos, *invalidos.fallos]) from None
    recolector.exigir()
    return parametros, pedido


def enlace(direccion: str, parametros: Mapping[str, str], cursor: str) -> str:
    """La cabecera `Link` que lleva a la página de ese cursor, con los mismos filtros."""
    return f'<{direccion}?{urlencode({**parametros, "cursor": cursor})}>; rel="next"'
