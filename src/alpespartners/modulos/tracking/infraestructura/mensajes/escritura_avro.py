"""Escribir registros en Avro binario (Apache Avro 1.12, «Binary Encoding»), según su esquema.

Qué es: de un registro a sus octetos, para los tipos que usan nuestros esquemas: textos, enteros, octetos,
booleanos, instantes, importes, mapas y listas de textos, registros, y cualquiera de ellos o `null`.
Qué no es: una biblioteca de Avro. Leer lo ajeno es cosa de fastavro, que además comprueba en las pruebas que
estos octetos son los suyos.
Por qué existe: escribir era lo más caro de aceptar un envío. fastavro prueba cada valor contra cada rama de
su unión; quien escribe aquí ya sabe el tipo de cada uno.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

Escribir = Callable[[Any], bytes]

_EPOCA_UNIX: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSEGUNDO: Final = timedelta(microseconds=1)
_NULO: Final = b"\x00"
_FINAL: Final = b"\x00"
_SEGUNDA_RAMA: Final = b"\x02"
_REGISTROS_RECORDADOS: Final = 4_096


def escritor_de(
    definicion: Mapping[str, Any], fijos: Mapping[str, Any]
) -> Callable[[Mapping[str, Any]], bytes]:
    """Prepara la escritura de un registro con esa definición.

    Args:
        definicion: el esquema.
        fijos: los primeros de sus campos, si valen siempre lo mismo.

    Devuelve una función que recibe los demás campos por su nombre y lanza `ValueError` si un texto no cabe en
    UTF-8 o un importe no cabe en su tipo.
    """
    todos = [(campo["name"], _de_tipo(campo["type"])) for campo in definicion["fields"]]
    comienzo = b"".join([de_campo(fijos[nombre]) for nombre, de_campo in todos[: len(fijos)]])
    campos = todos[len(fijos) :]

    def escribir(registro: Mapping[str, Any]) -> bytes:
        return comienzo + b"".join([de_campo(registro[nombre]) for nombre, de_campo in campos])

    return escribir


def _de_tipo(tipo: Any) -> Escribir:  # noqa: PLR0911 (una por tipo)
    match tipo:
        case ["null", otro]:
            return _o_nulo(_de_tipo(otro))
        case "string":
            return _texto
        case "boolean":
            return _booleano
        case {"logicalType": "timestamp-micros"}:
            return _instante
        case {"logicalType": "decimal", "precision": precision, "scale": escala}:
            return _decimal(precision, escala)
        case {"type": "map", "values": valores}:
            return _mapa(_de_tipo(valores))
        case {"type": "array", "items": elementos}:
            return _lista(_de_tipo(elementos))
        case {"type": "record", "fields": campos}:
            return _registro([_de_tipo(campo["type"]) for campo in campos])
    raise ValueError(f"no se sabe escribir el tipo {tipo}")


def _o_nulo(escribir: Escribir) -> Escribir:
    def escribir_o_nulo(valor: Any) -> bytes:
        return _NULO if valor is None else _SEGUNDA_RAMA + escribir(valor)

    return escribir_o_nulo


def _entero(numero: int) -> bytes:
    """En zigzag y de siete en siete bits, los menores primero."""
    resto = (numero << 1) ^ (numero >> 63)
    if resto <= 0x7F:  # noqa: PLR2004 (siete bits)
        return resto.to_bytes(1, "big")
    octetos = []
    while resto > 0x7F:  # noqa: PLR2004 (siete bits)
        octetos.append(resto & 0x7F | 0x80)
        resto >>= 7
    octetos.append(resto)
    return bytes(octetos)


def _octetos(valor: bytes) -> bytes:
    return _entero(len(valor)) + valor


def _texto(valor: str) -> bytes:
    octetos = valor.encode()
    return _entero(len(octetos)) + octetos


def _booleano(valor: bool) -> bytes:  # noqa: FBT001
    return b"\x01" if valor else b"\x00"


def _instante(valor: datetime) -> bytes:
    return _entero((valor - _EPOCA_UNIX) // _MICROSEGUNDO)


def _decimal(precision: int, escala: int) -> Escribir:
    limite = 10**precision

    def escribir(valor: Decimal) -> bytes:
        escalado = valor.scaleb(escala)
        sin_escala = int(escalado)
        if sin_escala != escalado or abs(sin_escala) >= limite:
            raise ValueError(f"el importe no cabe en decimal({precision},{escala})")
        return _octetos(sin_escala.to_bytes(sin_escala.bit_length() // 8 + 1, "big", signed=True))

    return escribir


def _mapa(escribir: Escribir) -> Escribir:
    def escribir_mapa(valores: Mapping[str, Any]) -> bytes:
        if not valores:
            return _FINAL
        partes = [_texto(clave) + escribir(valor) for clave, valor in valores.items()]
        return _entero(len(partes)) + b"".join(partes) + _FINAL

    return escribir_mapa


def _lista(escribir: Escribir) -> Escribir:
    def escribir_lista(valores: Sequence[Any]) -> bytes:
        if not valores:
            return _FINAL
        return _entero(len(valores)) + b"".join([escribir(valor) for valor in valores]) + _FINAL

    return escribir_lista


def _registro(escritores: Sequence[Escribir]) -> Escribir:
    """Recibe la tupla de sus valores, en el orden del esquema: los que se repiten no se escriben otra vez."""

    @lru_cache(_REGISTROS_RECORDADOS)
    def escribir_registro(valores: tuple[Any, ...]) -> bytes:
        return b"".join([escribir(valor) for escribir, valor in zip(escritores, valores, strict=True)])

    return escribir_registro
