"""`/`: qué es este servicio, si funciona ahora y adónde seguir.

Qué es: una página para quien abre la dirección en un navegador y, para quien no pide HTML, lo mismo en JSON.
Qué no es: una sonda, porque responde 200 aunque el servicio no esté listo (para eso está `/salud/lista`); ni
el panel de las campañas.
Por qué existe: lo primero que hace quien lo arranca es abrir su dirección.
"""

import html
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from string import Template
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from alpespartners import __version__
from alpespartners.api.http.parametros import sin_parametros
from alpespartners.api.http.politica_de_contenido import politica_de_contenido
from alpespartners.api.http.respuestas import RespuestaJSON
from alpespartners.api.http.rutas import Ruta
from alpespartners.api.operacion.recursos_propios import leer_recurso
from alpespartners.api.operacion.salud import Disponibilidad, Salud

_TIPOS_DE_PAGINA: Final = ("text/html", "application/xhtml+xml")
_CABECERAS: Final = politica_de_contenido("style-src 'self'", "img-src data:") | {"Vary": "Accept"}
_DISPONIBLE: Final[Mapping[Disponibilidad, str]] = {
    "disponible": "disponible",
    "no_disponible": "no responde",
}


class Portada(msgspec.Struct):
    """Lo que dice a quien no pide una página."""

    servicio: str
    version: str
    salud: Salud
    documentacion: str = "/docs"
    descripcion: str = "/openapi.json"
    metricas: str = "/metricas"


def ruta_de_portada(averiguar: Callable[[], Awaitable[Salud]], reloj: Callable[[], datetime]) -> Ruta:
    """La ruta `/`.

    Args:
        averiguar: cómo está el servicio ahora.
        reloj: la hora.
    """

    async def portada(peticion: Request) -> Response:
        sin_parametros(peticion)
        salud = await averiguar()
        if not any(tipo in peticion.headers.get("accept", "") for tipo in _TIPOS_DE_PAGINA):
            cuerpo = Portada("Alpes Partners · Tracking", __version__, salud)
            return RespuestaJSON(cuerpo, headers={"Vary": "Accept"})
        plantilla = Template((await leer_recurso("portada.html")).decode("utf-8"))
        textos = {nombre: html.escape(texto) for nombre, texto in _textos(salud, reloj()).items()}
        return Response(plantilla.substitute(textos), headers=_CABECERAS, media_type="text/html")

    return Ruta(plantilla="/", metodo="GET", atencion=portada, alcance=None)


def _textos(salud: Salud, ahora: datetime) -> dict[str, str]:
    """Los huecos de la plantilla."""
    clase, titular, explicacion = _juicio(salud)
    instante = ahora.astimezone(UTC)
    return {
        "version": __version__,
        "clase": clase,
        "titular": titular,
        "explicacion": explicacion,
        "broker": _DISPONIBLE[salud.broker],
        "base_datos": _DISPONIBLE[salud.base_datos],
        "consumidores": "no se sabe" if salud.consumidores is None else f"{salud.consumidores} en marcha",
        "instante": instante.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "hora": instante.strftime("%d/%m/%Y, %H:%M:%S UTC"),
    }


def _juicio(salud: Salud) -> tuple[str, str, str]:
    """Cómo se pinta, qué se dice en dos palabras y qué significa."""
    match salud:
        case Salud(estado="no_lista"):
            return "mal", "No funciona", "No puede recibir eventos: el broker no responde."
        case Salud(estado="degradada"):
            return (
                "regular",
                "Funciona a medias",
                "Recibe eventos y no los pierde, pero no se pueden consultar: la base de datos no responde.",
            )
        case Salud(consumidores=0):
            return (
                "regular",
                "Recibe, pero no registra",
                "Los eventos se aceptan y esperan a salvo: no hay ningún consumidor que los registre.",
            )
        case _:
            return "bien", "Funciona", "Recibe eventos y se pueden consultar."
