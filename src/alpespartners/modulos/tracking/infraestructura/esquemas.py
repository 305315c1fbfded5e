"""Los esquemas Avro del módulo, leídos una vez de los archivos `schema/v1/*.avsc` que lleva el paquete.

Qué es: un esquema por tópico, ya compilado para leer y para escribir.
Qué no es: un registro de esquemas; donde el broker tiene uno, el productor declara ahí esta definición.
Por qué existe: un mensaje v1 escrito hoy tiene que poder leerse siempre, así que el esquema con que se
descifra es el que viaja con el código y no el que un broker recuerde.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

from fastavro import parse_schema

from alpespartners.modulos.tracking.aplicacion.topicos import (
    COMANDO_REGISTRAR_CONVERSION,
    COMANDO_REGISTRAR_IMPRESION,
    EVENTO_CONVERSION_REGISTRADA,
    EVENTO_IMPRESION_REGISTRADA,
)

ESCALA: Final = 4
"""Decimales de `valor` en los mensajes: los de la moneda que más tiene."""


@dataclass(frozen=True, slots=True)
class Esquema:
    """El esquema de los mensajes de un tópico.

    `escritura` y `lectura` tienen la misma forma binaria que `definicion`. La de lectura deja los decimales
    en octetos: fastavro tarda minutos en convertir uno de un mebibyte, y quien lee debe poder mirar antes su
    longitud. La de escritura no convierte nada: quien escribe ya sabe el tipo de cada valor.
    """

    registro: str
    definicion: dict[str, Any]
    escritura: Any
    lectura: Any

    @property
    def tipo(self) -> str:
        """El nombre completo del registro: el `ce_type` de sus mensajes."""
        return f"{self.definicion['namespace']}.{self.registro}"

    @property
    def urn(self) -> str:
        """El `ce_dataschema` de sus mensajes."""
        return f"urn:avro:{self.tipo}"


def _cargar(registro: str) -> Esquema:
    texto = files(__package__).joinpath("schema", "v1", f"{registro}.avsc").read_text(encoding="utf-8")
    definicion = json.loads(texto)
    return Esquema(
        registro,
        definicion,
        escritura=parse_schema(_sin_convertir(definicion, {"decimal", "timestamp-micros"})),
        lectura=parse_schema(_sin_convertir(definicion, {"decimal"})),
    )


def _sin_convertir(esquema: Any, tipos_logicos: Collection[str]) -> Any:
    """El mismo esquema con esos tipos lógicos en su forma binaria."""
    if isinstance(esquema, list):
        return [_sin_convertir(parte, tipos_logicos) for parte in esquema]
    if not isinstance(esquema, dict):
        return esquema
    if esquema.get("logicalType") in tipos_logicos:
        return esquema["type"]
    return {nombre: _sin_convertir(parte, tipos_logicos) for nombre, parte in esquema.items()}


ESQUEMAS: Final = {
    COMANDO_REGISTRAR_IMPRESION: _cargar("ComandoRegistrarImpresion"),
    COMANDO_REGISTRAR_CONVERSION: _cargar("ComandoRegistrarConversion"),
    EVENTO_IMPRESION_REGISTRADA: _cargar("EventoImpresionRegistrada"),
    EVENTO_CONVERSION_REGISTRADA: _cargar("EventoConversionRegistrada"),
}
"""El esquema de los mensajes de cada tópico, por su nombre corto."""
