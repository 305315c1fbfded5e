"""La lista de eventos de una campaña o de un influencer, por páginas.

Qué es: los filtros que se admiten, el cursor y la página. El cursor es una posición (no un número de
página): recorrer la lista mientras llegan eventos no repite ninguno ni se salta los que ya estaban.
Qué no es: HTTP ni SQL.
Por qué existe: un filtro mal escrito que se ignorara daría totales falsos; aquí todo lo que no se
entiende es una falta, y todas se dicen a la vez.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from alpespartners.modulos.tracking.aplicacion.clases import Clase
from alpespartners.modulos.tracking.aplicacion.consultas.cursores import (
    LIMITE_POR_OMISION,
    atadura_de,
    cursor_de_lugar,
    lector_de,
    limite_de,
    lugar_del_cursor,
)
from alpespartners.modulos.tracking.aplicacion.textos import instante_de_parametro
from alpespartners.modulos.tracking.dominio.entidades import EventoSeguido
from alpespartners.modulos.tracking.dominio.excepciones import Recolector
from alpespartners.modulos.tracking.dominio.objetos_valor import identificador, tipo
from alpespartners.modulos.tracking.dominio.repositorios import FiltroEventos, LecturaEventos, Posicion

E = TypeVar("E", bound=EventoSeguido[Any])

DE_CAMPAÑA: Final = "campaña_id"
DE_INFLUENCER: Final = "influencer_id"
_OTRO: Final = {DE_CAMPAÑA: DE_INFLUENCER, DE_INFLUENCER: DE_CAMPAÑA}
"""De lo que identifica a una lista, lo que puede filtrarla."""

_PARAMETROS = frozenset({"limite", "cursor", "desde", "hasta"})
_VERSION_CURSOR = 1


@dataclass(frozen=True, slots=True)
class PeticionLista:
    """Qué se pide: filtro, posición desde la que seguir (`None`: desde lo más reciente) y cuántos."""

    filtro: FiltroEventos
    despues_de: Posicion | None
    limite: int
    atadura: str
    """Huella de los filtros, con lo que identifica a la lista, y de su clase: el cursor es solo de ella."""


@dataclass(frozen=True, slots=True)
class Pagina(Generic[E]):
    """Hasta `limite` eventos, del más reciente al más antiguo, y el cursor de la siguiente si la hay."""

    elementos: list[E]
    siguiente: str | None


def parametros_de_lista(clase: Clase, de: str = DE_CAMPAÑA) -> frozenset[str]:
    """Los parámetros que admite la lista de una clase."""
    admitidos = _PARAMETROS | {_OTRO[de]}
    return admitidos | {clase.campo_tipo} if clase.filtra_por_tipo else admitidos


def peticion_de_lista(
    clase: Clase, identidad: str, parametros: Mapping[str, str], de: str = DE_CAMPAÑA
) -> PeticionLista:
    """Lee los parámetros de la lista de esa campaña, o de ese influencer; todos son de los que admite.

    Raises:
        DatosInvalidos: con todas las faltas; el campo de cada una es el nombre del parámetro.
    """
    recolector = Recolector()
    leer = lector_de(parametros, recolector)
    filtro = FiltroEventos(
        **{de: identidad, _OTRO[de]: leer(_OTRO[de], identificador)},
        desde=leer("desde", instante_de_parametro),
        hasta=leer("hasta", instante_de_parametro),
        tipo=leer(clase.campo_tipo, tipo, clase.tipos),
    )
    limite = leer("limite", limite_de) or LIMITE_POR_OMISION
    recolector.exigir()
    atadura = atadura_de(filtro, parametros_de_lista(clase, de))
    despues_de = leer("cursor", _leer_cursor, atadura)
    recolector.exigir()
    return PeticionLista(filtro, despues_de, limite, atadura)


def listar_eventos(eventos: LecturaEventos[E], peticion: PeticionLista) -> Pagina[E]:
    """Devuelve la página pedida; de una campaña o un influencer desconocidos es una página vacía."""
    elementos = eventos.listar(peticion.filtro, peticion.despues_de, peticion.limite + 1)
    if len(elementos) <= peticion.limite:
        return Pagina(elementos, None)
    elementos = elementos[: peticion.limite]
    ultimo = elementos[-1]
    cursor = cursor_de_lugar(_VERSION_CURSOR, peticion.atadura, ultimo.ocurrido_en, ultimo.id)
    return Pagina(elementos, cursor)


def _leer_cursor(nombre: str, texto: str, atadura: str) -> Posicion:
    return Posicion(*lugar_del_cursor(nombre, texto, _VERSION_CURSOR, atadura))
