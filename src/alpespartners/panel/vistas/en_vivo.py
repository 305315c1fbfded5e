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
from alpespartners.modulos.informes.aplicacion.puertos import LecturaDeResumenes
from alpespartners.modulos.tracking.aplicacion.clases import CLASES
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible
from alpespartners.modulos.tracking.dominio.excepciones import Recolector
from alpespartners.panel.campanas_a_la_vista import parecidas_a, resumen_de
from alpespartners.panel.direcciones import (
    DELANTE_DE_UN_EVENTO,
    DELANTE_DE_UN_INFLUENCER,
    EN_VIVO,
    direccion_del_flujo,
)
from alpespartners.panel.fuentes import Fuentes
from alpespartners.panel.paginas import Paginas

_NOMBRES: Final = tuple(clase.nombre for clase in CLASES)


def rutas(fuentes: Fuentes, paginas: Paginas) -> list[Ruta]:
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
        consta = await _consta(fuentes.resumenes, campaña_id)
        return paginas.pagina(
            peticion,
            "en_vivo.html",
            campaña_id=campaña_id,
            clase=clase,
            consta=consta,
            parecidas=() if consta else await parecidas_a(peticion, fuentes.resumenes, campaña_id),
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


async def _consta(resumenes: LecturaDeResumenes, campaña_id: str) -> bool:
    """Dice si hay algo de ella, o no se sabe: lo que llega se ve aunque no se pueda consultar."""
    try:
        return await resumen_de(resumenes, campaña_id) is not None
    except BaseDatosNoDisponible:
        return True
