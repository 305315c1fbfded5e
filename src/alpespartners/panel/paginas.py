"""De una plantilla y lo que enseña, a una respuesta.

Qué es: las plantillas (Jinja2), con lo común a todas: el idioma, los formatos y las cabeceras.
Qué no es: lo que enseña cada una; eso lo reúne su vista.
Por qué existe: lo que enseña el panel lo escribió otro. Toda plantilla escapa todo lo que escribe, y la
política de contenido no deja ejecutar ni cargar nada que no venga en este paquete.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from functools import partial
from http import HTTPMethod, HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import jinja2
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from alpespartners import __version__
from alpespartners.api.http.claves import Alcance, clave_de
from alpespartners.api.http.politica_de_contenido import politica_de_contenido
from alpespartners.api.http.problemas import ErrorHTTP, SinPermiso
from alpespartners.api.http.sesion import GALLETA_DE_SESION
from alpespartners.panel import chispas, direcciones, formato
from alpespartners.panel.errores import explicacion_de
from alpespartners.panel.formularios import Formulario
from alpespartners.panel.idiomas import NOMBRES, Frases, Idioma, idioma_de
from alpespartners.panel.recursos_del_panel import direccion_de
from alpespartners.panel.visibles import valor_visible, visible
from alpespartners.seedwork.orden import ORDEN

_CABECERAS: Final = politica_de_contenido(
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    formularios=True,
) | {"Vary": "Accept-Language, Cookie", "Referrer-Policy": "same-origin"}
_DE_UN_TROZO: Final = "hx-request"
_QUE_PIDEN_PAGINA: Final = frozenset({HTTPMethod.GET, HTTPMethod.HEAD})


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
        formulario = Formulario(peticion)
        comunes = {
            "alcances": clave_de(peticion).alcances,
            "aqui": direcciones.direccion_pedida(peticion),
            "con_sesion": GALLETA_DE_SESION in peticion.cookies,
            "formulario": formulario,
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
        respuesta = Response(texto, estado, _CABECERAS, "text/html")
        formulario.dejar(respuesta)
        return respuesta

    def al_fallar(self, peticion: Request, error: ErrorHTTP) -> Response:
        """La página que cuenta un error; si lo que falta es la clave, la que la pide.

        Lo que pidió htmx va al aviso de la página que ya se ve, y no donde iba a ir lo pedido.
        """
        if error.estado == HTTPStatus.UNAUTHORIZED:
            return _a_entrar(peticion)
        # A quien se niega la entrada no se le deja la clave puesta: se sabe lo que no tiene.
        negado = error.problema.alcance if isinstance(error.problema, SinPermiso) else None
        explicacion = explicacion_de(error, idioma_de(peticion))
        respuesta = self.pagina(
            peticion,
            "error.html",
            alcances=[uno for uno in clave_de(peticion).alcances if uno != negado],
            estado=error.estado,
            trozo="aviso",
            explicacion=explicacion,
            corregir=direcciones.direccion_corregida(peticion, {falta.campo for falta in explicacion.faltas}),
            volver=_pagina_de(peticion),
        )
        respuesta.headers.update(error.cabeceras or {})
        if _DE_UN_TROZO in peticion.headers:
            respuesta.headers.update({"HX-Retarget": "#aviso", "HX-Reswap": "innerHTML"})
        return respuesta


def _a_entrar(peticion: Request) -> Response:
    direccion = direcciones.direccion_de_entrada(_pagina_de(peticion))
    if _DE_UN_TROZO in peticion.headers:
        # Una redirección la seguiría htmx, y pondría la página de entrar dentro de la que se mira.
        return Response(status_code=HTTPStatus.UNAUTHORIZED, headers={"HX-Redirect": direccion})
    return RedirectResponse(direccion, HTTPStatus.SEE_OTHER)


def _pagina_de(peticion: Request) -> str:
    """La página a la que vuelve quien hizo esa petición: la que mira, y no el trozo ni el envío que hizo."""
    mirada = peticion.headers.get("hx-current-url")
    if mirada is not None:
        try:
            partes = urlsplit(mirada)
        except ValueError:
            return direcciones.CAMPAÑAS
        direccion = f"{partes.path}?{partes.query}" if partes.query else partes.path
        return direccion if direcciones.es_del_panel(direccion) else direcciones.CAMPAÑAS
    return (
        direcciones.direccion_pedida(peticion)
        if peticion.method in _QUE_PIDEN_PAGINA
        else direcciones.CAMPAÑAS
    )


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
        "parte": partial(_al_reves, formato.parte, idioma),
        "horas": partial(_en, formato.horas, idioma),
        "lapso": formato.lapso,
        "octetos": partial(_en, formato.octetos, idioma),
        "porcentaje": partial(_en, formato.porcentaje, idioma),
        "razon_en_dinero": partial(_al_reves, formato.razon_en_dinero, idioma),
        "rotulo": partial(_al_reves, formato.rotulo, idioma),
        "variacion": partial(_al_reves, formato.variacion, idioma),
        "visible": visible,
        "valor_visible": valor_visible,
    }
    plantillas.globals |= {
        "recurso": direccion_de,
        "ORDEN": ORDEN,
        "inicio_de": direcciones.inicio_de,
        "vistas": partial(_vistas, Frases(idioma)),
        "idiomas": {idioma.value: nombre for idioma, nombre in NOMBRES.items()},
        "direccion_de_entrada": direcciones.direccion_de_entrada,
        "direccion_de_idioma": direcciones.direccion_de_idioma,
        "direccion_de_salida": direcciones.SALIR,
        "chispas": chispas,
        "con_filtros": direcciones.con_filtros,
        "con_parametros": direcciones.con_parametros,
        "direccion_de_campaña": direcciones.direccion_de_campaña,
        "direccion_de_enlace": direcciones.direccion_de_enlace,
        "direccion_de_evento": direcciones.direccion_de_evento,
        "direccion_de_influencer": direcciones.direccion_de_influencer,
        "direccion_del_periodo": direcciones.direccion_del_periodo,
        "direccion_del_periodo_de_influencer": direcciones.direccion_del_periodo_de_influencer,
        "direccion_en_vivo": direcciones.direccion_en_vivo,
        "ENLACE_NUEVO": direcciones.ENLACE_NUEVO,
        "ENLACES": direcciones.ENLACES,
        "EVENTO": direcciones.EVENTO,
        "direccion_de_rechazos": direcciones.direccion_de_rechazos,
    }
    return plantillas


def _en(escribir: Callable[..., str], idioma: Idioma, valor: Any, *resto: Any) -> str:
    return escribir(valor, idioma, *resto)


def _al_reves(escribir: Callable[..., str], idioma: Idioma, valor: Any, otro: Any) -> str:
    return escribir(valor, otro, idioma)


def _vistas(frases: Frases, alcances: Collection[Alcance]) -> list[tuple[str, str]]:
    """Las del menú de quien mira con esos alcances: su dirección y su nombre."""
    _ = frases.gettext
    de_lectura = [
        (direcciones.CAMPAÑAS, _("Campañas")),
        (direcciones.INFLUENCERS, _("Influencers")),
        (direcciones.ENLACES, _("Enlaces cortos")),
        (direcciones.EVENTO, _("Explicar un evento")),
        (direcciones.RECHAZOS, _("No registrados")),
    ]
    de_operacion = [(direcciones.SISTEMA, _("Sistema"))]
    return (de_lectura if Alcance.LECTURA in alcances else []) + (
        de_operacion if Alcance.OPERACION in alcances else []
    )
