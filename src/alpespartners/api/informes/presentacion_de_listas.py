"""De una página de campañas o de influencers al cuerpo de su respuesta.

Qué es: los nombres del contrato; cada cifra se escribe como en un informe. De aquí salen sus esquemas.
Qué no es: una cuenta; todas vienen hechas.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from msgspec import Meta

from alpespartners.api.http.descripcion import CuerpoDescrito, Esquema
from alpespartners.api.informes.presentacion import (
    CONTADO_DE_EJEMPLO,
    Cuenta,
    EnUTC,
    Importes,
    PorTipo,
    contado,
)
from alpespartners.modulos.informes.aplicacion.puertos import Resumen

_HUBO: Final[Esquema] = {
    **CONTADO_DE_EJEMPLO,
    "ultimo_evento": "2024-01-15T10:35:00Z",
}
_SIGUIENTE: Final = "El `cursor` de la página siguiente, si la hay."


class _Resumido(CuerpoDescrito, kw_only=True):
    """Todo lo que hubo; va detrás de lo que tiene también posición: la identidad."""

    impresiones: Cuenta
    clics: Cuenta
    visualizaciones: Cuenta
    conversiones: PorTipo
    valor: Importes
    ultimo_evento: Annotated[
        EnUTC | None, Meta(description="El último `ocurrido_en`; `null` si otra mano borró las filas.")
    ]


class CampanaResumida(_Resumido):
    """Todo lo que hubo en una campaña."""

    ejemplos = ({"campaña_id": "cmp-456", **_HUBO},)

    campaña_id: str


class InfluencerResumido(_Resumido):
    """Todo lo que hubo de un influencer."""

    ejemplos = ({"influencer_id": "inf-789", "campañas": 1, **_HUBO},)

    influencer_id: str
    campañas: Annotated[int, Meta(ge=1, description="En cuántas hubo algo.")]


class PaginaCampanas(CuerpoDescrito):
    """Una página de campañas."""

    ejemplos = ({"elementos": [*CampanaResumida.ejemplos], "siguiente": None},)

    elementos: Sequence[CampanaResumida]
    siguiente: Annotated[str | None, Meta(description=_SIGUIENTE)]


class PaginaInfluencers(CuerpoDescrito):
    """Una página de influencers."""

    ejemplos = ({"elementos": [*InfluencerResumido.ejemplos], "siguiente": None},)

    elementos: Sequence[InfluencerResumido]
    siguiente: Annotated[str | None, Meta(description=_SIGUIENTE)]


def pagina_de_campañas(resumenes: Sequence[Resumen], siguiente: str | None) -> PaginaCampanas:
    """La página, como se responde."""
    return PaginaCampanas([CampanaResumida(r.identidad, **_hubo(r)) for r in resumenes], siguiente)


def pagina_de_influencers(resumenes: Sequence[Resumen], siguiente: str | None) -> PaginaInfluencers:
    """La página, como se responde."""
    elementos = [InfluencerResumido(r.identidad, r.campañas, **_hubo(r)) for r in resumenes]
    return PaginaInfluencers(elementos, siguiente)


def _hubo(resumen: Resumen) -> dict[str, Any]:
    return {**contado(resumen.recuento), "ultimo_evento": resumen.ultimo_evento}
