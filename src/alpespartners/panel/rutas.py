"""Las rutas del panel: sus vistas y los recursos que cargan."""

from alpespartners.api.http.rutas import Ruta
from alpespartners.panel.fuentes import Fuentes
from alpespartners.panel.paginas import Paginas
from alpespartners.panel.recursos_del_panel import ruta_de_recursos
from alpespartners.panel.vistas import (
    campana,
    campanas,
    en_vivo,
    enlaces,
    entrada,
    evento,
    hacer_enlace,
    idioma,
    influencer,
    influencers,
    primera_vez,
    rechazos,
    sistema,
)


def rutas_del_panel(fuentes: Fuentes) -> list[Ruta]:
    """Todas; cada vista pone las suyas."""
    paginas = Paginas(fuentes.reloj)
    return [
        *campana.rutas(fuentes, paginas),
        *campanas.rutas(fuentes, paginas),
        *entrada.rutas(paginas),
        *idioma.rutas(paginas),
        *influencers.rutas(fuentes, paginas),
        *evento.rutas(fuentes, paginas),
        *rechazos.rutas(fuentes, paginas),
        *en_vivo.rutas(fuentes, paginas),
        *enlaces.rutas(fuentes, paginas),
        *hacer_enlace.rutas(fuentes, paginas),
        *sistema.rutas(fuentes, paginas),
        *primera_vez.rutas(fuentes, paginas),
        *influencer.rutas(fuentes, paginas),
        ruta_de_recursos(),
    ]
