"""Qué página se pide de una lista por orden de su identidad: con qué empiezan, y detrás de cuál.

Qué es: las reglas de `prefijo`, `cursor` y `limite`, y el cursor de la página siguiente.
Qué no es: lo que se lista, ni cómo se responde.
Por qué existe: la API y el panel recorren las mismas listas, y un cursor que uno diera por bueno y el otro no
sería de dos listas distintas.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.aplicacion.consultas.cursores import (
    LIMITE_POR_OMISION,
    atadura_de,
    cursor_en_texto,
    lector_de,
    limite_de,
    partes_del_cursor,
)
from alpespartners.modulos.tracking.dominio.excepciones import CampoInvalido, Recolector
from alpespartners.modulos.tracking.dominio.normalizacion import en_nfc
from alpespartners.modulos.tracking.dominio.objetos_valor import (
    LONGITUD_IDENTIFICADOR,
    identificador_consultable,
)

PARAMETROS: Final = frozenset({"prefijo", "cursor", "limite"})
_VERSION_DEL_CURSOR: Final = 1


@dataclass(frozen=True, slots=True)
class PaginaPedida:
    """Qué página se pide; `despues_de` es la identidad desde la que seguir."""

    prefijo: str
    despues_de: str | None
    limite: int
    atadura: str
    """Huella de la lista y del prefijo: el cursor es solo de ellos."""

    def cursor(self, siguiente: str | None) -> str | None:
        """El de la página que empieza detrás de esa identidad, si la hay."""
        return None if siguiente is None else cursor_en_texto(_VERSION_DEL_CURSOR, self.atadura, siguiente)


def pagina_pedida(
    de: str, parametros: Mapping[str, str], por_omision: int = LIMITE_POR_OMISION
) -> PaginaPedida:
    """Lee los parámetros; todos son de los que hay.

    Args:
        de: de qué es la lista.
        parametros: los que trae la petición.
        por_omision: cuántos, si no lo dicen.

    Raises:
        DatosInvalidos: con todas las faltas.
    """
    recolector = Recolector()
    leer = lector_de(parametros, recolector)
    prefijo = leer("prefijo", _prefijo) or ""
    limite = leer("limite", limite_de) or por_omision
    recolector.exigir()
    atadura = atadura_de((de, prefijo), PARAMETROS)
    despues_de = leer("cursor", _posicion, atadura, prefijo)
    recolector.exigir()
    return PaginaPedida(prefijo, despues_de, limite, atadura)


def _prefijo(nombre: str, texto: str) -> str:
    prefijo = en_nfc(texto)
    if len(prefijo) > LONGITUD_IDENTIFICADOR:
        raise CampoInvalido(
            nombre,
            CodigoDePeticion.PARAMETRO_INVALIDO,
            f"admite como mucho {LONGITUD_IDENTIFICADOR} caracteres",
        )
    return prefijo


def _posicion(nombre: str, texto: str, atadura: str, prefijo: str) -> str:
    match partes_del_cursor(texto):
        case [int(version), str(suya), str(identidad)] if (
            version == _VERSION_DEL_CURSOR
            and suya == atadura
            and identidad.startswith(prefijo)
            and identificador_consultable(identidad) == identidad
        ):
            return identidad
        case _:
            raise CampoInvalido(
                nombre, CodigoDePeticion.CURSOR_INVALIDO, "no es un cursor de esta lista con este prefijo"
            )
