"""La unidad de trabajo sobre SQLite: el único que escribe en la base de datos de una carpeta.

Qué es: transacciones en un hilo propio, el turno de escritura mientras vive y la migración al abrir.
Qué no es: las sentencias, que son de los repositorios y valen para cualquier motor.
Por qué existe: SQLite admite un escritor, y esperar al disco no puede detener el bucle de asyncio.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

from alpespartners.migraciones import HISTORIA, Historia
from alpespartners.modulos.tracking.aplicacion.mensajes import Envio
from alpespartners.modulos.tracking.infraestructura.libro.bandeja_salida import ARRIENDO
from alpespartners.modulos.tracking.infraestructura.motores.esquema import (
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
from alpespartners.modulos.tracking.infraestructura.repositorios import TransaccionSQL
from alpespartners.seedwork.arranque import ErrorDeArranque

T = TypeVar("T")

_ESPERA_EN_MARCHA_MS = 1_000


class LibroSQLite:
    """La base de datos de una carpeta, abierta para escribir; cumple el puerto `UnidadTrabajo`.

    Args:
        datos: la carpeta; se crea si falta.
        arriendo: cuánto tiene un envío quien lo depositó o lo reservó.
    """

    def __init__(self, datos: Path, arriendo: timedelta = ARRIENDO) -> None:
        self._datos = datos
        self._arriendo = arriendo
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
                poner_al_dia(conexion)
                # Quien tiene el turno está solo: los arriendos que haya son de un proceso que murió.
                TransaccionSQL(conexion, self._arriendo).bandeja.liberar_todo()
                # Para arrancar se espera más. Después quien pide sabe insistir, y al parar no hay tiempo.
                conexion.exec_driver_sql(f"PRAGMA busy_timeout = {_ESPERA_EN_MARCHA_MS}")
            self._abierto = pila.pop_all()
            # Detrás de la última transacción, en su mismo hilo.
            self._abierto.callback(lambda: self._hilo.submit(consolidar, self._motor).result())

    def cerrar(self) -> None:
        """Espera a la transacción en curso y suelta el turno. No se puede volver a abrir."""
        self._abierto.close()

    async def ejecutar(self, trabajo: Callable[[TransaccionSQL], T]) -> T:
        """Ejecuta el trabajo en una transacción y vuelve tras su commit; si falla no queda nada.

        Las transacciones van de una en una, en el orden en que se piden.

        Raises:
            BaseDatosNoDisponible: la base de datos no respondió, o su esquema no es el de este programa.
        """
        return await asyncio.get_running_loop().run_in_executor(self._hilo, self._en_transaccion, trabajo)

    async def retirar(self, numeros: Sequence[int]) -> None:
        """Olvida los envíos que el broker ya confirmó."""
        await self.ejecutar(lambda transaccion: transaccion.bandeja.retirar(numeros))

    async def renovar(self, numeros: Sequence[int]) -> None:
        """Alarga el arriendo de los envíos que siguen en curso."""
        await self.ejecutar(lambda transaccion: transaccion.bandeja.renovar(numeros))

    async def reservar_vencidos(self, limite: int) -> list[Envio]:
        """Arrienda hasta `limite` envíos que nadie tiene, los más antiguos primero."""
        return await self.ejecutar(lambda transaccion: transaccion.bandeja.reservar_vencidos(limite))

    async def olvidar_enviados(self, recibidos_antes_de: datetime, limite: int) -> int:
        """Olvida lo que se envió en hasta `limite` comandos anteriores a ese instante, y dice en cuántos."""
        return await self.ejecutar(
            lambda transaccion: transaccion.destinos.olvidar_enviados(recibidos_antes_de, limite)
        )

    def _en_transaccion(self, trabajo: Callable[[TransaccionSQL], T]) -> T:
        with como_no_disponible(), self._motor.begin() as conexion:
            try:
                return trabajo(TransaccionSQL(conexion, self._arriendo))
            except Exception:
                # Quizá otra mano cambió las tablas, y lo que se rechaza no tiene vuelta atrás.
                comprobar_en_marcha(conexion)
                raise


def migrar(datos: Path, historia: Historia = HISTORIA) -> None:
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
                    poner_al_dia(conexion, historia)
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
