"""Otro programa que impide usar una base de datos SQLite en modo WAL: `python cerrojo_ajeno.py <carpeta>`.

Toma todos los cerrojos de su memoria compartida (sqlite.org/walformat.html: ocho octetos desde el 120), así
que nadie puede leer ni escribir, y los tiene hasta que termine su entrada.
"""

import fcntl
import os
import sys
from pathlib import Path

_PRIMERO, _CUANTOS = 120, 8

descriptor = os.open(Path(sys.argv[1]) / "tracking.sqlite3-shm", os.O_RDWR)
fcntl.lockf(descriptor, fcntl.LOCK_EX, _CUANTOS, _PRIMERO)
sys.stdout.write("tomados\n")
sys.stdout.flush()
sys.stdin.read()
