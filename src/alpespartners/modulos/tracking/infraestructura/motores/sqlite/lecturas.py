"""Las lecturas sobre SQLite: transacciones cortas de solo lectura, desde cualquier proceso.

Qué es: lo que usa la API para responder, y la respuesta a si hay un consumidor vivo.
Qué no es: una conexión de escritura; el archivo se abre con `mode=ro` y funciona con el escritor o sin él.
Por qué existe: la API acepta eventos antes de que nadie haya creado la base de datos; mientras tanto lee
una vacía. Un resultado se lee entero dentro de su transacción, porque una lectura larga impide consolidar
el WAL.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, MetaData

from alpespartners.migraciones import revision
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible, Consulta
from alpespartners.modulos.tracking.infraestructura.motores.esquema import SIN_MAS_TABLAS, comprobar_en_marcha
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.archivo import (
    archivo_de,
    como_no_disponible,
    motor_de_lectura,
)
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.turno import hay_consumidor
from alpespartners.modulos.tracking.infraestructura.repositorios import consulta_sobre

T = TypeVar("T")

_HILOS = 4


class LecturasSQLite:
    """La base de datos de una carpeta, para leer; cumple los puertos `Lecturas` y `Presencia`.

    Args:
        datos: la carpeta.
        metadatos: las tablas de otro módulo que también ha de tener.
    """

    def __init__(self, datos: Path, metadatos: MetaData = SIN_MAS_TABLAS) -> None:
        self._datos = datos
        self._metadatos = metadatos
        self._motor = motor_de_lectura(datos, _HILOS)
        self._hilos = ThreadPoolExecutor(_HILOS, "lecturas-sqlite")
        self._comprobado = False

    def cerrar(self) -> None:
        """Espera a las lecturas en curso y cierra el archivo."""
        self._hilos.shutdown()
        self._motor.dispose()

    async def leer(self, consulta: Callable[[Consulta], T]) -> T:
        """Ejecuta la consulta en una transacción corta; sin base de datos, sobre una vacía.

        Raises:
            BaseDatosNoDisponible: la base de datos no respondió, o su esquema no es el de este programa.
        """
        return await self.en_transaccion(lambda conexion: consulta(consulta_sobre(conexion)))

    async def en_transaccion(self, trabajo: Callable[[Connection | None], T]) -> T:
        """Ejecuta el trabajo en una transacción corta, sobre una instantánea; sin tablas, sin conexión.

        Raises:
            BaseDatosNoDisponible: la base de datos no respondió, o su esquema no es el de este programa.
        """
        return await asyncio.get_running_loop().run_in_executor(self._hilos, self._en_transaccion, trabajo)

    def leer_libro(self, trabajo: Callable[[Connection], T]) -> T:
        """Ejecuta el trabajo en una transacción corta, y espera a que termine.

        Raises:
            BaseDatosNoDisponible: la base de datos no respondió, todavía no existe o es de otra versión.
        """
        if not archivo_de(self._datos).exists():
            raise BaseDatosNoDisponible("todavía no existe")
        with como_no_disponible(), self._motor.begin() as conexion:
            comprobar_en_marcha(conexion, self._metadatos)
            return trabajo(conexion)

    async def consumidores(self) -> int:
        """Devuelve 1 si vive el consumidor de esta carpeta y 0 si no: con SQLite no puede haber más.

        Raises:
            BaseDatosNoDisponible: la carpeta no se puede usar.
        """
        return await asyncio.get_running_loop().run_in_executor(self._hilos, self._consumidores)

    def _en_transaccion(self, trabajo: Callable[[Connection | None], T]) -> T:
        if not archivo_de(self._datos).exists():
            return trabajo(None)
        try:
            with como_no_disponible(), self._motor.begin() as conexion:
                if not self._comprobado:
                    # El archivo existe un instante antes que sus tablas.
                    if revision(conexion) is None:
                        return trabajo(None)
                    comprobar_en_marcha(conexion, self._metadatos)
                    self._comprobado = True
                return trabajo(conexion)
        except BaseDatosNoDisponible:
            # Quizá la cambió una migración: la lectura siguiente lo dirá.
            self._comprobado = False
            raise

    def _consumidores(self) -> int:
        try:
            return int(hay_consumidor(self._datos))
        except OSError as error:
            raise BaseDatosNoDisponible(str(error)) from error
