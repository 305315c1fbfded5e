"""PostgreSQL: las conexiones de un proceso, sus ajustes, cuándo se repite y qué significa cada error.

Qué es: transacciones sobre un servidor con asyncpg, en un bucle de asyncio con hilo propio. Las sentencias
son las mismas funciones síncronas que corren sobre SQLite, mediante `AsyncConnection.run_sync`.
Qué no es: quién escribe ni qué (`libro.py`, `lecturas.py`), ni qué significa cada SQLSTATE
(`seedwork/sql/errores.py`).
Por qué existe: ni esperar al servidor ni construir un lote detienen el bucle de quien pide, y quien abre y
cierra no necesita tener uno.
"""

import asyncio
import ssl
import threading
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit
from weakref import WeakSet

import asyncpg
from sqlalchemy import Connection, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as SinConexionLibre
from sqlalchemy.ext.asyncio import create_async_engine

from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible, BaseDatosOcupada
from alpespartners.seedwork.arranque import ErrorDeArranque
from alpespartners.seedwork.pausas import con_azar
from alpespartners.seedwork.sql.errores import (
    DE_LA_CONEXION,
    INTEGRIDAD,
    NO_EXISTE,
    OCUPADA,
    REPETIBLES,
    SOLO_LECTURA,
    con_su_causa,
    estado_de,
    por_los_datos,
    sin_datos,
)

T = TypeVar("T")

CONSUMIDORES = "alpespartners-consumidores-"
"""Cómo empieza el nombre de las conexiones de un proceso de consumidores; sigue algo que solo tiene él."""

LIMITE_DE_SENTENCIA = 5.0
"""Segundos que puede durar una sentencia."""

NO_SE_PUEDE_USAR = "No se puede usar la base de datos de ALPES_BASE_DATOS"

_LIMITE_DE_CONEXION = 5.0
_LIMITE_DE_CIERRE = 3.0
_LIMITE_DE_ESPERA = "2000"
"""Milisegundos que se espera por una fila que otro retiene; lo normal es lo que dura un commit."""
_MARGEN = 3.0
"""Cuánto más se espera a un servidor que ni siquiera dice que se agotó el límite."""
_ABANDONO = {
    "idle_in_transaction_session_timeout": "10000",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "25000",
}
"""Tras cuánto da el servidor por muerto a quien dejó una transacción a medias o dejó de responder.

Por omisión son horas, y mientras tanto los demás esperan por las filas que retiene.
"""
_CODIFICACION = "UTF8"

_TOPES_DE_PAUSA = (0.05, 0.1, 0.2)
"""Segundos que como mucho se espera antes de cada repetición."""
_AJENOS = {
    "connect_timeout",
    "fallback_application_name",
    "gssencmode",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "sslcompression",
    "tcp_user_timeout",
}
"""Los que libpq entiende, asyncpg enviaría al servidor y este rechaza; ninguno cambia qué se guarda."""


_ARCHIVOS = {"sslcert", "sslcrl", "sslkey", "sslrootcert"}


class ConexionRechazada(BaseDatosNoDisponible):
    """No se pudo conectar, y esperar no lo arregla: hay que cambiar los ajustes o crear la base de datos.

    Attributes:
        no_existe: el servidor está y la base de datos no.
    """

    def __init__(self, frase: str, *, no_existe: bool = False) -> None:
        super().__init__(frase)
        self.no_existe = no_existe


class SentenciaRechazada(Exception):
    """El servidor respondió que la sentencia o sus datos no valen. Dice el SQLSTATE, nunca los datos."""


def pausas_con_azar() -> list[float]:
    """Segundos que se espera antes de cada repetición de una transacción que chocó con otra.

    Crecen, y con azar: quienes chocaron no deben volver a la vez, ni quien perdió adelantarse a quien ganó.
    """
    return [con_azar(tope) for tope in _TOPES_DE_PAUSA]


class _Bucle(asyncio.SelectorEventLoop):
    """Un bucle que conoce las conexiones que abrió, para que ninguna quede abierta cuando se cierre.

    asyncpg da por cerrada una conexión TLS que no llegó a servir (la base de datos no existe) cuando aún le
    falta la despedida del servidor, que llega cuando él quiera.
    """

    def __init__(self) -> None:
        super().__init__()
        self._abiertas: WeakSet[asyncio.Transport] = WeakSet()

    async def create_connection(self, *argumentos: Any, **opciones: Any) -> Any:
        """La de asyncio, y la apunta."""
        return self._apuntada(await super().create_connection(*argumentos, **opciones))

    async def create_unix_connection(self, *argumentos: Any, **opciones: Any) -> Any:
        """Ídem."""
        return self._apuntada(await super().create_unix_connection(*argumentos, **opciones))

    async def cortar(self) -> None:
        """Corta las que sigan abiertas y vuelve cuando todas soltaron su socket."""
        abiertas = list(self._abiertas)
        for conexion in abiertas:
            conexion.abort()
        while any(  # noqa: ASYNC110 (es cosa de una vuelta del bucle, y nadie avisa de ella)
            conexion.get_extra_info("socket").fileno() >= 0 for conexion in abiertas
        ):
            await asyncio.sleep(0)

    def _apuntada(self, hecha: tuple[asyncio.Transport, Any]) -> tuple[asyncio.Transport, Any]:
        self._abiertas.add(hecha[0])
        return hecha


class ServidorPostgreSQL:
    """Las conexiones de este proceso a una base de datos. Nada se abre hasta la primera transacción.

    Args:
        url: `postgresql://…`, como la entiende libpq; asyncpg lee además las variables `PG…`.
        nombre: cómo se ven las conexiones en `pg_stat_activity`.
        conexiones: cuántas como mucho.
        instantanea: cada transacción lee de una sola instantánea; al escribir lo que otra cambió, choca.
        solo_lectura: lo mismo, y no puede escribir.
        limite: segundos que puede durar una sentencia; `None` es sin límite.
        pausas: segundos que se espera antes de cada repetición de una transacción; si se acaban, falla.

    Raises:
        ErrorDeArranque: la URL pide lo que asyncpg no sabe hacer.
    """

    def __init__(
        self,
        url: str,
        *,
        nombre: str,
        conexiones: int,
        instantanea: bool = False,
        solo_lectura: bool = False,
        limite: float | None = LIMITE_DE_SENTENCIA,
        pausas: Callable[[], Iterable[float]] = pausas_con_azar,
    ) -> None:
        ajustes = {
            "application_name": nombre,
            "statement_timeout": str(round(1_000 * (limite or 0))),
            "timezone": "UTC",
            # Compilar una sentencia tarda más que cualquiera de las nuestras.
            "jit": "off",
        }
        if limite is not None:
            ajustes |= _ABANDONO | {"lock_timeout": _LIMITE_DE_ESPERA}
        direccion = para_asyncpg(url)
        self._limite = None if limite is None else limite + _MARGEN
        self._pausas = pausas

        async def conectar() -> Any:
            try:
                conexion = await asyncpg.connect(
                    direccion, timeout=_LIMITE_DE_CONEXION, server_settings=ajustes
                )
            except (asyncpg.ClientConfigurationError, ssl.SSLError) as error:
                raise ConexionRechazada(str(error)) from error
            except ValueError:
                # La frase de Python citaría un trozo de la URL, que lleva la contraseña.
                raise ConexionRechazada("la URL no se entiende") from None
            except asyncpg.PostgresError as error:
                estado = str(error.sqlstate)
                frase = con_su_causa(estado, error)
                if estado.startswith(DE_LA_CONEXION):
                    raise ConexionRechazada(frase, no_existe=estado == NO_EXISTE) from error
                # Aquí mismo: sin conexión no hay lote que partir, diga el servidor lo que diga.
                raise BaseDatosNoDisponible(frase) from error
            codificacion = conexion.get_settings().server_encoding
            if codificacion != _CODIFICACION:
                await conexion.close()
                raise ConexionRechazada(f"está en {codificacion} y tiene que estar en {_CODIFICACION}")
            return conexion

        self._motor = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=conectar,
            isolation_level="REPEATABLE READ" if instantanea or solo_lectura else "READ COMMITTED",
            pool_size=conexiones,
            max_overflow=0,
            pool_timeout=_LIMITE_DE_CONEXION,
            # Los parámetros son datos personales: no van en el texto de un error.
            hide_parameters=True,
        ).execution_options(postgresql_readonly=solo_lectura)
        if not solo_lectura:
            event.listen(self._motor.sync_engine, "handle_error", _renovar_si_no_puede_escribir)
        self._nombre = nombre
        self._cerrojo = threading.Lock()
        self._bucle: _Bucle | None = None

    async def ejecutar(self, trabajo: Callable[[Connection], T]) -> T:
        """Ejecuta el trabajo en una transacción y vuelve tras su commit; si falla no queda nada.

        Se repite, tras una pausa cada vez mayor, si el servidor deshizo la transacción por chocar con otra;
        y una vez si cerró la conexión: entonces pudo haberla confirmado, y el trabajo debe dar lo mismo hecho
        dos veces. Todo ello, dentro del límite de una sola.

        Raises:
            BaseDatosOcupada: sigue chocando con otras, o no terminó a tiempo.
            BaseDatosNoDisponible: el servidor no respondió o no puede atender.
            SentenciaRechazada: respondió, y la culpa es de la sentencia o de sus datos.
        """
        return await asyncio.wrap_future(self._pedir(self._transaccion(trabajo)))

    def ejecutar_y_esperar(self, trabajo: Callable[[Connection], T]) -> T:
        """Como `ejecutar`, para quien no tiene un bucle."""
        return self._pedir(self._transaccion(trabajo)).result()

    def cerrar(self) -> None:
        """Cierra las conexiones; nadie puede estar usándolas. A un servidor mudo no se le espera."""
        with self._cerrojo:
            bucle, self._bucle = self._bucle, None
        if bucle is None:
            return
        asyncio.run_coroutine_threadsafe(self._despedirse(bucle), bucle).result()
        bucle.call_soon_threadsafe(bucle.stop)
        self._hilo.join()
        bucle.close()

    def _pedir(self, tarea: Coroutine[Any, Any, T]) -> Future[T]:
        with self._cerrojo:
            if self._bucle is None:
                self._bucle = _Bucle()
                self._hilo = threading.Thread(target=self._bucle.run_forever, name=self._nombre, daemon=True)
                self._hilo.start()
            return asyncio.run_coroutine_threadsafe(tarea, self._bucle)

    async def _despedirse(self, bucle: "_Bucle") -> None:
        # A quien no se despide a tiempo se le corta.
        with suppress(OSError):
            async with asyncio.timeout(_LIMITE_DE_CIERRE):
                await self._motor.dispose()
        await bucle.cortar()

    async def _transaccion(self, trabajo: Callable[[Connection], T]) -> T:
        choques: list[str] = []
        try:
            async with asyncio.timeout(self._limite):
                return await self._insistir(trabajo, choques)
        except DBAPIError as error:
            raise traducido(error).with_traceback(error.__traceback__) from sin_datos(error)
        except (OSError, SinConexionLibre, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            if choques and isinstance(error, TimeoutError):
                # Está: lo que se agotó fue repetir, y una transacción menor quizá pueda.
                raise BaseDatosOcupada(f"SQLSTATE {choques[-1]}, hasta agotar el límite") from error
            raise BaseDatosNoDisponible(str(error) or type(error).__name__) from error

    async def _insistir(self, trabajo: Callable[[Connection], T], choques: list[str]) -> T:
        """Repite el trabajo mientras queden pausas; anota en `choques` el SQLSTATE de cada choque."""
        pausas = iter(self._pausas())
        cortes = iter([0.0])
        while True:
            try:
                return await self._intentar(trabajo)
            except DBAPIError as error:
                if error.connection_invalidated:
                    pausa = next(cortes, None)
                elif estado_de(error) in REPETIBLES:
                    choques.append(estado_de(error))
                    pausa = next(pausas, None)
                else:
                    raise
                if pausa is None:
                    raise
            await asyncio.sleep(pausa)

    async def _intentar(self, trabajo: Callable[[Connection], T]) -> T:
        async with self._motor.connect() as conexion:
            resultado = await conexion.run_sync(trabajo)
            await conexion.commit()
            return resultado


def traducido(error: DBAPIError) -> BaseDatosNoDisponible | SentenciaRechazada:
    """Lo que ese error significa para quien pidió la transacción."""
    estado = estado_de(error)
    causa = error.orig.__cause__ if error.orig is not None else None
    if por_los_datos(error):
        # Sin SQLSTATE es asyncpg quien no pudo escribir un valor en su tipo; su frase lo cita.
        return SentenciaRechazada(estado or type(causa).__name__)
    if estado.startswith(INTEGRIDAD):
        # Sin la frase, que cita los datos: el código y la regla, cuyo nombre dice qué arreglar.
        regla = getattr(causa, "constraint_name", None)
        return BaseDatosOcupada(f"SQLSTATE {estado}" + (f", por {regla}" if regla else ""))
    clase = BaseDatosOcupada if estado.startswith(OCUPADA) else BaseDatosNoDisponible
    return clase(con_su_causa(estado, causa or error.orig))


def _renovar_si_no_puede_escribir(fallo: ExceptionContext) -> None:
    """Da por cortadas las conexiones cuando una, por segunda vez, solo admite lecturas.

    Que se admitan escrituras se decide al conectar: la que era de solo lectura lo seguiría siendo aunque el
    servidor ya no lo sea, o aunque ahora escriba otro. A la primera se conserva: un consumidor sin ninguna
    conexión no se contaría entre los vivos.
    """
    if fallo.connection is None or getattr(fallo.original_exception, "sqlstate", None) != SOLO_LECTURA:
        return
    if SOLO_LECTURA in fallo.connection.info:
        fallo.is_disconnect = True
    fallo.connection.info[SOLO_LECTURA] = True


def para_asyncpg(url: str) -> str:
    """La misma URL sin los parámetros de libpq que asyncpg no tiene y que no cambian qué se guarda.

    Raises:
        ErrorDeArranque: pide ligar la contraseña al canal, que asyncpg no sabe (quitarlo sin decirlo sería
            menos seguro de lo que se pidió), o nombra un certificado que no existe.
    """
    partes = urlsplit(url)
    parametros = dict(parse_qsl(partes.query, keep_blank_values=True))
    if parametros.pop("channel_binding", "prefer") == "require":
        raise ErrorDeArranque(
            "ALPES_BASE_DATOS: channel_binding=require no se admite; quítelo y use sslmode=verify-full."
        )
    if parametros.get("sslrootcert") == "system":
        parametros["sslrootcert"] = ssl.get_default_verify_paths().cafile or ""
    for nombre in _ARCHIVOS & parametros.keys():
        if not Path(parametros[nombre]).is_file():
            raise ErrorDeArranque(f"ALPES_BASE_DATOS: no existe el archivo que dice {nombre}.")
    propios = {nombre: valor for nombre, valor in parametros.items() if nombre not in _AJENOS}
    return partes._replace(query=urlencode(propios)).geturl()
