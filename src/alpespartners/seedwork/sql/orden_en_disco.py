"""Un orden externo: piezas con su clave que se devuelven ordenadas por ella, quepan o no en la memoria.

Qué es: una base de datos SQLite temporal, en un archivo sin nombre que desaparece aunque el proceso muera.
Qué no es: un almacén; nada de lo que guarda se lee después.
Por qué existe: comparar lo que guarda un tópico con lo que guarda una base de datos es recorrer los dos en el
mismo orden, y el broker no guarda nada ordenado por identidad.
"""

import sqlite3
from collections.abc import Iterable, Iterator

_MEMORIA = 32 * 1024


class OrdenEnDisco:
    """Piezas por su clave; a igual clave van primero las del lado menor y, dentro de él, por llegada."""

    def __init__(self) -> None:
        # Un nombre vacío es para SQLite un archivo temporal suyo.
        self._base = sqlite3.connect("", isolation_level=None)
        for ajuste in (f"cache_size = -{_MEMORIA}", "journal_mode = off", "temp_store = file"):
            self._base.execute(f"PRAGMA {ajuste}")
        self._base.execute(
            "CREATE TABLE piezas (clave BLOB, lado INTEGER, numero INTEGER, valor BLOB,"
            " PRIMARY KEY (clave, lado, numero)) WITHOUT ROWID"
        )
        # Una sola transacción, que nunca se confirma: nadie va a leer ese archivo.
        self._base.execute("BEGIN")
        self._cuantas = 0

    def anadir(self, lado: int, piezas: Iterable[tuple[bytes, bytes]]) -> None:
        """Guarda piezas de un lado."""
        for clave, valor in piezas:
            self._cuantas += 1
            self._base.execute("INSERT INTO piezas VALUES (?, ?, ?, ?)", (clave, lado, self._cuantas, valor))

    def en_orden(self) -> Iterator[tuple[bytes, int, bytes]]:
        """Recorre todas las piezas en orden."""
        return self._base.execute("SELECT clave, lado, valor FROM piezas ORDER BY clave, lado, numero")

    def buscar(self, clave: bytes) -> bytes | None:
        """El valor de la primera pieza con esa clave, si hay alguna."""
        hallado: tuple[bytes] | None = self._base.execute(
            "SELECT valor FROM piezas WHERE clave = ? ORDER BY lado, numero LIMIT 1", (clave,)
        ).fetchone()
        return None if hallado is None else hallado[0]

    def cerrar(self) -> None:
        """Tira lo guardado."""
        self._base.close()
