"""Las cabeceras de una petición, leídas una sola vez.

Qué es: de los pares crudos de ASGI a los valores de cada nombre; van con la petición, en su `scope`.
Qué no es: las de una respuesta, que son de Starlette.
Por qué existe: acceso, traza, cuerpo, preferencias y clave miran las suyas, y cada vez que se le pregunta por
una Starlette las recorre todas.
"""

from collections.abc import Mapping, Sequence

from starlette.requests import Request

Cabeceras = Mapping[bytes, Sequence[str]]
"""Por su nombre en minúsculas, el valor de cada línea que lo lleva, en orden (RFC 9110 §5.2)."""


def cabeceras_de(peticion: Request) -> Cabeceras:
    """Devuelve las de la petición; los octetos que no son ASCII se leen en Latin-1."""
    leidas: dict[bytes, list[str]] | None = peticion.scope.get("cabeceras")
    if leidas is None:
        leidas = peticion.scope["cabeceras"] = {}
        for nombre, valor in peticion.scope["headers"]:
            leidas.setdefault(nombre, []).append(valor.decode("latin-1"))
    return leidas
