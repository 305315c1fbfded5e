"""Un cuerpo de un dialecto en sus partes: lo que dice el sobre y los octetos de cada suceso, sin leerlos.

Qué es: el corte de una lista de sucesos, o de la que lleva un objeto en su campo, por donde acaba cada uno.
Qué no es: la lectura de un suceso (`lectura.py`). Uno que no es JSON sale como los demás.
Por qué existe: leído de una vez, un suceso con un `NaN` echaría a perder los de su envío, y uno de muchas
partes pararía el proceso. El campo de la clave y el del reloj pueden ir detrás de la lista: por eso se corta
antes de leer ninguno.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from itertools import chain
from typing import Any, Final, NamedTuple

from alpespartners.api.http.problemas import ErrorHTTP
from alpespartners.seedwork.json_estricto import JsonIlegible, leer_json
from alpespartners.seedwork.json_por_partes import AnidaDeMas, DeUnaLista, contar_signos
from alpespartners.seedwork.respiro import Respiro

SUCESOS_MAXIMOS: Final = 1_000
OCTETOS_DE_UN_SUCESO: Final = 32 * 1024
SIGNOS_MAXIMOS: Final = OCTETOS_DE_UN_SUCESO
"""Comas, dos puntos y aperturas de lo que se lee de una vez: un suceso, o el sobre sin ellos.

Los tiene como mucho un suceso que cabe; leerlos lleva unas centésimas de segundo.
"""
SIGNOS_SUELTOS: Final = 8 * SIGNOS_MAXIMOS
"""Los que se miran de uno en uno para cortar un cuerpo, que lleva un par de décimas de segundo.

Mil sucesos de veinte niveles llevan la sexta parte. De uno que los gaste todos no se sabe dónde acaba.
"""
LISTA: Final = "batch"
"""El campo del sobre en que van los sucesos, en todos los dialectos."""

_BLANCOS: Final = b" \t\n\r"
_OCTETOS_DE_UN_TROZO: Final = 32 * 1024
_NOMBRE_DE_LA_LISTA: Final = re.compile(rb'"%b"[ \t\n\r]*+:[ \t\n\r]*+(?=\[)' % LISTA.encode())


class Cuerpo(NamedTuple):
    """Lo que trae una petición.

    Attributes:
        octetos: todos, sin los blancos de alrededor.
        sobre: los campos del objeto, con `None` en el de la lista; si el cuerpo es una lista, `None`.
        sucesos: los octetos de cada elemento de la lista; si no hay lista, `None`.
    """

    octetos: bytes
    sobre: Mapping[str, Any] | None
    sucesos: Sequence[bytes] | None


def cuesta_leer(octetos: bytes) -> bool:
    """Dice si lleva más signos de los que se leen de una vez."""
    return contar_signos(octetos) > SIGNOS_MAXIMOS


async def abrir(octetos: bytes, respiro: Respiro) -> Cuerpo:
    """El cuerpo en sus partes, que se cortan dejando paso a otras tareas.

    Raises:
        JsonIlegible: no es un objeto ni una lista; no se sabe dónde acaba alguna de sus partes; o el sobre,
            sin los sucesos, no es JSON.
        ErrorHTTP: 413, lleva demasiados sucesos, o cuesta demasiado cortarlo o leer el sobre.
    """
    cuerpo = octetos.strip(_BLANCOS)
    if cuerpo.startswith(b"["):
        return Cuerpo(cuerpo, None, await _sucesos(cuerpo, respiro))
    if not cuerpo.startswith(b"{"):
        raise JsonIlegible("El cuerpo no es un objeto ni una lista JSON, en UTF-8 y sin marca BOM.")
    sucesos: Sequence[bytes] | None = None
    campos: list[bytes] = []
    for campo in await _campos(cuerpo, respiro):
        lista = _NOMBRE_DE_LA_LISTA.match(campo)
        if lista is None:
            campos.append(campo)
        else:
            sucesos = await _sucesos(campo[lista.end() :], respiro)
            campos.append(lista[0] + b"null")
    sobre = b"{" + b",".join(campos) + b"}"
    if cuesta_leer(sobre):
        raise _demasiados_signos()
    leido = leer_json(sobre)
    return Cuerpo(cuerpo, leido if isinstance(leido, dict) else {}, sucesos)


async def _sucesos(lista: bytes, respiro: Respiro) -> list[bytes]:
    elementos = await _separados(_en_trozos(lista), len(lista), respiro, SUCESOS_MAXIMOS)
    if len(elementos) > SUCESOS_MAXIMOS:
        raise _demasiados()
    return elementos


async def _campos(objeto: bytes, respiro: Respiro) -> list[bytes]:
    """Los de un objeto, cada uno con su nombre: se cortan como los elementos de una lista."""
    if not objeto.endswith(b"}"):
        raise _sin_cerrar()
    trozos = chain([b"["], _en_trozos(objeto[1:-1]), [b"]"])
    try:
        campos = await _separados(trozos, len(objeto), respiro, SIGNOS_MAXIMOS)
    except JsonIlegible:
        raise _sin_cerrar() from None
    if len(campos) > SIGNOS_MAXIMOS:
        raise _demasiados_signos()
    return campos


async def _separados(trozos: Iterator[bytes], octetos: int, respiro: Respiro, maximo: int) -> list[bytes]:
    """Los elementos de una lista, que miden en total esos octetos; deja de cortar al pasar del máximo."""
    separador = DeUnaLista(octetos, SIGNOS_SUELTOS)
    elementos: list[bytes] = []
    for trozo in trozos:
        try:
            elementos += [elemento for elemento in separador.separar(trozo) if elemento is not None]
        except AnidaDeMas:
            raise _demasiado_anidado() from None
        if len(elementos) > maximo:
            return elementos
        await respiro.respirar()
    # No da ninguno: dice si la lista está a medias.
    elementos.extend(filter(None, separador.acabar()))
    return elementos


def _en_trozos(octetos: bytes) -> Iterator[bytes]:
    for desde in range(0, len(octetos), _OCTETOS_DE_UN_TROZO):
        yield octetos[desde : desde + _OCTETOS_DE_UN_TROZO]


def _sin_cerrar() -> JsonIlegible:
    return JsonIlegible("El cuerpo no es JSON: sobran o faltan comillas, comas, corchetes o llaves.")


def _demasiados() -> ErrorHTTP:
    return ErrorHTTP(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "demasiados_elementos",
        "Demasiados elementos",
        f"Un envío lleva como mucho {SUCESOS_MAXIMOS} sucesos.",
    )


def _demasiado_anidado() -> ErrorHTTP:
    return ErrorHTTP(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "demasiados_elementos",
        "Demasiados elementos",
        "El cuerpo lleva demasiados objetos y listas unos dentro de otros: envíe menos sucesos en cada uno, "
        "o con menos niveles.",
    )


def _demasiados_signos() -> ErrorHTTP:
    return ErrorHTTP(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "demasiados_elementos",
        "Demasiados elementos",
        f"El cuerpo, sin la lista de sucesos, lleva más de {SIGNOS_MAXIMOS} comas, dos puntos, corchetes y "
        "llaves.",
    )
