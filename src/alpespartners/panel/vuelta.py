"""Adónde se vuelve después de entrar o de cambiar de idioma: el parámetro `volver`.

Por qué existe: lo escribe quien hizo el enlace, y un servicio que lleva a cualquier dirección sirve para
engañar a quien se fía de él.
"""

from collections.abc import Mapping

from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.dominio.excepciones import Recolector
from alpespartners.panel.direcciones import CAMPAÑAS, LONGITUD_MAXIMA, es_del_panel

VOLVER = "volver"


def leer_vuelta(parametros: Mapping[str, str], recolector: Recolector) -> str:
    """La página que dicen los parámetros; si no la dicen, las campañas.

    Anota una falta si no es de este panel.
    """
    volver = parametros.get(VOLVER, CAMPAÑAS)
    if not es_del_panel(volver):
        recolector.anotar(
            VOLVER,
            CodigoDePeticion.PARAMETRO_INVALIDO,
            f"no es una página de este panel (/panel…), o pasa de {LONGITUD_MAXIMA} caracteres",
        )
    return volver
