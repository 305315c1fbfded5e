"""Las lecturas sobre SQLite: transacciones cortas de solo lectura, desde cualquier proceso.

Qué es: lo que usa la API para responder, y la respuesta a si hay un consumidor vivo.
Qué no es: una conexión de escritura; el archivo se abre con `mode=ro` y funciona con el escritor o sin él.
Por qué existe: la API acepta eventos antes de que nadie haya creado la base de datos; mientras tanto lee
una vacía. Un resultado se lee entero dentro de su transacción, porque una lectura larga impide consolidar
el WAL.
"""

import asyncio
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Generic, TypeVar

from sqlalchemy import Connection, inspect

from alpespartners.modulos.tracking.aplicacion.mensajes import (
    DestinoDeComando,
    EnviosPendientes,
    RenglonBalance,
)
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible, Consulta
from alpespartners.modulos.tracking.dominio.entidades import Conversion, Impresion
from alpespartners.modulos.tracking.dominio.repositorios import FiltroEventos, LecturaEventos, Posicion
from alpespartners.modulos.tracking.infraestructura.libro.balance import BalanceSQL
from alpespartners.modulos.tracking.infraestructura.libro.destinos import RegistroDestinosSQL
from alpespartners.modulos.tracking.infraestructura.libro.filas import CONVERSIONES, IMPRESIONES
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.archivo import (
    archivo_de,
    como_no_disponible,
    motor_de_lectura,
)
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.turno import hay_consumidor
from alpespartners.modulos.tracking.infraestructura.repositorios import RepositorioEventosSQL

E = TypeVar("E", Impresion, Conversion)
T = TypeVar("T")

_HILOS = 4


class ConsultaSQL:
    """Lo que una consulta puede leer mientras dura su transacción; cumple el puerto `Consulta`."""

    def __init__(self, conexion: Connection) -> None:
        self.impresiones: LecturaEventos[Impresion] = RepositorioEventosSQL(conexion, IMPRESIONES)
        self.conversiones: LecturaEventos[Conversion] = RepositorioEventosSQL(conexion, CONVERSIONES)
        self.destinos = RegistroDestinosSQL(conexion)
        self.balance = BalanceSQL(conexion)


class _SinEventos(Generic[E]):
    def obtener(self, _ids: Collection[str]) -> dict[str, E]:
        return {}

    def listar(self, _filtro: FiltroEventos, _despues_de: Posicion | None, _limite: int) -> list[E]:
        return []


class _SinDestinos:
    def de_evento(self, _topico: str, _evento_id: str, _limite: int) -> list[DestinoDeComando]:
        return []

    def cuantos_de_evento(self, _topico: str, _evento_id: str) -> int:
        return 0

    def de_comandos(self, _topico: str, _comandos: Collection[str]) -> list[DestinoDeComando]:
        return []


class _SinBalance:
    def renglones(self) -> list[RenglonBalance]:
        return []

    def envios_pendientes(self) -> EnviosPendientes:
        return EnviosPendientes(cuantos=0, desde=None)


class ConsultaVacia:
    """Lo que se lee antes de que exista la base de datos."""

    def __init__(self) -> None:
        self.impresiones: LecturaEventos[Impresion] = _SinEventos()
        self.conversiones: LecturaEventos[Conversion] = _SinEventos()
        self.destinos = _SinDestinos()
        self.balance = _SinBalance()


class LecturasSQLite:
    """La base de datos de una carpeta, para leer; cumple los puertos `Lecturas` y `Presencia`."""

    def __init__(self, datos: Path) -> None:
        self._datos = datos
        self._motor = motor_de_lectura(datos, _HILOS)
        self._hilos = ThreadPoolExecutor(_HILOS, "lecturas-sqlite")
        self._hay_tablas = False

    def cerrar(self) -> None:
        """Espera a las lecturas en curso y cierra el archivo."""
        self._hilos.shutdown()
        self._motor.dispose()

    async def leer(self, consulta: Callable[[Consulta], T]) -> T:
        """Ejecuta la consulta en una transacción corta; sin base de datos, sobre una vacía.

        Raises:
            BaseDatosNoDisponible: la base de datos no respondió.
        """
        return await asyncio.get_running_loop().run_in_executor(self._hilos, self._leer, consulta)

    def leer_libro(self, trabajo: Callable[[Connection], T]) -> T:
        """Ejecuta el trabajo en una transacción corta, y espera a que termine.

        Raises:
            BaseDatosNoDisponible: la base de datos no respondió, o todavía no existe.
        """
        if not archivo_de(self._datos).exists():
            raise BaseDatosNoDisponible("todavía no existe")
        with como_no_disponible(), self._motor.begin() as conexion:
            if not inspect(conexion).has_table(IMPRESIONES.tabla.name):
                raise BaseDatosNoDisponible("todavía no tiene tablas")
            return trabajo(conexion)

    async def consumidores(self) -> int:
        """Devuelve 1 si vive el consumidor de esta carpeta y 0 si no: con SQLite no puede haber más.

        Raises:
            BaseDatosNoDisponible: la carpeta no se puede usar.
        """
        return await asyncio.get_running_loop().run_in_executor(self._hilos, self._consumidores)

    def _leer(self, consulta: Callable[[Consulta], T]) -> T:
        if not archivo_de(self._datos).exists():
            return consulta(ConsultaVacia())
        with como_no_disponible(), self._motor.begin() as conexion:
            # El archivo existe un instante antes que sus tablas.
            self._hay_tablas = self._hay_tablas or inspect(conexion).has_table(IMPRESIONES.tabla.name)
            return consulta(ConsultaSQL(conexion) if self._hay_tablas else ConsultaVacia())

    def _consumidores(self) -> int:
        try:
            return int(hay_consumidor(self._datos))
        except OSError as error:
            raise BaseDatosNoDisponible(str(error)) from error
