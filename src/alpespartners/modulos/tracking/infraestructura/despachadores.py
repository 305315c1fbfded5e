"""El despachador de comandos sobre Pulsar.

Qué es: el adaptador con que la API publica; vuelve solo cuando el broker confirmó.
Qué no es: una cola propia; lo que el broker no confirma a tiempo se le dice a quien llama.
Por qué existe: un 202 promete que el comando ya no se pierde.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial

from alpespartners.modulos.tracking.aplicacion.aceptados import UltimosAceptados
from alpespartners.modulos.tracking.aplicacion.clases import CLASES
from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from alpespartners.modulos.tracking.aplicacion.mensajes import Sobre
from alpespartners.modulos.tracking.aplicacion.puertos import AlmacenamientoLleno, BrokerNoDisponible
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import SUFIJO_CARTAS, sobre_de_comando
from alpespartners.modulos.tracking.infraestructura.metricas import MetricasDePublicacion
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import (
    SUSCRIPCION,
    SUSCRIPCION_CARTAS,
    ClientePulsar,
    Productor,
)
from alpespartners.modulos.tracking.infraestructura.pulsar.publicador import (
    RITMO,
    Publicador,
    RitmoDelPublicador,
)
from alpespartners.seedwork.plazo_comun import PlazoComun
from alpespartners.seedwork.turnos import Turnos

AlSaber = Callable[[bool], None]

_CLASES_DE_TURNOS = 3
"""Los de los envíos, los de lo que se publica enseguida y los de lo que va con otros."""
_PARTE_DEL_LIMITE = 0.8
_SEGUNDOS_DE_CIERRE = 2.0


class DespachadorPulsar:
    """Publica comandos; cumple el puerto `DespachadorComandos`.

    Args:
        limite: segundos que se espera la confirmación del broker.
        metricas: donde se cuenta cada comando.
        maximo_en_curso: comandos sin confirmar a la vez, de los que van solos, de los que van con otros y de
            los que se publican enseguida; los siguientes esperan su turno dentro del límite.
        junto_a_clics: los que van solos o se publican enseguida a la vez, mientras haya de estos.
        reservados: los que aun así pueden ir solos.
        memoria_del_silencio: segundos que se recuerda que, con conexión, el broker no confirmó; si nadie
            envía, nada lo desmentiría.
        ritmo: el de quien publica.
    """

    def __init__(
        self,
        limite: float,
        metricas: MetricasDePublicacion,
        *,
        maximo_en_curso: int = 1_000,
        junto_a_clics: int = 32,
        reservados: int = 4,
        memoria_del_silencio: float = 15.0,
        ritmo: RitmoDelPublicador = RITMO,
    ) -> None:
        self._limite = limite
        self._metricas = metricas
        self._maximo_en_curso = maximo_en_curso
        self._memoria_del_silencio = memoria_del_silencio
        self._ritmo = ritmo
        self._turnos = Turnos(maximo_en_curso, junto_a_clics, reservados)
        # Aparte: de uno en uno, lo que llega junto perdería lo que gana por llegar junto.
        self._turnos_de_varios = Turnos(maximo_en_curso, maximo_en_curso, maximo_en_curso)
        self._confirmaciones: PlazoComun[bool] = PlazoComun(limite)
        self._publicador: Publicador | None = None
        self._asegurados: set[str] = set()
        self._callado_en: float | None = None
        self._aceptados = UltimosAceptados()

    async def abrir(self, cliente: ClientePulsar) -> None:
        """Empieza a conectarse y vuelve sin esperar; si el broker no está, sigue intentándolo solo.

        El cliente es el del proceso, y lo cierra quien lo creó, después que al despachador.
        """
        self._publicador = Publicador(partial(self._crear_productor, cliente), cliente.hay_sitio, self._ritmo)
        self._publicador.conectar([clase.topico for clase in CLASES])

    async def cerrar(self) -> None:
        """Deja de aceptar comandos, espera las confirmaciones pendientes y cierra."""
        publicador, self._publicador = self._publicador, None
        if publicador is not None:
            await publicador.cerrar(_SEGUNDOS_DE_CIERRE)

    async def publicar(self, comando: Comando, *, comando_id: str, traza: str | None) -> None:
        """Vuelve solo cuando el broker confirmó el comando de forma duradera.

        Raises:
            AlmacenamientoLleno: el broker no tiene sitio.
            BrokerNoDisponible: no hubo confirmación a tiempo; puede haberlo guardado o no.
        """
        publicador = self._publicador
        if publicador is None:
            raise BrokerNoDisponible
        if not publicador.hay_sitio():
            raise AlmacenamientoLleno
        sobre = sobre_de_comando(comando, comando_id, traza)
        confirmacion = self._confirmaciones.futuro()

        def al_saber(confirmado: bool) -> None:  # noqa: FBT001
            self._turnos.soltar()
            # Quien esperaba pudo cansarse o irse.
            if not confirmacion.done():
                confirmacion.set_result(confirmado)

        comienzo = time.perf_counter()
        try:
            await self._turno(self._turnos, publicador, sobre.topico, self._vence())
            publicador.enviar(sobre, al_saber)
            confirmado = await confirmacion
        except TimeoutError:
            confirmado = None
        if not confirmado:
            raise self._sin_confirmar(publicador, sobre.topico, respondido=confirmado is not None)
        self._confirmado(sobre.topico, comando.recibido_en, comienzo)

    def publicar_enseguida(
        self, comando: Comando, al_saber: Callable[[bool], None], *, comando_id: str, traza: str | None
    ) -> None:
        """Publica sin esperar turno, ni conexión si no la hay; mientras, los envíos pasan de pocos en pocos.

        `al_saber` se llama una vez, en el bucle y quizá antes de volver, con si el broker lo confirmó; lo que
        no confirmó puede haberlo guardado o no.
        """
        publicador = self._publicador
        if publicador is None or not publicador.hay_sitio():
            al_saber(False)  # noqa: FBT003
            return
        sobre = sobre_de_comando(comando, comando_id, traza)
        if not publicador.listo(sobre.topico) or not self._turnos.pasar():
            al_saber(False)  # noqa: FBT003
            return
        confirmacion = self._confirmaciones.futuro()
        comienzo = time.perf_counter()

        def responde(confirmado: bool) -> None:  # noqa: FBT001
            self._turnos.salir()
            if confirmacion.done():
                return
            confirmacion.set_result(confirmado)
            if confirmado:
                self._confirmado(sobre.topico, comando.recibido_en, comienzo)
            else:
                self._sin_confirmar(publicador, sobre.topico, respondido=True)
            al_saber(confirmado)

        def vence(vencida: asyncio.Future[bool | None]) -> None:
            if vencida.result() is None:
                self._sin_confirmar(publicador, sobre.topico, respondido=False)
                al_saber(False)  # noqa: FBT003

        confirmacion.add_done_callback(vence)
        publicador.enviar(sobre, responde)

    async def publicar_varios(
        self, comandos: Sequence[tuple[Comando, str]], *, traza: str | None
    ) -> list[BrokerNoDisponible | None]:
        """Publica todos con un solo plazo; vuelve cuando se sabe qué fue del último, o al vencer.

        Devuelve, en su orden, `None` por cada comando confirmado de forma duradera, y si no la causa. Los de
        un tópico no esperan a los de otro que no tiene conexión.
        """
        sobres = [sobre_de_comando(comando, comando_id, traza) for comando, comando_id in comandos]
        return await self._publicar_sobres(sobres, [comando.recibido_en for comando, _ in comandos])

    async def reenviar(self, sobres: Sequence[Sobre]) -> list[bool]:
        """Publica unos sobres ya hechos, que se recibieron hace rato, y dice en su orden cuáles confirmó."""
        causas = await self._publicar_sobres(sobres, [None] * len(sobres))
        return [causa is None for causa in causas]

    async def _publicar_sobres(
        self, sobres: Sequence[Sobre], recibidos: Sequence[datetime | None]
    ) -> list[BrokerNoDisponible | None]:
        if not sobres:
            return []
        publicador = self._publicador
        if publicador is None:
            return [BrokerNoDisponible()] * len(sobres)
        if not publicador.hay_sitio():
            return [AlmacenamientoLleno()] * len(sobres)
        turnos = self._turnos_de_varios if len(sobres) > 1 else self._turnos
        respuestas: list[bool | None] = [None] * len(sobres)
        faltan = len(sobres)
        todas = self._confirmaciones.futuro()
        comienzo, vence = time.perf_counter(), self._vence()

        def al_saber(numero: int, confirmado: bool) -> None:  # noqa: FBT001
            nonlocal faltan
            turnos.soltar()
            faltan -= 1
            # Vencido el plazo, o ido quien esperaba, lo que se sepa ya no cuenta.
            if todas.done():
                return
            respuestas[numero] = confirmado
            if confirmado:
                self._confirmado(sobres[numero].topico, recibidos[numero], comienzo)
            if not faltan:
                todas.set_result(True)

        de_cada_topico: defaultdict[str, list[tuple[Sobre, AlSaber]]] = defaultdict(list)
        for numero, sobre in enumerate(sobres):
            de_cada_topico[sobre.topico].append((sobre, partial(al_saber, numero)))
        with suppress(TimeoutError):
            await asyncio.gather(
                *(
                    self._enviar_seguidos(turnos, publicador, suyos, vence)
                    for suyos in de_cada_topico.values()
                )
            )
            await todas
        return [
            None
            if confirmado
            else self._sin_confirmar(publicador, sobre.topico, respondido=confirmado is not None)
            for sobre, confirmado in zip(sobres, respuestas, strict=True)
        ]

    async def _enviar_seguidos(
        self, turnos: Turnos, publicador: Publicador, envios: Sequence[tuple[Sobre, AlSaber]], vence: float
    ) -> None:
        """Envía los de un tópico, cada uno en cuanto tiene su turno.

        Raises:
            TimeoutError: alguno no lo tuvo a tiempo.
        """
        for sobre, al_saber in envios:
            await self._turno(turnos, publicador, sobre.topico, vence)
            publicador.enviar(sobre, al_saber, acompañado=len(envios) > 1)

    def _confirmado(self, topico: str, recibido_en: datetime | None, comienzo: float) -> None:
        self._callado_en = None
        if recibido_en is not None:
            self._aceptados.anotar(topico, recibido_en)
        self._metricas.aceptado(topico, time.perf_counter() - comienzo)

    def _sin_confirmar(self, publicador: Publicador, topico: str, *, respondido: bool) -> BrokerNoDisponible:
        """Cuenta uno del que el broker dijo que no, o no dijo nada, y devuelve la causa."""
        self._metricas.sin_confirmar(topico)
        if respondido and not publicador.hay_sitio():
            return AlmacenamientoLleno()
        if publicador.conectado:
            self._callado_en = time.monotonic()
        return BrokerNoDisponible()

    def _vence(self) -> float:
        return asyncio.get_running_loop().time() + self._limite

    @property
    def disponible(self) -> bool:
        """Dice si el broker acepta comandos ahora: hay conexión y sitio, y lo último se confirmó."""
        publicador = self._publicador
        if publicador is None or not publicador.conectado or not publicador.hay_sitio():
            return False
        return self._callado_en is None or time.monotonic() - self._callado_en > self._memoria_del_silencio

    def aceptado_antes_de(self, instante: datetime) -> Mapping[str, datetime]:
        """Devuelve, por tópico, el `recibido_en` más nuevo, anterior a ese instante, de lo que confirmó."""
        return self._aceptados.antes_de(instante)

    async def _turno(self, turnos: Turnos, publicador: Publicador, topico: str, vence: float) -> None:
        """Vuelve cuando hay productor y no hay demasiados comandos en curso.

        `vence` es la hora del bucle hasta la que se espera.

        Raises:
            TimeoutError: no los hubo a tiempo.
        """
        # Si no hay nada que esperar, sin plazo, que cuesta.
        if publicador.listo(topico) and turnos.tomar_si_hay():
            return
        async with asyncio.timeout_at(vence):
            await publicador.esperar(topico)
            await turnos.tomar()

    def _crear_productor(self, cliente: ClientePulsar, topico: str) -> Productor:
        """Antes del primer envío deja creado quien lo recibirá: Apache Pulsar olvida lo que nadie espera."""
        if topico not in self._asegurados:
            cliente.asegurar_suscripcion(topico, SUSCRIPCION)
            cliente.asegurar_suscripcion(topico + SUFIJO_CARTAS, SUSCRIPCION_CARTAS)
            self._asegurados.add(topico)
        return cliente.productor(
            topico,
            por_clave=False,
            limite=self._limite * _PARTE_DEL_LIMITE,
            maximo_en_curso=2 * _CLASES_DE_TURNOS * self._maximo_en_curso,
            sin_lotes=True,
        )
