"""Acumular comandos y esperar a que todos tengan su destino.

Qué es: envíos a tope por una o varias API hasta llegar a una cantidad, y la espera a que el balance los dé
por asentados y sus eventos por publicados.
Qué no es: un ritmo; quien mide uno usa `carga.py`.
Por qué existe: vaciar un atraso se mide en varios programas, y siempre acaba en el mismo instante.
"""

import asyncio
import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from alpespartners.medicion.carga import CONEXIONES, Resultado, a_tope, correr
from alpespartners.medicion.eventos import mezcla
from alpespartners.medicion.montaje import Proceso, asentados, esperar_a, pendientes

_LIMITE: Final = 3600.0
_SIN_AVANZAR: Final = 120.0
"""Segundos sin que nadie asiente nada con que se sabe que nadie lo hará."""


def acumular(apis: Sequence[Proceso], al_menos: int, tanda: float) -> int:
    """Envía por todas a la vez, en tandas de tantos segundos, y devuelve cuántos comandos aceptaron.

    Un 503 suelto (el broker no confirmó a tiempo) no cuenta y no estropea lo que se mide, que viene después.

    Raises:
        RuntimeError: en una tanda no se aceptó nada.
    """
    aceptados = 0
    while aceptados < al_menos:
        nuevos = sum(resultado.estados[HTTPStatus.ACCEPTED] for resultado in correr(_una_tanda(apis, tanda)))
        if not nuevos:
            raise RuntimeError("la API no acepta nada")
        aceptados += nuevos
    return aceptados


def pasar(api: Proceso, segundos: float) -> int:
    """Envía a tope esos segundos, espera a que todo acabe publicado y devuelve cuántos fueron."""
    previos = asentados(api.puerto)
    cuantos = acumular([api], 1, segundos)
    esperar_a_todo(api, previos + cuantos)
    return cuantos


def esperar_a_todo(api: Proceso, cuantos: int, sin_avanzar: float = _SIN_AVANZAR) -> None:
    """Vuelve cuando el balance dice que tantos comandos tienen destino y que no queda nada por publicar.

    Raises:
        TimeoutError: en `sin_avanzar` segundos nadie asentó nada, o en una hora no se acabó.
    """
    hechos, desde = -1, time.monotonic()

    def estan() -> bool:
        nonlocal hechos, desde
        ahora = asentados(api.puerto)
        if ahora >= cuantos:
            return not pendientes(api.puerto)
        if ahora > hechos:
            hechos, desde = ahora, time.monotonic()
        elif time.monotonic() - desde > sin_avanzar:
            raise TimeoutError(f"en {sin_avanzar:g} s nadie asentó nada: van {hechos} de {cuantos}")
        return False

    esperar_a(estan, _LIMITE, f"asentar {cuantos} comandos y publicar sus eventos")


async def _una_tanda(apis: Sequence[Proceso], segundos: float) -> Sequence[Resultado]:
    return await asyncio.gather(
        *(a_tope(api.puerto, mezcla(api.puerto), segundos, CONEXIONES // len(apis)) for api in apis)
    )
