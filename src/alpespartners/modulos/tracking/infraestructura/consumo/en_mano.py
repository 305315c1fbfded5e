"""Con qué mensajes trabaja en este instante el consumidor, en un archivo que sobrevive a su muerte.

Qué es: un archivo pequeño que dice con qué mensajes se está trabajando en este instante. Si el proceso
muere, el siguiente lo lee, hace la mitad de lo que su antecesor hacía de una vez, y así llega al mensaje
que lo mata, si es que lo hay.
Qué no es: duradero ante un corte de luz (basta con que sobreviva a `kill -9`), ni un registro de lo hecho.
Por qué existe: quien muere no confirma, y el broker vuelve a entregar lo mismo sin contar las veces. Un
mensaje capaz de terminar el proceso lo haría para siempre, y con él sus vecinos no llegarían a registrarse.
"""

import asyncio
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
import structlog

from alpespartners.seedwork.arranque import ErrorDeArranque
from alpespartners.seedwork.procesos.cerrojos import Cerrojo

MUERTES_QUE_CONDENAN: Final = 3
"""Muertes seguidas con un mensaje como único trabajo en mano; una o dos las explica un `kill -9` ajeno."""

_OCTETOS = 1024

_registro: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)


class _Estado(msgspec.Struct):
    """Lo que está escrito.

    Attributes:
        limite: cuántos mensajes puede llevar un lote.
        cautela: cuántos han de asentarse todavía antes de que el límite vuelva a crecer.
        en_mano: con cuántos se está trabajando.
        mensaje: con cuál, si es uno solo.
        sospechoso: el último con el que, estando solo, murió el proceso.
        muertes: cuántas veces seguidas.
    """

    limite: int
    cautela: int = 0
    en_mano: int = 0
    mensaje: str | None = None
    sospechoso: str | None = None
    muertes: int = 0


class EnMano:
    """Lo que tiene en mano este proceso, y lo que el anterior tenía cuando murió.

    Sirve a todos los consumidores del proceso: si cada uno llevara la cuenta de lo suyo, un mensaje mortal de
    un tópico condenaría a uno inocente del otro.

    Args:
        archivo: abierto para leer y escribir sin tampón; solo lo usa este proceso.
        maximo: cuántos mensajes lleva un lote cuando no hay de qué cuidarse.

    Attributes:
        turno: con cautela, lo tiene quien trabaja: los demás esperan, para que se sepa quién fue.
    """

    def __init__(self, archivo: BinaryIO, maximo: int) -> None:
        self._archivo = archivo
        self._maximo = maximo
        self._cerrojo = threading.Lock()
        self._lotes: list[Sequence[str]] = []
        self._estado = self._leer()
        self.turno = asyncio.Lock()
        self._aprender()

    @property
    def limite(self) -> int:
        """Cuántos mensajes puede llevar un lote ahora."""
        return self._estado.limite

    @property
    def con_cautela(self) -> bool:
        """Dice si hay que trabajar de lote en lote, sin adelantar nada del siguiente."""
        return self._estado.limite < self._maximo

    def mata(self, mensaje: str) -> bool:
        """Dice si ese mensaje ya terminó el proceso tantas veces que no debe ni abrirse."""
        return self._estado.sospechoso == mensaje and self._estado.muertes >= MUERTES_QUE_CONDENAN

    @contextmanager
    def trabajando(self, mensajes: Sequence[str]) -> Iterator[None]:
        """Los tiene en mano dentro del bloque; una excepción o una cancelación los suelta: no son muertes."""
        self._tomar(mensajes)
        try:
            yield
        except (Exception, asyncio.CancelledError):
            self._soltar(mensajes)
            raise
        self._soltar(mensajes)

    def asentados(self, mensajes: Sequence[str]) -> None:
        """Aprende que esos mensajes no mataban a nadie; tras bastantes, el lote crece otra vez."""
        estado = self._estado
        if not (self.con_cautela or estado.sospechoso):
            return
        with self._cerrojo:
            estado.cautela = max(0, estado.cautela - len(mensajes))
            if not estado.cautela:
                estado.limite = min(self._maximo, estado.limite * 2)
            if estado.sospechoso in mensajes:
                estado.sospechoso, estado.muertes = None, 0
            self._escribir()

    def _tomar(self, mensajes: Sequence[str]) -> None:
        with self._cerrojo:
            self._lotes.append(mensajes)
            self._anotar()

    def _soltar(self, mensajes: Sequence[str]) -> None:
        with self._cerrojo:
            self._lotes.remove(mensajes)
            self._anotar()

    def _anotar(self) -> None:
        self._estado.en_mano = sum(map(len, self._lotes))
        self._estado.mensaje = self._lotes[0][0] if self._estado.en_mano == 1 else None
        self._escribir()

    def _aprender(self) -> None:
        estado = self._estado
        estado.limite = max(1, min(estado.limite, self._maximo))
        if estado.en_mano == 1:
            estado.muertes = 1 + (estado.muertes if estado.sospechoso == estado.mensaje else 0)
            estado.sospechoso = estado.mensaje
        if estado.en_mano:
            _registro.warning(
                "el proceso anterior murió con mensajes en mano; se prueban por mitades",
                mensajes=estado.en_mano,
                muertes_del_mismo=estado.muertes,
            )
            estado.cautela = estado.en_mano
            estado.limite = max(1, min(estado.limite, estado.en_mano) // 2)
        estado.en_mano, estado.mensaje = 0, None
        self._escribir()

    def _leer(self) -> _Estado:
        escrito = self._archivo.read(_OCTETOS)
        if escrito:
            try:
                return msgspec.json.decode(escrito, type=_Estado)
            except msgspec.DecodeError:
                _registro.warning("no se entiende qué tenía en mano el proceso anterior")
        return _Estado(limite=self._maximo)

    def _escribir(self) -> None:
        """Escribe el estado sobre el anterior; siempre ocupa lo mismo, y así no pide sitio en el disco."""
        self._archivo.seek(0)
        self._archivo.write(msgspec.json.encode(self._estado).ljust(_OCTETOS))


def archivo_en_mano(datos: Path) -> BinaryIO:
    """Abre un archivo de la carpeta de datos que ningún otro proceso tenga, y lo crea si falta.

    Varios consumidores pueden compartir carpeta: el primero tiene `en-mano`; el segundo, `en-mano-2`. Quien
    sustituye a uno que murió encuentra el suyo. Sin tampón: lo escrito está en el núcleo, y la muerte del
    proceso no se lo lleva.

    Raises:
        ErrorDeArranque: no se puede.
    """
    ruta = datos / "en-mano"
    numeros = count(2)
    try:
        datos.mkdir(mode=0o700, parents=True, exist_ok=True)
        while not (cerrojo := Cerrojo(ruta)).tomar():
            cerrojo.cerrar()
            ruta = datos / f"en-mano-{next(numeros)}"
        return os.fdopen(cerrojo.descriptor, "r+b", buffering=0)
    except OSError as error:
        raise ErrorDeArranque(f"No se puede escribir {ruta} ({error.strerror}).") from error
