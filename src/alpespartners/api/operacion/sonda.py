"""La sonda de un proceso de consumidores: `/salud/viva`, `/salud/lista` y `/metricas`, y nada más.

Qué es: una aplicación ASGI que corre en el mismo bucle que consume; si ese bucle se atasca, no responde.
Qué no es: la API; aquí no se envía ni se lee ningún evento.
Por qué existe: quien opera muchos consumidores necesita saber de cada uno si avanza.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from typing import Literal, Protocol

from msgspec import UNSET, UnsetType
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from alpespartners.api.http.acceso import ReglasDeAcceso
from alpespartners.api.http.api import Api
from alpespartners.api.http.claves import Alcance
from alpespartners.api.http.descripcion import CuerpoDescrito
from alpespartners.api.http.parametros import sin_parametros
from alpespartners.api.http.respuestas import RespuestaJSON
from alpespartners.api.http.rutas import Ruta, Rutas
from alpespartners.api.operacion.metricas import Peticiones, ruta_de_metricas
from alpespartners.api.operacion.salud import Disponibilidad, disponibilidad, ruta_viva


class Espera(CuerpoDescrito):
    """Comandos que esperan a una versión posterior, los esquemas que los escribieron y desde hace cuánto."""

    mensajes: int
    esquemas: list[str]
    segundos: int


class SaludDeConsumidores(CuerpoDescrito):
    """Si el proceso avanza: `broker` y `en_espera` van por tópico."""

    estado: Literal["lista", "degradada", "no_lista"]
    broker: dict[str, Disponibilidad]
    base_datos: Disponibilidad
    en_espera: dict[str, Espera] | UnsetType = UNSET


class EnEspera(Protocol):
    """Los comandos de un tópico que esperan a una versión posterior."""

    @property
    def mensajes(self) -> int:
        """Cuántos."""

    @property
    def huellas(self) -> Sequence[str]:
        """Las de los esquemas que los escribieron."""

    @property
    def segundos(self) -> float:
        """Lo que lleva esperando el primero."""


def crear_sonda(
    *,
    suscripciones: Callable[[], Mapping[str, bool]],
    hay_base_datos: Callable[[], bool],
    en_espera: Callable[[], Mapping[str, EnEspera]],
    acceso: ReglasDeAcceso,
    registro: CollectorRegistry,
) -> ASGIApp:
    """Devuelve la aplicación.

    Args:
        suscripciones: por tópico, si su suscripción tiene ahora conexión.
        hay_base_datos: si la base de datos respondió la última vez que se usó.
        en_espera: por tópico, los comandos que esperan a una versión posterior, si hay.
        acceso: las reglas de la API.
        registro: lo que el proceso cuenta.
    """

    async def lista(peticion: Request) -> Response:
        sin_parametros(peticion)
        conectadas, base = suscripciones(), hay_base_datos()
        esta = base and all(conectadas.values())
        esperan = {
            topico: Espera(
                mensajes=espera.mensajes, esquemas=list(espera.huellas), segundos=round(espera.segundos)
            )
            for topico, espera in en_espera().items()
        }
        # Si esperan, lo demás se consume: reiniciar o apartar este proceso no lo arregla, y actualizarlo sí.
        si_avanza: Literal["lista", "degradada"] = "degradada" if esperan else "lista"
        salud = SaludDeConsumidores(
            estado=si_avanza if esta else "no_lista",
            broker={topico: disponibilidad(disponible=si) for topico, si in conectadas.items()},
            base_datos=disponibilidad(disponible=base),
            en_espera=esperan or UNSET,
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
        esperan = GaugeMetricFamily(
            "alpes_comandos_en_espera",
            "Comandos de una versión posterior, que esperan a que se actualice.",
            labels=["topico"],
        )
        en_cada_uno = en_espera()
        for topico in suscripciones():
            espera = en_cada_uno.get(topico)
            esperan.add_metric([topico], 0 if espera is None else espera.mensajes)
        return [conectadas, base, esperan]

    rutas = Rutas(
        [
            ruta_viva(),
            Ruta(
                plantilla="/salud/lista",
                metodo="GET",
                atencion=lista,
                alcance=Alcance.OPERACION,
                sin_clave=True,
            ),
            ruta_de_metricas(registro, estado),
        ]
    )
    return Api(rutas, acceso, nullcontext, Peticiones(registro).observar)
