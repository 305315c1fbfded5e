"""De entidad a fila y de fila a entidad, para todas las clases de evento.

Qué es: la traducción, sin pérdida en ninguno de los dos sentidos; una columna se llama como su campo.
Qué no es: validación. Lo guardado se lee como está, aunque las reglas de hoy ya no lo admitieran.
Por qué existe: una entidad con un campo más es una columna más en `tablas.py`, y nada más aquí.
"""

from typing import Any, TypeVar

from sqlalchemy import Row, Table

from alpespartners.modulos.tracking.aplicacion.clases import Clase, ClaseDeEvento
from alpespartners.modulos.tracking.aplicacion.puertos import FilaIlegible
from alpespartners.modulos.tracking.dominio.entidades import EventoSeguido
from alpespartners.modulos.tracking.dominio.excepciones import CampoInvalido
from alpespartners.modulos.tracking.infraestructura.libro.tablas import METADATOS

E = TypeVar("E", bound=EventoSeguido[Any])

Fila = dict[str, object]
FilaLeida = Row[*tuple[Any, ...]]


def tabla_de(clase: Clase) -> Table:
    """La tabla de los eventos de una clase."""
    return METADATOS.tables[clase.plural]


def a_fila(entidad: EventoSeguido[Any]) -> Fila:
    """Los valores de las columnas de una entidad."""
    campos = entidad.campos()
    campos["campana_id"] = campos.pop("campaña_id")
    campos["huella"] = entidad.huella
    return campos


def a_entidad(clase: ClaseDeEvento[E], fila: FilaLeida) -> E:
    """La entidad de una fila con todas sus columnas.

    Raises:
        FilaIlegible: un tipo no es de los que este programa conoce.
    """
    campos = {**fila._mapping, "campaña_id": fila.campana_id}  # noqa: SLF001 (público, según SQLAlchemy)
    try:
        return clase.leer(campos, fila.huella)
    except CampoInvalido as invalido:
        raise desconocido(fila, invalido.fallo.campo) from None


def desconocido(fila: FilaLeida, columna: str) -> FilaIlegible:
    """Lo que se lanza cuando otra mano escribió en esa columna lo que este programa no escribe."""
    return FilaIlegible(
        f"la fila del comando {fila.comando_id} tiene {columna} = {getattr(fila, columna)!r}, "
        "que el programa no conoce"
    )
