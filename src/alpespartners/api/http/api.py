"""Atención de una petición: el recorrido común de todas, en un solo lugar y en orden.

Qué es: una aplicación ASGI sobre una tabla de rutas; comprueba el acceso, encuentra quién atiende, convierte
en un problema lo que falle, cuenta la respuesta y anota el acceso.
Qué no es: una pila de intermediarios; con un recorrido tan corto, cada capa costaría más que su trabajo.
Por qué existe: pase lo que pase, quien llama recibe una respuesta con forma conocida.
"""

import asyncio
import time
import traceback
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from http import HTTPMethod, HTTPStatus
from typing import Final

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from alpespartners.api.http.acceso import ReglasDeAcceso
from alpespartners.api.http.medidas import exigir_medidas
from alpespartners.api.http.problemas import ErrorHTTP, error_de, no_encontrado
from alpespartners.api.http.registro_de_accesos import RegistroDeAccesos
from alpespartners.api.http.respuestas import precauciones_de
from alpespartners.api.http.rutas import AlFallar, Atencion, Direccion, Rutas, partes_de_la_ruta
from alpespartners.api.http.traza import identificador_de, poner_traza
from alpespartners.seedwork.arranque import ErrorDeArranque

CicloDeVida = Callable[[], AbstractAsyncContextManager[None]]

Observar = Callable[[str | None, str | None, int, float], None]
"""Cuenta una respuesta: plantilla de la ruta y método, si se conocen, estado y segundos."""

_METODOS_CONOCIDOS: Final = frozenset(HTTPMethod)


class Api:
    """Una aplicación ASGI.

    Args:
        rutas: las que atiende.
        acceso: quién puede llamarlas.
        ciclo_de_vida: abre lo que necesitan antes de la primera petición y lo cierra tras la última.
        observar: cuenta cada respuesta.
    """

    def __init__(
        self, rutas: Rutas, acceso: ReglasDeAcceso, ciclo_de_vida: CicloDeVida, observar: Observar
    ) -> None:
        self._rutas = rutas
        self._acceso = acceso
        self._ciclo_de_vida = ciclo_de_vida
        self._observar = observar
        self._registro = structlog.get_logger("api")
        self._accesos = RegistroDeAccesos()

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
        peticion, metodo = Request(scope, receive), scope["method"]
        traza = poner_traza(peticion)
        direccion, plantilla, en_su_forma = None, None, None
        try:
            exigir_medidas(scope)
            direccion, scope["path_params"] = self._rutas.buscar(partes_de_la_ruta(scope))
            if direccion is not None:
                plantilla, en_su_forma = direccion.plantilla, direccion.al_fallar
            if not self._acceso.al_dia:
                await self._acceso.ponerse_al_dia()
            # Antes de decir que algo no existe: a quien no puede entrar no se le cuenta qué hay.
            self._acceso.comprobar(peticion, direccion)
            respuesta = await _atencion(direccion, metodo)(peticion)
        except ClientDisconnect:
            return
        except Exception as fallo:  # noqa: BLE001 - el último que puede convertirla en una respuesta
            error = error_de(fallo)
            if error.estado == HTTPStatus.INTERNAL_SERVER_ERROR:
                self._registro.exception("petición fallida", ruta=plantilla, traza=identificador_de(traza))
            if direccion is None:
                en_su_forma = self._rutas.al_fallar(scope["raw_path"])
            respuesta = self._contado(peticion, error, en_su_forma)
        respuesta.raw_headers.extend(precauciones_de(respuesta))
        # Antes de enviarla: lo que tarda en llevarse un millón de filas es cosa de quien las descarga.
        segundos = time.perf_counter() - comienzo
        # Lo escribe quien llama, y no debe llegar al registro ni a una etiqueta.
        conocido = metodo if metodo in _METODOS_CONOCIDOS else None
        self._observar(plantilla, conocido, respuesta.status_code, segundos)
        self._accesos.anotar(conocido, plantilla, respuesta, segundos, traza)
        try:
            await respuesta(scope, receive, send)
        except asyncio.CancelledError:
            # El servidor termina y no la espera más: es su última palabra, y no un fallo de la petición.
            self._registro.warning("respuesta cortada al terminar", ruta=plantilla)
        except Exception:  # noqa: BLE001 - ya no puede convertirse en una respuesta
            # Ya se dijo que iba bien: solo queda cortar, y el servidor corta lo que no se acaba.
            self._registro.exception("respuesta cortada", ruta=plantilla, traza=identificador_de(traza))

    def _contado(self, peticion: Request, error: ErrorHTTP, en_su_forma: AlFallar | None) -> Response:
        """El error en la forma de su dirección; si no tiene, o falla, en la que lee un programa."""
        try:
            return error.respuesta() if en_su_forma is None else en_su_forma(peticion, error)
        except Exception:  # noqa: BLE001 - queda otra forma de contarlo
            self._registro.exception("error que no se pudo contar en su forma", codigo=error.codigo)
            return error.respuesta()

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


def _atencion(direccion: Direccion | None, metodo: str) -> Atencion:
    if direccion is None:
        raise no_encontrado()
    return direccion.atencion(metodo)
