"""La prueba de muerte: `python -m tests.muerte --rondas 300 --semilla 7`.

Qué es: una instalación entera bajo carga, a la que en cada ronda se le mata un proceso con -9. Al final todo
lo aceptado tiene que estar, una vez y con su explicación.
Qué no es: parte del producto; corre en Linux, que es donde se ven los procesos por /proc.
Por qué existe: con estos números se paga. Termina en 1 y nombra cada discrepancia, y con la misma semilla se
repite; la carpeta queda entonces para mirarla.
"""

import argparse
import random
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.muerte.arbol import embebido
from tests.muerte.rondas import Informe, ejecutar
from tests.muerte.servidores import servidores


def principal() -> int:
    """Lee la orden, hace las rondas y cuenta cómo fue."""
    orden = argparse.ArgumentParser(prog="python -m tests.muerte", description=__doc__.partition("\n")[0])
    orden.add_argument("--rondas", type=int, default=20, help="muertes que se provocan")
    orden.add_argument("--semilla", type=int, default=random.randrange(10**6), help="para repetir una prueba")  # noqa: S311 (no guarda ningún secreto)
    orden.add_argument("--api", type=int, default=1, help="cuántas APIs comparten la carpeta; solo embebido")
    orden.add_argument(
        "--servidores", action="store_true", help="Apache Pulsar, PostgreSQL, 2 APIs y 4 consumidores"
    )
    opciones = orden.parse_args()
    carpeta = Path(tempfile.mkdtemp(prefix="muerte-"))
    _decir(f"semilla {opciones.semilla}, {opciones.rondas} rondas, carpeta {carpeta}\n")
    with servidores(carpeta) if opciones.servidores else embebido(carpeta, opciones.api) as montaje:
        informe = ejecutar(montaje, rondas=opciones.rondas, semilla=opciones.semilla, decir=_decir)
        _decir(resumen(informe, montaje.papeles))
    if informe.auditoria.discrepancias:
        return 1
    shutil.rmtree(carpeta)
    return 0


def resumen(informe: Informe, papeles: Sequence[str]) -> str:
    """El informe en texto: muertes, cuentas y discrepancias."""
    lineas = [
        f"{papel}: {informe.muertes[papel]} muertes, {informe.ocupadas[papel]} con trabajo entre manos"
        for papel in papeles
    ]
    lineas.append(f"aceptados por lotes: {informe.por_lotes}")
    for clase, cuentas in informe.auditoria.cuentas.items():
        lineas.append(f"{clase}: " + ", ".join(f"{nombre} {cuantos}" for nombre, cuantos in cuentas.items()))
    lineas += informe.auditoria.discrepancias
    lineas.append(f"{len(informe.auditoria.discrepancias)} discrepancias")
    return "\n".join(lineas) + "\n"


def _decir(texto: str) -> None:
    sys.stdout.write(texto)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(principal())
