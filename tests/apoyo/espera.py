"""Esperar a que algo ocurra en otro proceso, en vez de dormir un rato y confiar."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

import pytest

Valor = TypeVar("Valor")


def hasta(condicion: Callable[[], Valor | None], segundos: float = 60.0, cada: float = 0.02) -> Valor:
    """Devuelve lo que dé ``condicion`` en cuanto sea verdadero; si no llega a serlo, la prueba falla."""
    plazo = time.monotonic() + segundos
    while not (valor := condicion()):
        if time.monotonic() >= plazo:
            pytest.fail(f"Pasaron {segundos:g} s y la condición no se cumplió; lo último fue {valor!r}.")
        time.sleep(cada)
    return valor


async def hasta_en_el_bucle(
    condicion: Callable[[], Valor | None], segundos: float = 60.0, cada: float = 0.02
) -> Valor:
    """Como ``hasta``, pero deja correr el bucle de asyncio mientras espera."""
    plazo = time.monotonic() + segundos
    while not (valor := condicion()):
        if time.monotonic() >= plazo:
            pytest.fail(f"Pasaron {segundos:g} s y la condición no se cumplió; lo último fue {valor!r}.")
        await asyncio.sleep(cada)
    return valor
