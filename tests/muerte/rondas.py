"""Las rondas: en cada una muere un proceso en un instante al azar y el servicio tiene que volver solo.

Qué es: el orden de las víctimas, la espera a que cada una vuelva y la cuenta de sus muertes.
Qué no es: la auditoría, que se hace una vez, al final y en calma.
Por qué existe: una muerte que cae siempre en el mismo sitio prueba poco; muchas, al azar y repetibles, más.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from tests.apoyo.espera import hasta
from tests.muerte.ajeno import Ajeno
from tests.muerte.auditoria import Auditoria, auditar, esperar_calma
from tests.muerte.carga import Carga
from tests.muerte.montaje import Montaje

_MINIMO_ENTRE_MUERTES: Final = 20
_ESPERA_MAXIMA: Final = 0.6
_LIMITE_DE_VUELTA: Final = 90.0


@dataclass(slots=True)
class Informe:
    """Cómo fue.

    Attributes:
        muertes: cuántas veces murió cada uno.
        ocupadas: cuántas de ellas con trabajo entre manos.
        por_lotes: cuántos eventos se aceptaron en un lote.
        auditoria: lo que se encontró al final.
    """

    muertes: Counter[str] = field(default_factory=Counter)
    ocupadas: Counter[str] = field(default_factory=Counter)
    por_lotes: int = 0
    auditoria: Auditoria = field(default_factory=Auditoria)


def ejecutar(montaje: Montaje, *, rondas: int, semilla: int, decir: Callable[[str], None]) -> Informe:
    """Hace todas las rondas sobre un montaje nuevo y lo audita.

    La misma semilla da las mismas víctimas, los mismos envíos y las mismas esperas; el instante exacto de
    cada muerte lo pone además el sistema.
    """
    azar = Random(semilla)  # noqa: S311 (se repite con la semilla)
    informe = Informe()
    carga = Carga(montaje.puertos, semilla, siguen_enlaces=True)
    ajeno = Ajeno(montaje.broker, montaje.espacio, semilla)
    carga.empezar()
    ajeno.empezar()
    try:
        for numero, papel in zip(range(1, rondas + 1), _victimas(montaje.papeles, azar), strict=False):
            _ronda(f"ronda {numero}", papel, montaje, carga, azar, informe, decir)
    finally:
        carga.terminar()
        ajeno.terminar()
    informe.por_lotes = carga.por_lotes
    esperar_calma(montaje.auditado, carga)
    informe.auditoria = auditar(montaje.auditado, carga, ajeno.publicados)
    segunda_opinion = montaje.conciliar()
    if segunda_opinion.returncode:
        dicho = segunda_opinion.stdout + segunda_opinion.stderr
        informe.auditoria.exigir("según `alpespartners conciliar`", dicho.splitlines())
    return informe


def _victimas(papeles: Sequence[str], azar: Random) -> Iterator[str]:
    """Sin fin, y repartidas: en cada vuelta muere cada uno una vez, en otro orden."""
    while True:
        yield from azar.sample(papeles, len(papeles))


def _ronda(
    nombre: str,
    papel: str,
    montaje: Montaje,
    carga: Carga,
    azar: Random,
    informe: Informe,
    decir: Callable[[str], None],
) -> None:
    antes = len(carga.aceptados)
    hasta(lambda: len(carga.aceptados) >= antes + _MINIMO_ENTRE_MUERTES, _LIMITE_DE_VUELTA)
    threading.Event().wait(azar.uniform(0, _ESPERA_MAXIMA))
    muerte = montaje.matar(papel, carga, azar)
    muerta_en = time.monotonic()
    informe.muertes[papel] += 1
    informe.ocupadas[papel] += muerte.entre_manos > 0

    def ha_vuelto() -> bool:
        """Algo que se empezó a enviar después de la muerte ya tiene destino: todo el camino funciona."""
        despues = [aceptado for aceptado in carga.aceptados[antes:] if aceptado.desde > muerta_en][:1]
        return bool(despues) and not montaje.auditado.libro.sin_destino(despues)

    hasta(ha_vuelto, _LIMITE_DE_VUELTA)
    decir(
        f"{nombre}: murió {papel} con {muerte.entre_manos} entre manos; "
        f"volvió en {time.monotonic() - muerta_en:.1f} s\n"
    )
