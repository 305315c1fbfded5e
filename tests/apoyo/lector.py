"""Leer los tópicos de eventos como otro módulo: con el cliente de Pulsar y los esquemas publicados."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pulsar
from fastavro import schemaless_reader

from alpespartners.modulos.tracking.infraestructura.esquemas import ESQUEMAS


def mensajes_publicados(datos: Path, topico: str) -> list[tuple[dict[str, str], dict[str, Any]]]:
    """Todos los mensajes del tópico en el broker embebido, por orden: propiedades y campos."""
    puerto = json.loads((datos / "broker.json").read_text(encoding="utf-8"))["puerto"]
    cliente = pulsar.Client(
        f"pulsar://127.0.0.1:{puerto}", logger=pulsar.FileLogger(pulsar.LoggerLevel.Error, "/dev/null")
    )
    try:
        lector = cliente.create_reader(f"persistent://public/default/{topico}", pulsar.MessageId.earliest)
        mensajes = []
        while lector.has_message_available():
            mensaje = lector.read_next(timeout_millis=5000)
            campos: Any = schemaless_reader(BytesIO(mensaje.data()), ESQUEMAS[topico].escritura, None)
            mensajes.append((dict(mensaje.properties()), campos))
        return mensajes
    finally:
        cliente.close()


def eventos_publicados(datos: Path, topico: str) -> dict[str, dict[str, Any]]:
    """Los eventos del tópico por su `id`; uno entregado dos veces cuenta una."""
    return {campos["id"]: campos for _, campos in mensajes_publicados(datos, topico)}
