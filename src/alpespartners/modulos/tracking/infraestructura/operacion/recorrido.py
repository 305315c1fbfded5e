"""Recorrer el libro entero: página a página por su clave, cada una en una lectura corta.

Qué es: lo que necesita quien tiene que verlo todo (conciliar, contar) sin detener a quien escribe.
Qué no es: una instantánea. Lo que se registre mientras tanto puede verse o no; lo que ya estaba se ve
siempre, porque del libro no se borra nada.
Por qué existe: una lectura larga impide consolidar el WAL de SQLite, y una tabla no cabe en la memoria.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import Connection, select

from alpespartners.modulos.tracking.aplicacion.clases import Clase
from alpespartners.modulos.tracking.aplicacion.mensajes import DestinoDeComando, IdentidadComando
from alpespartners.modulos.tracking.dominio.entidades import EventoSeguido
from alpespartners.modulos.tracking.dominio.repositorios import FiltroEventos, Posicion
from alpespartners.modulos.tracking.infraestructura.libro.carriles import ids_pendientes
from alpespartners.modulos.tracking.infraestructura.libro.destinos import RegistroDestinosSQL
from alpespartners.modulos.tracking.infraestructura.libro.tablas import bandeja_salida
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import ce_id_de_evento
from alpespartners.modulos.tracking.infraestructura.repositorios import RepositorioEventosSQL

T = TypeVar("T")

PAGINA: Final = 1_000


class LectorDelLibro(Protocol):
    """Una base de datos, para leerla con sentencias."""

    def leer_libro(self, trabajo: Callable[[Connection], T]) -> T:
        """Ejecuta el trabajo en una transacción corta de solo lectura, y espera a que termine.

        Raises:
            BaseDatosNoDisponible: la base de datos no respondió, o no tiene las tablas de este programa.
        """


def paginas_de_eventos(lector: LectorDelLibro, clase: Clase) -> Iterator[Sequence[EventoSeguido[Any]]]:
    """Recorre los eventos registrados de una clase."""
    ultimo: str | None = None
    while pagina := lector.leer_libro(partial(_eventos, clase, ultimo)):
        yield pagina
        ultimo = pagina[-1].id


def paginas_de_una_campaña(
    lector: LectorDelLibro, clase: Clase, campaña_id: str
) -> Iterator[Sequence[EventoSeguido[Any]]]:
    """Recorre los eventos registrados de una clase y una campaña, del más reciente al más antiguo."""
    filtro = FiltroEventos(campaña_id=campaña_id)
    ultimo: Posicion | None = None
    while pagina := lector.leer_libro(partial(_de_una_campaña, clase, filtro, ultimo)):
        yield pagina
        ultimo = Posicion(pagina[-1].ocurrido_en, pagina[-1].id)


def paginas_de_destinos(lector: LectorDelLibro, topico: str) -> Iterator[list[DestinoDeComando]]:
    """Recorre los destinos anotados de un tópico de comandos."""
    ultima: IdentidadComando | None = None
    while pagina := lector.leer_libro(partial(_destinos, topico, ultima)):
        yield pagina
        ultima = pagina[-1].identidad


def paginas_de_envios(lector: LectorDelLibro, clase: Clase) -> Iterator[list[str]]:
    """Recorre los `ce_id` de los eventos de una clase que están por publicar."""
    for pagina in (_por_publicar, _envios):
        ultimo = 0
        while leida := lector.leer_libro(partial(pagina, clase, ultimo)):
            yield [ce_id for _, ce_id in leida]
            ultimo = leida[-1][0]


def _eventos(clase: Clase, despues_de: str | None, conexion: Connection) -> Sequence[EventoSeguido[Any]]:
    return RepositorioEventosSQL(conexion, clase).por_id(despues_de, PAGINA)


def _de_una_campaña(
    clase: Clase, filtro: FiltroEventos, despues_de: Posicion | None, conexion: Connection
) -> Sequence[EventoSeguido[Any]]:
    return RepositorioEventosSQL(conexion, clase).listar(filtro, despues_de, PAGINA)


def _destinos(
    topico: str, despues_de: IdentidadComando | None, conexion: Connection
) -> list[DestinoDeComando]:
    return RegistroDestinosSQL(conexion).por_identidad(topico, despues_de, PAGINA)


def _por_publicar(clase: Clase, despues_de: int, conexion: Connection) -> list[tuple[int, str]]:
    filas = ids_pendientes(conexion, clase, despues_de, PAGINA)
    return [(numero, ce_id_de_evento(clase.topico_de_eventos, suyo)) for numero, suyo in filas]


def _envios(clase: Clase, despues_de: int, conexion: Connection) -> list[tuple[int, str]]:
    """Los que dejó en la tabla de la bandeja de salida una versión anterior a los carriles."""
    columnas = bandeja_salida.c
    consulta = (
        select(columnas.numero, columnas.propiedades)
        .where(columnas.topico == clase.topico_de_eventos, columnas.numero > despues_de)
        .order_by(columnas.numero)
        .limit(PAGINA)
    )
    return [(fila.numero, fila.propiedades.get("ce_id", "")) for fila in conexion.execute(consulta)]
