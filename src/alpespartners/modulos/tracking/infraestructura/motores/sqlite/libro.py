"""La unidad de trabajo sobre SQLite: el único que escribe en la base de datos de una carpeta.

Qué es: transacciones en un hilo propio, el turno de escritura mientras vive y la migración al abrir.
Qué no es: las sentencias, que son de los repositorios y valen para cualquier motor.
Por qué existe: SQLite admite un escritor, y esperar al disco no puede detener el bucle de asyncio.
"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, MetaData
from sqlalchemy.exc import DBAPIError

from alpespartners.migraciones import HISTORIA, Historia
from alpespartners.modulos.tracking.infraestructura.motores.base_datos import ARRIENDO, Libro
from alpespartners.modulos.tracking.infraestructura.motores.esquema import (
    SIN_MAS_TABLAS,
    EsquemaNoSirve,
    comprobar_en_marcha,
    poner_al_dia,
)
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.archivo import (
    archivo_de,
    como_no_disponible,
    consolidar,
    motor_de_escritura,
)
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.turno import (
    turno_breve,
    turno_de_consumidor,
)
from alpespartners.modulos.tracking.infraestructura.repositorios import SIN_PROYECCION, Proyectar
from alpespartners.seedwork.arranque import ErrorDeArranque

T = TypeVar("T")

_ESPERA_EN_MARCHA_MS = 1_000


class LibroSQLite(Libro):
    """La base de datos de una carpeta, abierta para escribir; cumple el puerto `UnidadTrabajo`.

    Las transacciones van de una en una, en el orden en que se piden.

    Args:
        datos: la carpeta; se crea si falta.
        arriendo: cuánto tiene este proceso lo que deja pendiente o toma de otro.
        proyectar: lo que otro módulo cuenta en cada transacción.
    """

    def __init__(
        self, datos: Path, arriendo: timedelta = ARRIENDO, proyectar: Proyectar = SIN_PROYECCION
    ) -> None:
        super().__init__(arriendo, proyectar)
        self._datos = datos
        self._motor = motor_de_escritura(datos)
        self._hilo = ThreadPoolExecutor(1, "libro-sqlite")
        self._abierto = ExitStack()

    def abrir(self) -> None:
        """Toma el turno de escritura hasta `cerrar` y deja el esquema al día. Bloquea mientras tanto.

        Raises:
            ErrorDeArranque: otro consumidor lo tiene, o la base de datos no se puede abrir o migrar.
        """
        with _abriendo(self._datos), ExitStack() as pila:
            pila.enter_context(turno_de_consumidor(self._datos))
            pila.callback(self._motor.dispose)
            pila.callback(self._hilo.shutdown)
            with self._motor.begin() as conexion:
                poner_al_dia(conexion, metadatos=self._proyectar.metadatos)
                # Quien tiene el turno está solo: los arriendos que haya son de un proceso que murió.
                transaccion = self._transaccion(conexion)
                transaccion.bandeja.liberar_todo()
                transaccion.carriles.soltar_todos()
                # Para arrancar se espera más. Después quien pide sabe insistir, y al parar no hay tiempo.
                conexion.exec_driver_sql(f"PRAGMA busy_timeout = {_ESPERA_EN_MARCHA_MS}")
            self._abierto = pila.pop_all()
            # Detrás de la última transacción, en su mismo hilo.
            self._abierto.callback(lambda: self._hilo.submit(consolidar, self._motor).result())

    def cerrar(self) -> None:
        """Espera a la transacción en curso y suelta el turno. No se puede volver a abrir."""
        self._abierto.close()

    async def _ejecutar(self, trabajo: Callable[[Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._hilo, self._en_transaccion, trabajo)

    def _en_transaccion(self, trabajo: Callable[[Connection], T]) -> T:
        with como_no_disponible(), self._motor.begin() as conexion:
            try:
                return trabajo(conexion)
            except Exception:
                # Quizá otra mano cambió las tablas, y lo que se rechaza no tiene vuelta atrás.
                comprobar_en_marcha(conexion, self._proyectar.metadatos)
                raise


def migrar(datos: Path, historia: Historia = HISTORIA, *, metadatos: MetaData = SIN_MAS_TABLAS) -> None:
    """Deja al día el esquema de esa carpeta, si nadie escribe en ella.

    Si otro proceso tiene el turno de escritura no hace nada: ese proceso ya lo migró o lo está migrando.

    Raises:
        ErrorDeArranque: la base de datos no se puede abrir o migrar.
    """
    with _abriendo(datos), turno_breve(datos) as es_mio:
        if es_mio:
            motor = motor_de_escritura(datos)
            try:
                with motor.begin() as conexion:
                    poner_al_dia(conexion, historia, metadatos)
            finally:
                motor.dispose()


@contextmanager
def _abriendo(datos: Path) -> Iterator[None]:
    """Crea carpeta y archivo si faltan, y dice en una frase por qué no se puede abrir la base de datos."""
    try:
        datos.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite lo crearía legible para todos, y guarda datos personales.
        archivo_de(datos).touch(mode=0o600)
        yield
    except EsquemaNoSirve as fallo:
        raise ErrorDeArranque(f"La base de datos {archivo_de(datos)} {fallo}") from fallo
    except OSError as error:
        raise ErrorDeArranque(
            f"No se puede escribir en la carpeta de datos {datos} ({error.strerror}): "
            "defina ALPES_DATOS con otra carpeta."
        ) from error
    except DBAPIError as error:
        raise ErrorDeArranque(
            f"No se puede abrir la base de datos {archivo_de(datos)}: {error.orig}."
        ) from error
