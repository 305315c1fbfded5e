"""La sonda de un proceso de consumidores: `/salud/viva`, `/salud/lista` y `/metricas`, y nada más.

Qué es: una aplicación ASGI que corre en el mismo bucle que consume; si ese bucle se atasca, no responde.
Qué no es: la API; aquí no se envía ni se lee ningún evento.
Por qué existe: quien opera muchos consumidores necesita saber de cada uno si avanza.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from typing import Literal

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from alpespartners.api.http.acceso import ReglasDeAcceso
from alpespartners.api.http.api import Api
from alpespartners.api.http.descripcion import CuerpoDescrito
from alpespartners.api.http.parametros import sin_parametros
from alpespartners.api.http.respuestas import RespuestaJSON
from alpespartners.api.http.rutas import Ruta, Rutas
from alpespartners.api.operacion.metricas import Peticiones, ruta_de_metricas
from alpespartners.api.operacion.salud import Disponibilidad, disponibilidad, ruta_viva


class SaludDeConsumidores(CuerpoDescrito):
    """Si el proceso avanza: `broker` va por tópico."""

    estado: Literal["lista", "no_lista"]
    broker: dict[str, Disponibilidad]
    base_datos: Disponibilidad


def crear_sonda(
    *,
    suscripciones: Callable[[], Mapping[str, bool]],
    hay_base_datos: Callable[[], bool],
    acceso: ReglasDeAcceso,
    registro: CollectorRegistry,
) -> ASGIApp:
    """Devuelve la aplicación.

    Args:
        suscripciones: por tópico, si su suscripción tiene ahora conexión.
        hay_base_datos: si la base de datos respondió la última vez que se usó.
        acceso: las reglas de la API.
        registro: lo que el proceso cuenta.
    """

    async def lista(peticion: Request) -> Response:
        sin_parametros(peticion)
        conectadas, base = suscripciones(), hay_base_datos()
        esta = base and all(conectadas.values())
        salud = SaludDeConsumidores(
            estado="lista" if esta else "no_lista",
            broker={topico: disponibilidad(disponible=si) for topico, si in conectadas.items()},
            base_datos=disponibilidad(disponible=base),
        )
        return RespuestaJSON(salud, 200 if esta else 503)

    async def estado() -> Iterable[Metric]:
        conectadas = GaugeMetricFamily(
            "alpes_suscripcion_conectada", "Si la suscripción tiene conexión.", labels=["topico"]
        )
        for topico, conectada in suscripciones().items():
            conectadas.add_metric([topico], conectada)
        base = GaugeMetricFamily(
            "alpes_base_datos_disponible", "Si la base de datos respondió.", value=hay_base_datos()
        )
        return [conectadas, base]

    rutas = Rutas(
        [
            ruta_viva(),
            Ruta(plantilla="/salud/lista", metodo="GET", atencion=lista),
            ruta_de_metricas(registro, estado),
        ]
    )
    return Api(rutas, acceso, nullcontext, Peticiones(registro).observar)
