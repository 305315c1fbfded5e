"""`alpespartners medir`: lo que el servicio cuesta en esta máquina, en un par de minutos.

Qué es: la versión corta de los programas de `medicion`, uno detrás de otro, y su tabla.
Qué no es: una cifra para citar; esas salen de las versiones largas, y están en docs/rendimiento.md.
Por qué existe: lo que decimos de nuestra velocidad tiene que poder comprobarlo cualquiera, en lo suyo.
"""

import os
import platform
from datetime import UTC, datetime

import typer
from rich.console import Console

from alpespartners import __version__
from alpespartners.cli.avance import Avance


def medir() -> None:
    """Mide el servicio en esta máquina, en una carpeta temporal, frente a un techo en la misma pasada."""
    from alpespartners.medicion import arranque, caudal, consumo, costo, latencia, visibilidad
    from alpespartners.medicion.medida import presentar

    programas = {
        "CPU por evento": costo,
        "envíos por segundo": caudal,
        "demora del 202": latencia,
        "vaciado de un tópico": consumo,
        "del 202 a lo visible": visibilidad,
        "arranque": arranque,
    }
    medidas = []
    with Avance() as avance:
        for numero, (que, programa) in enumerate(programas.items(), 1):
            avance.avanzar(f"{que}, {numero} de {len(programas)}", 0)
            medidas += programa.medir(breve=True)
    typer.echo(
        f"alpespartners {__version__}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, "
        f"{platform.python_implementation()} {platform.python_version()}, {platform.platform()}, "
        f"{os.cpu_count()} núcleos"
    )
    presentar(medidas, Console())
    typer.echo(
        "La versión larga de cada fila: python -m alpespartners.medicion.<programa> (docs/rendimiento.md)."
    )
