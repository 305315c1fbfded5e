"""El reclasificador: lee otra vez, con las reglas de hoy, la procedencia de lo registrado.

Qué es: recorre las filas página a página, con todo en marcha; dice qué cambia y, si se pide, lo escribe.
Qué no es: otro registro. Solo cambia la lectura, que se deduce del resto de la fila y de las señales que se
recibieron; los eventos ya publicados llevan la de entonces.
Por qué existe: un robot que ayer no se conocía ya dejó sus clics, y un evento de antes no tiene lectura.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import Connection

from alpespartners.modulos.tracking.aplicacion.clases import CLASES, Clase
from alpespartners.modulos.tracking.aplicacion.puertos import Lector
from alpespartners.modulos.tracking.dominio.entidades import EventoSeguido
from alpespartners.modulos.tracking.dominio.lectura import NO_EVALUADA, Lectura
from alpespartners.modulos.tracking.infraestructura.operacion.recorrido import (
    LectorDelLibro,
    paginas_de_eventos,
    paginas_de_una_campaña,
)
from alpespartners.modulos.tracking.infraestructura.repositorios import RepositorioEventosSQL

T = TypeVar("T")

_CAMBIOS_DISTINTOS: Final = 10_000
"""Los que se cuentan por separado; de los demás solo se sabe que los hubo."""
_SIN_LECTURA: Final = Lectura(reglas="")
# Cambian siempre que cambian las reglas, o nunca: no dicen en qué se lee distinto.
_CAMPOS: Final = [campo.name for campo in fields(Lectura) if campo.name not in {"reglas", "recibidas"}]


class LibroQueSeRepara(LectorDelLibro, Protocol):
    """Una base de datos en la que se corrige con todo en marcha."""

    def escribir(self, trabajo: Callable[[Connection], T]) -> T:
        """Ejecuta el trabajo en una transacción y vuelve tras su commit; si falla no queda nada."""


@dataclass(slots=True)
class Reclasificado:
    """Lo que se hizo.

    Attributes:
        mirados: eventos leídos otra vez.
        distintos: los que hoy se leen de otra manera, o no tenían lectura.
        escritos: aquellos cuya fila se reescribió, también si solo cambió con qué reglas se leyó.
        sin_evaluar: los que hoy no se pueden leer enteros, y quedan como estaban.
        cambios: cuántos pasan, en un campo, de un valor a otro.
    """

    mirados: int = 0
    distintos: int = 0
    escritos: int = 0
    sin_evaluar: int = 0
    cambios: Counter[tuple[str, Any, Any]] = field(default_factory=Counter)


def reclasificar(
    libro: LibroQueSeRepara,
    lector: Lector,
    *,
    campaña_id: str | None,
    escribir: bool,
    avanza: Callable[[str, int], None],
) -> Reclasificado:
    """Lee otra vez las filas, de todas las campañas o de una.

    Args:
        libro: donde están.
        lector: el de hoy.
        campaña_id: de cuál; `None`, de todas.
        escribir: si se reescriben las que cambian.
        avanza: recibe qué se hace y cuánto más.

    Raises:
        BaseDatosNoDisponible: la base de datos no respondió; lo hecho vale, y se puede repetir.
        FilaIlegible: otra mano cambió una de las filas.
    """
    hecho = Reclasificado()
    for clase in CLASES:
        for pagina in _paginas(libro, clase, campaña_id):
            nuevas = _las_que_cambian(pagina, lector, hecho)
            if escribir and nuevas:
                _escribir(libro, clase, nuevas)
                hecho.escritos += len(nuevas)
            avanza(clase.plural, len(pagina))
    return hecho


def _paginas(
    libro: LectorDelLibro, clase: Clase, campaña_id: str | None
) -> Iterator[Sequence[EventoSeguido[Any]]]:
    if campaña_id is None:
        return paginas_de_eventos(libro, clase)
    return paginas_de_una_campaña(libro, clase, campaña_id)


def _las_que_cambian(
    pagina: Sequence[EventoSeguido[Any]], lector: Lector, hecho: Reclasificado
) -> dict[str, Lectura]:
    nuevas: dict[str, Lectura] = {}
    for evento in pagina:
        antes = evento.lectura or _SIN_LECTURA
        ahora = lector.leer(evento.contenido, antes.recibidas)
        hecho.mirados += 1
        if NO_EVALUADA in ahora.señales:
            hecho.sin_evaluar += 1
        elif ahora != antes:
            nuevas[evento.id] = ahora
            _contar(antes, ahora, hecho)
    return nuevas


def _contar(antes: Lectura, ahora: Lectura, hecho: Reclasificado) -> None:
    distintos = [nombre for nombre in _CAMPOS if getattr(antes, nombre) != getattr(ahora, nombre)]
    hecho.distintos += bool(distintos)
    for nombre in distintos:
        cambio = (nombre, getattr(antes, nombre), getattr(ahora, nombre))
        if cambio in hecho.cambios or len(hecho.cambios) < _CAMBIOS_DISTINTOS:
            hecho.cambios[cambio] += 1


def _escribir(libro: LibroQueSeRepara, clase: Clase, nuevas: dict[str, Lectura]) -> None:
    libro.escribir(lambda conexion: RepositorioEventosSQL(conexion, clase).poner_lecturas(nuevas))
