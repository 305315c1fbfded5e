"""La composición: el único módulo que nombra adaptadores concretos.

Qué es: con qué broker, qué base de datos y qué reloj corre cada proceso.
Qué no es: lógica; si aquí hay un `if`, elige un adaptador.
Por qué existe: «¿con qué?» se responde en un archivo, y las pruebas componen lo suyo sin parchear nada.
"""

import asyncio
import gc
import logging
import signal
import socket
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import BinaryIO
from uuid import UUID

import structlog
import uuid_utils
from prometheus_client import CollectorRegistry, ProcessCollector

from alpespartners.api.acceso import ReglasDeAcceso
from alpespartners.api.aplicacion import crear_api
from alpespartners.broker_embebido import BrokerEmbebido
from alpespartners.config import Configuracion
from alpespartners.modulos.tracking.aplicacion.clases import Clase
from alpespartners.modulos.tracking.aplicacion.conciliacion import Cuenta, Hallazgo
from alpespartners.modulos.tracking.aplicacion.consultas.consultar_destino import Historia, SinNoticias
from alpespartners.modulos.tracking.aplicacion.consultas.consultar_destino import (
    consultar_destino as destino_de,
)
from alpespartners.modulos.tracking.aplicacion.handlers import (
    RegistrarConversionHandler,
    RegistrarImpresionHandler,
)
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible, BrokerNoDisponible
from alpespartners.modulos.tracking.infraestructura.consumidores import MAXIMO_LOTE, Consumidores
from alpespartners.modulos.tracking.infraestructura.consumo.en_mano import EnMano, archivo_en_mano
from alpespartners.modulos.tracking.infraestructura.consumo.relevo import Relevo
from alpespartners.modulos.tracking.infraestructura.despachadores import DespachadorPulsar
from alpespartners.modulos.tracking.infraestructura.metricas import (
    MetricasDeConsumo,
    MetricasDePublicacion,
)
from alpespartners.modulos.tracking.infraestructura.motores.base_datos import BaseDatos, Libro
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.base_datos import BaseDatosSQLite
from alpespartners.modulos.tracking.infraestructura.operacion.cartas import (
    Carta,
    Reinyeccion,
    leer_cartas,
    reinyecciones,
    reinyectar,
    sobre_reinyectado,
)
from alpespartners.modulos.tracking.infraestructura.operacion.conciliador import Conciliador
from alpespartners.modulos.tracking.infraestructura.operacion.reconstructor import Reconstructor, Reconstruido
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import ClientePulsar, FalloDelBroker
from alpespartners.modulos.tracking.infraestructura.pulsar.revision import RevisorDelBroker
from alpespartners.seedwork.arranque import ErrorDeArranque
from alpespartners.seedwork.asgi import ASGIApp
from alpespartners.seedwork.observacion.registro import configurar_registro
from alpespartners.seedwork.procesos.padre import terminar_con_el_padre

_PENDIENTES = 64
"""Conexiones que esperan a la sonda: pregunta quien vigila, y nadie más."""
_OBJETOS_ENTRE_BUSQUEDAS = 50_000
"""Peticiones y lotes son objetos sin ciclos: buscarlos cada 700 era un octavo de la CPU."""

_EPOCA_DE_APACHE = UUID("0a3c8f52-9d0e-4a55-8c55-0d3b8c7a1f10")
"""La época de un Apache Pulsar al que nadie le puso otra; sus posiciones no se repiten mientras viva."""


def crear_app(configuracion: Configuracion, *, migra: bool = False) -> ASGIApp:
    """Devuelve la API; nada se abre hasta que el servidor empieza a atender.

    Args:
        configuracion: la del proceso.
        migra: si deja al día un PostgreSQL; si no, se niega a usar uno de otra versión. SQLite, siempre.
    """
    _empezar(configuracion, "api")
    base_datos = _base_datos(configuracion)
    lecturas = base_datos.lecturas()
    registro = _registro_de_metricas()
    revisor = _revisor(configuracion)
    despachador = DespachadorPulsar(configuracion.limite_confirmacion, MetricasDePublicacion(registro))

    @asynccontextmanager
    async def ciclo_de_vida() -> AsyncGenerator[None]:
        terminar_con_el_padre()
        async with AsyncExitStack() as pila:
            pila.callback(lecturas.cerrar)
            await asyncio.to_thread(base_datos.dejar_lista, migra=migra)
            cliente, _ = await asyncio.to_thread(_conectar, configuracion, pila)
            await despachador.abrir(cliente)
            pila.push_async_callback(despachador.cerrar)
            _buscar_menos_ciclos()
            async with _avisando(revisor, lambda: despachador.disponible):
                yield

    return crear_api(
        despachador=despachador,
        lecturas=lecturas,
        presencia=lecturas,
        reloj=_ahora,
        nuevo_id=_nuevo_id,
        acceso=_acceso(configuracion),
        ciclo_de_vida=ciclo_de_vida,
        registro=registro,
        administracion=revisor,
    )


def consumir(
    configuracion: Configuracion, *, migra: bool = False, al_empezar: Callable[[], None] = lambda: None
) -> None:
    """Consume los dos tópicos de comandos hasta recibir SIGTERM o SIGINT.

    Args:
        configuracion: la del proceso.
        migra: si deja al día un PostgreSQL; si no, se niega a usar uno de otra versión. SQLite, siempre.
        al_empezar: se llama cuando ya nada de lo que impide arrancar puede pasar.

    Raises:
        ErrorDeArranque: otro proceso consume ya en esa carpeta, o algo de lo que necesita no se puede abrir.
    """
    # Hasta que haya un bucle que termine por las buenas no hay nada que terminar.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _empezar(configuracion, "consumidores")
    with ExitStack() as pila:
        sonda = _enchufe_de_la_sonda(configuracion, pila)
        base_datos = _base_datos(configuracion)
        if migra:
            base_datos.migrar()
        libro = base_datos.libro()
        libro.abrir()
        # Se cierra después que el libro, cuyo hilo puede seguir con un lote en la mano.
        en_mano = pila.enter_context(archivo_en_mano(configuracion.datos))
        pila.callback(libro.cerrar)
        cliente, epoca = _conectar(configuracion, pila, para_consumir=True)
        al_empezar()
        asyncio.run(_consumir(configuracion, cliente, libro, en_mano, epoca, sonda))


def migrar(configuracion: Configuracion) -> None:
    """Lleva la base de datos al esquema de esta versión.

    Raises:
        ErrorDeArranque: no se puede abrir o migrar.
    """
    _empezar(configuracion, "migrar")
    _base_datos(configuracion).migrar()


def cartas(
    configuracion: Configuracion, topicos: Sequence[str]
) -> Iterator[tuple[Carta, Sequence[Reinyeccion]]]:
    """Recorre las cartas muertas de esos tópicos de comandos, de la más antigua a la más nueva, sin tocarlas.

    Cada una, con lo que fue de ella si se reinyectó.

    Raises:
        BaseDatosNoDisponible: la base de datos no se puede leer.
        BrokerNoDisponible: el broker no responde.
        FilaIlegible: otra mano cambió la fila de un evento reinyectado.
    """
    _empezar(configuracion, "cartas")
    with ExitStack() as pila:
        bucle = pila.enter_context(asyncio.Runner())
        lecturas = _base_datos(configuracion).lecturas()
        pila.callback(lecturas.cerrar)
        cliente, _ = _conectar(configuracion, pila)
        for carta in pila.enter_context(closing(leer_cartas(cliente, topicos))):
            yield carta, bucle.run(lecturas.leer(partial(reinyecciones, carta)))


def reinyectar_cartas(
    configuracion: Configuracion,
    topico: str,
    elegir: Callable[[Carta], bool],
    *,
    a: str,
    quitar: Collection[str],
) -> int:
    """Envía otra vez al tópico `a` las cartas elegidas de `topico`, y devuelve cuántas.

    Raises:
        BrokerNoDisponible: el broker no responde; repetirlo es seguro.
        ValueError: una de las cartas está recortada.
    """
    _empezar(configuracion, "cartas")
    with ExitStack() as pila:
        cliente, _ = _conectar(configuracion, pila)
        todas = pila.enter_context(closing(leer_cartas(cliente, [topico])))
        sobres = [sobre_reinyectado(carta, a, quitar) for carta in todas if elegir(carta)]
        return reinyectar(cliente, a, sobres)


def consultar_destino(
    configuracion: Configuracion, clase: Clase, evento_id: str
) -> tuple[Historia | SinNoticias, int | None]:
    """Devuelve qué fue de ese `id` y cuántos consumidores viven (`None`: no se sabe). Solo lee.

    Raises:
        ErrorDeArranque: la base de datos no se puede leer.
    """
    _preparar(configuracion)
    lecturas = _base_datos(configuracion).lecturas()

    async def leer() -> tuple[Historia | SinNoticias, int | None]:
        hallado = await lecturas.leer(lambda consulta: destino_de(consulta, clase, evento_id))
        try:
            return hallado, await lecturas.consumidores()
        except BaseDatosNoDisponible:
            return hallado, None

    try:
        return asyncio.run(leer())
    except BaseDatosNoDisponible as error:
        raise ErrorDeArranque(
            f"No se puede leer la base de datos de {configuracion.lugar}: {error}."
        ) from None
    finally:
        lecturas.cerrar()


def conciliar(
    configuracion: Configuracion,
    *,
    al_hallar: Callable[[Hallazgo], None],
    avanza: Callable[[str, int], None],
    espera: float,
    margen: float,
) -> list[Cuenta]:
    """Compara lo que guardan los tópicos con la base de datos y devuelve la cuenta de cada uno. Solo lee.

    Raises:
        BaseDatosNoDisponible: la base de datos no se puede leer.
        BrokerNoDisponible: el broker no responde.
        ErrorDeArranque: los ajustes no valen.
    """
    _preparar(configuracion)
    with ExitStack() as pila:
        lecturas = _base_datos(configuracion).lecturas()
        pila.callback(lecturas.cerrar)
        cliente, epoca = _conectar(configuracion, pila)
        revisor = _revisor(configuracion)
        conciliador = Conciliador(
            cliente,
            epoca,
            lecturas,
            al_hallar=al_hallar,
            avanza=avanza,
            espera=espera,
            margen=timedelta(seconds=margen),
            cursores=_sin_cursores if revisor is None else revisor.cursores,
        )
        try:
            return conciliador.conciliar()
        except FalloDelBroker as fallo:
            raise BrokerNoDisponible(str(fallo)) from fallo


def reconstruir(configuracion: Configuracion, *, avanza: Callable[[str, int], None]) -> list[Reconstruido]:
    """Deja entera, con lo que guardan los tópicos, una base de datos vacía.

    Raises:
        BaseDatosNoDisponible: la base de datos no respondió; repetirlo es seguro.
        BrokerNoDisponible: el broker no respondió; repetirlo es seguro.
        ErrorDeArranque: hay consumidores vivos, la base de datos no está vacía o no se puede abrir.
    """
    _preparar(configuracion)
    with ExitStack() as pila:
        base_datos = _base_datos(configuracion)
        lecturas = base_datos.lecturas()
        pila.callback(lecturas.cerrar)
        libro = base_datos.libro()
        # Antes de abrir el libro, que se cuenta a sí mismo.
        if asyncio.run(lecturas.consumidores()):
            raise ErrorDeArranque("Hay consumidores en marcha: deténgalos antes de reconstruir.")
        libro.abrir()
        pila.callback(libro.cerrar)
        cliente, epoca = _conectar(configuracion, pila)
        reconstructor = Reconstructor(
            cliente,
            epoca,
            libro,
            lecturas,
            manejadores=[RegistrarImpresionHandler(), RegistrarConversionHandler()],
            reloj=_ahora,
            avanza=avanza,
        )
        try:
            return asyncio.run(reconstructor.reconstruir())
        except FalloDelBroker as fallo:
            raise BrokerNoDisponible(str(fallo)) from fallo


async def _consumir(
    configuracion: Configuracion,
    cliente: ClientePulsar,
    libro: Libro,
    en_mano: BinaryIO,
    epoca: UUID,
    sonda: socket.socket | None,
) -> None:
    _buscar_menos_ciclos()
    parar = asyncio.Event()
    for señal in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(señal, parar.set)
    registro = _registro_de_metricas()
    metricas = MetricasDeConsumo(registro)
    consumidores = Consumidores(
        cliente,
        [RegistrarImpresionHandler(), RegistrarConversionHandler()],
        libro=libro,
        relevo=Relevo(cliente, libro, metricas=metricas),
        en_mano=EnMano(en_mano, MAXIMO_LOTE),
        epoca=epoca,
        reloj=_ahora,
        metricas=metricas,
    )
    async with (
        _sonda(sonda, consumidores, _acceso(configuracion), registro),
        _avisando(_revisor(configuracion), lambda: all(consumidores.suscripciones().values())),
    ):
        await consumidores.trabajar(parar)


@asynccontextmanager
async def _avisando(revisor: RevisorDelBroker | None, listo: Callable[[], bool]) -> AsyncGenerator[None]:
    """Mientras dura el bloque, y en cuanto haya broker, avisa de lo que a este le falta."""
    aviso = None if revisor is None else asyncio.create_task(revisor.avisar(listo))
    try:
        yield
    finally:
        if aviso is not None:
            aviso.cancel()
            await asyncio.gather(aviso, return_exceptions=True)


def _buscar_menos_ciclos() -> None:
    gc.freeze()
    gc.set_threshold(_OBJETOS_ENTRE_BUSQUEDAS)


def _sin_cursores(_topico: str) -> None:
    """Sin administración no se sabe qué está confirmado."""


def _revisor(configuracion: Configuracion) -> RevisorDelBroker | None:
    if configuracion.pulsar_admin is None:
        return None
    return RevisorDelBroker(
        configuracion.pulsar_admin,
        espacio=configuracion.pulsar_espacio,
        token=configuracion.pulsar_token,
        ca=configuracion.pulsar_ca,
    )


@asynccontextmanager
async def _sonda(
    enchufe: socket.socket | None,
    consumidores: Consumidores,
    acceso: ReglasDeAcceso,
    registro: CollectorRegistry,
) -> AsyncGenerator[None]:
    """Sirve la sonda en ese puerto mientras dura el bloque; sin puerto, nada."""
    if enchufe is None:
        yield
        return
    from alpespartners.api.sonda import crear_sonda
    from alpespartners.seedwork.procesos.servidor_http import ServidorHTTPInvitado

    servidor = ServidorHTTPInvitado(
        crear_sonda(
            suscripciones=consumidores.suscripciones,
            hay_base_datos=consumidores.hay_base_datos,
            acceso=acceso,
            registro=registro,
        )
    )
    sirviendo = asyncio.create_task(servidor.serve(sockets=[enchufe]))
    try:
        yield
    finally:
        servidor.should_exit = True
        await sirviendo


def _enchufe_de_la_sonda(configuracion: Configuracion, pila: ExitStack) -> socket.socket | None:
    if configuracion.metricas_consumidor is None:
        return None
    from alpespartners.seedwork.procesos.servidor_http import abrir_puerto

    anfitrion, puerto = configuracion.metricas_consumidor
    return pila.enter_context(abrir_puerto(anfitrion, puerto, _PENDIENTES, "ALPES_METRICAS_CONSUMIDOR"))


def _registro_de_metricas() -> CollectorRegistry:
    registro = CollectorRegistry()
    ProcessCollector(registry=registro)
    return registro


def _acceso(configuracion: Configuracion) -> ReglasDeAcceso:
    return ReglasDeAcceso(
        claves=configuracion.claves_api,
        sin_clave=configuracion.sin_clave,
        nombres=configuracion.nombres,
    )


def _empezar(configuracion: Configuracion, proceso: str) -> None:
    _preparar(configuracion)
    registro = structlog.get_logger(__name__)
    # Dónde están los datos se dice siempre, por mucho que se haya callado el registro.
    registro.log(
        logging.getLevelNamesMapping()[configuracion.registro],
        "empieza",
        proceso=proceso,
        datos=str(configuracion.datos),
        base_datos=configuracion.lugar,
    )
    for variable in configuracion.desconocidas():
        registro.warning("no es un ajuste y no hace nada", variable=variable)


def _preparar(configuracion: Configuracion) -> None:
    configurar_registro(configuracion.registro)


def _base_datos(configuracion: Configuracion) -> BaseDatos:
    if configuracion.base_datos is None:
        return BaseDatosSQLite(configuracion.datos)
    from alpespartners.modulos.tracking.infraestructura.motores.postgresql.base_datos import (
        BaseDatosPostgreSQL,
    )

    return BaseDatosPostgreSQL(configuracion.base_datos)


def _conectar(
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


def _ahora() -> datetime:
    return datetime.now(UTC)


def _nuevo_id() -> str:
    """Un UUIDv7 (RFC 9562): ordenado por tiempo, que es como mejor se insertan en el libro."""
    return str(uuid_utils.uuid7())
