"""`/panel/influencers`: los influencers de los que hay algo."""

from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.http.claves import Alcance
from alpespartners.api.http.rutas import Ruta
from alpespartners.panel.direcciones import INFLUENCERS
from alpespartners.panel.fuentes import Fuentes
from alpespartners.panel.listas import recorrido_de
from alpespartners.panel.paginas import Paginas


def rutas(fuentes: Fuentes, paginas: Paginas) -> list[Ruta]:
    """La lista de influencers."""

    async def influencers(peticion: Request) -> Response:
        recorrido = recorrido_de(peticion, INFLUENCERS, "influencers")
        pedida = recorrido.pedida
        pagina = await fuentes.resumenes.influencers(pedida.prefijo, pedida.despues_de, pedida.limite)
        return paginas.pagina(
            peticion,
            "influencers.html",
            trozo="lista",
            prefijo=pedida.prefijo,
            pagina=pagina,
            primera=recorrido.primera,
            siguiente=recorrido.siguiente(pagina.siguiente),
        )

    return [
        Ruta(
            plantilla=INFLUENCERS,
            metodo="GET",
            atencion=influencers,
            alcance=Alcance.LECTURA,
            al_fallar=paginas.al_fallar,
        )
    ]
