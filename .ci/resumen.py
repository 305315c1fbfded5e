"""Resumen de las pruebas de una entrega: las que más tardaron y, con su motivo, las que fallaron.

Qué es: lo último que imprime `.ci/run`, a partir de los informes que pytest dejó en la carpeta que se le da.
Por qué existe: entre miles de líneas, lo que falló en el primer paso no lo encuentra nadie.
"""

import sys
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

CUANTAS = 10
OCTAVILLA = 1_200
"""Caracteres que se citan de un motivo; el resto está más arriba, en la salida de su paso."""


class Prueba(NamedTuple):
    """Una prueba de un paso; `motivo` está vacío si no falló."""

    segundos: float
    paso: str
    nombre: str
    motivo: str


def leer(informe: Path) -> list[Prueba]:
    """Las pruebas de un informe JUnit, que se llama como su paso."""
    return [
        Prueba(
            float(caso.get("time", 0)),
            informe.stem,
            f"{caso.get('classname')}::{caso.get('name')}",
            "\n".join(
                f"{fallo.get('message', '')}\n{lugar(fallo.text or '')}"
                for fallo in (*caso.iter("failure"), *caso.iter("error"))
            ),
        )
        for caso in ET.parse(informe).iter("testcase")  # noqa: S314 (lo escribió pytest)
    ]


def lugar(traza: str) -> str:
    """La última línea de una traza, que dice en qué archivo y en qué línea."""
    return next((linea for linea in reversed(traza.splitlines()) if linea.strip()), "")


def principal(carpeta: Path) -> None:
    """Imprime el resumen de los informes de una carpeta."""
    pruebas = [prueba for informe in sorted(carpeta.glob("*.xml")) for prueba in leer(informe)]
    lineas = [f"== las {CUANTAS} pruebas que más tardaron"]
    lentas = sorted(pruebas, reverse=True)[:CUANTAS]
    lineas += [f"{prueba.segundos:7.1f} s  {prueba.nombre} ({prueba.paso})" for prueba in lentas]
    falladas = [prueba for prueba in pruebas if prueba.motivo]
    lineas.append(f"== pruebas que fallaron: {len(falladas)}")
    for prueba in falladas:
        lineas.append(f"FALLA  {prueba.nombre} ({prueba.paso})")
        lineas += [f"       {linea}" for linea in prueba.motivo[:OCTAVILLA].splitlines()]
    sys.stdout.write("\n".join(lineas) + "\n")


if __name__ == "__main__":
    principal(Path(sys.argv[1]))
