"""La aplicación ASGI: une rutas, acceso, errores y registro de accesos.

Qué es: el recorrido común de toda petición, en un solo lugar y en orden.
Qué no es: una pila de intermediarios; con un recorrido tan corto, cada capa costaría más que su trabajo.
Por qué existe: pase lo que pase, quien llama recibe una respuesta con forma conocida.
"""

import time
import traceback
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from http import HTTPMethod, HTTPStatus
from typing import Final

import structlog
from prometheus_client import CollectorRegistry

from alpespartners.api.http.acceso import ReglasDeAcceso
from alpespartners.api.http.cuerpo import SEGUNDOS_MAXIMOS
from alpespartners.api.http.peticion import ClienteAusente, Peticion
from alpespartners.api.http.problemas import problema_de
from alpespartners.api.http.registro_de_accesos import Accesos
from alpespartners.api.http.rutas import Rutas, atencion_de
from alpespartners.api.http.traza import identificador_de, traza_de
from alpespartners.api.operacion.documentacion import rutas_de_documentacion
from alpespartners.api.operacion.metricas import Peticiones, estado_de_la_api, ruta_de_metricas
from alpespartners.api.operacion.salud import rutas_de_salud
from alpespartners.api.tracking.envios import Envios
from alpespartners.api.tracking.rutas import rutas_de_tracking
from alpespartners.modulos.tracking.aplicacion.esperas import Esperas
from alpespartners.modulos.tracking.aplicacion.puertos import (
    Administracion,
    DespachadorComandos,
    Lecturas,
    Presencia,
)
from alpespartners.seedwork.arranque import ErrorDeArranque
from alpespartners.seedwork.asgi import ASGIApp, Receive, Scope, Send

CicloDeVida = Callable[[], AbstractAsyncContextManager[None]]

Observar = Callable[[str | None, str | None, int, float], None]
"""Cuenta una respuesta: plantilla de la ruta y método, si se conocen, estado y segundos."""

_METODOS_CONOCIDOS: Final = frozenset(HTTPMethod)


def crear_api(  # noqa: PLR0913 (por nombre: es la lista de lo que la API necesita)
    *,
    despachador: DespachadorComandos,
    lecturas: Lecturas,
    presencia: Presencia,
    reloj: Callable[[], datetime],
    nuevo_id: Callable[[], str],
    acceso: ReglasDeAcceso,
    ciclo_de_vida: CicloDeVida,
    registro: CollectorRegistry,
    administracion: Administracion | None = None,
    segundos_de_cuerpo: float = SEGUNDOS_MAXIMOS,
) -> ASGIApp:
    """Devuelve la aplicación ASGI.

    `reloj` da la hora en UTC con zona; `nuevo_id`, un UUIDv7 en texto; `ciclo_de_vida` abre lo que
    los puertos necesitan antes de la primera petición y lo cierra después de la última; `registro`, donde
    el proceso cuenta lo que sale por `/metricas`; `administracion`, a quién se pregunta cómo está puesto el
    broker. Un `ErrorDeArranque` al abrir detiene el servidor con su
    frase y sin traza.
    """
    esperas = Esperas(lecturas)
    envios = Envios(
        despachador=despachador,
        esperas=esperas,
        reloj=reloj,
        nuevo_id=nuevo_id,
        segundos_de_cuerpo=segundos_de_cuerpo,
    )
    rutas = Rutas(
        [
            *rutas_de_tracking(envios, lecturas, presencia),
            *rutas_de_salud(despachador, lecturas, presencia, administracion),
            ruta_de_metricas(registro, estado_de_la_api(despachador, lecturas, presencia, esperas)),
            *rutas_de_documentacion(),
        ]
    )
    return Api(rutas, acceso, ciclo_de_vida, Peticiones(registro).observar)


class Api:
    """Una aplicación ASGI sobre una tabla de rutas; cuenta cada respuesta y anota cada acceso."""

    def __init__(
        self, rutas: Rutas, acceso: ReglasDeAcceso, ciclo_de_vida: CicloDeVida, observar: Observar
    ) -> None:
        self._rutas = rutas
        self._acceso = acceso
        self._ciclo_de_vida = ciclo_de_vida
        self._observar = observar
        self._registro = structlog.get_logger("api")
        self._accesos = Accesos()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Atiende una petición o el ciclo de vida (ASGI 3.0)."""
        match scope["type"]:
            case "http":
                await self._atender(scope, receive, send)
            case "lifespan":
                await self._vivir(receive, send)
            case _:
                await send({"type": "websocket.close", "code": 1000, "reason": ""})

    async def _atender(self, scope: Scope, receive: Receive, send: Send) -> None:
        comienzo = time.perf_counter()
        peticion = Peticion(scope, receive)
        traza = peticion.traza = traza_de(peticion.cabecera(b"traceparent"))
        plantilla = None
        try:
            partes = self._rutas.partes(scope)
            self._acceso.comprobar(peticion, partes)
            encontrada = self._rutas.buscar(partes)
            plantilla = encontrada.ruta.plantilla
            atencion = atencion_de(encontrada.ruta, scope["method"])
            respuesta = await atencion(peticion, encontrada.variables)
        except ClienteAusente:
            return
        except Exception as error:  # noqa: BLE001 - el último que puede convertirla en una respuesta
            problema = problema_de(error)
            if problema.estado == HTTPStatus.INTERNAL_SERVER_ERROR:
                self._registro.exception("petición fallida", ruta=plantilla, traza=identificador_de(traza))
            respuesta = problema.respuesta()
        await respuesta.enviar(send)
        segundos = time.perf_counter() - comienzo
        # Lo escribe quien llama, y no debe llegar al registro ni a una etiqueta.
        metodo = scope["method"] if scope["method"] in _METODOS_CONOCIDOS else None
        self._observar(plantilla, metodo, respuesta.estado, segundos)
        self._accesos.anotar(metodo, plantilla, respuesta.estado, segundos, identificador_de(traza))

    async def _vivir(self, receive: Receive, send: Send) -> None:
        """El protocolo *lifespan* de ASGI; quien falla al abrir lo dice con una frase si la tiene."""
        await receive()
        iniciado = False
        try:
            async with self._ciclo_de_vida():
                iniciado = True
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except (Exception, ErrorDeArranque) as error:  # noqa: BLE001 - el servidor lo cuenta y termina
            mensaje = error.frase if isinstance(error, ErrorDeArranque) else traceback.format_exc()
            etapa = "shutdown" if iniciado else "startup"
            await send({"type": f"lifespan.{etapa}.failed", "message": mensaje})
        else:
            await send({"type": "lifespan.shutdown.complete"})
        finally:
            self._accesos.escribir()
