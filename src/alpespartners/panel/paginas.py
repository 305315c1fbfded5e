"""De una plantilla y lo que enseña, a una respuesta.

Qué es: las plantillas (Jinja2), con lo común a todas: el idioma, los formatos y las cabeceras.
Qué no es: lo que enseña cada una; eso lo reúne su vista.
Por qué existe: lo que enseña el panel lo escribió otro. Toda plantilla escapa todo lo que escribe, y la
política de contenido no deja ejecutar ni cargar nada que no venga en este paquete.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Final

import jinja2
from starlette.requests import Request
from starlette.responses import Response

from alpespartners import __version__
from alpespartners.api.http.politica_de_contenido import politica_de_contenido
from alpespartners.api.http.problemas import ErrorHTTP
from alpespartners.panel import direcciones, formato
from alpespartners.panel.idiomas import Frases, Idioma, idioma_de
from alpespartners.panel.recursos_del_panel import direccion_de

_CABECERAS: Final = politica_de_contenido(
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    formularios=True,
) | {"Vary": "Accept-Language, Cookie", "Referrer-Policy": "same-origin"}
_DE_UN_TROZO: Final = "hx-request"


class Paginas:
    """Las páginas del panel, en cada idioma.

    Args:
        reloj: la hora, en UTC con zona: la que la página dice que es.
    """

    def __init__(self, reloj: Callable[[], datetime]) -> None:
        self._reloj = reloj
        self._entornos: Mapping[Idioma, jinja2.Environment] = {idioma: entorno(idioma) for idioma in Idioma}

    def pagina(
        self,
        peticion: Request,
        plantilla: str,
        *,
        estado: int = 200,
        trozo: str | None = None,
        **contexto: Any,
    ) -> Response:
        """La respuesta con esa plantilla.

        Args:
            peticion: de quien mira.
            plantilla: su nombre, dentro de `plantillas/`.
            estado: el código HTTP.
            trozo: el `block` de la plantilla que basta cuando lo pide htmx para ponerlo en la página.
            contexto: lo que enseña.
        """
        idioma = idioma_de(peticion)
        hallada = self._entornos[idioma].get_template(plantilla)
        comunes = {
            "idioma": idioma,
            "ruta": peticion.url.path,
            "ahora": self._reloj(),
            "version": __version__,
        }
        if trozo is not None and _DE_UN_TROZO in peticion.headers:
            contexto_del_trozo = hallada.new_context(comunes | contexto)
            texto = "".join(hallada.blocks[trozo](contexto_del_trozo))
        else:
            texto = hallada.render(comunes | contexto)
        return Response(texto, estado, _CABECERAS, "text/html")

    def al_fallar(self, peticion: Request, error: ErrorHTTP) -> Response:
        """La página que cuenta un error."""
        errores = getattr(error.problema, "errores", None) or ()
        respuesta = self.pagina(
            peticion, "error.html", estado=error.estado, error=error.problema, errores=errores
        )
        respuesta.headers.update(error.cabeceras or {})
        return respuesta


def entorno(idioma: Idioma) -> jinja2.Environment:
    """Las plantillas en ese idioma; un nombre que falta es un fallo, y no un hueco."""
    plantillas = jinja2.Environment(
        loader=jinja2.PackageLoader("alpespartners.panel", "plantillas"),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Las pone la extensión `i18n`, y los tipos de Jinja2 no lo saben.
    plantillas.install_gettext_translations(Frases(idioma), newstyle=True)  # type: ignore[attr-defined]
    plantillas.filters |= {
        "cantidad": formato.cantidad,
        "importe": partial(_al_reves, formato.importe, idioma),
        "instante": partial(_en, formato.instante, idioma),
        "fecha": partial(_en, formato.fecha, idioma),
        "porcentaje": partial(_en, formato.porcentaje, idioma),
        "razon_en_dinero": partial(_al_reves, formato.razon_en_dinero, idioma),
    }
    plantillas.globals |= {
        "recurso": direccion_de,
        "vistas": partial(_vistas, Frases(idioma)),
        "direccion_de_campaña": direcciones.direccion_de_campaña,
    }
    return plantillas


def _en(escribir: Callable[..., str], idioma: Idioma, valor: Any, *resto: Any) -> str:
    return escribir(valor, idioma, *resto)


def _al_reves(escribir: Callable[..., str], idioma: Idioma, valor: Any, moneda: str) -> str:
    return escribir(valor, moneda, idioma)


def _vistas(frases: Frases) -> list[tuple[str, str]]:
    """Las del menú: su dirección y su nombre."""
    _ = frases.gettext
    return [(direcciones.CAMPAÑAS, _("Campañas"))]
