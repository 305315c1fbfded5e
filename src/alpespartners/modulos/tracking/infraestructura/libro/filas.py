"""De entidad a fila y de fila a entidad, para todas las clases de evento.

Qué es: la traducción, sin pérdida en ninguno de los dos sentidos; una columna se llama como su campo.
Qué no es: validación. Lo guardado se lee como está, aunque las reglas de hoy ya no lo admitieran.
Por qué existe: una entidad con un campo más es una columna más en `tablas.py`, y nada más aquí.
"""

from functools import lru_cache
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy import Row, Table

from alpespartners.modulos.tracking.aplicacion.clases import Clase, ClaseDeEvento
from alpespartners.modulos.tracking.aplicacion.puertos import FilaIlegible
from alpespartners.modulos.tracking.dominio.entidades import EventoSeguido
from alpespartners.modulos.tracking.dominio.excepciones import CampoInvalido
from alpespartners.modulos.tracking.dominio.lectura import Lectura
from alpespartners.modulos.tracking.infraestructura.libro.tablas import METADATOS

E = TypeVar("E", bound=EventoSeguido[Any])

Fila = dict[str, object]
FilaLeida = Row[*tuple[Any, ...]]

_LECTURAS_RECORDADAS: Final = 4_096
"""Las distintas son pocas: muchos vienen del mismo sitio con lo mismo."""


def tabla_de(clase: Clase) -> Table:
    """La tabla de los eventos de una clase."""
    return METADATOS.tables[clase.plural]


def a_fila(entidad: EventoSeguido[Any]) -> Fila:
    """Los valores de las columnas de una entidad."""
    campos = entidad.campos()
    campos["campana_id"] = campos.pop("campaña_id")
    campos["huella"] = entidad.huella
    campos["lectura"] = entidad.lectura and lectura_en_json(entidad.lectura)
    return campos


@lru_cache(_LECTURAS_RECORDADAS)
def lectura_en_json(lectura: Lectura) -> str:
    """Una lectura como se guarda: un objeto JSON, sin lo que no se sabe."""
    campos = msgspec.to_builtins(lectura)
    return msgspec.json.encode({nombre: valor for nombre, valor in campos.items() if valor}).decode()


@lru_cache(_LECTURAS_RECORDADAS)
def lectura_guardada(texto: str) -> Lectura:
    """La que se guardó así.

    Raises:
        MsgspecError: no se entiende.
    """
    return msgspec.json.decode(texto, type=Lectura)


def a_entidad(clase: ClaseDeEvento[E], fila: FilaLeida) -> E:
    """La entidad de una fila con todas sus columnas.

    Raises:
        FilaIlegible: un tipo no es de los que este programa conoce, o la lectura no se entiende.
    """
    campos = {**fila._mapping, "campaña_id": fila.campana_id}  # noqa: SLF001 (público, según SQLAlchemy)
    if fila.lectura is not None:
        try:
            campos["lectura"] = lectura_guardada(fila.lectura)
        except msgspec.MsgspecError:
            raise desconocido(fila, "lectura") from None
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
