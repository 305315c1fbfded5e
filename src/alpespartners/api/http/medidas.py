"""Cuánto pueden medir la dirección y las cabeceras de una petición, antes de leer nada de ellas.

Qué es: los topes que comprueba la API, la sirva quien la sirva.
Qué no es: el tope de octetos de todo ello junto, que pone nuestro servidor (`seedwork/procesos`), ni el de un
cuerpo (`cuerpo.py`), ni el de un parámetro (`parametros.py`).
Por qué existe: una dirección de sesenta mil octetos son treinta mil segmentos por decodificar, y la envía
quien aún no ha enseñado ninguna clave.
"""

from typing import Final

from starlette.types import Scope

from alpespartners.api.http.problemas import ErrorHTTP

OCTETOS_DE_LA_RUTA: Final = 8 * 1024
"""Dos identificadores de 128 caracteres, de los que más ocupan codificados, son 3 KiB."""
OCTETOS_DE_LA_CONSULTA: Final = 16 * 1024
CABECERAS_MAXIMAS: Final = 128
"""Las líneas; una galleta es una parte de una de ellas."""


def exigir_medidas(scope: Scope) -> None:
    """No hace nada si la dirección y las cabeceras caben.

    Raises:
        ErrorHTTP: 414, la dirección no cabe; 431, hay demasiadas cabeceras.
    """
    if len(scope["raw_path"]) > OCTETOS_DE_LA_RUTA or len(scope["query_string"]) > OCTETOS_DE_LA_CONSULTA:
        raise ErrorHTTP(
            414,
            "direccion_demasiado_larga",
            "Dirección demasiado larga",
            f"La ruta admite {OCTETOS_DE_LA_RUTA // 1024} KiB y la consulta "
            f"{OCTETOS_DE_LA_CONSULTA // 1024} KiB, tal como llegan. Pida menos de una vez.",
        )
    if len(scope["headers"]) > CABECERAS_MAXIMAS:
        raise ErrorHTTP(
            431,
            "demasiadas_cabeceras",
            "Demasiadas cabeceras",
            f"Una petición lleva como mucho {CABECERAS_MAXIMAS} cabeceras: quite las que no hagan falta.",
        )
