"""Un segmento: un archivo al que se añaden registros y del que se quitan en el mismo orden.

Qué es: el archivo de una cola en disco, con el cerrojo de quien lo usa: si ese proceso muere, lo toma otro.
Qué no es: una base de datos; ni busca ni cambia lo escrito, y lo usa un solo hilo.
Por qué existe: lo que se añadió está en el disco (fsync) antes de decir que se guardó, y sigue ahí aunque la
máquina se apague.

El archivo: 24 octetos de cabecera (unas señas, desde dónde se lee y cuántos faltan por quitar) y, de cada
registro, su longitud, su CRC-32 y sus octetos. La cabecera puede quedarse atrás si la máquina se apaga: lo ya
quitado volvería a leerse, y quien lo lee ha de poder repetirlo.
"""

import os
import time
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from struct import Struct
from typing import Final, Self

from alpespartners.seedwork.procesos.cerrojos import Cerrojo

TERMINACION: Final = ".cola"
MAXIMO_DE_UN_REGISTRO: Final = 256 * 1024
"""Octetos."""

_APARTADO: Final = ".ilegible"
_SEÑAS: Final = b"ALPCOLA1"
_CABECERA: Final = Struct("<8sQQ")
_REGISTRO: Final = Struct("<II")
_TROZO: Final = 4 * MAXIMO_DE_UN_REGISTRO


class Segmento:
    """Un archivo de la carpeta, del que este proceso tiene el cerrojo.

    Attributes:
        ruta: la suya.
        pendientes: cuántos registros faltan por quitar.
    """

    def __init__(self, ruta: Path, cerrojo: Cerrojo) -> None:
        self.ruta = ruta
        self.pendientes = 0
        self._cerrojo = cerrojo
        self._siguiente = self._fin = _CABECERA.size
        self._finales: list[int] = []

    @classmethod
    def nuevo(cls, carpeta: Path) -> Self:
        """Crea uno vacío; `OSError` si no se puede."""
        carpeta.mkdir(parents=True, exist_ok=True)
        ruta, cerrojo = _tomado_por_primera_vez(carpeta)
        segmento = cls(ruta, cerrojo)
        try:
            segmento._apuntar()
            os.fsync(cerrojo.descriptor)
            _asegurar_carpeta(carpeta)
        except OSError:
            segmento.borrar()
            raise
        return segmento

    @classmethod
    def abandonado(cls, ruta: Path) -> Self | None:
        """Toma el que dejó un proceso que murió; `None` si vive quien lo usa, o lo borró.

        Lo que no se pueda leer queda fuera: `sobra` dice si lo hay.
        """
        # Si ya no está, se crea vacío, y quien lo tome así no tendrá más que borrarlo.
        cerrojo = Cerrojo(ruta)
        if not cerrojo.tomar() or not os.fstat(cerrojo.descriptor).st_nlink:
            cerrojo.cerrar()
            return None
        segmento = cls(ruta, cerrojo)
        segmento._recorrer()
        return segmento

    @property
    def medida(self) -> int:
        """Octetos del archivo hasta el último registro."""
        return self._fin

    @property
    def sobra(self) -> bool:
        """Dice si tras el último registro que se puede leer hay algo más."""
        return os.fstat(self._cerrojo.descriptor).st_size > max(self._fin, _CABECERA.size)

    def agregar(self, registros: Sequence[bytes]) -> None:
        """Los añade, y vuelve cuando están en el disco. Si no se puede, `OSError` y no queda ninguno."""
        octetos = b"".join(
            [_REGISTRO.pack(len(registro), zlib.crc32(registro)) + registro for registro in registros]
        )
        try:
            _escribir(self._cerrojo.descriptor, octetos, self._fin)
            os.fsync(self._cerrojo.descriptor)
        except OSError:
            os.ftruncate(self._cerrojo.descriptor, self._fin)
            raise
        self._fin += len(octetos)
        self.pendientes += len(registros)
        self._apuntar()

    def primeros(self, maximo: int) -> list[bytes]:
        """Los primeros que faltan por quitar, tantos como mucho; ninguno si lo que sigue no se puede leer."""
        trozo = os.pread(self._cerrojo.descriptor, min(_TROZO, self._fin - self._siguiente), self._siguiente)
        self._finales = []
        registros: list[bytes] = []
        for registro, final in _registros(trozo):
            registros.append(registro)
            self._finales.append(self._siguiente + final)
            if len(registros) == maximo:
                break
        return registros

    def quitar(self, cuantos: int) -> None:
        """Quita los primeros de los últimos que dio `primeros`."""
        self._siguiente = self._finales[cuantos - 1]
        self.pendientes -= cuantos
        self._finales = []
        if not self.pendientes:
            os.ftruncate(self._cerrojo.descriptor, _CABECERA.size)
            self._siguiente = self._fin = _CABECERA.size
        self._apuntar()

    def borrar(self) -> None:
        """Borra el archivo y suelta el cerrojo."""
        self.ruta.unlink(missing_ok=True)
        self._cerrojo.cerrar()

    def copiar(self) -> Path:
        """Deja una copia con otro nombre, para que alguien la mire; devuelve su ruta."""
        copia = self.ruta.with_suffix(_APARTADO)
        copia.write_bytes(self.ruta.read_bytes())
        return copia

    def apartar(self) -> Path:
        """Lo deja con otro nombre, para que alguien lo mire, y suelta el cerrojo; devuelve su nueva ruta."""
        apartado = self.ruta.with_suffix(_APARTADO)
        self.ruta.rename(apartado)
        self._cerrojo.cerrar()
        return apartado

    def soltar(self) -> None:
        """Suelta el cerrojo y deja el archivo a quien lo tome."""
        self._cerrojo.cerrar()

    def _apuntar(self) -> None:
        _escribir(self._cerrojo.descriptor, _CABECERA.pack(_SEÑAS, self._siguiente, self.pendientes), 0)

    def _recorrer(self) -> None:
        """Cuenta lo que dejó escrito quien lo usaba."""
        cabecera = _leida(os.pread(self._cerrojo.descriptor, _CABECERA.size, 0))
        if cabecera is None:
            return
        self._siguiente = self._fin = max(_CABECERA.size, cabecera[0])
        while trozo := os.pread(self._cerrojo.descriptor, _TROZO, self._fin):
            leido = 0
            for _, final in _registros(trozo):
                leido = final
                self.pendientes += 1
            if not leido:
                break
            self._fin += leido
        self._apuntar()


def _tomado_por_primera_vez(carpeta: Path) -> tuple[Path, Cerrojo]:
    while True:
        # El instante va delante: los archivos se leen en el orden en que se crearon.
        ruta = carpeta / f"{time.time_ns():020d}-{os.getpid()}{TERMINACION}"
        cerrojo = Cerrojo(ruta)
        # Entre crearlo y tomarlo, otro proceso pudo darlo por abandonado.
        if cerrojo.tomar() and os.fstat(cerrojo.descriptor).st_nlink:
            return ruta, cerrojo
        cerrojo.cerrar()


def pendientes_en(ruta: Path) -> int:
    """Cuántos registros faltan por quitar de ese archivo, lo use quien lo use; 0 si ya no está."""
    try:
        with ruta.open("rb") as archivo:
            cabecera = _leida(archivo.read(_CABECERA.size))
    except FileNotFoundError:
        return 0
    return 0 if cabecera is None else cabecera[1]


def _leida(octetos: bytes) -> tuple[int, int] | None:
    if len(octetos) < _CABECERA.size:
        return None
    señas, siguiente, pendientes = _CABECERA.unpack(octetos)
    return (siguiente, pendientes) if señas == _SEÑAS else None


def _registros(trozo: bytes) -> Iterator[tuple[bytes, int]]:
    """Los registros enteros y sanos con que empieza, cada uno con dónde acaba."""
    desde = 0
    while desde + _REGISTRO.size <= len(trozo):
        longitud, suma = _REGISTRO.unpack_from(trozo, desde)
        final = desde + _REGISTRO.size + longitud
        registro = trozo[desde + _REGISTRO.size : final]
        # Un archivo que la máquina no acabó de escribir termina en ceros, y los de ninguno suman cero.
        if not longitud or final > len(trozo) or zlib.crc32(registro) != suma:
            return
        yield registro, final
        desde = final


def _escribir(descriptor: int, octetos: bytes, lugar: int) -> None:
    vista = memoryview(octetos)
    while vista:
        escritos = os.pwrite(descriptor, vista, lugar)
        vista = vista[escritos:]
        lugar += escritos


def _asegurar_carpeta(carpeta: Path) -> None:
    """Que el nombre de un archivo nuevo esté en el disco no lo asegura su fsync."""
    descriptor = os.open(carpeta, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
