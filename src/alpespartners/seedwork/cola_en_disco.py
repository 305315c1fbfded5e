"""Una cola en disco que comparten los procesos de una carpeta: cada uno escribe en lo suyo.

Qué es: segmentos, un límite para los de todos y la cuenta de lo que no cupo.
Qué no es: quien envía lo que hay en ella, ni algo que puedan usar dos hilos a la vez.
Por qué existe: lo que no se puede entregar ahora ni se pierde ni llena el disco, y lo que deja un proceso que
muere de golpe lo recoge otro.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from alpespartners.seedwork.procesos.cerrojos import Cerrojo
from alpespartners.seedwork.segmento_en_disco import (
    MAXIMO_DE_UN_REGISTRO,
    TERMINACION,
    Segmento,
    pendientes_en,
)

_PARTES: Final = 8
_PERDIDOS: Final = "perdidos"
_CIFRAS: Final = 20


class ColaEnDisco:
    """La parte de un proceso en la cola de una carpeta, que se crea cuando hace falta.

    Args:
        carpeta: la de los archivos de todos.
        limite: octetos que pueden ocupar juntos.
    """

    def __init__(self, carpeta: Path, limite: int) -> None:
        self._carpeta = carpeta
        self._limite = limite
        self._segmentos: list[Segmento] = []
        self._activo: Segmento | None = None
        self._en_lectura: Segmento | None = None
        self._perdidos_sin_apuntar = 0

    def agregar(self, registros: Sequence[bytes]) -> int:
        """Guarda los primeros que quepan y dice cuántos; vuelve cuando están en el disco.

        Raises:
            OSError: el disco no los guarda; no queda ninguno.
        """
        libres = self._limite - sum(_medida(ruta) for ruta in self._archivos())
        caben = 0
        for registro in registros:
            libres -= len(registro)
            if libres < 0 or len(registro) > MAXIMO_DE_UN_REGISTRO:
                break
            caben += 1
        if caben:
            self._donde_escribir().agregar(registros[:caben])
        return caben

    def primeros(self, maximo: int) -> list[bytes]:
        """Los más antiguos de los que este proceso tiene, tantos como mucho."""
        self._en_lectura = next((segmento for segmento in self._segmentos if segmento.pendientes), None)
        return [] if self._en_lectura is None else self._en_lectura.primeros(maximo)

    def quitar(self, cuantos: int) -> None:
        """Quita los primeros de los últimos que dio `primeros`."""
        segmento, self._en_lectura = self._en_lectura, None
        if segmento is None:
            return
        segmento.quitar(cuantos)
        if not segmento.pendientes and segmento is not self._activo:
            self._quitar_segmento(segmento)

    def apartar(self) -> Path | None:
        """Deja fuera, con otro nombre, el primero que tenga algo si no se puede leer; dice cuál es."""
        if not self.primeros(1) and (dañado := self._en_lectura) is not None:
            self._segmentos.remove(dañado)
            self._activo = None if dañado is self._activo else self._activo
            return dañado.apartar()
        return None

    def adoptar(self) -> list[Path]:
        """Toma los archivos de los procesos que murieron; devuelve los que no se podían leer enteros.

        De esos se toma lo que se puede leer, y una copia queda con otro nombre.
        """
        ilegibles: list[Path] = []
        suyos = {segmento.ruta for segmento in self._segmentos}
        for ruta in self._archivos():
            segmento = None if ruta in suyos else Segmento.abandonado(ruta)
            if segmento is None:
                continue
            if segmento.sobra:
                ilegibles.append(segmento.copiar())
            if segmento.pendientes:
                self._segmentos.append(segmento)
            else:
                segmento.borrar()
        self._segmentos.sort(key=lambda segmento: segmento.ruta)
        return ilegibles

    def perder(self, cuantos: int) -> None:
        """Cuenta los que no se pudieron guardar.

        Raises:
            OSError: no se puede apuntar; se apuntarán con los siguientes.
        """
        self._perdidos_sin_apuntar += cuantos
        self._carpeta.mkdir(parents=True, exist_ok=True)
        cerrojo = Cerrojo(self._ruta_de_perdidos)
        try:
            cerrojo.tomar(limite=None)
            total = self._perdidos_apuntados() + self._perdidos_sin_apuntar
            os.pwrite(cerrojo.descriptor, f"{total:0{_CIFRAS}d}\n".encode(), 0)
            os.fsync(cerrojo.descriptor)
            self._perdidos_sin_apuntar = 0
        finally:
            cerrojo.cerrar()

    def cuenta(self) -> tuple[int, int]:
        """Cuántos hay en la carpeta, sean de quien sean, y cuántos no se pudieron guardar nunca."""
        en_espera = sum(pendientes_en(ruta) for ruta in self._archivos())
        return en_espera, self._perdidos_apuntados() + self._perdidos_sin_apuntar

    def cerrar(self) -> None:
        """Deja lo que quede a quien lo tome."""
        for segmento in self._segmentos:
            if segmento.pendientes:
                segmento.soltar()
            else:
                segmento.borrar()
        self._segmentos, self._activo = [], None

    def _donde_escribir(self) -> Segmento:
        if self._activo is None or self._activo.medida > self._limite // _PARTES:
            nuevo = Segmento.nuevo(self._carpeta)
            if self._activo is not None and not self._activo.pendientes:
                self._quitar_segmento(self._activo)
            self._activo = nuevo
            self._segmentos.append(nuevo)
        return self._activo

    def _quitar_segmento(self, segmento: Segmento) -> None:
        self._segmentos.remove(segmento)
        segmento.borrar()

    def _archivos(self) -> list[Path]:
        return sorted(self._carpeta.glob(f"*{TERMINACION}"))

    @property
    def _ruta_de_perdidos(self) -> Path:
        return self._carpeta / _PERDIDOS

    def _perdidos_apuntados(self) -> int:
        try:
            apuntado = self._ruta_de_perdidos.read_text(encoding="ascii")
        except (FileNotFoundError, NotADirectoryError):
            return 0
        return int(apuntado) if apuntado.strip().isdecimal() else 0


def _medida(ruta: Path) -> int:
    try:
        return ruta.stat().st_size
    except FileNotFoundError:
        return 0
