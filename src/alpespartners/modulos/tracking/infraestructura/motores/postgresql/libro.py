"""La unidad de trabajo sobre PostgreSQL: varios procesos escriben a la vez en la misma base de datos.

Qué es: las transacciones de un proceso de consumidores, y la migración bajo un cerrojo del servidor.
Qué no es: las sentencias, que son de los repositorios y valen para cualquier motor. Un consumidor no migra.
Por qué existe: el libro de una empresa lo escriben varios consumidores, y el servidor puede faltar un rato.
"""

import logging
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from sqlalchemy import Connection, MetaData, text
from sqlalchemy.exc import DBAPIError

from alpespartners.migraciones import HISTORIA, Historia
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible
from alpespartners.modulos.tracking.infraestructura.motores.base_datos import ARRIENDO, Libro
from alpespartners.modulos.tracking.infraestructura.motores.esquema import (
    SIN_MAS_TABLAS,
    EsquemaNoSirve,
    comprobar,
    comprobar_en_marcha,
    poner_al_dia,
)
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.servidor import (
    CONSUMIDORES,
    LIMITE_DE_SENTENCIA,
    NO_SE_PUEDE_USAR,
    ConexionRechazada,
    SentenciaRechazada,
    ServidorPostgreSQL,
)
from alpespartners.modulos.tracking.infraestructura.repositorios import SIN_PROYECCION, Proyectar
from alpespartners.seedwork.arranque import ErrorDeArranque
from alpespartners.seedwork.sql.errores import REPETIBLES, estado_de

T = TypeVar("T")

_CONEXIONES = 4
"""Los dos tópicos, la retirada de envíos y el barrido."""
_FRAGMENTOS = 16
_CERROJO_DE_MIGRACION = 4_702_111_234_474_983_745
"""El mismo número en todas las versiones; no es el que usa Alembic, que no usa ninguno."""

_registro = logging.getLogger(__name__)


class LibroPostgreSQL(Libro):
    """Una base de datos PostgreSQL, para escribir; cumple el puerto `UnidadTrabajo`.

    Una transacción se puede ejecutar varias veces: véase `ServidorPostgreSQL.ejecutar`.

    Args:
        url: `postgresql://…`.
        arriendo: cuánto tiene este proceso lo que deja pendiente o toma de otro.
        fragmento: en qué filas de lo contado suma este proceso; si falta, se sortea. Dos que coincidan se
            esperan un poco más, y nada más.
        proyectar: lo que otro módulo cuenta en cada transacción.
        limite: segundos que puede durar una sentencia.
    """

    def __init__(
        self,
        url: str,
        arriendo: timedelta = ARRIENDO,
        fragmento: int | None = None,
        *,
        proyectar: Proyectar = SIN_PROYECCION,
        limite: float = LIMITE_DE_SENTENCIA,
    ) -> None:
        propio = secrets.randbelow(_FRAGMENTOS) if fragmento is None else fragmento
        super().__init__(arriendo, proyectar, propio)
        # Quien cuenta consumidores cuenta nombres distintos: todas las conexiones del proceso llevan el suyo.
        nombre = f"{CONSUMIDORES}{secrets.token_hex(8)}"
        self._servidor = ServidorPostgreSQL(url, nombre=nombre, conexiones=_CONEXIONES, limite=limite)
        self._comprobado = False

    def abrir(self) -> None:
        """Comprueba que el esquema es el de este programa. Si el servidor no responde, ya responderá.

        Raises:
            ErrorDeArranque: el esquema falta o es otro, o los ajustes no valen.
        """
        try:
            self._servidor.ejecutar_y_esperar(lambda c: comprobar(c, self._proyectar.metadatos))
        except EsquemaNoSirve as fallo:
            self._servidor.cerrar()
            raise ErrorDeArranque(f"La base de datos {fallo}") from None
        except ConexionRechazada as fallo:
            self._servidor.cerrar()
            raise ErrorDeArranque(f"{NO_SE_PUEDE_USAR}: {fallo}.") from None
        except BaseDatosNoDisponible as fallo:
            _registro.warning("La base de datos aún no responde: %s", fallo)
            return
        self._comprobado = True

    def cerrar(self) -> None:
        """Cierra las conexiones. No se puede volver a abrir."""
        self._servidor.cerrar()

    async def _ejecutar(self, trabajo: Callable[[Connection], T]) -> T:
        def tras_comprobar(conexion: Connection) -> T:
            if not self._comprobado:
                comprobar_en_marcha(conexion, self._proyectar.metadatos)
                self._comprobado = True
            return trabajo(conexion)

        try:
            return await self._servidor.ejecutar(tras_comprobar)
        except Exception:
            # Quizá la cambió una migración, y lo que se rechaza no tiene vuelta atrás.
            self._comprobado = False
            raise


def migrar(url: str, historia: Historia = HISTORIA, *, metadatos: MetaData = SIN_MAS_TABLAS) -> None:
    """Deja al día el esquema; si otro proceso lo está migrando, le espera.

    Raises:
        ErrorDeArranque: la base de datos no responde, no se puede migrar o es posterior a este programa.
    """
    servidor = ServidorPostgreSQL(url, nombre="alpespartners-migrar", conexiones=1, limite=None)
    try:
        servidor.ejecutar_y_esperar(lambda conexion: _migrar(conexion, historia, metadatos))
    except EsquemaNoSirve as fallo:
        raise ErrorDeArranque(f"La base de datos {fallo}") from fallo
    except (BaseDatosNoDisponible, SentenciaRechazada) as error:
        raise ErrorDeArranque(f"No se puede migrar la base de datos de ALPES_BASE_DATOS: {error}.") from error
    finally:
        servidor.cerrar()


def _migrar(conexion: Connection, historia: Historia, metadatos: MetaData) -> None:
    conexion.execute(text("SELECT pg_advisory_xact_lock(:cerrojo)"), {"cerrojo": _CERROJO_DE_MIGRACION})
    try:
        poner_al_dia(conexion, historia, metadatos)
    except EsquemaNoSirve as fallo:
        if isinstance(fallo.causa, DBAPIError) and estado_de(fallo.causa) in REPETIBLES:
            # Chocó con quien escribe: tal cual, para que se repita.
            raise fallo.causa from None
        raise
