"""Comandos como los que publica la API, hechos con los ejemplos de la semilla.

Qué es: un comando de cada clase y sus sobres, cada uno con otro `id`.
Qué no es: una petición; eso es `eventos.py`.
Por qué existe: llenan un tópico sin pasar por HTTP, y dan su tamaño a lo que publica el suelo.
"""

import secrets
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import uuid_utils

from alpespartners.api.ejemplos import EJEMPLOS
from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from alpespartners.modulos.tracking.aplicacion.mapeadores import comando_de_conversion, comando_de_impresion
from alpespartners.modulos.tracking.aplicacion.mensajes import Sobre
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import sobre_de_comando
from alpespartners.seedwork.json_estricto import leer_json


def modelos() -> list[Comando]:
    """Una impresión y una conversión."""
    cuerpos: dict[str, Any] = {nombre: leer_json(texto.encode()) for nombre, texto in EJEMPLOS.items()}
    ahora = datetime.now(UTC)
    return [
        comando_de_impresion(cuerpos["impresiones"], id_asignado=_nuevo_id, recibido_en=ahora),
        comando_de_conversion(cuerpos["conversiones"], id_asignado=_nuevo_id, recibido_en=ahora),
    ]


def sobre_como(modelo: Comando) -> Sobre:
    """Ese comando con otro `id`, como lo publica la API."""
    traza = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
    comando = replace(modelo, id=_nuevo_id(), recibido_en=datetime.now(UTC))
    return sobre_de_comando(comando, _nuevo_id(), traza)


def _nuevo_id() -> str:
    return str(uuid_utils.uuid7())
