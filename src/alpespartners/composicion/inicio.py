"""Lo primero que hace un proceso: configurar su registro y decir con qué empieza.

Qué es: una línea con dónde están los datos, y un aviso por cada variable de entorno mal escrita.
Por qué existe: quien no encuentra lo que guardó mira el registro, y la carpeta tiene que estar en él.
"""

import logging

import structlog

from alpespartners.config import Configuracion
from alpespartners.seedwork.observacion.registro import configurar_registro


def empezar(configuracion: Configuracion, proceso: str) -> None:
    """Configura el registro del proceso y deja en él su comienzo.

    Args:
        configuracion: la del proceso.
        proceso: cómo se llama en el registro.
    """
    configurar_registro(configuracion.registro)
    registro = structlog.get_logger(__name__)
    # Dónde están los datos se dice siempre, por mucho que se haya callado el registro.
    registro.log(
        logging.getLevelNamesMapping()[configuracion.registro],
        "empieza",
        proceso=proceso,
        datos=str(configuracion.datos),
        base_datos=configuracion.lugar,
    )
    for variable in configuracion.desconocidas():
        registro.warning("no es un ajuste y no hace nada", variable=variable)
