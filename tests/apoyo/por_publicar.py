"""Lo que está por publicar: los eventos de los carriles y las cartas de la bandeja, y darlo por publicado."""

from collections.abc import Sequence

from alpespartners.modulos.tracking.aplicacion.mensajes import Envio, Sobre
from alpespartners.modulos.tracking.infraestructura.libro.carriles import Avance, CarrilTomado, Trozo
from alpespartners.modulos.tracking.infraestructura.motores.base_datos import Libro

CUANTO = (
    "SELECT (SELECT count(*) FROM bandeja_salida)"
    " + (SELECT count(*) FROM carriles WHERE publicado_hasta < ultimo)"
)
"""La consulta que da 0 cuando no queda nada."""


def trozo_de(tomado: CarrilTomado, limite: int = 10_000) -> Trozo:
    """Todo lo que puede faltar de un carril recién tomado."""
    return Trozo(tomado.numero, tomado.topico, tomado.publicado_hasta, tomado.ultimo, limite)


async def por_publicar(libro: Libro) -> list[Envio]:
    """Lo que nadie tiene arrendado: primero los eventos, cada carril por orden de llegada."""
    envios: list[Envio] = []
    for tomado in await libro.tomar_carriles():
        for numero, sobre in await libro.leer_carril(trozo_de(tomado)):
            assert isinstance(sobre, Sobre), sobre
            envios.append(Envio(numero, sobre, tomado.numero))
    return envios + await libro.reservar_vencidos(10_000)


async def dar_por_publicado(libro: Libro, envios: Sequence[Envio]) -> None:
    """Anota que el broker confirmó todo lo que había por publicar en esos carriles, y esas cartas."""
    ultimos: dict[int, list[int]] = {}
    for envio in envios:
        if envio.carril is not None:
            ultimos.setdefault(envio.carril, []).append(envio.numero)
    avances = [
        Avance(carril, max(numeros), len(numeros), len(numeros)) for carril, numeros in ultimos.items()
    ]
    assert not await libro.retirar([envio.numero for envio in envios if envio.carril is None], avances)
