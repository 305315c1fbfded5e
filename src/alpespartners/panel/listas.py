"""Lo que comparten las listas de campañas y de influencers: qué página se mira, y dónde está la siguiente."""

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from alpespartners.api.http.listas_por_prefijo import PaginaPedida, pagina_pedida
from alpespartners.panel.direcciones import con_parametros
from alpespartners.panel.parametros import parametros_de

POR_PAGINA: Final = 50
_PARAMETROS: Final = frozenset({"prefijo", "cursor"})


@dataclass(frozen=True, slots=True)
class Recorrido:
    """Por dónde va quien recorre una lista.

    Attributes:
        direccion: la de la lista.
        pedida: la página que mira.
    """

    direccion: str
    pedida: PaginaPedida

    @property
    def primera(self) -> str | None:
        """La dirección de la primera página, si no es la que mira."""
        return None if self.pedida.despues_de is None else con_parametros(self.direccion, **self._filtro)

    def siguiente(self, identidad: str | None) -> str | None:
        """La de la página que empieza detrás de esa identidad, si la hay."""
        cursor = self.pedida.cursor(identidad)
        return None if cursor is None else con_parametros(self.direccion, **self._filtro, cursor=cursor)

    @property
    def _filtro(self) -> dict[str, str]:
        return {"prefijo": self.pedida.prefijo} if self.pedida.prefijo else {}


def recorrido_de(peticion: Request, direccion: str, de: str) -> Recorrido:
    """El que dicen sus parámetros.

    Args:
        peticion: la de quien mira.
        direccion: la de la lista.
        de: de qué es; los cursores son los de la misma lista en la API.

    Raises:
        DatosInvalidos: con todas las faltas.
    """
    return Recorrido(direccion, pagina_pedida(de, parametros_de(peticion, _PARAMETROS), POR_PAGINA))
