"""Los parámetros de una vista: los mismos que leería la API, tal como los escribe un formulario.

Por qué existe: un navegador envía también los campos que nadie llenó (`?prefijo=`), y ahí vacío es no decir
nada. Lo demás que no se entiende es una falta, como en la API.
"""

from collections.abc import Collection
from datetime import datetime
from urllib.parse import quote

from starlette.requests import Request

from alpespartners.api.http.parametros import leer_parametros
from alpespartners.modulos.tracking.dominio.excepciones import Recolector


def parametros_de(peticion: Request, conocidos: Collection[str]) -> dict[str, str]:
    """Los que trae, sin los que van vacíos.

    Raises:
        DatosInvalidos: con todas las faltas.
    """
    recolector = Recolector()
    leidos = parametros_de_formulario(peticion, conocidos, recolector)
    recolector.exigir()
    return leidos


def parametros_de_formulario(
    peticion: Request, conocidos: Collection[str], recolector: Recolector
) -> dict[str, str]:
    """Los que trae, sin los que van vacíos; los desconocidos, repetidos o ilegibles son faltas."""
    sin_llenar = {f"{quote(nombre)}=".encode() for nombre in conocidos}
    pares = peticion.scope["query_string"].split(b"&")
    return leer_parametros(b"&".join(par for par in pares if par not in sin_llenar), conocidos, recolector)


def en_utc(escrito: str) -> str:
    """Una fecha, o una hora sin zona como la que envía un formulario, es de UTC; lo demás queda como está."""
    try:
        instante = datetime.fromisoformat(escrito)
    except ValueError:
        return escrito
    return escrito if instante.tzinfo else f"{instante.isoformat()}Z"
