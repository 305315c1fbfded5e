"""Implementaciones de repositorios: los eventos en SQL, y lo que una transacción o una consulta abarcan.

Qué es: los repositorios del dominio sobre una conexión con una transacción abierta, y lo que los reúne:
`TransaccionSQL` para quien escribe y `ConsultaSQL` para quien lee.
Qué no es: quien abre la conexión y hace el commit; eso es de cada motor (`motores/`).
Por qué existe: un repositorio sirve a todas las clases de evento; lo que las distingue lo dice su descriptor
(`aplicacion/clases.py`).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Generic, TypeVar
from uuid import uuid4

from sqlalchemy import Connection, MetaData, Select, Table, bindparam, literal, select, tuple_, update
from sqlalchemy.exc import DBAPIError

from alpespartners.modulos.tracking.aplicacion.clases import Clase, ClaseDeEvento
from alpespartners.modulos.tracking.aplicacion.puertos import Consulta, Proyeccion
from alpespartners.modulos.tracking.dominio.entidades import EventoSeguido
from alpespartners.modulos.tracking.dominio.eventos import EventoDominio
from alpespartners.modulos.tracking.dominio.lectura import Lectura
from alpespartners.modulos.tracking.dominio.repositorios import FiltroEventos, FiltroRegistro, Posicion
from alpespartners.modulos.tracking.infraestructura.libro.balance import BalanceSQL
from alpespartners.modulos.tracking.infraestructura.libro.bandeja_salida import BandejaSalidaSQL
from alpespartners.modulos.tracking.infraestructura.libro.carriles import (
    CarrilesPropios,
    CarrilesSQL,
    CarrilPropio,
)
from alpespartners.modulos.tracking.infraestructura.libro.clics import ClicsSQL
from alpespartners.modulos.tracking.infraestructura.libro.consulta_vacia import ConsultaVacia
from alpespartners.modulos.tracking.infraestructura.libro.corriente import CorrienteSQL, condiciones
from alpespartners.modulos.tracking.infraestructura.libro.destinos import RegistroDestinosSQL
from alpespartners.modulos.tracking.infraestructura.libro.filas import (
    a_entidad,
    a_fila,
    lectura_en_json,
    tabla_de,
)
from alpespartners.modulos.tracking.infraestructura.libro.tablas import libro
from alpespartners.seedwork.sql.errores import por_los_datos
from alpespartners.seedwork.sql.orden_de_llegada import SECUENCIA, numeradas
from alpespartners.seedwork.sql.sentencias import (
    en_tandas,
    entre_las_claves,
    insertar_lo_nuevo,
    motor_de,
)
from alpespartners.seedwork.sql.tipos import TEXTO, Instante

E = TypeVar("E", bound=EventoSeguido[Any])


class DatosRechazados(Exception):
    """La base de datos respondió, y no admite lo que lleva una de las filas; dice la clase del error."""


class RepositorioEventosSQL(Generic[E]):
    """Los eventos de una clase. Los demás errores de SQLAlchemy salen tal cual.

    Args:
        conexion: una con una transacción abierta.
        clase: la de los eventos.
        carril_de: en qué carril escribe este proceso los de esa clase; quien solo lee no lo necesita.
    """

    def __init__(
        self,
        conexion: Connection,
        clase: ClaseDeEvento[E],
        carril_de: Callable[[Clase], int | None] = lambda _clase: None,
    ) -> None:
        self._conexion = conexion
        self._clase = clase
        self._tabla = tabla_de(clase)
        self._carril_de = carril_de

    def agregar(self, entidades: Sequence[E]) -> dict[str, int]:
        """Guarda las entidades cuyo `id` no estaba y devuelve exactamente esos `id`, con su orden de llegada.

        Raises:
            DatosRechazados: una o más de las filas no caben en la tabla. Solo aquí se culpa a los datos: el
                mismo error en otra tabla, que escribe el programa, es un defecto del programa.
        """
        if not entidades:
            return {}
        carril = self._carril_de(self._clase)
        filas = [{**a_fila(entidad), "carril": carril} for entidad in entidades]
        try:
            nuevas = insertar_lo_nuevo(
                self._conexion, self._tabla, numeradas(self._conexion, self._tabla, filas), SECUENCIA
            )
        except DBAPIError as error:
            if por_los_datos(error):
                raise DatosRechazados(type(error.orig).__name__) from error
            raise
        return dict(nuevas)

    def autores(self, ids: Collection[str]) -> dict[str, tuple[str, bytes | None]]:
        """De los `id` que existen, el `comando_id` y la huella del comando que los registró.

        No lee lo demás de la fila: sirve aunque otra mano lo haya dejado ilegible.
        """
        consulta = _autores(motor_de(self._conexion), self._tabla)
        return {
            fila.id: (fila.comando_id, fila.huella)
            for tanda in en_tandas(self._conexion, ids)
            for fila in self._conexion.execute(consulta, tanda)
        }

    def obtener(self, ids: Collection[str]) -> dict[str, E]:
        """Devuelve los eventos que existen de entre esos `id`, por su `id`."""
        consulta = _por_id(motor_de(self._conexion), self._tabla)
        return {
            fila.id: a_entidad(self._clase, fila)
            for tanda in en_tandas(self._conexion, ids)
            for fila in self._conexion.execute(consulta, tanda)
        }

    def listar(self, filtro: FiltroEventos, despues_de: Posicion | None, limite: int) -> list[E]:
        """Devuelve hasta `limite` eventos, del más reciente al más antiguo por (`ocurrido_en`, `id`)."""
        columnas = self._tabla.c
        consulta = select(self._tabla).where(*condiciones(self._clase, filtro))
        if despues_de is not None:
            posicion = tuple_(literal(despues_de.ocurrido_en, Instante), literal(despues_de.id, TEXTO))
            consulta = consulta.where(tuple_(columnas.ocurrido_en, columnas.id) < posicion)
        consulta = consulta.order_by(columnas.ocurrido_en.desc(), columnas.id.desc()).limit(limite)
        return [a_entidad(self._clase, fila) for fila in self._conexion.execute(consulta)]

    def registrados(
        self, filtro: FiltroRegistro, despues_de: tuple[datetime, str] | None, limite: int
    ) -> list[E]:
        """Devuelve hasta `limite` eventos, del último registrado al primero por (`registrado_en`, `id`)."""
        columnas = self._tabla.c
        consulta = select(self._tabla)
        if filtro.campaña_id is not None:
            consulta = consulta.where(columnas.campana_id == filtro.campaña_id)
        if filtro.desde is not None:
            consulta = consulta.where(columnas.registrado_en >= filtro.desde)
        if filtro.hasta is not None:
            consulta = consulta.where(columnas.registrado_en < filtro.hasta)
        if despues_de is not None:
            cuando, id_evento = despues_de
            posicion = tuple_(literal(cuando, Instante()), literal(id_evento, TEXTO))
            consulta = consulta.where(tuple_(columnas.registrado_en, columnas.id) < posicion)
        consulta = consulta.order_by(columnas.registrado_en.desc(), columnas.id.desc()).limit(limite)
        return [a_entidad(self._clase, fila) for fila in self._conexion.execute(consulta)]

    def por_id(self, despues_de: str | None, limite: int) -> list[E]:
        """Devuelve hasta `limite` eventos, por orden de `id`, a partir del siguiente a ese."""
        tabla = self._tabla
        consulta = select(tabla).order_by(tabla.c.id).limit(limite)
        if despues_de is not None:
            consulta = consulta.where(tabla.c.id > despues_de)
        return [a_entidad(self._clase, fila) for fila in self._conexion.execute(consulta)]

    def poner_huellas(self, huellas: Mapping[str, bytes]) -> None:
        """Anota la carga de la que salió cada evento, por su `id`, donde aún no consta."""
        tabla = self._tabla
        sentencia = (
            update(tabla)
            .where(tabla.c.id == bindparam("de_id"), tabla.c.huella.is_(None))
            .values(huella=bindparam("la_huella"))
        )
        if huellas:
            self._conexion.execute(
                sentencia,
                [{"de_id": id_evento, "la_huella": huella} for id_evento, huella in sorted(huellas.items())],
            )

    def poner_lecturas(self, lecturas: Mapping[str, Lectura]) -> None:
        """Sustituye la lectura de cada evento, por su `id`: se deduce de su fila, y las reglas mejoran."""
        tabla = self._tabla
        sentencia = (
            update(tabla).where(tabla.c.id == bindparam("de_id")).values(lectura=bindparam("la_lectura"))
        )
        if lecturas:
            self._conexion.execute(
                sentencia,
                [
                    {"de_id": id_evento, "la_lectura": lectura_en_json(lectura)}
                    for id_evento, lectura in sorted(lecturas.items())
                ],
            )


@dataclass(frozen=True, slots=True)
class Proyectar:
    """Lo que otro módulo cuenta en el libro.

    Attributes:
        metadatos: sus tablas; si a la base de datos le faltan, este programa no la puede usar.
        en: da la proyección de una transacción, que suma en las filas de ese fragmento.
    """

    metadatos: MetaData
    en: Callable[[Connection, int], Proyeccion]


class _SinProyeccion:
    def aplicar(self, eventos: Sequence[EventoDominio[Any]]) -> None:
        """No cuenta nada."""

    def cambiar(self, antes: Sequence[EventoDominio[Any]], ahora: Sequence[EventoDominio[Any]]) -> None:
        """Ídem."""


SIN_PROYECCION = Proyectar(MetaData(), lambda _conexion, _fragmento: _SinProyeccion())
"""La de un libro del que nadie más cuenta nada."""


class TransaccionSQL:
    """Lo que un trabajo puede usar mientras dura su transacción; cumple el puerto `Transaccion`.

    Args:
        conexion: la suya.
        titular: quién es este proceso.
        arriendo: lo que tiene un carril o una carta quien los usa.
        sabidos: cómo dejaron los carriles de este proceso las transacciones anteriores.
        proyectar: lo que otro módulo cuenta en ella.
        fragmento: en qué filas de lo contado suma.
    """

    def __init__(
        self,
        conexion: Connection,
        titular: str,
        arriendo: timedelta,
        sabidos: Mapping[Clase, CarrilPropio],
        proyectar: Proyectar = SIN_PROYECCION,
        fragmento: int = 0,
    ) -> None:
        self._conexion = conexion
        self.carriles = CarrilesSQL(conexion, titular, arriendo)
        self.carriles_propios = CarrilesPropios(self.carriles, sabidos)
        self.destinos = RegistroDestinosSQL(conexion)
        self.clics = ClicsSQL(conexion)
        self.balance = BalanceSQL(conexion, fragmento)
        self.proyeccion = proyectar.en(conexion, fragmento)
        self.bandeja = BandejaSalidaSQL(conexion, arriendo, self.balance, self.carriles_propios)

    def eventos(self, clase: ClaseDeEvento[E]) -> RepositorioEventosSQL[E]:
        """El libro de los eventos de esa clase."""
        return RepositorioEventosSQL(self._conexion, clase, self.carriles_propios.numero)

    def eventos_publicados(self, clase: ClaseDeEvento[E]) -> RepositorioEventosSQL[E]:
        """El mismo, para agregar los que ya se publicaron: no van en ningún carril."""
        return RepositorioEventosSQL(self._conexion, clase)

    def renovar_identidad(self) -> None:
        """Da al libro otra identidad: los cursores de la corriente que dio hasta ahora dejan de valer."""
        self._conexion.execute(update(libro).values(identidad=uuid4().hex))


class ConsultaSQL:
    """Lo que una consulta puede leer mientras dura su transacción; cumple el puerto `Consulta`."""

    def __init__(self, conexion: Connection) -> None:
        self._conexion = conexion

    @property
    def destinos(self) -> RegistroDestinosSQL:
        """Qué fue de los comandos que no son una fila del libro."""
        return RegistroDestinosSQL(self._conexion)

    @property
    def balance(self) -> BalanceSQL:
        """Cuántos comandos acabaron en cada destino."""
        return BalanceSQL(self._conexion)

    def eventos(self, clase: ClaseDeEvento[E]) -> RepositorioEventosSQL[E]:
        """Los eventos registrados de esa clase."""
        return RepositorioEventosSQL(self._conexion, clase)

    def corriente(self, clase: ClaseDeEvento[E]) -> CorrienteSQL[E]:
        """Los mismos, por orden de llegada."""
        return CorrienteSQL(self._conexion, clase)


def consulta_sobre(conexion: Connection | None) -> Consulta:
    """La consulta sobre esa conexión; sin ninguna, sobre una base vacía."""
    return ConsultaVacia() if conexion is None else ConsultaSQL(conexion)


@cache
def _por_id(motor: str, tabla: Table) -> Select[Any]:
    return select(tabla).where(entre_las_claves(motor, tabla.c.id))


@cache
def _autores(motor: str, tabla: Table) -> Select[Any]:
    columnas = tabla.c
    return select(columnas.id, columnas.comando_id, columnas.huella).where(
        entre_las_claves(motor, columnas.id)
    )
