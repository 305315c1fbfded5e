"""Lo que escribe quien no dice con qué esquema: el primero de su registro, sea cual sea el de hoy."""

from io import BytesIO
from typing import Any

from fastavro import schemaless_reader, schemaless_writer

from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from alpespartners.modulos.tracking.infraestructura.mensajes.esquemas import (
    ESQUEMAS,
    Definicion,
    leer_historial,
)
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import sobre_de_comando


def primero(topico: str) -> Definicion:
    """El primer esquema de los mensajes de ese tópico."""
    return next(iter(leer_historial()[ESQUEMAS[topico].registro].values()))


def carga_del_primero(comando: Comando) -> bytes:
    """La carga de ese comando, escrita con el primer esquema de su registro."""
    sobre = sobre_de_comando(comando, "c-1", None)
    campos: Any = schemaless_reader(
        BytesIO(sobre.carga), ESQUEMAS[sobre.topico].definicion, primero(sobre.topico)
    )
    salida = BytesIO()
    schemaless_writer(salida, primero(sobre.topico), campos)
    return salida.getvalue()
