"""La corriente: los eventos de una clase, de todas las campañas, por orden de llegada y para siempre.

Qué es: cada página con el cursor por el que seguir, también la última: quien vuelve con él ve todo lo que
llegue después, lo atrasado incluido, y nada dos veces.
Qué no es: la lista de una campaña, que va por cuándo ocurrió y se acaba.
Por qué existe: quien copia los eventos a otro sitio por cuándo ocurrieron se salta los que llegan tarde.

Son dos lecturas, y su orden importa: la frontera se pregunta antes de tomar la instantánea de la que salen
los eventos. En una sola, lo que se confirma entre medias quedaría por debajo de la frontera y sin verse.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from alpespartners.modulos.tracking.aplicacion.clases import Clase, ClaseDeEvento
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.aplicacion.consultas.cursores import (
    LIMITE_POR_OMISION,
    atadura_de,
    cursor_en_texto,
    lector_de,
    limite_de,
    partes_del_cursor,
)
from alpespartners.modulos.tracking.aplicacion.puertos import Lecturas
from alpespartners.modulos.tracking.aplicacion.textos import instante_de_parametro
from alpespartners.modulos.tracking.dominio.entidades import EventoSeguido
from alpespartners.modulos.tracking.dominio.excepciones import (
    CampoInvalido,
    DatosInvalidos,
    Fallo,
    Recolector,
)
from alpespartners.modulos.tracking.dominio.objetos_valor import identificador, tipo
from alpespartners.modulos.tracking.dominio.repositorios import FiltroCorriente, LecturaCorriente

E = TypeVar("E", bound=EventoSeguido[Any])

_PARAMETROS: Final = frozenset(
    {"limite", "cursor", "registrado_desde", "desde", "hasta", "campaña_id", "influencer_id"}
)
_VERSION_CURSOR: Final = 1
_ULTIMO_NUMERO: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Lugar:
    """Hasta dónde se leyó, y el sello de lo que había: si hoy es otro, el libro no es el que se leía."""

    numero: int
    sello: str


@dataclass(frozen=True, slots=True)
class PeticionCorriente:
    """Qué se pide: filtro, por dónde seguir (`None`: por el principio) y cuántos.

    Attributes:
        atadura: huella de la clase y los filtros; el cursor solo vale con los mismos.
    """

    filtro: FiltroCorriente
    desde: Lugar | None
    limite: int
    atadura: str


@dataclass(frozen=True, slots=True)
class PaginaCorriente(Generic[E]):
    """Hasta `limite` eventos por orden de llegada.

    Attributes:
        siguiente: el cursor por el que seguir; siempre lo hay.
        al_dia: si ahora mismo no queda nada más por leer.
    """

    elementos: list[E]
    siguiente: str
    al_dia: bool


@dataclass(frozen=True, slots=True)
class Tope:
    """Hasta dónde estaba todo en un instante, y el cursor por el que seguir desde ahí."""

    frontera: int
    siguiente: str


def parametros_de_corriente(clase: Clase) -> frozenset[str]:
    """Los parámetros que admite la corriente de una clase."""
    return _PARAMETROS | {clase.campo_tipo} if clase.filtra_por_tipo else _PARAMETROS


def peticion_de_corriente(clase: Clase, parametros: Mapping[str, str]) -> PeticionCorriente:
    """Lee los parámetros de una corriente; todos son de los que admite.

    Raises:
        DatosInvalidos: con todas las faltas; el campo de cada una es el nombre del parámetro.
    """
    recolector = Recolector()
    leer = lector_de(parametros, recolector)
    filtro = FiltroCorriente(
        registrado_desde=leer("registrado_desde", instante_de_parametro),
        desde=leer("desde", instante_de_parametro),
        hasta=leer("hasta", instante_de_parametro),
        campaña_id=leer("campaña_id", identificador),
        influencer_id=leer("influencer_id", identificador),
        tipo=leer(clase.campo_tipo, tipo, clase.tipos),
    )
    limite = leer("limite", limite_de) or LIMITE_POR_OMISION
    recolector.exigir()
    # El nombre de la clase: sus parámetros no bastan para distinguirla de otra.
    atadura = atadura_de(filtro, parametros_de_corriente(clase) | {clase.topico})
    desde = leer("cursor", _leer_cursor, atadura)
    recolector.exigir()
    return PeticionCorriente(filtro, desde, limite, atadura)


async def leer_corriente(
    lecturas: Lecturas, clase: ClaseDeEvento[E], peticion: PeticionCorriente, tope: Tope | None = None
) -> PaginaCorriente[E]:
    """Devuelve la página pedida; sin nada que leer, una vacía con el mismo lugar.

    Con un tope no pasa de él, y ahí está al día; sin él, hasta donde esté todo ahora.

    Raises:
        BaseDatosNoDisponible: la base de datos no respondió.
        DatosInvalidos: el cursor es de otro libro: se reconstruyó, o se restauró de una copia anterior.
    """
    frontera = await _frontera(lecturas, clase) if tope is None else tope.frontera
    return await lecturas.leer(lambda consulta: _pagina(consulta.corriente(clase), peticion, frontera))


async def tope_de_la_corriente(
    lecturas: Lecturas, clase: ClaseDeEvento[E], peticion: PeticionCorriente
) -> Tope:
    """Devuelve el de ahora: quien lea hasta él y siga después por su cursor no se salta nada.

    Raises:
        BaseDatosNoDisponible: la base de datos no respondió.
    """
    frontera = await _frontera(lecturas, clase)
    hasta = frontera if peticion.desde is None else max(frontera, peticion.desde.numero)
    sello = await lecturas.leer(lambda consulta: consulta.corriente(clase).sello(hasta))
    return Tope(frontera, _cursor(peticion, hasta, sello))


async def _frontera(lecturas: Lecturas, clase: ClaseDeEvento[E]) -> int:
    return await lecturas.leer(lambda consulta: consulta.corriente(clase).frontera())


def _cursor(peticion: PeticionCorriente, hasta: int, sello: str) -> str:
    return cursor_en_texto(_VERSION_CURSOR, peticion.atadura, hasta, sello)


def _pagina(corriente: LecturaCorriente[E], peticion: PeticionCorriente, frontera: int) -> PaginaCorriente[E]:
    filtro = peticion.filtro
    if peticion.desde is not None:
        if corriente.sello(peticion.desde.numero) != peticion.desde.sello:
            raise DatosInvalidos([_DE_OTRO_LIBRO])
        despues_de = peticion.desde.numero
    elif filtro.registrado_desde is not None:
        despues_de = corriente.antes_de(filtro.registrado_desde, frontera)
    else:
        despues_de = 0
    tramo = corriente.leer(filtro, despues_de, frontera, peticion.limite)
    cursor = _cursor(peticion, tramo.hasta, corriente.sello(tramo.hasta))
    return PaginaCorriente(tramo.eventos, cursor, al_dia=tramo.hasta >= frontera)


_DE_OTRO_LIBRO: Final = Fallo(
    "cursor",
    CodigoDePeticion.CURSOR_INVALIDO,
    "lo leído hasta ahí ya no es lo que hay: la base de datos se reconstruyó o se restauró. Empiece sin "
    "cursor, con registrado_desde si basta con lo último, y reconozca por su id lo que ya tenía",
)


def _leer_cursor(nombre: str, texto: str, atadura: str) -> Lugar:
    match partes_del_cursor(texto):
        case [int(version), str(suya), int(numero), str(sello)] if (
            version == _VERSION_CURSOR and suya == atadura and 0 <= numero <= _ULTIMO_NUMERO
        ):
            return Lugar(numero, sello)
    raise CampoInvalido(
        nombre, CodigoDePeticion.CURSOR_INVALIDO, "no es un cursor de esta corriente con estos filtros"
    )
