"""Lo encolado que aún no tiene veredicto, en orden de llegada: en memoria o en un archivo SQLite.

Por qué SQLite: lo guardado sobrevive al proceso y al corte de luz, y el cerrojo lo suelta el sistema cuando
el proceso acaba, aunque lo maten.
"""

import os
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path

# Sin WAL: quien se bifurca cierra también su copia, y un WAL lo borra quien cierra.
_PREPARAR = """
PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = PERSIST; PRAGMA synchronous = FULL; BEGIN EXCLUSIVE;
CREATE TABLE IF NOT EXISTS cola (numero INTEGER PRIMARY KEY AUTOINCREMENT, linea BLOB NOT NULL); COMMIT;
"""


class ColaOcupada(RuntimeError):
    """Otro cliente vivo tiene abierto ese archivo."""


class Cola:
    """Los eventos por enviar. No es segura entre hilos: el cliente la usa con su cerrojo tomado."""

    def __init__(self, archivo: str | os.PathLike[str] | None) -> None:
        if archivo is not None:
            Path(archivo).touch(mode=0o600)  # lo encolado trae direcciones y agentes de personas
        sitio = ":memory:" if archivo is None else Path(archivo)
        self._base = sqlite3.connect(sitio, isolation_level=None, check_same_thread=False, timeout=0)
        try:
            self._base.executescript(_PREPARAR)
        except sqlite3.DatabaseError as error:
            self._base.close()
            if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
                raise ValueError(f"archivo: {archivo} no es una cola; no se toca: dé otro.") from error
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            raise ColaOcupada(f"Otro cliente usa la cola {archivo}: dé a cada uno la suya.") from error
        self.cuantos: int = self._base.execute("SELECT count(*) FROM cola").fetchone()[0]

    def poner(self, linea: bytes) -> int:
        """La guarda al final y devuelve su número; al volver, la del archivo ya está en el disco."""
        numero = self._base.execute("INSERT INTO cola (linea) VALUES (?)", (linea,)).lastrowid
        self.cuantos += 1
        return numero or 0

    def primeros(self, cuantos: int, octetos: int, sirve: Callable[[int], bool]) -> dict[int, bytes]:
        """Los más antiguos de los que sirven, por su número y en su orden: los que caben, o uno."""
        lote: dict[int, bytes] = {}
        for numero, linea in self._base.execute("SELECT * FROM cola ORDER BY numero"):
            if sirve(numero):
                octetos -= len(linea) + 1
                if len(lote) == cuantos or (lote and octetos < 0):
                    break
                lote[numero] = linea
        return lote

    def quitar(self, numeros: Iterable[int]) -> None:
        """Olvida los que ya tienen veredicto."""
        self._base.execute("BEGIN")
        quitados = self._base.executemany("DELETE FROM cola WHERE numero = ?", [(uno,) for uno in numeros])
        self._base.execute("COMMIT")
        self.cuantos -= quitados.rowcount

    def cerrar(self) -> None:
        """Suelta el archivo; lo que queda en él lo enviará el próximo que lo abra."""
        self._base.close()
