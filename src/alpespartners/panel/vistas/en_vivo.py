"""`/panel/campañas/{campaña_id}/en-vivo`: los eventos de una campaña según se publican.

Qué es: la página en la que se leen; quien los pide es el navegador, a la API.
Qué no es: la corriente; sin guiones no hay nada que ver aquí, y se dice.
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.http.claves import Alcance
from alpespartners.api.http.parametros import leer_parametros
from alpespartners.api.http.rutas import Ruta
from alpespartners.modulos.tracking.aplicacion.clases import CLASES
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.dominio.excepciones import Recolector
from alpespartners.panel.direcciones import (
    DELANTE_DE_UN_EVENTO,
    DELANTE_DE_UN_INFLUENCER,
    EN_VIVO,
    direccion_del_flujo,
)
from alpespartners.panel.fuentes import Fuentes
from alpespartners.panel.paginas import Paginas

_NOMBRES: Final = tuple(clase.nombre for clase in CLASES)


def rutas(_fuentes: Fuentes, paginas: Paginas) -> list[Ruta]:
    """La de una campaña en vivo."""

    async def en_vivo(peticion: Request) -> Response:
        recolector = Recolector()
        parametros = leer_parametros(peticion.scope["query_string"], {"clase"}, recolector)
        clase = parametros.get("clase")
        if clase is not None and clase not in _NOMBRES:
            recolector.anotar(
                "clase", CodigoDePeticion.PARAMETRO_INVALIDO, f"debe ser {' o '.join(_NOMBRES)}, o faltar"
            )
        recolector.exigir()
        campaña_id = peticion.path_params["campaña_id"]
        return paginas.pagina(
            peticion,
            "en_vivo.html",
            campaña_id=campaña_id,
            clase=clase,
            flujo=direccion_del_flujo(campaña_id),
            delante_de_un_evento=DELANTE_DE_UN_EVENTO,
            delante_de_un_influencer=DELANTE_DE_UN_INFLUENCER,
        )

    return [
        Ruta(
            plantilla=EN_VIVO,
            metodo="GET",
            atencion=en_vivo,
            alcance=Alcance.LECTURA,
            al_fallar=paginas.al_fallar,
        )
    ]
