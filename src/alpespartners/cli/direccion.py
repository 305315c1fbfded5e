"""`--direccion`: a qué servicio en marcha se envía.

Por qué existe: la tienen todas las órdenes que envían por la API, y es la misma en todas.
"""

from typing import Annotated

import typer

from alpespartners.config import leer_direccion

DireccionDelServicio = Annotated[
    str | None,
    typer.Option(
        "--direccion",
        parser=leer_direccion,
        metavar="<str>",
        help="Dónde está el servicio; si falta, http://localhost y el puerto de ALPES_PUERTO.",
    ),
]
