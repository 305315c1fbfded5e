"""Las lecturas sobre PostgreSQL: transacciones cortas de solo lectura, cada una sobre una instantánea.

Qué es: lo que usa la API para responder, y la cuenta de los consumidores vivos.
Qué no es: una conexión de escritura; el servidor le negaría cualquiera.
Por qué existe: la API acepta eventos antes de que exista la base de datos y mientras falta. Y quien pregunta
por un `id` y por el balance debe leer los dos del mismo instante.
"""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection, MetaData, text

from alpespartners.migraciones import revision
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible, Consulta
from alpespartners.modulos.tracking.infraestructura.motores.esquema import (
    SIN_MAS_TABLAS,
    EsquemaNoSirve,
    comprobar,
    comprobar_en_marcha,
)
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.servidor import (
    CONSUMIDORES,
    LIMITE_DE_SENTENCIA,
    NO_SE_PUEDE_USAR,
    ConexionRechazada,
    ServidorPostgreSQL,
)
from alpespartners.modulos.tracking.infraestructura.repositorios import consulta_sobre
from alpespartners.seedwork.arranque import ErrorDeArranque

T = TypeVar("T")

_CONEXIONES = 4


class LecturasPostgreSQL:
    """Una base de datos PostgreSQL, para leer; cumple los puertos `Lecturas` y `Presencia`.

    Args:
        url: `postgresql://…`.
        metadatos: las tablas de otro módulo que también ha de tener.
        limite: segundos que puede durar una sentencia.
    """

    def __init__(
        self, url: str, metadatos: MetaData = SIN_MAS_TABLAS, *, limite: float = LIMITE_DE_SENTENCIA
    ) -> None:
        self._metadatos = metadatos
        self._servidor = ServidorPostgreSQL(
            url, nombre="alpespartners-lecturas", conexiones=_CONEXIONES, solo_lectura=True, limite=limite
        )
        self._hay_tablas = False
        self._comprobado = False

    def comprobar(self) -> None:
        """Comprueba que el esquema no es de otra versión. Que falte, o que el servidor no responda, vale.

        Raises:
            ErrorDeArranque: el esquema es otro, o los ajustes no valen.
        """
        try:
            self._servidor.ejecutar_y_esperar(self._comprobar_si_hay_tablas)
        except EsquemaNoSirve as fallo:
            raise ErrorDeArranque(f"La base de datos {fallo}") from None
        except ConexionRechazada as fallo:
            if not fallo.no_existe:
                raise ErrorDeArranque(f"{NO_SE_PUEDE_USAR}: {fallo}.") from None
        except BaseDatosNoDisponible:
            return

    def cerrar(self) -> None:
        """Cierra las conexiones; nadie puede estar leyendo."""
        self._servidor.cerrar()

    async def leer(self, consulta: Callable[[Consulta], T]) -> T:
        """Ejecuta la consulta en una transacción corta; antes de que haya tablas, sobre una base vacía.

        Raises:
            BaseDatosNoDisponible: la base de datos no respondió, o es de otra versión.
        """
        return await self.en_transaccion(lambda conexion: consulta(consulta_sobre(conexion)))

    async def en_transaccion(self, trabajo: Callable[[Connection | None], T]) -> T:
        """Ejecuta el trabajo en una transacción corta, sobre una instantánea; sin tablas, sin conexión.

        Raises:
            BaseDatosNoDisponible: la base de datos no respondió, o es de otra versión.
        """
        try:
            return await self._servidor.ejecutar(lambda conexion: self._con_tablas(conexion, trabajo))
        except ConexionRechazada as fallo:
            if fallo.no_existe and not self._hay_tablas:
                return trabajo(None)
            raise
        except BaseDatosNoDisponible:
            # Quizá la cambió una migración: la lectura siguiente lo dirá.
            self._comprobado = False
            raise

    def leer_libro(self, trabajo: Callable[[Connection], T]) -> T:
        """Ejecuta el trabajo en una transacción corta, y espera a que termine.

        Raises:
            BaseDatosNoDisponible: la base de datos no respondió, o su esquema no es el de este programa.
        """

        def con_tablas(conexion: Connection) -> T:
            comprobar_en_marcha(conexion, self._metadatos)
            return trabajo(conexion)

        return self._servidor.ejecutar_y_esperar(con_tablas)

    async def consumidores(self) -> int:
        """Devuelve cuántos procesos de consumidores están conectados a esta base de datos.

        Raises:
            BaseDatosNoDisponible: el servidor no respondió.
        """
        try:
            return await self._servidor.ejecutar(_contar_consumidores)
        except ConexionRechazada as fallo:
            if fallo.no_existe and not self._hay_tablas:
                return 0
            raise

    def _comprobar_si_hay_tablas(self, conexion: Connection) -> None:
        if revision(conexion) is not None:
            comprobar(conexion, self._metadatos)

    def _con_tablas(self, conexion: Connection, trabajo: Callable[[Connection | None], T]) -> T:
        if not self._comprobado:
            if not self._hay_tablas and revision(conexion) is None:
                return trabajo(None)
            comprobar_en_marcha(conexion, self._metadatos)
            self._hay_tablas = self._comprobado = True
        return trabajo(conexion)


def _contar_consumidores(conexion: Connection) -> int:
    consulta = text(
        "SELECT count(DISTINCT application_name) FROM pg_stat_activity"
        " WHERE datname = current_database() AND starts_with(application_name, :nombre)"
    )
    return conexion.scalar(consulta, {"nombre": CONSUMIDORES}) or 0
