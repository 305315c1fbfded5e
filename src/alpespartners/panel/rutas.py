"""Las rutas del panel: sus vistas y los recursos que cargan."""

from alpespartners.api.http.rutas import Ruta
from alpespartners.panel.fuentes import Fuentes
from alpespartners.panel.paginas import Paginas
from alpespartners.panel.recursos_del_panel import ruta_de_recursos
from alpespartners.panel.vistas import campanas, entrada, idioma


def rutas_del_panel(fuentes: Fuentes) -> list[Ruta]:
    """Todas; cada vista pone las suyas."""
    paginas = Paginas(fuentes.reloj)
    return [
        *campanas.rutas(fuentes, paginas),
        *entrada.rutas(paginas),
        *idioma.rutas(paginas),
        ruta_de_recursos(),
    ]
