"""El reclasificador: lee otra vez, con las reglas de hoy, la procedencia de lo registrado.

Qué es: recorre las filas página a página, con todo en marcha; dice qué cambia y, si se pide, lo escribe.
Qué no es: otro registro. Solo cambia la lectura, que se deduce del resto de la fila y de las señales que se
recibieron, y en la misma transacción lo que los informes cuentan por ella. Los eventos ya publicados llevan
la de entonces.
Por qué existe: un robot que ayer no se conocía ya dejó sus clics, y un evento de antes no tiene lectura.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import Connection

from alpespartners.modulos.tracking.aplicacion.clases import CLASES, IMPRESIONES, Clase
from alpespartners.modulos.tracking.aplicacion.procedencia_del_clic import con_la_de_su_clic
from alpespartners.modulos.tracking.aplicacion.puertos import ClicLeido, Lector, Proyeccion
from alpespartners.modulos.tracking.dominio.entidades import EventoSeguido
from alpespartners.modulos.tracking.dominio.lectura import NO_EVALUADA, Lectura
from alpespartners.modulos.tracking.dominio.objetos_valor import TipoEvento
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
    proyeccion: Callable[[Connection], Proyeccion],
    *,
    campaña_id: str | None,
    escribir: bool,
    avanza: Callable[[str, int], None],
) -> Reclasificado:
    """Lee otra vez las filas, de todas las campañas o de una.

    Args:
        libro: donde están.
        lector: el de hoy.
        proyeccion: lo que otro módulo cuenta en una transacción, en filas que no son de quien registra.
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
            ahora = _leida_otra_vez(pagina, lector, libro)
            nuevas = _las_que_cambian(pagina, ahora, hecho)
            if escribir and nuevas:
                hecho.escritos += libro.escribir(partial(_escribir, clase, nuevas, proyeccion))
            avanza(clase.plural, len(pagina))
    return hecho


def _paginas(
    libro: LectorDelLibro, clase: Clase, campaña_id: str | None
) -> Iterator[Sequence[EventoSeguido[Any]]]:
    if campaña_id is None:
        return paginas_de_eventos(libro, clase)
    return paginas_de_una_campaña(libro, clase, campaña_id)


def _leida_otra_vez(
    pagina: Sequence[EventoSeguido[Any]], lector: Lector, libro: LectorDelLibro
) -> list[Lectura]:
    """La lectura de hoy de cada evento, con la procedencia de su clic, también como se lee hoy."""
    eventos = con_la_de_su_clic(
        [replace(evento, lectura=_de_hoy(evento, lector)) for evento in pagina],
        lambda ids: libro.leer_libro(partial(_clics_de_hoy, ids, lector)),
    )
    return [evento.lectura or _SIN_LECTURA for evento in eventos]


def _de_hoy(evento: EventoSeguido[Any], lector: Lector) -> Lectura:
    return lector.leer(evento.contenido, (evento.lectura or _SIN_LECTURA).recibidas)


def _clics_de_hoy(ids: Collection[str], lector: Lector, conexion: Connection) -> dict[str, ClicLeido]:
    clics: dict[str, ClicLeido] = {}
    for clic_id, clic in RepositorioEventosSQL(conexion, IMPRESIONES).obtener(ids).items():
        hoy = _de_hoy(clic, lector)
        lectura = clic.lectura if NO_EVALUADA in hoy.señales else hoy
        if lectura is not None and clic.contenido.tipo_evento is TipoEvento.CLIC:
            clics[clic_id] = ClicLeido(clic.contenido.campaña_id, lectura)
    return clics


def _las_que_cambian(
    pagina: Sequence[EventoSeguido[Any]], de_hoy: Sequence[Lectura], hecho: Reclasificado
) -> dict[str, Lectura]:
    nuevas: dict[str, Lectura] = {}
    for evento, ahora in zip(pagina, de_hoy, strict=True):
        antes = evento.lectura or _SIN_LECTURA
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


def _escribir(
    clase: Clase,
    nuevas: Mapping[str, Lectura],
    proyeccion: Callable[[Connection], Proyeccion],
    conexion: Connection,
) -> int:
    """Pone esas lecturas donde aún no están, las cuenta, y dice cuántas eran."""
    repositorio = RepositorioEventosSQL(conexion, clase)
    # Otra vez: desde que se leyó la página pudo reescribirlas otro, y ya no están contadas como entonces.
    antes = [evento for evento in repositorio.obtener(nuevas).values() if evento.lectura != nuevas[evento.id]]
    ahora = [replace(evento, lectura=nuevas[evento.id]) for evento in antes]
    repositorio.poner_lecturas({evento.id: nuevas[evento.id] for evento in antes})
    proyeccion(conexion).cambiar([*map(clase.evento, antes)], [*map(clase.evento, ahora)])
    return len(antes)
