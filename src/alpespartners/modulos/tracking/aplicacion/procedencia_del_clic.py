"""La procedencia de una compra es la de su clic.

Qué es: la regla de qué clic es el de un evento, y cómo queda su lectura con la de él.
Qué no es: si el clic vale para que alguien cobre: uno vencido o de un robot dice igual de dónde se llegó.
Por qué existe: de una compra avisa la tienda, desde su servidor o desde otra página suya, y su procedencia
propia no dice qué red la trajo.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from alpespartners.modulos.tracking.aplicacion.puertos import ClicLeido
from alpespartners.modulos.tracking.dominio.entidades import EventoSeguido


def con_la_de_su_clic(
    eventos: Sequence[EventoSeguido[Any]], leer: Callable[[Collection[str]], Mapping[str, ClicLeido]]
) -> list[EventoSeguido[Any]]:
    """Los mismos eventos, en su orden, con la procedencia de su clic los que tienen uno registrado.

    El suyo es el que dicen, si está registrado como un clic de su misma campaña.

    Args:
        eventos: recién leídos; el que no se leyó queda como está.
        leer: los clics registrados de entre esos `id`; se le llama una vez, o ninguna si nadie dice un clic.
    """
    dichos = [None if evento.lectura is None else evento.clic_de_procedencia for evento in eventos]
    ids = {clic_id for clic_id in dichos if clic_id is not None}
    if not ids:
        return [*eventos]
    clics = leer(ids)
    return [
        evento if clic_id is None else _con_la_de(clics.get(clic_id), evento)
        for evento, clic_id in zip(eventos, dichos, strict=True)
    ]


def _con_la_de(clic: ClicLeido | None, evento: EventoSeguido[Any]) -> EventoSeguido[Any]:
    if clic is None or evento.lectura is None or clic.campaña_id != evento.contenido.campaña_id:
        return evento
    return replace(evento, lectura=evento.lectura.con_la_procedencia_de(clic.lectura))
