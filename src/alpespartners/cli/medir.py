"""`alpespartners medir`: lo que el servicio cuesta en esta máquina, en un par de minutos.

Qué es: la versión corta de los programas de `medicion`, uno detrás de otro, y su tabla.
Qué no es: una cifra para citar; esas salen de las versiones largas, y están en docs/rendimiento.md, con los
objetivos. Aquí se mira si la instalación está sana.
Por qué existe: lo que decimos de nuestra velocidad tiene que poder comprobarlo cualquiera, en lo suyo.
"""

import os
import platform
from datetime import UTC, datetime

import psutil
from rich.console import Console

from alpespartners import __version__
from alpespartners.cli.avance import Avance

_OCUPADA = 0.5
"""Procesos que esperan por núcleo, a partir de los que no se mide solo lo nuestro."""


def medir() -> None:
    """Mide el servicio en esta máquina, en una carpeta temporal, frente a un techo en la misma pasada."""
    from alpespartners.medicion import arranque, caudal, consumo, costo, latencia, visibilidad
    from alpespartners.medicion.medida import presentar_salud

    programas = {
        "CPU por evento": costo,
        "envíos por segundo": caudal,
        "demora del 202": latencia,
        "vaciado de un tópico": consumo,
        "del 202 a lo visible": visibilidad,
        "arranque": arranque,
    }
    consola = Console(highlight=False)
    consola.print(
        f"alpespartners {__version__}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, "
        f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} núcleos\n"
        f"{platform.platform()}"
    )
    carga, _, _ = psutil.getloadavg()
    if carga > _OCUPADA * (os.cpu_count() or 1):
        consola.print(
            f"La máquina está ocupada con otras cosas (carga {carga:.1f}): las cifras saldrán peores. "
            "Repítalo con ella tranquila."
        )
    consola.print()
    medidas = []
    with Avance() as avance:
        for numero, (que, programa) in enumerate(programas.items(), 1):
            avance.avanzar(f"{que}, {numero} de {len(programas)}", 0)
            medidas += programa.medir(breve=True)
    presentar_salud(medidas, consola)
    consola.print(
        "Cifras para citar, y los objetivos: python -m alpespartners.medicion.PROGRAMA\n"
        f"({', '.join(sorted(p.__name__.rpartition('.')[2] for p in programas.values()))})."
    )
