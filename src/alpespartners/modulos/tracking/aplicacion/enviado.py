"""Lo que se envió en un comando que no llegó a ser una fila del libro, como se guarda para enseñarlo.

Qué es: los campos del cliente por su nombre en el JSON, con sus tipos y, si no caben, recortados.
Qué no es: la carta muerta de un mensaje ilegible, que guarda octetos; de él no hay campos que enseñar.
Por qué existe: a quien pregunta por una venta rechazada hay que decirle qué decía, y en el tópico no se puede
buscar.
"""

from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from typing import Any, Final

from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from alpespartners.modulos.tracking.aplicacion.dto import CAMPOS_DEL_SERVIDOR

LETRAS_MAXIMAS: Final = 64 * 1024
"""Las del cuerpo más grande que admite la API: lo que entra por ella se guarda entero."""
RECORTADO: Final = "recortado"
"""El campo que se añade cuando no cupo entero; solo le ocurre a quien publica sin pasar por la API."""

_LETRAS_POR_CAMPO: Final = 2_048


def lo_enviado(comando: Comando) -> Mapping[str, Any]:
    """Devuelve los campos del cliente de un comando que no se pudo dar por bueno, sin juzgarlos."""
    campos = {
        campo.name: getattr(comando, campo.name)
        for campo in fields(comando)
        if campo.name not in CAMPOS_DEL_SERVIDOR
    }
    return acotado({nombre: _como_se_escribio(valor) for nombre, valor in campos.items()})


def acotado(campos: Mapping[str, Any]) -> Mapping[str, Any]:
    """Devuelve los campos, o lo que cabe de ellos: sin propiedades, y con los textos cortados."""
    if sum(_letras(valor) for valor in campos.values()) <= LETRAS_MAXIMAS:
        return campos
    cortados = {nombre: _cortado(valor) for nombre, valor in campos.items()}
    return {**cortados, RECORTADO: True}


def _como_se_escribio(valor: object) -> object:
    """Sin los ceros que añade Avro, que escribe todo importe con cuatro decimales."""
    if not isinstance(valor, Decimal):
        return valor
    texto = f"{valor:f}"
    return Decimal(texto.rstrip("0").rstrip(".") if "." in texto else texto)


def _letras(valor: object) -> int:
    if isinstance(valor, Mapping):
        return sum(len(clave) + len(contenido) for clave, contenido in valor.items())
    return len(str(valor))


def _cortado(valor: object) -> object:
    if isinstance(valor, Mapping):
        return {}
    if _letras(valor) > _LETRAS_POR_CAMPO:
        return str(valor)[:_LETRAS_POR_CAMPO] if isinstance(valor, str) else None
    return valor
