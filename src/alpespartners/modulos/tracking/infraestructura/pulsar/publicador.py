"""Publicar desde asyncio: un productor por tópico, que se conecta solo, y un aviso por cada sobre.

Qué es: la conexión de cada tópico, mantenida en segundo plano, y el paso de las confirmaciones, que llegan
en hilos del cliente, al bucle de asyncio.
Qué no es: una garantía; quien publica decide qué hacer con lo que no se confirmó.
Por qué existe: despachador y relevo necesitan lo mismo, y ni conectarse ni esperar puede bloquear el bucle.
Despertar el bucle cuesta más que la confirmación misma: una ráfaga entera se entrega con un solo aviso.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import structlog

from alpespartners.modulos.tracking.aplicacion.mensajes import Sobre
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import FalloDelBroker, Productor
from alpespartners.modulos.tracking.infraestructura.pulsar.hilo_ajeno import conservar_este_hilo
from alpespartners.seedwork.pausas import Pausas, con_azar

_HILOS = 8
_ESPERA_DE_CIERRES = 1.0
_MEMORIA_DEL_SITIO = 0.05

_registro: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RitmoDelPublicador:
    """El ritmo de un publicador, en segundos.

    Attributes:
        pausas: entre dos intentos de conectar un tópico.
        cada_mirada: entre dos miradas a si un productor tiene conexión.
        desconexion_tolerada: sin conexión, antes de cambiarlo por otro: el cliente espacia sus reintentos
            hasta un minuto, y uno nuevo empieza otra vez sin espera.
        espera_de_avisos: lo que se espera, ya cerrado todo, a las respuestas que faltan.
        solo_tras: sin enviar nada, tras los que un envío no encontraría con quién reunirse en un lote.
    """

    pausas: Pausas = field(default_factory=Pausas)
    cada_mirada: float = 2.0
    desconexion_tolerada: float = 5.0
    espera_de_avisos: float = 1.0
    solo_tras: float = 0.002


RITMO: Final = RitmoDelPublicador()
"""El de producción."""


class Publicador:
    """Publica sobres en los tópicos que haga falta.

    Solo se usa desde el bucle de asyncio en que se construyó.

    Args:
        crear: crea el productor de un tópico; bloquea, y lanza `FalloDelBroker` si no puede.
        hay_sitio: si el broker tiene dónde guardar; lo que confirma cuando ya no lo hay no vale.
        ritmo: el de sus esperas.
    """

    def __init__(
        self,
        crear: Callable[[str], Productor],
        hay_sitio: Callable[[], bool],
        ritmo: RitmoDelPublicador = RITMO,
    ) -> None:
        self._crear = crear
        self._hay_sitio = hay_sitio
        self._ritmo = ritmo
        self._habia_sitio = False
        self._sitio_visto_en = -_MEMORIA_DEL_SITIO
        self._ultimo_envio = 0.0
        self._bucle = asyncio.get_running_loop()
        # Hilos propios: conectarse bloquea el suyo muchos segundos, y los de asyncio son de todos.
        self._hilos = ThreadPoolExecutor(_HILOS, "publicador")
        self._canales: dict[str, _Canal] = {}
        self._en_curso = 0
        self._nadie_en_curso = asyncio.Event()
        self._nadie_en_curso.set()
        self._avisos: deque[tuple[Callable[[bool], None], bool]] = deque()
        self._despertado = False

    def conectar(self, topicos: Iterable[str]) -> None:
        """Empieza a conectar esos tópicos, si no lo estaban ya."""
        for topico in topicos:
            self._canal(topico)

    @property
    def conectado(self) -> bool:
        """Dice si todos los tópicos usados tienen conexión."""
        return all(canal.conectado for canal in self._canales.values())

    def hay_sitio(self) -> bool:
        """Dice si el broker tenía dónde guardar hace nada; de lo que confirme se vuelve a mirar."""
        if self._bucle.time() - self._sitio_visto_en >= _MEMORIA_DEL_SITIO:
            self._mirar_si_hay_sitio()
        return self._habia_sitio

    def listo(self, topico: str) -> bool:
        """Dice si el tópico tiene ya un productor."""
        canal = self._canales.get(topico)
        return canal is not None and canal.productor is not None

    async def esperar(self, topico: str) -> None:
        """Vuelve cuando el tópico tiene un productor."""
        await self._canal(topico).listo.wait()

    def enviar(self, sobre: Sobre, al_saber: Callable[[bool], None], *, acompañado: bool = False) -> None:
        """Envía un sobre; `al_saber` se llama después, en el bucle, con si el broker lo confirmó.

        `acompañado` es que con él van otros, y tiene con quién reunirse en un lote aunque sea el primero.
        """
        productor = self._canal(sobre.topico).productor
        if productor is None:
            self._bucle.call_soon(self._no_confirmar, al_saber)
        else:
            ahora = self._bucle.time()
            solo = not acompañado and ahora - self._ultimo_envio > self._ritmo.solo_tras
            self._ultimo_envio = ahora
            productor.enviar(sobre, partial(self._avisar, al_saber), solo=solo)
        if not self._en_curso:
            self._nadie_en_curso.clear()
        self._en_curso += 1

    async def cerrar(self, segundos: float) -> None:
        """Espera como mucho esos segundos a que todo tenga respuesta, y cierra; lo demás no se confirma."""
        canales = list(self._canales.values())
        for canal in canales:
            canal.tarea.cancel()
        productores = [canal.productor for canal in canales if canal.productor is not None]
        vaciados = [
            asyncio.ensure_future(_intentar(self._hilos, productor.vaciar)) for productor in productores
        ]
        if vaciados:
            await asyncio.wait(vaciados, timeout=segundos)
        cierres = [
            asyncio.ensure_future(_intentar(self._hilos, productor.cerrar)) for productor in productores
        ]
        if cierres:
            # Si el broker no responde, los termina el cierre del cliente.
            await asyncio.wait([*cierres, *vaciados], timeout=_ESPERA_DE_CIERRES)
        await asyncio.gather(*(canal.tarea for canal in canales), return_exceptions=True)
        # Sin esperar: un hilo que aún se conecta acaba cuando se cierra el cliente.
        self._hilos.shutdown(wait=False)
        try:
            await asyncio.wait_for(self._nadie_en_curso.wait(), self._ritmo.espera_de_avisos)
        except TimeoutError:
            _registro.warning("quedaron envíos sin respuesta al cerrar", cuantos=self._en_curso)

    def _canal(self, topico: str) -> "_Canal":
        canal = self._canales.get(topico)
        if canal is None:
            canal = self._canales[topico] = _Canal(topico, self._crear, self._hilos, self._ritmo)
        return canal

    def _avisar(self, al_saber: Callable[[bool], None], confirmado: bool) -> None:  # noqa: FBT001
        """Anota una respuesta y despierta al bucle si nadie lo hizo aún; corre en un hilo del cliente."""
        self._avisos.append((al_saber, confirmado))
        if not self._despertado:
            self._despertado = True
            conservar_este_hilo()
            try:
                self._bucle.call_soon_threadsafe(self._repartir)
            except RuntimeError:
                # El bucle terminó: ya no hay a quién avisar, y lanzar aquí terminaría el proceso.
                self._despertado = False

    def _mirar_si_hay_sitio(self) -> None:
        self._habia_sitio = self._hay_sitio()
        self._sitio_visto_en = self._bucle.time()

    def _repartir(self) -> None:
        # Antes de vaciar: lo que llegue desde ahora pide otro despertar.
        self._despertado = False
        # Después de confirmarse todos: así basta una pregunta, que es una llamada al sistema, por ráfaga.
        rafaga = [self._avisos.popleft() for _ in range(len(self._avisos))]
        self._mirar_si_hay_sitio()
        self._terminaron(len(rafaga))
        for al_saber, confirmado in rafaga:
            al_saber(confirmado and self._habia_sitio)

    def _no_confirmar(self, al_saber: Callable[[bool], None]) -> None:
        self._terminaron(1)
        al_saber(False)  # noqa: FBT003

    def _terminaron(self, cuantos: int) -> None:
        self._en_curso -= cuantos
        if not self._en_curso:
            self._nadie_en_curso.set()


class _Canal:
    """El productor de un tópico y la tarea que lo mantiene conectado."""

    def __init__(
        self,
        topico: str,
        crear: Callable[[str], Productor],
        hilos: ThreadPoolExecutor,
        ritmo: RitmoDelPublicador,
    ) -> None:
        self._topico = topico
        self._crear = crear
        self._hilos = hilos
        self._ritmo = ritmo
        self.productor: Productor | None = None
        self.listo = asyncio.Event()
        self.tarea = asyncio.create_task(self._mantener(), name=f"canal-{topico}")

    @property
    def conectado(self) -> bool:
        return self.productor is not None and self.productor.conectado

    async def _mantener(self) -> None:
        bucle = asyncio.get_running_loop()
        pausa = self._ritmo.pausas.minima
        while True:
            try:
                self.productor = await bucle.run_in_executor(self._hilos, self._crear, self._topico)
            except FalloDelBroker as fallo:
                _registro.warning("el broker no acepta al productor", topico=self._topico, fallo=str(fallo))
            except Exception:  # noqa: BLE001 (queda en el registro; sin este bucle nada se publicaría más)
                _registro.exception("no se pudo crear el productor", topico=self._topico)
            else:
                pausa = self._ritmo.pausas.minima
                self.listo.set()
                await self._hasta_perderlo(self.productor)
                perdido, self.productor = self.productor, None
                self.listo.clear()
                await _intentar(self._hilos, perdido.cerrar)
                continue
            await asyncio.sleep(con_azar(pausa))
            pausa = self._ritmo.pausas.siguiente(pausa)

    async def _hasta_perderlo(self, productor: Productor) -> None:
        visto = time.monotonic()
        while time.monotonic() - visto < self._ritmo.desconexion_tolerada:
            await asyncio.sleep(self._ritmo.cada_mirada)
            if productor.conectado:
                visto = time.monotonic()


async def _intentar(hilos: ThreadPoolExecutor, cierre: Callable[[], None]) -> None:
    """Hace una operación de cierre, que bloquea; que falle no cambia lo que queda por cerrar."""
    try:
        await asyncio.get_running_loop().run_in_executor(hilos, cierre)
    except FalloDelBroker as fallo:
        _registro.debug("al cerrar", operacion=cierre.__qualname__, fallo=str(fallo))
