"""Un comando de una versión posterior, en cada broker: espera sin confirmar y lo registra quien lo conoce."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from alpespartners.modulos.tracking.infraestructura.libro.tablas import destinos, impresiones
from alpespartners.modulos.tracking.infraestructura.mensajes.esquemas import ESQUEMAS
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import abrir_comando, sobre_de_comando
from tests.apoyo.espera import hasta_en_el_bucle
from tests.apoyo.eventos import IMPRESION
from tests.apoyo.puesta import Puesta


def sin_mirar_el_esquema(topico: str, *, propiedades: Mapping[str, str], **lo_demas: Any) -> Any:
    """La versión que conoce ese esquema, que en esta prueba es el mismo con otra huella."""
    el_mismo = {"ce_dataschema": ESQUEMAS[topico].ce_dataschema}
    return abrir_comando(topico, propiedades={**propiedades, **el_mismo}, **lo_demas)


async def test_espera_sin_perderse_y_al_actualizar_se_registra(puesta: Puesta) -> None:
    puesta.broker.arrancar()
    comandos = [replace(IMPRESION, id=f"imp-{numero}") for numero in range(3)]
    sobres = [sobre_de_comando(comando, f"c-{comando.id}", None) for comando in comandos]
    posterior = f"{sobres[1].propiedades['ce_dataschema'].partition('#')[0]}#0123456789abcdef"
    sobres[1] = sobres[1]._replace(propiedades=sobres[1].propiedades | {"ce_dataschema": posterior})
    cliente = puesta.broker.cliente()
    productor = await asyncio.to_thread(
        cliente.productor, sobres[0].topico, por_clave=True, limite=30, maximo_en_curso=10
    )
    for sobre in sobres:
        productor.enviar(sobre, lambda _: None)
    await asyncio.to_thread(productor.vaciar)
    await asyncio.to_thread(cliente.cerrar)

    async with puesta.consumiendo() as consumidores:
        await hasta_en_el_bucle(lambda: puesta.contar(impresiones) == 2, segundos=30)
        await hasta_en_el_bucle(lambda: [e.mensajes for e in consumidores.en_espera().values()] == [1])
    assert puesta.contar(destinos) == 0

    async with puesta.consumiendo(abrir=sin_mirar_el_esquema):
        await hasta_en_el_bucle(lambda: puesta.contar(impresiones) == 3, segundos=30)
    assert puesta.contar(destinos) == 0
