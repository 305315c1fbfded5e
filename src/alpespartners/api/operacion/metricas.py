"""`/metricas`: lo que cuentan de sí mismos los procesos de un puerto, en el formato de texto de Prometheus.

Qué es: la ruta, la cuenta de las respuestas y lo que la API averigua al ser preguntada: si hay base de
datos, el balance y la bandeja de salida.
Qué no es: un lugar para identificadores; ninguna etiqueta lleva el de una campaña, un influencer, un usuario
o un evento.
Por qué existe: de noche avisa una alarma, y una alarma vive de números.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache
from http import HTTPStatus

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from alpespartners import __version__
from alpespartners.api.http.claves import Alcance
from alpespartners.api.http.descripcion import Contestacion, Operacion
from alpespartners.api.http.parametros import sin_parametros
from alpespartners.api.http.rutas import RutaDescrita
from alpespartners.api.operacion.pulso import Pulso
from alpespartners.api.operacion.salud import LIMITE_DE_UNA_SONDA, SALUD
from alpespartners.modulos.tracking.aplicacion.consultas.consultar_balance import (
    BalanceDelModulo,
    consultar_balance,
)
from alpespartners.modulos.tracking.aplicacion.mensajes import CuentaDeClics
from alpespartners.modulos.tracking.aplicacion.puertos import (
    BaseDatosNoDisponible,
    ColaDeClics,
    Lecturas,
    Presencia,
)
from alpespartners.modulos.tracking.dominio.destinos import (
    Duplicada,
    Ignorada,
    Ilegible,
    Rechazada,
    Registrada,
)

Estado = Callable[[], Awaitable[Iterable[Metric]]]
"""Lo que hay que averiguar en el momento; no lanza."""

_TRAMOS = (0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.125, 0.25, 0.5, 1, 2.5, 5, 10)


class Peticiones:
    """La cuenta de las respuestas HTTP de un proceso, por plantilla de ruta.

    Args:
        registro: el del proceso.
    """

    def __init__(self, registro: CollectorRegistry) -> None:
        # Cada serie se busca una sola vez: son las plantillas, los métodos conocidos y los estados.
        self._respuestas = cache(
            Counter(
                "alpes_respuestas", "Respuestas HTTP.", ["ruta", "metodo", "estado"], registry=registro
            ).labels
        )
        self._segundos = cache(
            Histogram(
                "alpes_respuesta_segundos",
                "Lo que tarda una respuesta HTTP.",
                ["ruta", "metodo"],
                buckets=_TRAMOS,
                registry=registro,
            ).labels
        )
        # Con una sola serie, que nace a cero, una alarma ve ya el primero.
        self._internos = Counter(
            "alpes_errores_internos", "Respuestas 500: defectos del programa.", registry=registro
        )

    def observar(self, ruta: str | None, metodo: str | None, estado: int, segundos: float) -> None:
        """Cuenta una respuesta; lo que no es una ruta o un método conocido es `None`, y se cuenta junto."""
        cual = ruta or "otra", metodo or "otro"
        self._respuestas(*cual, estado).inc()
        if estado == HTTPStatus.INTERNAL_SERVER_ERROR:
            self._internos.inc()
        self._segundos(*cual).observe(segundos)


def ruta_de_metricas(registro: CollectorRegistry, estado: Estado) -> RutaDescrita:
    """La ruta `/metricas`: lo contado en el registro y, además, el estado de ahora."""

    async def metricas(peticion: Request) -> Response:
        sin_parametros(peticion)
        de_ahora = _DeAhora([_version(), *await estado()])
        cuerpo = generate_latest(registro) + generate_latest(de_ahora)
        return Response(cuerpo, media_type=CONTENT_TYPE_PLAIN_0_0_4)

    operacion = Operacion(
        id="metricas",
        etiqueta=SALUD,
        resumen="Lo que cuentan de sí mismos los procesos del puerto, para Prometheus",
        descripcion="Ninguna métrica lleva un identificador de campaña, influencer, usuario o evento.",
        contestaciones={
            200: Contestacion(
                descripcion="Texto de Prometheus.",
                formas=(str,),
                ejemplos={"texto": "# TYPE alpes_broker_disponible gauge\nalpes_broker_disponible 1.0\n"},
                tipo="text/plain",
            )
        },
    )
    return RutaDescrita(
        plantilla="/metricas",
        metodo="GET",
        atencion=metricas,
        alcance=Alcance.OPERACION,
        sin_clave=True,
        operacion=operacion,
    )


def estado_de_la_api(pulso: Pulso, lecturas: Lecturas, presencia: Presencia, clics: ColaDeClics) -> Estado:
    """Lo que la API averigua al ser preguntada; lo de la base de datos falta mientras esta no responda."""

    async def estado() -> Iterable[Metric]:
        pulso.apuntar()
        de_clics = list(_de_clics(await clics.cuenta()))
        base = GaugeMetricFamily("alpes_base_datos_disponible", "Si la base de datos se puede leer.")
        try:
            async with asyncio.timeout(LIMITE_DE_UNA_SONDA):
                balance = await lecturas.leer(lambda consulta: consultar_balance(consulta.balance))
                vivos = await presencia.consumidores()
        except (BaseDatosNoDisponible, TimeoutError):
            base.add_metric([], 0)
            return [base, *de_clics]
        base.add_metric([], 1)
        consumidores = GaugeMetricFamily(
            "alpes_consumidores", "Procesos de consumidores que viven.", value=vivos
        )
        return [base, *de_clics, consumidores, *_familias(balance, time.time())]

    return estado


def _familias(balance: BalanceDelModulo, ahora: float) -> Iterator[Metric]:
    comandos = CounterMetricFamily(
        "alpes_comandos",
        "Comandos que acabaron en cada destino, según el libro: el mismo número en todas las APIs.",
        labels=["topico", "estado", "motivo"],
    )
    procesado = GaugeMetricFamily(
        "alpes_procesado_hasta_segundos",
        "Cuándo se recibió el comando procesado más nuevo (tiempo Unix).",
        labels=["topico"],
    )
    for cuenta in balance.comandos:
        comandos.add_metric([cuenta.topico, Registrada.estado, ""], cuenta.registradas)
        comandos.add_metric([cuenta.topico, Duplicada.estado, ""], cuenta.duplicadas)
        comandos.add_metric([cuenta.topico, Ilegible.estado, ""], cuenta.ilegibles)
        for motivo, cuantas in cuenta.rechazadas.items():
            comandos.add_metric([cuenta.topico, Rechazada.estado, motivo], cuantas)
        for motivo, cuantas in cuenta.ignoradas.items():
            comandos.add_metric([cuenta.topico, Ignorada.estado, motivo], cuantas)
        if cuenta.procesado_hasta is not None:
            procesado.add_metric([cuenta.topico], cuenta.procesado_hasta.timestamp())
    pendientes = balance.bandeja_salida
    yield comandos
    yield procesado
    yield GaugeMetricFamily(
        "alpes_bandeja_salida_envios",
        "Mensajes que esperan en la bandeja de salida.",
        value=pendientes.cuantos,
    )
    yield GaugeMetricFamily(
        "alpes_bandeja_salida_antiguedad_segundos",
        "Lo que lleva esperando el más antiguo de ellos; 0 si no hay ninguno.",
        value=_antiguedad(pendientes.desde, ahora),
    )


def _de_clics(cuenta: CuentaDeClics) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "alpes_clics_en_espera",
        "Clics y píxeles guardados en el disco de esta máquina hasta que el broker los confirme.",
        value=cuenta.en_espera,
    )
    yield CounterMetricFamily(
        "alpes_clics_perdidos",
        "Clics y píxeles que ni el broker ni el disco de esta máquina guardaron.",
        value=cuenta.perdidos,
    )


def _antiguedad(desde: datetime | None, ahora: float) -> float:
    return 0 if desde is None else max(0.0, ahora - desde.timestamp())


def _version() -> Metric:
    return InfoMetricFamily("alpes", "El programa.", value={"version": __version__})


class _DeAhora(Collector):
    """Unas familias de métricas hechas para una sola respuesta."""

    def __init__(self, familias: Sequence[Metric]) -> None:
        self._familias = familias

    def collect(self) -> Iterable[Metric]:
        """Las da tal cual."""
        return self._familias
