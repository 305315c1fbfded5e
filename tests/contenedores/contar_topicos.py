"""Cuántos `ce_id` distintos hay en cada tópico: corre en un contenedor, donde el broker tiene nombre."""

import json
import sys

import pulsar

from alpespartners.config import Configuracion
from alpespartners.modulos.tracking.infraestructura.mensajes.esquemas import ESQUEMAS

cuentas = {}
cliente = pulsar.Client(
    Configuracion().pulsar_url, logger=pulsar.FileLogger(pulsar.LoggerLevel.Error, "/dev/null")
)
for topico in ESQUEMAS:
    lector = cliente.create_reader(f"persistent://public/default/{topico}", pulsar.MessageId.earliest)
    vistos = set()
    while lector.has_message_available():
        vistos.add(lector.read_next(30_000).properties()["ce_id"])
    cuentas[topico] = len(vistos)
cliente.close()
sys.stdout.write(json.dumps(cuentas))
