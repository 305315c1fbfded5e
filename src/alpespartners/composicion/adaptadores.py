"""Los adaptadores de cada proceso: qué broker, qué base de datos, qué reloj.

Qué es: una función por elección, que lee los ajustes y devuelve lo elegido.
Por qué existe: la de SQLite o PostgreSQL, y la del broker embebido o Apache Pulsar, se hacen una vez, y quien
compone un proceso no vuelve a preguntar.
"""

import shutil
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from datetime import UTC, datetime
from uuid import UUID

import uuid_utils
from prometheus_client import CollectorRegistry, ProcessCollector, disable_created_metrics

from alpespartners.api.http.acceso import ReglasDeAcceso
from alpespartners.api.http.limite_por_direccion import LimitePorDireccion
from alpespartners.api.http.llavero import LlaveroDelServicio
from alpespartners.api.http.visitante import Privacidad, Visitantes
from alpespartners.broker_embebido import BrokerEmbebido
from alpespartners.broker_embebido.espacio import RESERVA
from alpespartners.config import SIN_EL_GUARDADO, Configuracion
from alpespartners.modulos.claves.aplicacion.llavero import (
    ClavesNoDisponibles,
    Lectura,
    LlaveroGuardado,
    Marca,
)
from alpespartners.modulos.claves.infraestructura.almacen import leer_si_cambiaron
from alpespartners.modulos.enlaces.aplicacion.libreta import Libreta, LibretaNoDisponible
from alpespartners.modulos.enlaces.aplicacion.secretos import Secretos
from alpespartners.modulos.enlaces.dominio.enlace import Enlace
from alpespartners.modulos.enlaces.infraestructura.almacen import leer as leer_enlace
from alpespartners.modulos.enlaces.infraestructura.almacen import secreto_guardado
from alpespartners.modulos.informes.infraestructura.proyeccion import CuentasSQL
from alpespartners.modulos.informes.infraestructura.tablas import METADATOS
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible, Lector
from alpespartners.modulos.tracking.infraestructura.cola_de_clics import ColaDeClicsEnDisco, Reenvio
from alpespartners.modulos.tracking.infraestructura.motores.base_datos import BaseDatos, LecturasDelLibro
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.base_datos import BaseDatosSQLite
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import ClientePulsar
from alpespartners.modulos.tracking.infraestructura.pulsar.revision import RevisorDelBroker
from alpespartners.modulos.tracking.infraestructura.repositorios import Proyectar
from alpespartners.panel.instalacion import Disco, Instalacion
from alpespartners.seedwork.observacion.cuenta_comun import Puesto

_EPOCA_DE_APACHE = UUID("0a3c8f52-9d0e-4a55-8c55-0d3b8c7a1f10")
"""La época de un Apache Pulsar al que nadie le puso otra; sus posiciones no se repiten mientras viva."""

CARPETA_DE_CLICS = "clics"
OCTETOS_DE_UN_MEGA = 1024 * 1024

SEGUNDOS_SEGUIDOS = 10
"""Los que una dirección puede pedir seguidos: detrás de una suele haber muchos, que llegan a la vez."""

CUENTAS = Proyectar(METADATOS, CuentasSQL)
"""Lo que los informes cuentan en el libro."""


def base_datos(configuracion: Configuracion) -> BaseDatos:
    """La que dicen los ajustes: SQLite en la carpeta de datos, o PostgreSQL."""
    if configuracion.base_datos is None:
        return BaseDatosSQLite(configuracion.datos, CUENTAS)
    # Se importa al usarlo: quien usa SQLite no paga por él.
    from alpespartners.modulos.tracking.infraestructura.motores.postgresql.base_datos import (
        BaseDatosPostgreSQL,
    )

    return BaseDatosPostgreSQL(configuracion.base_datos, CUENTAS)


def conectar(
    configuracion: Configuracion, pila: ExitStack | AsyncExitStack, *, para_consumir: bool = False
) -> tuple[ClientePulsar, UUID]:
    """Devuelve el cliente del broker y la época de sus datos; bloquea mientras arranca el embebido."""
    if configuracion.pulsar_url is None:
        broker = pila.enter_context(BrokerEmbebido(configuracion.datos))
        if para_consumir:
            broker.reservar_consumo()
        cliente, epoca = ClientePulsar(broker.url, embebido=True, hay_sitio=broker.hay_sitio), broker.epoca
    else:
        cliente = ClientePulsar(
            configuracion.pulsar_url,
            espacio=configuracion.pulsar_espacio,
            embebido=False,
            token=configuracion.pulsar_token,
            ca=configuracion.pulsar_ca,
        )
        epoca = configuracion.pulsar_epoca or _EPOCA_DE_APACHE
    pila.callback(cliente.cerrar)
    return cliente, epoca


def revisor(configuracion: Configuracion) -> RevisorDelBroker | None:
    """Quien pregunta a la administración de Apache Pulsar, si los ajustes dicen dónde está."""
    if configuracion.pulsar_admin is None:
        return None
    return RevisorDelBroker(
        configuracion.pulsar_admin,
        espacio=configuracion.pulsar_espacio,
        token=configuracion.pulsar_token,
        ca=configuracion.pulsar_ca,
    )


def instalacion(configuracion: Configuracion, puesto: Puesto | None) -> Instalacion:
    """Lo que esos ajustes dicen de dónde corre, para el panel."""
    broker_embebido = configuracion.pulsar_url is None

    def disco() -> Disco | None:
        try:
            hay = shutil.disk_usage(configuracion.datos)
        except OSError:
            return None
        return Disco(hay.free, hay.total, RESERVA if broker_embebido else None)

    return Instalacion(
        broker_embebido=broker_embebido,
        base_embebida=configuracion.base_datos is None,
        broker_revisado=configuracion.pulsar_admin is not None,
        procesos=1 if puesto is None else configuracion.procesos,
        disco=disco,
    )


def lector(configuracion: Configuracion, al_fallar: Callable[[str], None]) -> Lector:
    """Quien lee las procedencias; recibe `al_fallar` el paso que falle.

    Raises:
        ErrorDeArranque: el archivo de países de los ajustes no lo es.
    """
    # Se importa al usarlo: quien no registra no paga por sus listas.
    from alpespartners.modulos.tracking.infraestructura.procedencia.lector import LectorDeProcedencias
    from alpespartners.modulos.tracking.infraestructura.procedencia.pais import (
        PaisesDeArchivo,
        PaisesDeLosRegistros,
    )

    archivo = configuracion.paises
    paises = PaisesDeLosRegistros() if archivo is None else PaisesDeArchivo(archivo)
    return LectorDeProcedencias(paises, al_fallar)


def claves_guardadas(lecturas: LecturasDelLibro) -> LlaveroGuardado:
    """Las claves guardadas en esa base de datos, que se han de renovar (`renovandose`)."""

    async def leer(conocida: Marca | None) -> Lectura:
        try:
            return await lecturas.en_transaccion(lambda conexion: leer_si_cambiaron(conexion, conocida))
        except BaseDatosNoDisponible as fallo:
            raise ClavesNoDisponibles(str(fallo)) from fallo

    return LlaveroGuardado(leer, ahora)


def secretos_de_enlaces(configuracion: Configuracion, lecturas: LecturasDelLibro) -> Secretos:
    """Con lo que se firman los clics: lo de los ajustes y, detrás o si no dicen nada, lo guardado."""
    escritos = [escrito for escrito in configuracion.secreto_de_enlaces if escrito != SIN_EL_GUARDADO]
    sin_el_guardado = len(escritos) < len(configuracion.secreto_de_enlaces)

    async def leer() -> bytes | None:
        if sin_el_guardado:
            return None
        try:
            guardado = await lecturas.en_transaccion(secreto_guardado)
        except BaseDatosNoDisponible:
            if escritos:
                return None
            raise
        if guardado is None and not escritos:
            raise BaseDatosNoDisponible("todavía no guarda el secreto de los enlaces")
        return guardado

    return Secretos(escritos, leer)


def libreta(lecturas: LecturasDelLibro) -> Libreta:
    """Los enlaces guardados en esa base de datos, a mano."""

    async def leer(enlace_id: str) -> Enlace | None:
        try:
            return await lecturas.en_transaccion(lambda conexion: leer_enlace(conexion, enlace_id))
        except BaseDatosNoDisponible as fallo:
            raise LibretaNoDisponible(str(fallo)) from fallo

    return Libreta(leer)


def cola_de_clics(configuracion: Configuracion, reenvio: Reenvio) -> ColaDeClicsEnDisco:
    """Donde esperan los clics que el broker no confirma: de todos los procesos de la carpeta de datos."""
    return ColaDeClicsEnDisco(
        configuracion.datos / CARPETA_DE_CLICS, configuracion.cola_de_clics * OCTETOS_DE_UN_MEGA, reenvio
    )


def acceso(
    configuracion: Configuracion, guardadas: LlaveroGuardado | None = None, procesos: int = 1
) -> ReglasDeAcceso:
    """Quién puede preguntar a este proceso por HTTP.

    Args:
        configuracion: con las claves que lo pueden todo.
        guardadas: las demás, si este proceso las mira.
        procesos: cuántos atienden el mismo puerto.
    """
    return ReglasDeAcceso(
        llavero=LlaveroDelServicio(configuracion.claves_api, guardadas, procesos, ahora),
        sin_clave=configuracion.sin_clave,
        nombres=configuracion.nombres,
    )


def visitantes(configuracion: Configuracion) -> Visitantes:
    """Quien sabe de quién viene lo que pide un navegador."""
    return Visitantes(
        configuracion.proxies_de_confianza,
        Privacidad(configuracion.direcciones),
        (configuracion.secreto_de_direcciones or "").encode(),
    )


def limite_por_direccion(configuracion: Configuracion, procesos: int = 1) -> LimitePorDireccion:
    """Cuánto puede pedir una dirección sin clave a los procesos que atienden un mismo puerto."""
    return LimitePorDireccion(configuracion.limite_por_direccion or None, SEGUNDOS_SEGUIDOS, partes=procesos)


def registro_de_metricas(puesto: Puesto | None = None) -> CollectorRegistry:
    """Uno con las métricas de este proceso, o de todos los puestos; las demás se apuntan en él."""
    # La hora en que nació cada serie sería otra serie por cada una, y nadie la mira.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    if puesto is not None:
        # Se importa al usarlo: quien tiene un proceso no paga por ello.
        from alpespartners.seedwork.observacion.registro_comun import RegistroComun

        return RegistroComun(puesto)
    registro = CollectorRegistry()
    ProcessCollector(registry=registro)
    return registro


def ahora() -> datetime:
    """El instante, en UTC."""
    return datetime.now(UTC)


def nuevo_id() -> str:
    """Un UUIDv7 (RFC 9562): ordenado por tiempo, que es como mejor se insertan en el libro."""
    return str(uuid_utils.uuid7())
