"""El proceso de consumidores compuesto: los dos tópicos de comandos, el libro, el relevo y la sonda.

Por qué existe: corre igual con `python -m alpespartners.modulos.tracking.infraestructura` que bajo
`alpespartners iniciar`.
"""

import asyncio
import signal
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from functools import partial
from typing import BinaryIO
from uuid import UUID

from alpespartners.composicion.adaptadores import (
    acceso,
    ahora,
    base_datos,
    conectar,
    lector,
    registro_de_metricas,
    revisor,
)
from alpespartners.composicion.inicio import empezar
from alpespartners.config import Configuracion
from alpespartners.modulos.tracking.aplicacion.clases import CLASES, Clase
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.aplicacion.puertos import Lector
from alpespartners.modulos.tracking.infraestructura.consumidores import Consumidor, Consumidores
from alpespartners.modulos.tracking.infraestructura.consumo.apertura import Apertura
from alpespartners.modulos.tracking.infraestructura.consumo.asentador import Asentador
from alpespartners.modulos.tracking.infraestructura.consumo.bitacora import Bitacora
from alpespartners.modulos.tracking.infraestructura.consumo.en_espera import EnEspera
from alpespartners.modulos.tracking.infraestructura.consumo.en_mano import EnMano, archivo_en_mano
from alpespartners.modulos.tracking.infraestructura.consumo.escritor import Escritor
from alpespartners.modulos.tracking.infraestructura.consumo.olvido import olvidando
from alpespartners.modulos.tracking.infraestructura.consumo.recogida import Recogida
from alpespartners.modulos.tracking.infraestructura.consumo.relevo import Relevo
from alpespartners.modulos.tracking.infraestructura.consumo.ritmo import (
    Ritmo,
    RitmoDelOlvido,
    RitmoDelRelevo,
)
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import abrir_comando
from alpespartners.modulos.tracking.infraestructura.metricas import MetricasDeConsumo
from alpespartners.modulos.tracking.infraestructura.motores.base_datos import Libro
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import ClientePulsar
from alpespartners.modulos.tracking.infraestructura.pulsar.revision import avisando
from alpespartners.seedwork.procesos.ciclos import buscar_menos_ciclos

_PENDIENTES = 64
"""Conexiones que esperan a la sonda: pregunta quien vigila, y nadie más."""


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
    empezar(configuracion, "consumidores")
    with ExitStack() as pila:
        sonda = _enchufe_de_la_sonda(configuracion, pila)
        metricas = MetricasDeConsumo(registro_de_metricas())
        de_procedencias = lector(configuracion, metricas.lectura_sin_evaluar)
        base = base_datos(configuracion)
        if migra:
            base.migrar()
        libro = base.libro()
        libro.abrir()
        # Se cierra después que el libro, cuyo hilo puede seguir con un lote en la mano.
        en_mano = pila.enter_context(archivo_en_mano(configuracion.datos))
        pila.callback(libro.cerrar)
        cliente, epoca = conectar(configuracion, pila, para_consumir=True)
        al_empezar()
        asyncio.run(
            _consumir(configuracion, cliente, libro, en_mano, epoca, sonda, metricas, de_procedencias)
        )


async def _consumir(
    configuracion: Configuracion,
    cliente: ClientePulsar,
    libro: Libro,
    archivo: BinaryIO,
    epoca: UUID,
    sonda: socket.socket | None,
    metricas: MetricasDeConsumo,
    de_procedencias: Lector,
) -> None:
    buscar_menos_ciclos()
    parar = asyncio.Event()
    for señal in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(señal, parar.set)
    ritmo = Ritmo()
    relevo = Relevo(cliente, libro, metricas=metricas, ritmo=RitmoDelRelevo())
    en_mano = EnMano(archivo, ritmo.maximo_lote)

    abrir = partial(abrir_comando, ajenas=frozenset(configuracion.esquemas_ajenos))

    def consumidor(clase: Clase) -> Consumidor:
        en_espera = EnEspera(clase.topico, ritmo.pausas_en_espera)
        apertura = Apertura(clase.topico, epoca, en_mano, en_espera, abrir)
        escritor = Escritor(ManejadorDeRegistro(clase, de_procedencias), libro, relevo, en_mano, ahora)
        asentador = Asentador(escritor, apertura, Bitacora(clase.topico, metricas, ahora), ritmo)
        return Consumidor(cliente, Recogida(apertura, en_mano, en_espera, ritmo), asentador, en_mano, ritmo)

    consumidores = Consumidores([consumidor(clase) for clase in CLASES], relevo, ritmo)
    async with AsyncExitStack() as pila:
        if sonda is not None:
            from alpespartners.api.operacion.sonda import crear_sonda
            from alpespartners.seedwork.procesos.servidor_http import sirviendo

            aplicacion = crear_sonda(
                suscripciones=consumidores.suscripciones,
                hay_base_datos=consumidores.hay_base_datos,
                en_espera=consumidores.en_espera,
                acceso=acceso(configuracion),
                registro=metricas.registro,
            )
            await pila.enter_async_context(sirviendo(aplicacion, sonda, configuracion.espera_conexion))
        await pila.enter_async_context(
            olvidando(libro, configuracion.dias_rechazados, ahora, RitmoDelOlvido())
        )
        await pila.enter_async_context(
            avisando(revisor(configuracion), lambda: all(consumidores.suscripciones().values()))
        )
        await consumidores.trabajar(parar)


def _enchufe_de_la_sonda(configuracion: Configuracion, pila: ExitStack) -> socket.socket | None:
    if configuracion.metricas_consumidor is None:
        return None
    from alpespartners.seedwork.procesos.servidor_http import abrir_puerto

    anfitrion, puerto = configuracion.metricas_consumidor
    return pila.enter_context(abrir_puerto(anfitrion, puerto, _PENDIENTES, "ALPES_METRICAS_CONSUMIDOR"))
