"""Los `id` que quizá quiso escribir quien escribió otro.

Qué es: lo escrito, sin lo que se pega sin querer (espacios, comillas, lo que no se ve), sin los escapes de
una dirección, con otras letras mayúsculas, y con o sin el prefijo de una clave.
Qué no es: una búsqueda por parecido; cada uno se mira tal cual, y no se cambia el `id` de nadie.
Por qué existe: los `id` son exactos, y quien atiende a un cliente los copia de un correo.
"""

import re
from collections.abc import Collection, Iterator
from itertools import chain
from typing import Final
from urllib.parse import unquote, urlsplit

from alpespartners.modulos.tracking.aplicacion.clases import CLASES
from alpespartners.modulos.tracking.aplicacion.invisibles import UNO_INVISIBLE
from alpespartners.modulos.tracking.dominio.objetos_valor import id_consultable

_SOBRA: Final = re.compile(rf"{UNO_INVISIBLE}|[\x00-\x1f\x7f-\x9f]")
_ALREDEDOR: Final = " \u00a0\"'`«»\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f<>()[]{},;:.#"
_DE_UN_EVENTO: Final = re.compile(
    rf"/tracking/(?:{'|'.join(clase.plural for clase in CLASES)})/(.+?)(?:/destino)?$"
)
_PASADAS: Final = 3
"""Las veces que se quita algo: `%2522` es una comilla codificada dos veces."""


def parecidos(escrito: str, prefijos: Collection[str]) -> list[str]:
    """Los que pueden ser un `id`, sin repetir y sin el escrito, del más parecido al menos."""
    limpios = list(dict.fromkeys(_limpios(escrito)))
    cajas = [caja for limpio in limpios for caja in (limpio.lower(), limpio.upper())]
    con_prefijo = chain.from_iterable(_con_y_sin(limpio, prefijos) for limpio in (escrito, *limpios))
    propio = id_consultable(escrito)
    todos = map(id_consultable, (*limpios, *con_prefijo, *cajas))
    return [uno for uno in dict.fromkeys(todos) if uno is not None and uno != propio]


def _limpios(escrito: str) -> Iterator[str]:
    texto = escrito
    for _ in range(_PASADAS):
        for paso in (_sin_lo_invisible, _sin_lo_de_alrededor, unquote, _de_su_direccion):
            texto = paso(texto)
            yield texto


def _sin_lo_invisible(texto: str) -> str:
    return _SOBRA.sub("", texto)


def _sin_lo_de_alrededor(texto: str) -> str:
    return texto.strip(_ALREDEDOR)


def _de_su_direccion(texto: str) -> str:
    """De la dirección de un evento o de su destino, el `id`."""
    hallado = _DE_UN_EVENTO.search(_ruta(texto))
    return texto if hallado is None else hallado[1]


def _ruta(texto: str) -> str:
    try:
        return urlsplit(texto).path
    except ValueError:
        return texto


def _con_y_sin(limpio: str, prefijos: Collection[str]) -> Iterator[str]:
    for prefijo in sorted(prefijos):
        yield limpio.removeprefix(prefijo) if limpio.startswith(prefijo) else prefijo + limpio
