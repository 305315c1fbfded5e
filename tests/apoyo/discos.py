"""Un disco pequeño de verdad, que una prueba puede llenar y vaciar."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

_TROZO = 1024 * 1024


class DiscoPequeño:
    """Un sistema de archivos en memoria, montado en una carpeta."""

    def __init__(self, carpeta: Path) -> None:
        self.carpeta = carpeta
        self._relleno = carpeta / "relleno"

    def llenar(self) -> None:
        """Lo deja sin un solo octeto libre."""
        with self._relleno.open("wb", buffering=0) as relleno, suppress(OSError):
            while relleno.write(bytes(_TROZO)):
                pass

    def vaciar(self) -> None:
        """Devuelve el sitio."""
        self._relleno.unlink()


@contextmanager
def disco_pequeño(carpeta: Path, megas: int) -> Iterator[DiscoPequeño]:
    """Monta el disco en esa carpeta, que se crea; sin permiso para montar, la prueba se salta."""
    if sys.platform != "linux":
        pytest.skip("un disco pequeño solo se monta en Linux")
    carpeta.mkdir(mode=0o700)
    montaje = subprocess.run(
        ["/usr/bin/mount", "-t", "tmpfs", "-o", f"size={megas}m,mode=700", "tmpfs", carpeta],
        capture_output=True,
        text=True,
        check=False,
    )
    if montaje.returncode:
        pytest.skip(f"falta permiso para montar un disco pequeño: {montaje.stderr.strip()}")
    try:
        yield DiscoPequeño(carpeta)
    finally:
        subprocess.run(["/usr/bin/umount", "-l", carpeta], check=True)
