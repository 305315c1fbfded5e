"""Lo que la API sabe de los mensajes: cómo se llaman sus comandos, y su descripción AsyncAPI.

`python -m alpespartners.composicion.mensajes > docs/asyncapi.json` renueva la que se lee en el repositorio.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime
from typing import Final, cast

from alpespartners.api.tracking.ejemplos import COMANDO, EJEMPLOS, ID
from alpespartners.api.tracking.presentacion import DEL_SERVIDOR
from alpespartners.modulos.tracking.aplicacion.clases import CLASES
from alpespartners.modulos.tracking.aplicacion.mapeadores import comando_del_cuerpo
from alpespartners.modulos.tracking.aplicacion.mensajes import IdentidadComando, MensajeIlegible, Sobre
from alpespartners.modulos.tracking.infraestructura.mensajes.esquemas import ESQUEMAS
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import (
    evento_de,
    sobre_de_carta,
    sobre_de_comando,
    sobre_de_evento,
)
from alpespartners.modulos.tracking.infraestructura.pulsar.asyncapi import describir
from alpespartners.seedwork.json_estricto import leer_json

TIPOS_DE_COMANDO: Final = {ESQUEMAS[clase.topico].tipo: clase for clase in CLASES}
"""Por el `ce_type` de su comando, cada clase de evento."""

_TRAZA: Final = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
_RECIBIDO_EN: Final = datetime.fromisoformat(str(DEL_SERVIDOR["recibido_en"]))
_REGISTRADO_EN: Final = datetime.fromisoformat(str(DEL_SERVIDOR["registrado_en"]))


def descripcion_de_los_mensajes() -> bytes:
    """El documento en JSON, con los ejemplos de la semilla; cada vez, los mismos octetos."""
    documento = describir({ejemplo.topico: ejemplo for ejemplo in _ejemplos()})
    return json.dumps(documento, ensure_ascii=False, indent=2).encode() + b"\n"


def _ejemplos() -> Iterator[Sobre]:
    """Un mensaje de cada tópico: lo que se publica al recibir los envíos de la semilla."""
    for clase in CLASES:
        cuerpo = cast("dict[str, object]", leer_json(EJEMPLOS[clase.plural].encode()))
        comando = comando_del_cuerpo(clase, cuerpo, id_asignado=lambda: ID, recibido_en=_RECIBIDO_EN)
        yield sobre_de_comando(comando, COMANDO, _TRAZA)
        campos = {campo.name: getattr(comando, campo.name) for campo in fields(comando)}
        del_servidor = {"comando_id": COMANDO, "registrado_en": _REGISTRADO_EN}
        yield sobre_de_evento(evento_de(clase.leer(campos | del_servidor, huella=None)), _TRAZA)
        ilegible = MensajeIlegible(
            identidad=IdentidadComando(COMANDO, b""),
            clave=comando.id,
            publicado_en=_RECIBIDO_EN,
            detalle="los octetos no son Avro de este registro",
            carga=b"",
            propiedades={"ce_id": COMANDO},
        )
        yield sobre_de_carta(clase.topico, ilegible)


if __name__ == "__main__":
    sys.stdout.buffer.write(descripcion_de_los_mensajes())
