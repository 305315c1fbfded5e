"""`/panel`: las campañas de las que hay algo."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.http.claves import Alcance
from alpespartners.api.http.parametros import leer_parametros
from alpespartners.api.http.rutas import Ruta
from alpespartners.modulos.tracking.dominio.excepciones import Recolector
from alpespartners.panel.campanas_a_la_vista import campañas_a_la_vista
from alpespartners.panel.direcciones import CAMPAÑAS
from alpespartners.panel.fuentes import Fuentes
from alpespartners.panel.paginas import Paginas

_POR_PAGINA: Final = 50


def rutas(fuentes: Fuentes, paginas: Paginas) -> list[Ruta]:
    """La lista de campañas."""

    async def campañas(peticion: Request) -> Response:
        recolector = Recolector()
        parametros = leer_parametros(peticion.scope["query_string"], {"prefijo"}, recolector)
        recolector.exigir()
        prefijo = parametros.get("prefijo", "")
        pagina = await campañas_a_la_vista(peticion, fuentes.resumenes, prefijo, None, _POR_PAGINA)
        return paginas.pagina(peticion, "campanas.html", trozo="lista", prefijo=prefijo, pagina=pagina)

    return [
        Ruta(
            plantilla=CAMPAÑAS,
            metodo="GET",
            atencion=campañas,
            alcance=Alcance.LECTURA,
            juzga_campañas=True,
            al_fallar=paginas.al_fallar,
        )
    ]
