"""Bases de datos de usar y borrar en un servidor PostgreSQL que alguien ofrece.

Qué es: crear una con sus tablas, preguntarle algo y borrarla al acabar.
Qué no es: un servidor; el que se diga ha de dejar crear bases de datos.
Por qué existe: se mide sobre una base de datos cuyo contenido se conoce, y no queda rastro en el servidor.
"""

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from alpespartners.modulos.tracking.infraestructura.motores.postgresql.libro import migrar


@contextmanager
def base_postgresql(servidor: str) -> Iterator[str]:
    """La URL de una base de datos nueva de ese servidor, con sus tablas vacías; al salir se borra."""
    nombre = f"alpes_rendimiento_{secrets.token_hex(4)}"
    url = urlsplit(servidor)._replace(path=f"/{nombre}").geturl()
    preguntar(servidor, f"CREATE DATABASE {nombre}")
    try:
        migrar(url)
        yield url
    finally:
        preguntar(servidor, f"DROP DATABASE {nombre} WITH (FORCE)")


def preguntar(url: str, sentencia: str) -> Any:
    """Ejecuta una sentencia y devuelve el primer valor de su primera fila, si la tiene."""

    async def ejecutar() -> Any:
        conexion = await asyncpg.connect(url)
        try:
            return await conexion.fetchval(sentencia)
        finally:
            await conexion.close()

    return asyncio.run(ejecutar())
