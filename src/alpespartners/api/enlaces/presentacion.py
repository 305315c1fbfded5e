"""De un enlace a los cuerpos de sus respuestas, con los nombres del contrato; de aquí salen sus esquemas."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta

from alpespartners.api.http.descripcion import CuerpoDescrito, Esquema
from alpespartners.modulos.enlaces.aplicacion.firma import PorFirmar
from alpespartners.modulos.enlaces.aplicacion.listado import PaginaDeEnlaces
from alpespartners.modulos.enlaces.dominio.destino_firmado import ruta_firmada
from alpespartners.modulos.enlaces.dominio.enlace import DOMINIOS_MAXIMOS, Enlace
from alpespartners.modulos.enlaces.dominio.secreto import Secreto
from alpespartners.modulos.tracking.aplicacion.consultas.cursores import LIMITE_MAXIMO

EJEMPLO: Final[Esquema] = {
    "enlace_id": "juan-verano",
    "campaña_id": "cmp-456",
    "influencer_id": "inf-789",
    "destino": "https://tienda.com/zapatos?color=rojo",
    "cupon": "JUAN10",
    "parametro_clic": "alp_clic",
    "dominios_permitidos": ["*.tienda.com"],
    "vence_en": "2030-01-01T05:00:00Z",
}
"""Lo que se envía para hacerlo."""
_CORTO: Final = "https://go.tienda.com/c/juan-verano"
_CREADO: Final = {**EJEMPLO, "creado_en": "2026-11-29T12:00:00Z", "enlace": _CORTO}

Instante = Annotated[datetime, Meta(tz=True)]


class EnlaceCorto(CuerpoDescrito):
    """Un enlace corto."""

    ejemplos = (_CREADO,)

    enlace_id: str
    campaña_id: str
    influencer_id: str | None
    destino: Annotated[str, Meta(description="Adónde lleva, escrito en ASCII.")]
    cupon: str | None
    parametro_clic: Annotated[
        str, Meta(description="Con qué nombre recibe el destino el identificador de cada clic.")
    ]
    dominios_permitidos: Annotated[
        Sequence[str],
        Meta(
            max_length=DOMINIOS_MAXIMOS,
            description="A qué otros anfitriones puede llevar un destino firmado.",
        ),
    ]
    vence_en: Annotated[Instante | None, Meta(description="Desde cuándo no cuenta sus clics.")]
    creado_en: Instante
    enlace: Annotated[
        str, Meta(description="El enlace corto, entero, por donde se llamó al servicio al preguntar.")
    ]


class PaginaEnlaces(CuerpoDescrito):
    """Una página de enlaces."""

    ejemplos = ({"elementos": [_CREADO], "siguiente": None},)

    elementos: Annotated[list[EnlaceCorto], Meta(max_length=LIMITE_MAXIMO)]
    siguiente: Annotated[str | None, Meta(description="El `cursor` de la página siguiente, si la hay.")]


class DestinoFirmado(CuerpoDescrito):
    """Un enlace corto que lleva a otro destino, firmado."""

    ejemplos = (
        {
            "destino": "https://otra.tienda.com/botas",
            "vence_en": "2030-01-01T00:00:00Z",
            "enlace": f"{_CORTO}?destino=https%3A%2F%2Fotra.tienda.com%2Fbotas&vence=1893456000&firma="
            "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA",
        },
    )

    destino: str
    vence_en: Annotated[Instante | None, Meta(description="Desde cuándo no vale la firma; sin él, siempre.")]
    enlace: Annotated[
        str, Meta(description="El enlace corto con `destino`, `vence` y `firma`, para repartirlo tal cual.")
    ]


def presentado(enlace: Enlace, servicio: str) -> EnlaceCorto:
    """El enlace como se responde a quien llama al servicio por ahí."""
    return EnlaceCorto(
        enlace_id=enlace.enlace_id,
        campaña_id=enlace.campaña_id,
        influencer_id=enlace.influencer_id,
        destino=enlace.destino,
        cupon=enlace.cupon,
        parametro_clic=enlace.parametro_clic,
        dominios_permitidos=enlace.dominios_permitidos,
        vence_en=enlace.vence_en,
        creado_en=enlace.creado_en,
        enlace=servicio + enlace.ruta,
    )


def pagina_presentada(pagina: PaginaDeEnlaces, servicio: str) -> PaginaEnlaces:
    """Una página de enlaces."""
    return PaginaEnlaces([presentado(enlace, servicio) for enlace in pagina.elementos], pagina.siguiente)


def firmado(enlace: Enlace, pedido: PorFirmar, secreto: Secreto, servicio: str) -> DestinoFirmado:
    """El enlace corto que lleva a ese destino."""
    return DestinoFirmado(
        destino=pedido.destino,
        vence_en=pedido.vence_en,
        enlace=servicio + ruta_firmada(secreto, enlace, pedido.destino, pedido.vence_en),
    )
