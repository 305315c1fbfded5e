"""Meta q: lo que tarda en irse quien sigue un enlace mientras la entrada recibe todo lo que puede.

Qué es: el percentil 99 de la redirección, con el clic ya confirmado o en disco, de mil clics repartidos en un
segundo y de otros mil que llegan de golpe, cada uno por su conexión, junto a envíos a tope.
Qué no es: lo que tarda la tienda, ni la red.
Por qué existe: quien hace clic en un teléfono se va si no ve nada, y una campaña viral trae a la vez clics y
todo lo demás.
"""

import asyncio
import http.client
import json
from collections.abc import Sequence
from statistics import median, quantiles
from typing import Final

from alpespartners.medicion.carga import Resultado, a_tope, a_un_ritmo, correr
from alpespartners.medicion.eventos import mezcla
from alpespartners.medicion.medida import Medida
from alpespartners.medicion.montaje import montaje, parando
from alpespartners.medicion.nucleos import en_el_de_la_carga, en_el_de_los_servidores
from alpespartners.medicion.programa import ejecutar

_CLICS: Final = 1_000
_DE_GOLPE: Final = 1e6
_ENVIOS_ANTES: Final = 0.3
_ENVIOS_MIENTRAS: Final = 1.5
_OBJETIVO: Final = 50
_MILISEGUNDOS: Final = 1e3
_ENLACE: Final = {"enlace_id": "viral", "campaña_id": "verano", "destino": "https://tienda.example/"}
_REPARTIDOS: Final = "repartidos en un segundo"


def medir(*, breve: bool) -> Sequence[Medida]:
    """Devuelve las filas de la meta q."""
    vueltas = 1 if breve else 7
    por_segundo: list[float] = []
    colas: dict[str, list[float]] = {_REPARTIDOS: [], "de golpe": []}
    # Todos llegan de la misma dirección, y aquí no se mide cuánto se le admite.
    with montaje(ALPES_LIMITE_POR_DIRECCION="0") as servicio:
        with en_el_de_los_servidores():
            api = servicio.api()
            consumidores = servicio.consumidores(api)
        with parando(consumidores, api), en_el_de_la_carga():
            _hacer_el_enlace(api.puerto)
            for _ in range(vueltas):
                for como, suyas in colas.items():
                    ritmo = _CLICS if como == _REPARTIDOS else _DE_GOLPE
                    clics, envios = correr(_a_la_vez(api.puerto, ritmo))
                    clics.exigir(302)
                    envios.exigir(202)
                    por_segundo.append(envios.por_segundo)
                    suyas.append(quantiles(clics.demoras, n=100)[98] * _MILISEGUNDOS)
    return [
        Medida(
            meta="q",
            nombre=f"Redirección de mil clics {como}, junto a la entrada llena, percentil 99",
            medido=f"con {median(por_segundo):.0f} envíos por segundo",
            cifra=median(suyas),
            objetivo=_OBJETIVO if como == _REPARTIDOS else None,
            unidad="ms",
        )
        for como, suyas in colas.items()
    ]


async def _a_la_vez(puerto: int, por_segundo: float) -> tuple[Resultado, Resultado]:
    """Los clics a ese ritmo, que empiezan cuando la entrada ya está llena, y los envíos."""
    peticion = f"GET /c/viral?sub1=a HTTP/1.1\r\nHost: 127.0.0.1:{puerto}\r\n\r\n".encode()

    async def clics() -> Resultado:
        await asyncio.sleep(_ENVIOS_ANTES)
        return await a_un_ritmo(puerto, lambda: peticion, por_segundo, _CLICS / por_segundo, _CLICS)

    return await asyncio.gather(
        clics(), a_tope(puerto, mezcla(puerto), _ENVIOS_MIENTRAS, dejando_dormir=True)
    )


def _hacer_el_enlace(puerto: int) -> None:
    conexion = http.client.HTTPConnection("127.0.0.1", puerto)
    try:
        conexion.request(
            "POST", "/tracking/enlaces", json.dumps(_ENLACE), {"Content-Type": "application/json"}
        )
        estado = conexion.getresponse().status
    finally:
        conexion.close()
    if estado != http.client.CREATED:
        raise RuntimeError(f"el enlace no se pudo hacer: {estado}")


if __name__ == "__main__":
    ejecutar("Lo que tarda en irse quien sigue un enlace.", medir)
