"""`/panel`: las campañas de las que hay algo."""

from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.http.claves import Alcance
from alpespartners.api.http.rutas import Ruta
from alpespartners.modulos.informes.aplicacion.ritmo import ultimos_dias
from alpespartners.panel.campanas_a_la_vista import campañas_a_la_vista
from alpespartners.panel.direcciones import CAMPAÑAS
from alpespartners.panel.fuentes import Fuentes
from alpespartners.panel.listas import recorrido_de
from alpespartners.panel.paginas import Paginas
from alpespartners.panel.vistas.primera_vez import pagina_de_la_primera_vez


def rutas(fuentes: Fuentes, paginas: Paginas) -> list[Ruta]:
    """La lista de campañas."""

    async def campañas(peticion: Request) -> Response:
        recorrido = recorrido_de(peticion, CAMPAÑAS, "campañas")
        pedida = recorrido.pedida
        pagina = await campañas_a_la_vista(
            peticion, fuentes.resumenes, pedida.prefijo, pedida.despues_de, pedida.limite
        )
        if not pagina.elementos and not recorrido.pedida.prefijo and recorrido.pedida.despues_de is None:
            return pagina_de_la_primera_vez(peticion, paginas, hay_eventos=False)
        periodo = ultimos_dias(fuentes.reloj())
        ritmos = await fuentes.resumenes.ritmos([resumen.identidad for resumen in pagina.elementos], periodo)
        return paginas.pagina(
            peticion,
            "campanas.html",
            trozo="lista",
            prefijo=pedida.prefijo,
            pagina=pagina,
            periodo=periodo,
            ritmos=ritmos,
            primera=recorrido.primera,
            siguiente=recorrido.siguiente(pagina.siguiente),
        )

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
