"""Leer un registro Avro con el esquema que lo escribió y llevarlo al de hoy (Avro 1.12, «Schema Resolution»).

Qué es: de los octetos y propiedades de un mensaje a sus campos, o a por qué no se puede.
Qué no es: quien sabe qué significa cada campo; eso es de `sobres.py`.
Por qué existe: los mensajes de ayer tienen menos campos y los de una versión posterior, más. Los primeros se
leen enteros. Leer los segundos sería perder para siempre lo que no se entiende de ellos: eso se dice aparte.
"""

import re
from collections.abc import Collection, Mapping
from copy import copy
from io import BytesIO
from typing import Any, Final, cast

from fastavro import schemaless_reader

from alpespartners.modulos.tracking.aplicacion.puertos import EsquemaDesconocido
from alpespartners.modulos.tracking.infraestructura.mensajes.esquemas import Esquema, Lectura

MAXIMO_CARGA: Final = 1024 * 1024
"""Octetos que puede ocupar la carga de un mensaje; la de uno de la API no llega a la cuarta parte."""

# Lo que fastavro lanza ante octetos ajenos: fin prematuro, rama de unión o instante imposibles, mal UTF-8.
_ERRORES_DE_LECTURA = (EOFError, LookupError, ArithmeticError, ValueError)
_HUELLA = re.compile("[0-9a-fA-F]{16}")


class RegistroIlegible(Exception):
    """Por qué unos octetos no son el registro esperado; la frase no repite nada de ellos."""


def leer_registro(
    esquema: Esquema,
    carga: bytes | None,
    propiedades: Mapping[str, str],
    *,
    ajenas: Collection[str] = (),
) -> dict[str, Any]:
    """Devuelve los campos de un mensaje según el esquema de hoy, sin `tipo_mensaje`.

    A un mensaje sin `ce_dataschema`, o con uno que no tiene la forma de los nuestros, lo escribió el primer
    esquema de su registro: así se publicaba cuando no había otro.

    Args:
        esquema: el del tópico del que llegó.
        carga: sus octetos; `None` es un mensaje sin valor.
        propiedades: las del mensaje; ninguna es obligatoria.
        ajenas: huellas que, aunque tengan la forma de las nuestras, no son de nadie.

    Raises:
        EsquemaDesconocido: lo escribió un esquema que todavía no se conoce.
        RegistroIlegible: no es un mensaje de ese registro.
    """
    ce_type = propiedades.get("ce_type")
    if ce_type and ce_type != esquema.tipo:
        raise RegistroIlegible("ce_type nombra otro registro")
    if carga is None:
        raise RegistroIlegible("el mensaje no tiene valor")
    if len(carga) > MAXIMO_CARGA:
        raise RegistroIlegible(f"la carga pasa de {MAXIMO_CARGA} octetos")
    ce_dataschema = propiedades.get("ce_dataschema", "")
    escritor, lector = esquema.lecturas.get(ce_dataschema) or _lectura(esquema, ce_dataschema, ajenas)
    entrada = BytesIO(carga)
    try:
        campos = cast("dict[str, Any]", schemaless_reader(entrada, escritor, lector))
    except _ERRORES_DE_LECTURA:
        raise RegistroIlegible("los octetos no son Avro de este registro") from None
    if campos.pop("tipo_mensaje") != esquema.registro:
        raise RegistroIlegible("tipo_mensaje nombra otro registro")
    if entrada.tell() != len(carga):
        raise RegistroIlegible("sobran octetos tras el registro")
    if lector is not None:
        # fastavro da a todos los mensajes el mismo mapa, o la misma lista, por omisión.
        return {nombre: copy(valor) for nombre, valor in campos.items()}
    return campos


def _lectura(esquema: Esquema, ce_dataschema: str, ajenas: Collection[str]) -> Lectura:
    """Cómo leer lo que no dice, con una de las formas que escribimos, qué esquema lo escribió."""
    urn, _, nombrada = ce_dataschema.partition("#")
    if urn != esquema.sin_huella or not _HUELLA.fullmatch(nombrada):
        return esquema.lecturas[esquema.sin_huella]
    huella = nombrada.lower()
    lectura = esquema.lecturas.get(f"{urn}#{huella}")
    if lectura is not None:
        return lectura
    if huella in ajenas:
        raise RegistroIlegible("nombra un esquema que no es de nadie")
    raise EsquemaDesconocido(esquema.registro, huella)
