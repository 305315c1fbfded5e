"""Meta o: lo que gasta la API de más mientras el panel está abierto en cincuenta pestañas y otros envían.

Qué es: el procesador de la API a un ritmo fijo de envíos, con las pestañas abiertas y sin ellas, por turnos y
con los consumidores en marcha. Todas se ven a la vez: una que no se ve no pregunta ni mira.
Qué no es: lo que tarda una página en verse; ni el caudal, que aquí cambia de una vuelta a otra más que por el
panel.
Por qué existe: un panel que estorba a quien envía acaba cerrado.
"""

import json
from collections.abc import Sequence
from contextlib import ExitStack
from statistics import median
from typing import Final

from alpespartners.api.tracking.ejemplos import EJEMPLOS
from alpespartners.medicion.atraso import esperar_a_todo
from alpespartners.medicion.carga import a_un_ritmo, correr
from alpespartners.medicion.eventos import mezcla
from alpespartners.medicion.medida import Medida
from alpespartners.medicion.montaje import Proceso, asentados, montaje, parando
from alpespartners.medicion.nucleos import en_el_de_la_carga, en_el_de_los_servidores
from alpespartners.medicion.programa import ejecutar
from rendimiento.pestanas import Pestañas

_LA_QUE_RECIBE: Final = str(json.loads(EJEMPLOS["impresiones"])["campaña_id"])
_SIN_PANEL: Final = Pestañas()
_ABIERTAS: Final = {
    "50 pestañas del sistema": Pestañas(50),
    "25 del sistema y 25 que miran en vivo otra campaña": Pestañas(25, 25, "otra"),
    "25 del sistema y 25 que miran en vivo la que lo recibe todo": Pestañas(25, 25, _LA_QUE_RECIBE),
}
_POR_SEGUNDO: Final = 300
_OBJETIVO: Final = 5
"""La vigésima parte de un núcleo, con cincuenta personas mirando a la vez."""
_POR_CIENTO: Final = 100


def medir(*, breve: bool) -> Sequence[Medida]:
    """Devuelve las filas de la meta o."""
    vueltas, segundos = (1, 2.0) if breve else (7, 6.0)
    with montaje() as servicio, ExitStack() as pila:
        with en_el_de_los_servidores():
            api = servicio.api()
            consumidores = servicio.consumidores(api)
        pila.enter_context(parando(consumidores, api))
        pila.enter_context(en_el_de_la_carga())
        _gasto(api, _SIN_PANEL, 1.0)
        hechas = [
            (
                _gasto(api, _SIN_PANEL, segundos),
                [_gasto(api, suyas, segundos) for suyas in _ABIERTAS.values()],
            )
            for _ in range(vueltas)
        ]
    sin_panel = median(sin for sin, _ in hechas)
    return [
        Medida(
            meta="o",
            nombre=f"Procesador de más de la API a {_POR_SEGUNDO}/s, con {nombre}",
            medido=f"{median(con[cual] for _, con in hechas):.1f} % de un núcleo",
            techo=f"{sin_panel:.1f} % sin el panel",
            cifra=median(con[cual] - sin for sin, con in hechas),
            objetivo=None if suyas.campaña_id == _LA_QUE_RECIBE else _OBJETIVO,
            unidad="%",
        )
        for cual, (nombre, suyas) in enumerate(_ABIERTAS.items())
    ]


def _gasto(api: Proceso, suyas: Pestañas, segundos: float) -> float:
    """El tanto por ciento de un núcleo que gasta la API en recibir a ese ritmo con esas pestañas abiertas.

    Vuelve cuando todo está registrado.
    """
    previos = asentados(api.puerto)
    with suyas.abiertas(api.puerto):
        antes = api.cpu
        resultado = correr(a_un_ritmo(api.puerto, mezcla(api.puerto), _POR_SEGUNDO, segundos))
        gastado = api.cpu - antes
    resultado.exigir(202)
    esperar_a_todo(api, previos + len(resultado.demoras))
    return _POR_CIENTO * gastado / resultado.segundos


if __name__ == "__main__":
    ejecutar("Lo que gasta la API mientras el panel está abierto en cincuenta pestañas.", medir)
