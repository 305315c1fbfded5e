"""Las rutas de `/tracking/…`, de un vistazo."""

from typing import Final

from alpespartners.api.http.rutas import RutaDescrita
from alpespartners.api.tracking.clases import ClaseHTTP
from alpespartners.api.tracking.consultas import (
    ruta_de_balance,
    ruta_de_destino,
    ruta_de_destinos,
    ruta_de_evento,
    ruta_de_lista_de_influencer,
    rutas_de_lista,
)
from alpespartners.api.tracking.conversiones import CONVERSIONES
from alpespartners.api.tracking.corriente import ruta_de_corriente
from alpespartners.api.tracking.en_vivo import rutas_en_vivo
from alpespartners.api.tracking.envios import Envios
from alpespartners.api.tracking.impresiones import IMPRESIONES
from alpespartners.modulos.tracking.aplicacion.clases import Clase
from alpespartners.modulos.tracking.aplicacion.en_vivo.difusion import EnVivo
from alpespartners.modulos.tracking.aplicacion.puertos import ColaDeClics, Lecturas, Presencia

_CLASES: Final[tuple[ClaseHTTP, ...]] = (IMPRESIONES, CONVERSIONES)


def clase_en_http(clase: Clase) -> ClaseHTTP:
    """Lo de esa clase en HTTP."""
    return next(en_http for en_http in _CLASES if en_http.clase is clase)


def rutas_de_tracking(
    envios: Envios, lecturas: Lecturas, presencia: Presencia, en_vivo: EnVivo, clics: ColaDeClics
) -> list[RutaDescrita]:
    """Las de cada clase, las conversiones de un influencer, en vivo, los destinos y el balance."""
    rutas: list[RutaDescrita] = []
    for clase in _CLASES:
        rutas += [
            envios.ruta(clase),
            ruta_de_corriente(clase, lecturas),
            ruta_de_evento(clase, lecturas),
            ruta_de_destino(clase, lecturas, presencia),
            *rutas_de_lista(clase, lecturas),
        ]
    return [
        *rutas,
        ruta_de_lista_de_influencer(CONVERSIONES, lecturas),
        *rutas_en_vivo(_CLASES, en_vivo),
        ruta_de_destinos(lecturas),
        ruta_de_balance(lecturas, clics),
    ]
