"""Lo primero que hace un proceso: leer sus ajustes, configurar su registro y decir con qué empieza.

Qué es: los ajustes de quien entra, con un aviso por cada variable de entorno mal escrita, y una línea con
dónde están los datos.
Por qué existe: quien no encuentra lo que guardó mira el registro, y la carpeta tiene que estar en él; y quien
escribió mal un ajuste no lo echa en falta hasta que alguien se lo dice.
"""

import logging
from typing import Any

import structlog

from alpespartners.config import Configuracion
from alpespartners.seedwork.observacion.registro import configurar_registro


def leer_ajustes(**fijados: Any) -> Configuracion:
    """Lee los ajustes del entorno, configura el registro y avisa en él de las variables que no lo son.

    Lo llama cada entrada (`main.py`, las órdenes, los consumidores de la semilla); los procesos que
    `iniciar` crea reciben los suyos ya leídos, y no repiten el aviso.

    Args:
        fijados: los que no se leen del entorno, por el nombre de su campo.

    Raises:
        ErrorDeArranque: una variable tiene un valor que no vale.
    """
    configuracion = Configuracion(**fijados)
    configurar_registro(configuracion.registro)
    registro = structlog.get_logger(__name__)
    for aviso in configuracion.avisos():
        registro.warning(aviso)
    return configuracion


def empezar(configuracion: Configuracion, proceso: str) -> None:
    """Configura el registro del proceso y deja en él su comienzo.

    Args:
        configuracion: la del proceso.
        proceso: cómo se llama en el registro.
    """
    configurar_registro(configuracion.registro)
    # Dónde están los datos se dice siempre, por mucho que se haya callado el registro.
    structlog.get_logger(__name__).log(
        logging.getLevelNamesMapping()[configuracion.registro],
        "empieza",
        proceso=proceso,
        datos=str(configuracion.datos),
        base_datos=configuracion.lugar,
    )
