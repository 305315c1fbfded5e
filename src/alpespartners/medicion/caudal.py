"""Meta b: cuántos envíos por segundo recibe un 202, ya confirmado por el broker.

Qué es: envíos de uno en uno por 64 conexiones, con la API y el broker embebido en un núcleo y la carga en
otro, contra su suelo: el mismo servidor y el mismo cliente de Pulsar publicando un mensaje ya escrito. Por
turnos, y con ellos una aplicación ASGI que solo lee el mismo cuerpo. Sin consumidores.
Qué no es: lo que sostiene el servicio entero en un solo núcleo; eso lo dice la meta a.
Por qué existe: un pico de tráfico lo absorbe la admisión; lo demás puede ir detrás.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from statistics import median

from alpespartners.medicion.carga import a_tope, correr
from alpespartners.medicion.eventos import mezcla
from alpespartners.medicion.medida import Medida
from alpespartners.medicion.montaje import Proceso, montaje, parando, techo
from alpespartners.medicion.nucleos import en_el_de_la_carga, en_el_de_los_servidores
from alpespartners.medicion.programa import ejecutar


def medir(*, breve: bool) -> Sequence[Medida]:
    """Devuelve las filas de la meta b."""
    vueltas, segundos = (1, 1.5) if breve else (7, 4.0)
    with techo("leer") as sin_trabajo, montaje() as servicio, ExitStack() as pila:
        with en_el_de_los_servidores():
            api = servicio.api()
        pila.enter_context(parando(api))
        suelo = pila.enter_context(techo("prometer", servicio.url_del_broker()))
        with en_el_de_la_carga():
            servidores = (sin_trabajo, suelo, api)
            for servidor in servidores:
                ritmo_de(servidor, 1.0)
            ritmos = [[ritmo_de(servidor, segundos) for servidor in servidores] for _ in range(vueltas)]
    return [
        Medida(
            meta="b",
            nombre="Envíos por segundo con su 202, en un núcleo",
            medido=f"{median(suyo for _, _, suyo in ritmos):.0f}/s",
            techo=f"{median(minimo for _, minimo, _ in ritmos):.0f}/s su suelo",
            cifra=median(suyo / minimo for _, minimo, suyo in ritmos),
            objetivo=0.6,
            normal=0.15,
            como_minimo=True,
        ),
        Medida(
            meta="b",
            nombre="Suelo: el servidor y el cliente de Pulsar, sin nada nuestro",
            medido=f"{median(minimo for _, minimo, _ in ritmos):.0f}/s",
            techo=f"{median(base for base, _, _ in ritmos):.0f}/s leer el mismo cuerpo",
            cifra=median(minimo / base for base, minimo, _ in ritmos),
        ),
    ]


def ritmo_de(servidor: Proceso, segundos: float) -> float:
    """Los 202 por segundo que da a tope."""
    resultado = correr(a_tope(servidor.puerto, mezcla(servidor.puerto), segundos))
    resultado.exigir(202)
    return resultado.por_segundo


if __name__ == "__main__":
    ejecutar("Envíos por segundo con su 202.", medir)
