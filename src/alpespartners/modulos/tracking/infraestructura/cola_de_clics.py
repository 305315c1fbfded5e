"""La cola de los clics que el broker no confirmó a tiempo: se guardan en disco y se envían después.

Qué es: el adaptador del puerto `ColaDeClics`: guarda los que llegan a la vez con un solo fsync, en un hilo
suyo, y los envía por orden cuando el broker vuelve, tal como se iban a publicar y con su mismo `comando_id`.
Qué no es: el archivo (`seedwork/segmento_en_disco.py`), ni otra garantía que la de `comando_id`: lo que se
envía dos veces se cuenta una.
Por qué existe: sin broker, un envío por la API recibe un 503 y se repite; un clic no lo repite nadie, ni lo
que trae un píxel, que espera y se cuenta con ellos.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple, Protocol, TypeVar

import msgspec
import structlog

from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from alpespartners.modulos.tracking.aplicacion.mensajes import CuentaDeClics, Sobre
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import sobre_de_comando
from alpespartners.seedwork.cola_en_disco import ColaEnDisco

T = TypeVar("T")

_TANDA: Final = 200
_MAXIMO_SIN_ESCRIBIR: Final = 8 * 1024 * 1024
"""Octetos que esperan al disco en la memoria, como mucho."""
_SEGUNDOS_ENTRE_AVISOS: Final = 10.0

_registro: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)
_ESCRITOR: Final = msgspec.msgpack.Encoder()
_LECTOR: Final = msgspec.msgpack.Decoder(Sobre)


class Reenvio(Protocol):
    """Quien publica lo que está en la cola."""

    @property
    def disponible(self) -> bool:
        """Dice si el broker acepta comandos en este momento."""

    async def reenviar(self, sobres: Sequence[Sobre]) -> list[bool]:
        """Publica esos sobres y dice, en su orden, cuáles confirmó el broker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RitmoDeLaCola:
    """El ritmo de una cola, en segundos.

    Attributes:
        espera_del_disco: lo que espera un clic a estar en el disco.
        entre_intentos: entre dos miradas a si el broker ha vuelto.
        entre_adopciones: entre dos miradas a si otro proceso murió y dejó clics.
    """

    espera_del_disco: float = 0.5
    entre_intentos: float = 1.0
    entre_adopciones: float = 5.0


RITMO: Final = RitmoDeLaCola()
"""El de producción."""


class _PorEscribir(NamedTuple):
    """Un clic que espera al disco; `en_curso` es un envío suyo que aún puede confirmarse."""

    comando_id: str
    octetos: bytes
    escrito: asyncio.Future[None]
    en_curso: asyncio.Future[bool] | None


class ColaDeClicsEnDisco:
    """La de un proceso; cumple el puerto `ColaDeClics`.

    Args:
        carpeta: la de los archivos, que comparten los procesos de la máquina.
        limite: octetos que pueden ocupar juntos.
        reenvio: por quien se envían.
        ritmo: el de sus esperas.
    """

    def __init__(self, carpeta: Path, limite: int, reenvio: Reenvio, ritmo: RitmoDeLaCola = RITMO) -> None:
        self._en_disco = ColaEnDisco(carpeta, limite)
        self._reenvio = reenvio
        self._ritmo = ritmo
        # Uno y propio: el disco se usa por turno, y esperarlo no ocupa los hilos de los demás.
        self._hilo = ThreadPoolExecutor(1, "cola-de-clics")
        self._por_escribir: list[_PorEscribir] = []
        self._octetos_por_escribir = 0
        self._perdidos_por_apuntar = 0
        self._escritura: asyncio.Task[None] | None = None
        self._en_curso: dict[str, asyncio.Future[bool]] = {}
        self._hay = asyncio.Event()
        self._cuenta = CuentaDeClics(en_espera=0, perdidos=0)
        self._perdidos_sin_avisar = 0
        self._avisado_en = -_SEGUNDOS_ENTRE_AVISOS

    @asynccontextmanager
    async def enviando(self) -> AsyncGenerator[None]:
        """Mientras dura el bloque, envía lo que haya, suyo o de procesos que murieron."""
        envio = asyncio.create_task(self._enviar_siempre(), name="cola-de-clics")
        try:
            yield
        finally:
            envio.cancel()
            await asyncio.gather(envio, return_exceptions=True)
            if self._escritura is not None:
                await self._escritura
            await self._en_el_hilo(self._en_disco.cerrar)
            self._hilo.shutdown()

    async def guardar(
        self,
        comando: Comando,
        *,
        comando_id: str,
        traza: str | None,
        en_curso: asyncio.Future[bool] | None = None,
    ) -> None:
        """Vuelve cuando el clic está en el disco, si se sabe que no lo estará, o si el disco no responde."""
        octetos = _ESCRITOR.encode(sobre_de_comando(comando, comando_id, traza))
        if self._octetos_por_escribir + len(octetos) > _MAXIMO_SIN_ESCRIBIR:
            self._no_cabe(en_curso)
            return
        if en_curso is not None:
            self._recordar(comando_id, en_curso)
        escrito = asyncio.get_running_loop().create_future()
        self._por_escribir.append(_PorEscribir(comando_id, octetos, escrito, en_curso))
        self._octetos_por_escribir += len(octetos)
        self._escribir_si_hace_falta()
        await asyncio.wait({escrito}, timeout=self._ritmo.espera_del_disco)

    async def cuenta(self) -> CuentaDeClics:
        """Cuántos hay en la carpeta y cuántos no cupieron; si no se puede leer, lo último que se supo."""
        # En otro hilo: si el disco no responde a quien escribe, preguntar no espera detrás.
        try:
            en_espera, perdidos = await asyncio.to_thread(self._en_disco.cuenta)
        except OSError as fallo:
            _registro.warning("no se puede contar la cola de clics", fallo=fallo.strerror)
        else:
            self._cuenta = CuentaDeClics(en_espera=en_espera, perdidos=perdidos)
        return self._cuenta

    def _escribir_si_hace_falta(self) -> None:
        if self._escritura is None or self._escritura.done():
            self._escritura = asyncio.create_task(self._escribir())

    async def _escribir(self) -> None:
        """Guarda lo que espera; lo que llega mientras tanto se guarda junto, después."""
        while self._por_escribir or self._perdidos_por_apuntar:
            tanda, self._por_escribir = self._por_escribir, []
            caben = await self._en_el_hilo(partial(self._guardar, [clic.octetos for clic in tanda]))
            for clic in tanda[caben:]:
                self._olvidar([clic.comando_id])
                self._no_cabe(clic.en_curso)
            perdidos, self._perdidos_por_apuntar = self._perdidos_por_apuntar, 0
            if perdidos:
                await self._en_el_hilo(partial(self._apuntar_perdidos, perdidos))
                self._avisar_de_los_perdidos(perdidos)
            for clic in tanda:
                self._octetos_por_escribir -= len(clic.octetos)
                if not clic.escrito.done():
                    clic.escrito.set_result(None)
            self._hay.set()

    def _guardar(self, clics: Sequence[bytes]) -> int:
        """Guarda los primeros que quepan y dice cuántos; corre en el hilo."""
        try:
            return self._en_disco.agregar(clics)
        except OSError as fallo:
            _registro.warning("el disco no guarda los clics", fallo=fallo.strerror)
            return 0

    def _apuntar_perdidos(self, cuantos: int) -> None:
        try:
            self._en_disco.perder(cuantos)
        except OSError as fallo:
            _registro.warning("no se puede apuntar que se perdieron clics", fallo=fallo.strerror)

    def _no_cabe(self, en_curso: asyncio.Future[bool] | None) -> None:
        """Se ha perdido, salvo que el envío que sigue en curso se confirme."""
        if en_curso is None or (en_curso.done() and not _confirmo(en_curso)):
            self._perdidos_por_apuntar += 1
            self._escribir_si_hace_falta()
        elif not en_curso.done():
            en_curso.add_done_callback(self._no_cabe)

    def _avisar_de_los_perdidos(self, cuantos: int) -> None:
        self._perdidos_sin_avisar += cuantos
        ahora = time.monotonic()
        if ahora - self._avisado_en >= _SEGUNDOS_ENTRE_AVISOS:
            _registro.error("clics perdidos: ni broker ni disco", cuantos=self._perdidos_sin_avisar)
            self._avisado_en, self._perdidos_sin_avisar = ahora, 0

    def _recordar(self, comando_id: str, en_curso: asyncio.Future[bool]) -> None:
        """El envío que aún puede confirmarse: si lo hace, ese clic ya no se envía otra vez."""
        self._en_curso[comando_id] = en_curso
        en_curso.add_done_callback(lambda envio: None if _confirmo(envio) else self._olvidar([comando_id]))

    def _olvidar(self, comandos: Sequence[str]) -> None:
        for comando_id in comandos:
            self._en_curso.pop(comando_id, None)

    async def _enviar_siempre(self) -> None:
        bucle = asyncio.get_running_loop()
        adoptar_en = bucle.time()
        while True:
            espera = self._ritmo.entre_adopciones
            try:
                if bucle.time() >= adoptar_en:
                    await self._en_el_hilo(self._adoptar)
                    adoptar_en = bucle.time() + self._ritmo.entre_adopciones
                self._hay.clear()
                if await self._enviar_una_tanda():
                    continue
            except OSError as fallo:
                _registro.warning("no se puede leer la cola de clics", fallo=fallo.strerror)
                espera = self._ritmo.entre_intentos
            except Exception:  # noqa: BLE001 (queda en el registro; sin este bucle nada se enviaría más)
                _registro.exception("fallo al enviar la cola de clics")
                espera = self._ritmo.entre_intentos
            await self._esperar(espera)

    async def _esperar(self, segundos: float) -> None:
        # No `wait_for`: en Python 3.11, si a la vez llega un clic y se cancela, la cancelación se pierde.
        with suppress(TimeoutError):
            async with asyncio.timeout(segundos):
                await self._hay.wait()

    async def _enviar_una_tanda(self) -> bool:
        """Envía los más antiguos; dice si hubo algo que enviar."""
        registros = await self._en_el_hilo(partial(self._en_disco.primeros, _TANDA))
        if not registros:
            apartado = await self._en_el_hilo(self._en_disco.apartar)
            if apartado is not None:
                _registro.error("clics ilegibles: se apartó su archivo", archivo=apartado.name)
            return apartado is not None
        sobres = [_LECTOR.decode(registro) for registro in registros]
        confirmados = await self._confirmados_al_final(sobres)
        faltan = [sobre for sobre in sobres if _comando_id(sobre) not in confirmados]
        if faltan and not self._reenvio.disponible:
            await asyncio.sleep(self._ritmo.entre_intentos)
            return True
        for sobre, confirmado in zip(faltan, await self._reenvio.reenviar(faltan), strict=True):
            if confirmado:
                confirmados.add(_comando_id(sobre))
        seguidos = _cuantos_seguidos(sobres, confirmados)
        if seguidos:
            await self._en_el_hilo(partial(self._en_disco.quitar, seguidos))
            self._olvidar([_comando_id(sobre) for sobre in sobres[:seguidos]])
        if seguidos < len(sobres):
            await asyncio.sleep(self._ritmo.entre_intentos)
        return True

    async def _confirmados_al_final(self, sobres: Sequence[Sobre]) -> set[str]:
        """Los que su primer envío, que seguía en curso, llegó a confirmar."""
        en_curso = {
            comando_id: self._en_curso[comando_id]
            for comando_id in map(_comando_id, sobres)
            if comando_id in self._en_curso
        }
        if en_curso:
            await asyncio.wait(en_curso.values())
        return {comando_id for comando_id, envio in en_curso.items() if _confirmo(envio)}

    def _adoptar(self) -> None:
        for copia in self._en_disco.adoptar():
            _registro.error("clics ilegibles: el final de un archivo", archivo=copia.name)

    async def _en_el_hilo(self, trabajo: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._hilo, trabajo)


def _comando_id(sobre: Sobre) -> str:
    return sobre.propiedades["ce_id"]


def _confirmo(envio: asyncio.Future[bool]) -> bool:
    return not envio.cancelled() and envio.exception() is None and envio.result()


def _cuantos_seguidos(sobres: Sequence[Sobre], confirmados: set[str]) -> int:
    """Cuántos de los primeros están confirmados, sin saltarse ninguno."""
    for numero, sobre in enumerate(sobres):
        if _comando_id(sobre) not in confirmados:
            return numero
    return len(sobres)
