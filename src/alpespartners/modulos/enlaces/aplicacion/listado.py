"""La lista de los enlaces, del último que se hizo al primero, por páginas."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from alpespartners.modulos.enlaces.aplicacion.puertos import Enlaces, Filtro, Lugar
from alpespartners.modulos.enlaces.dominio.enlace import Enlace
from alpespartners.modulos.tracking.aplicacion.consultas.cursores import (
    LIMITE_POR_OMISION,
    atadura_de,
    cursor_de_lugar,
    lector_de,
    limite_de,
    lugar_del_cursor,
)
from alpespartners.modulos.tracking.dominio.excepciones import Recolector
from alpespartners.modulos.tracking.dominio.objetos_valor import identificador

PARAMETROS: Final = frozenset({"limite", "cursor", "campaña_id", "influencer_id"})

_VERSION_DEL_CURSOR: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PeticionDeEnlaces:
    """Qué se pide: cuáles, desde dónde (`None`: desde el último) y cuántos."""

    filtro: Filtro
    despues_de: Lugar | None
    limite: int
    atadura: str


@dataclass(frozen=True, slots=True)
class PaginaDeEnlaces:
    """Hasta `limite` enlaces, y el cursor de la siguiente página si la hay."""

    elementos: Sequence[Enlace]
    siguiente: str | None


def peticion_de_enlaces(parametros: Mapping[str, str]) -> PeticionDeEnlaces:
    """Lee los parámetros de la lista; todos son de los que admite.

    Raises:
        DatosInvalidos: con todas las faltas; el campo de cada una es el nombre del parámetro.
    """
    recolector = Recolector()
    leer = lector_de(parametros, recolector)
    filtro = Filtro(
        campaña_id=leer("campaña_id", identificador), influencer_id=leer("influencer_id", identificador)
    )
    limite = leer("limite", limite_de) or LIMITE_POR_OMISION
    recolector.exigir()
    atadura = atadura_de(("enlaces", filtro), PARAMETROS)
    despues_de = leer("cursor", _leer_cursor, atadura)
    recolector.exigir()
    return PeticionDeEnlaces(filtro=filtro, despues_de=despues_de, limite=limite, atadura=atadura)


async def listar_enlaces(enlaces: Enlaces, peticion: PeticionDeEnlaces) -> PaginaDeEnlaces:
    """La página pedida; si nada cumple los filtros, vacía."""
    hallados = await enlaces.listar(peticion.filtro, peticion.despues_de, peticion.limite + 1)
    pagina = hallados[: peticion.limite]
    if len(hallados) == len(pagina):
        return PaginaDeEnlaces(pagina, None)
    ultimo = pagina[-1]
    cursor = cursor_de_lugar(_VERSION_DEL_CURSOR, peticion.atadura, ultimo.creado_en, ultimo.enlace_id)
    return PaginaDeEnlaces(pagina, cursor)


def _leer_cursor(nombre: str, texto: str, atadura: str) -> Lugar:
    return Lugar(*lugar_del_cursor(nombre, texto, _VERSION_DEL_CURSOR, atadura))
