"""Los esquemas Avro del módulo, leídos una vez de los archivos `schema/v1/*.avsc` que lleva el paquete.

Qué es: un esquema por tópico, preparado para leer y para escribir.
Qué no es: un registro de esquemas; donde el broker tiene uno, el productor declara ahí esta definición.
Por qué existe: un mensaje v1 escrito hoy tiene que poder leerse siempre, así que el esquema con que se
descifra es el que viaja con el código y no el que un broker recuerde.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

from fastavro import parse_schema

from alpespartners.modulos.tracking.aplicacion.clases import CLASES
from alpespartners.modulos.tracking.infraestructura.mensajes.escritura_avro import escritor_de

ESCALA: Final = 4
"""Decimales de `valor` en los mensajes: los de la moneda que más tiene."""


@dataclass(frozen=True, slots=True)
class Esquema:
    """El esquema de los mensajes de un tópico.

    `lectura` tiene la misma forma binaria que `definicion`, pero deja los decimales en octetos: fastavro
    tarda minutos en convertir uno de un mebibyte, y quien lee debe poder mirar antes su longitud. `escribir`
    recibe todos los campos menos `tipo_mensaje`, que es siempre `registro`.
    """

    registro: str
    definicion: dict[str, Any]
    escribir: Callable[[Mapping[str, Any]], bytes]
    lectura: Any

    @property
    def decimales(self) -> list[str]:
        """Los campos que son un decimal, que `lectura` deja en octetos."""
        return [campo["name"] for campo in self.definicion["fields"] if "decimal" in str(campo["type"])]

    @property
    def tipo(self) -> str:
        """El nombre completo del registro: el `ce_type` de sus mensajes."""
        return f"{self.definicion['namespace']}.{self.registro}"

    @property
    def urn(self) -> str:
        """El `ce_dataschema` de sus mensajes."""
        return f"urn:avro:{self.tipo}"


def _cargar(registro: str) -> Esquema:
    texto = (
        files("alpespartners.modulos.tracking.infraestructura")
        .joinpath("schema", "v1", f"{registro}.avsc")
        .read_text(encoding="utf-8")
    )
    definicion = json.loads(texto)
    return Esquema(
        registro,
        definicion,
        escritor_de(definicion, {"tipo_mensaje": registro}),
        parse_schema(_con_decimales_en_octetos(definicion)),
    )


def _con_decimales_en_octetos(esquema: Any) -> Any:
    if isinstance(esquema, list):
        return [_con_decimales_en_octetos(parte) for parte in esquema]
    if not isinstance(esquema, dict):
        return esquema
    if esquema.get("logicalType") == "decimal":
        return esquema["type"]
    return {nombre: _con_decimales_en_octetos(parte) for nombre, parte in esquema.items()}


ESQUEMAS: Final = {
    topico: _cargar(registro)
    for clase in CLASES
    for topico, registro in (
        (clase.topico, f"Comando{clase.comando.__name__}"),
        (clase.topico_de_eventos, f"Evento{clase.evento.__name__}"),
    )
}
"""El esquema de los mensajes de cada tópico, por su nombre corto."""
