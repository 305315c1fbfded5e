"""La difusión: un solo lector por proceso para todos los que miran una campaña en vivo.

Qué es: quién mira qué, el anillo con lo último publicado y la tarea que lo llena mientras alguien mira.
Qué no es: el lector de Pulsar, que llega por un puerto, ni la forma en que se cuenta por HTTP.
Por qué existe: quien mira no le cuesta nada al broker, ni a quien envía, ni a los demás que miran. Y no calla
nada: lo que no puede contar lo dice con un hueco. Véase docs/decisiones/0042.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from alpespartners.modulos.tracking.aplicacion.en_vivo.anillo import (
    EVENTOS_MAXIMOS,
    Anillo,
    Guardado,
    Tira,
)
from alpespartners.modulos.tracking.aplicacion.en_vivo.posiciones import (
    PRINCIPIO,
    Marca,
    Posiciones,
    juntas,
    marca_de,
)
from alpespartners.modulos.tracking.aplicacion.en_vivo.publicado import Publicado, TopicosDeEventos
from alpespartners.modulos.tracking.aplicacion.en_vivo.sucesos import (
    Conexion,
    Hueco,
    Latido,
    Novedad,
    Suceso,
)
from alpespartners.modulos.tracking.aplicacion.puertos import BrokerNoDisponible

_registro = logging.getLogger(__name__)


class NoCabenMas(Exception):
    """Ya miran todos los que caben en este proceso, o está terminando."""


@dataclass(frozen=True, slots=True)
class Ritmo:
    """Cuánto cabe y cuánto se espera.

    Attributes:
        espectadores: los que pueden mirar a la vez.
        eventos: los que caben en el anillo.
        latido: segundos callado tras los que se dice que se sigue ahí.
        gracia: segundos que se sigue leyendo cuando ya no mira nadie, por si vuelve.
        para_repasar: segundos en los que hay que haber leído lo que le falta a quien vuelve.
        repasos: los que se leen a la vez: uno atascado no hace esperar a los demás, y nadie ocupa todo.
        caducidad: cuánto vale una marca. Más allá, el broker pudo borrar ya lo que seguía.
        tanda: eventos que se cuentan de una vez.
        octetos_de_una_tanda: lo que ocupan, más o menos: quien no lee retiene una entera.
        entre_tandas: segundos que se dejan pasar entre dos a quien va al día: contarle de uno en uno lo que
            llega seguido cuesta a quien envía, y una persona no lo nota.
    """

    espectadores: int = 500
    eventos: int = EVENTOS_MAXIMOS
    latido: float = 15.0
    gracia: float = 30.0
    para_repasar: float = 10.0
    repasos: int = 4
    caducidad: timedelta = timedelta(hours=1)
    tanda: int = 100
    octetos_de_una_tanda: int = 64 * 1024
    entre_tandas: float = 0.1


RITMO: Final = Ritmo()


class EnVivo:
    """Lo que miran los espectadores de un proceso; es el receptor de quien lee los tópicos.

    Args:
        topicos: de donde se lee.
        reloj: la hora, en UTC.
        ritmo: cuánto cabe y cuánto se espera.

    Attributes:
        saltados: eventos que alguien que miraba no llegó a ver.
    """

    def __init__(
        self,
        topicos: TopicosDeEventos,
        reloj: Callable[[], datetime],
        ritmo: Ritmo = RITMO,
    ) -> None:
        self.ritmo = ritmo
        self.ahora = reloj
        self.saltados = 0
        self.anillo = Anillo(ritmo.eventos)
        self.situado = False
        self.con_broker = True
        self._topicos = topicos
        self._mirando: dict[str, set[Espectador]] = {}
        self._cuantos = 0
        self._lector: asyncio.Task[None] | None = None
        self._cierre: asyncio.TimerHandle | None = None
        self._repasos = asyncio.Semaphore(ritmo.repasos)
        self._plazos: set[asyncio.Timeout] = set()
        self._terminando = False

    @property
    def cuantos(self) -> int:
        """Cuántos miran ahora."""
        return self._cuantos

    def entrar(self, campaña_id: str, ultimo_id: str | None = None) -> "Espectador":
        """Empieza a mirar una campaña; quien entra sale con `salir`.

        Args:
            campaña_id: la que mira.
            ultimo_id: la marca por la que sigue, si vuelve.

        Raises:
            NoCabenMas: no se puede mirar ahora.
        """
        if self._terminando or self._cuantos >= self.ritmo.espectadores:
            raise NoCabenMas
        if self._cierre is not None:
            self._cierre.cancel()
            self._cierre = None
        if self._lector is None:
            self._empezar_a_leer()
        espectador = Espectador(self, campaña_id, ultimo_id)
        self._mirando.setdefault(campaña_id, set()).add(espectador)
        self._cuantos += 1
        return espectador

    def salir(self, espectador: "Espectador") -> None:
        """Deja de mirar; si era el último, el lector se cierra un rato después."""
        suyos = self._mirando[espectador.campaña_id]
        suyos.remove(espectador)
        self._cuantos -= 1
        if not suyos:
            del self._mirando[espectador.campaña_id]
            self.anillo.soltar(espectador.campaña_id)
        if not self._mirando and self._lector is not None:
            bucle = asyncio.get_running_loop()
            self._cierre = bucle.call_later(self.ritmo.gracia, self._dejar_de_leer, self._lector)

    def despedir(self) -> None:
        """El servicio termina: todos acaban de mirar y nadie más entra."""
        self._terminando = True
        self._echar()

    @asynccontextmanager
    async def abierto(self) -> AsyncGenerator[None]:
        """Al salir del bloque todos están despedidos y ya no se lee."""
        try:
            yield
        finally:
            self.despedir()
            if self._cierre is not None:
                self._cierre.cancel()
            if (lector := self._lector) is not None:
                self._dejar_de_leer(lector)
                await asyncio.wait((lector,))

    def situar(self, posiciones: Posiciones) -> None:
        """Se empieza a leer justo después de ahí."""
        self.anillo.situar(posiciones)
        self.situado = True
        self._despertar(self._mirando)

    def recibir(self, publicados: Sequence[Publicado]) -> None:
        """Guarda lo leído y despierta a quien mira alguna de sus campañas."""
        nuevas = self.anillo.agregar(publicados, self._mirando)
        self._despertar(nuevas & self._mirando.keys())

    def conectado(self, *, con_broker: bool) -> None:
        """Dice a todos si hay broker."""
        if con_broker != self.con_broker:
            self.con_broker = con_broker
            self._despertar(self._mirando)

    def marca(self, posiciones: Posiciones, en: datetime) -> Marca:
        """La de quien en ese instante lo había visto todo hasta ahí."""
        return Marca(self._topicos.epoca, posiciones, en)

    async def alcanzar(self, marca: Marca) -> bool:
        """Deja en el anillo todo lo publicado después de la marca; dice si pudo.

        Lo que el anillo no tiene lo lee de los tópicos, para unos pocos espectadores a la vez: los siguientes
        suelen encontrarlo ya ahí. A quien no le falta nada no espera a ninguno.
        """
        if marca.epoca != self._topicos.epoca or self.ahora() - marca.dada_en > self.ritmo.caducidad:
            return False
        try:
            async with self._plazo():
                if not self.anillo.cubre(marca.posiciones):
                    async with self._repasos:
                        await self._repasar(marca.posiciones)
                if self._por_delante(marca.posiciones, self.anillo.ultimas):
                    # Otro proceso leyó más deprisa, o son lugares de unos datos que ya no existen.
                    async with self._repasos:
                        finales = await self._topicos.finales()
                    if self._por_delante(marca.posiciones, finales):
                        return False
        except (BrokerNoDisponible, TimeoutError):
            return False
        return self.anillo.cubre(marca.posiciones)

    @asynccontextmanager
    async def _plazo(self) -> AsyncGenerator[None]:
        """El de repasar, que vence antes si hay que acabar."""
        async with asyncio.timeout(self.ritmo.para_repasar) as plazo:
            self._plazos.add(plazo)
            try:
                yield
            finally:
                self._plazos.remove(plazo)

    async def _repasar(self, desde: Posiciones) -> None:
        while not self.anillo.cubre(desde):
            hasta = dict(self.anillo.desde)
            publicados = await self._topicos.repasar(desde, hasta, *self.anillo.libre)
            if self._por_delante(self.anillo.desde, hasta):
                # Mientras se leía se olvidó lo que iba detrás.
                return
            if self.anillo.desde == hasta:
                if publicados is not None:
                    self.anillo.anteponer(desde, publicados)
                return
            # Otro repaso puso algo delante: lo que falta es menos, o nada.

    def _por_delante(self, unas: Posiciones, otras: Posiciones) -> bool:
        return any(unas.get(canal, PRINCIPIO) > lugar for canal, lugar in otras.items())

    def _despertar(self, campañas: Iterable[str]) -> None:
        for campaña_id in campañas:
            for espectador in self._mirando[campaña_id]:
                espectador.despertar()

    def _echar(self) -> None:
        for suyos in self._mirando.values():
            for espectador in suyos:
                espectador.acabar()
        for plazo in self._plazos:
            if not plazo.expired():
                plazo.reschedule(asyncio.get_running_loop().time())

    def _empezar_a_leer(self) -> None:
        self._lector = asyncio.create_task(self._topicos.seguir(self), name="en vivo")
        self._lector.add_done_callback(self._al_acabar)

    def _dejar_de_leer(self, lector: asyncio.Task[None]) -> None:
        """Nada de lo guardado vale ya: de lo que se publique desde ahora no se sabrá."""
        if self._cierre is not None:
            self._cierre.cancel()
            self._cierre = None
        self.anillo = Anillo(self.ritmo.eventos)
        self.situado, self.con_broker = False, True
        lector.cancel()

    def _al_acabar(self, lector: asyncio.Task[None]) -> None:
        """Si se cerró, quien llegó entretanto espera a otro; si falló, todos vuelven con su marca."""
        self._lector = None
        if not lector.cancelled():
            _registro.error("dejaron de leerse los eventos en vivo", exc_info=lector.exception())
            self._echar()
            self._dejar_de_leer(lector)
        elif self._mirando and not self._terminando:
            self._empezar_a_leer()


class Espectador:
    """Alguien que mira una campaña.

    Args:
        en_vivo: lo que mira.
        campaña_id: la suya.
        ultimo_id: la marca por la que sigue, si vuelve.
    """

    def __init__(self, en_vivo: EnVivo, campaña_id: str, ultimo_id: str | None) -> None:
        self.campaña_id = campaña_id
        self._en_vivo = en_vivo
        self._ultimo_id = ultimo_id
        self._hay_algo = asyncio.Event()
        self._acabado = False
        self._con_broker = True
        self._tira: Tira | None = None
        self._ordinal = 0
        self._visto: Posiciones = {}
        self._al_dia_en = en_vivo.ahora()

    def despertar(self) -> None:
        """Puede haber algo que contarle."""
        self._hay_algo.set()

    def acabar(self) -> None:
        """Deja de contársele nada."""
        self._acabado = True
        self._hay_algo.set()

    def salir(self) -> None:
        """Deja de mirar."""
        self._en_vivo.salir(self)

    async def tandas(self) -> AsyncGenerator[list[Suceso]]:
        """Lo que va pasando, a su paso; termina cuando el servicio termina o deja de poder leer."""
        while not self._acabado:
            self._hay_algo.clear()
            sucesos = await self._pendientes()
            if sucesos:
                yield sucesos
                if self._al_dia:
                    await asyncio.sleep(self._en_vivo.ritmo.entre_tandas)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(self._en_vivo.ritmo.latido):
                    await self._hay_algo.wait()
            if not self._hay_algo.is_set():
                yield [Latido(None if self._tira is None else self._marca())]

    @property
    def _al_dia(self) -> bool:
        """Dice si se le ha contado todo; de quien acaba no importa."""
        return not self._acabado and self._tira is not None and self._ordinal == self._tira.siguiente

    async def _pendientes(self) -> list[Suceso]:
        """Lo que hay que contarle ya; vacío si nada."""
        sucesos: list[Suceso] = []
        if self._con_broker != self._en_vivo.con_broker:
            self._con_broker = self._en_vivo.con_broker
            sucesos.append(Conexion(self._con_broker))
        if self._en_vivo.situado and self._tira is None:
            sucesos.append(await self._situarse())
        if self._tira is not None and not self._acabado:
            sucesos += self._leer(self._tira)
        return sucesos

    async def _situarse(self) -> Suceso:
        """Elige por dónde empieza: desde ahora, o desde la marca que trae si se puede."""
        marca = None if self._ultimo_id is None else marca_de(self._ultimo_id)
        alcanzada = marca is not None and await self._en_vivo.alcanzar(marca)
        anillo = self._en_vivo.anillo
        self._tira = anillo.tira(self.campaña_id)
        if marca is not None and alcanzada:
            # De un canal que aquí no hay no se dirá nada, y llevarlo alargaría cada `id`.
            self._visto = {
                canal: lugar for canal, lugar in marca.posiciones.items() if canal in anillo.ultimas
            }
            self._ordinal, self._al_dia_en = self._tira.primero, marca.dada_en
            return Latido(self._marca())
        self._ordinal, self._visto = self._tira.siguiente, anillo.ultimas
        self._al_dia_en = self._en_vivo.ahora()
        if self._ultimo_id is None:
            return Latido(self._marca())
        return Hueco(None, None if marca is None else marca.dada_en, self._al_dia_en, self._marca())

    def _leer(self, tira: Tira) -> list[Suceso]:
        """La tanda siguiente, con el hueco de lo que se olvidó antes de que llegara a leerlo."""
        sucesos: list[Suceso] = []
        anillo, ritmo = self._en_vivo.anillo, self._en_vivo.ritmo
        if (saltados := tira.primero - self._ordinal) > 0:
            self._ordinal = tira.primero
            self._visto = juntas(self._visto, anillo.desde)
            sucesos.append(self._hueco(saltados, self._en_vivo.ahora()))
        while not sucesos and (tanda := tira.desde(self._ordinal, ritmo.tanda)):
            octetos = 0
            for guardado in tanda:
                if octetos >= ritmo.octetos_de_una_tanda:
                    break
                self._ordinal += 1
                publicado = guardado.publicado
                if publicado.lugar > self._visto.get(publicado.canal, PRINCIPIO):
                    self._visto = juntas(self._visto, guardado.posiciones)
                    sucesos.append(self._contado(guardado))
                    octetos += publicado.octetos
        if self._ordinal == tira.siguiente:
            self._visto = juntas(self._visto, anillo.ultimas)
            self._al_dia_en = self._en_vivo.ahora()
        return sucesos

    def _contado(self, guardado: Guardado) -> Suceso:
        """El evento o, si lo escribió una versión posterior y aquí no se puede leer, que falta uno."""
        publicado = guardado.publicado
        if publicado.evento is None:
            return self._hueco(1, publicado.publicado_en)
        self._al_dia_en = publicado.publicado_en
        return Novedad(guardado, guardado.marca(self._visto, self._marca))

    def _hueco(self, saltados: int, hasta: datetime) -> Hueco:
        self._en_vivo.saltados += saltados
        desde, self._al_dia_en = self._al_dia_en, hasta
        return Hueco(saltados, desde, hasta, self._marca())

    def _marca(self) -> Marca:
        return self._en_vivo.marca(self._visto, self._al_dia_en)
