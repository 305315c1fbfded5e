"""`/panel/idioma`: quien mira elige en qué idioma, y vuelve a donde estaba."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from alpespartners.api.http.parametros import leer_parametros
from alpespartners.api.http.rutas import Ruta
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.dominio.excepciones import Recolector
from alpespartners.panel.direcciones import IDIOMA
from alpespartners.panel.galletas import SEGUNDOS_DE_UN_AÑO, poner_galleta
from alpespartners.panel.idiomas import GALLETA_DE_IDIOMA, Idioma
from alpespartners.panel.paginas import Paginas
from alpespartners.panel.vuelta import VOLVER, leer_vuelta


def rutas(paginas: Paginas) -> list[Ruta]:
    """La de elegir."""

    async def elegir(peticion: Request) -> Response:
        recolector = Recolector()
        parametros = leer_parametros(peticion.scope["query_string"], {"a", VOLVER}, recolector)
        volver = leer_vuelta(parametros, recolector)
        elegido = parametros.get("a")
        if elegido not in set(Idioma):
            recolector.anotar(
                "a", CodigoDePeticion.PARAMETRO_INVALIDO, f"debe ser uno de: {', '.join(Idioma)}"
            )
        recolector.exigir()
        respuesta = RedirectResponse(volver, 303)
        poner_galleta(
            respuesta,
            peticion,
            GALLETA_DE_IDIOMA,
            elegido or "",
            sitio="lax",
            segundos=SEGUNDOS_DE_UN_AÑO,
        )
        return respuesta

    return [Ruta(plantilla=IDIOMA, metodo="GET", atencion=elegir, alcance=None, al_fallar=paginas.al_fallar)]
