"""Lectura estricta de JSON (RFC 8259): de los octetos de una petición a un objeto de Python, y de vuelta.

Qué es: un lector que ve lo que los lectores corrientes callan (claves repetidas, `NaN`, una marca
BOM, texto que no es UTF-8) y que entrega cada número como su literal, sin convertirlo ni desplegarlo.

Qué no es: una validación de campos. Que `valor` sea un importe o `id` un texto lo decide el dominio.

Por qué existe: el dinero no puede pasar por coma flotante (`99999999999999.99` perdería un céntimo)
y `1e999999999` ocuparía un gigabyte si alguien lo desplegara antes de mirar su exponente.
"""

import json
import re
from collections import Counter
from itertools import accumulate
from typing import Final, NoReturn

PROFUNDIDAD_MAXIMA: Final = 32
"""Niveles de objetos y listas anidados que se leen. El límite es nuestro porque el del intérprete
cambia de una versión de Python a otra."""

LETRAS_DE_UNA_CLAVE: Final = 64
"""Las de una clave repetida que se dicen: puede medir lo que el cuerpo entero."""

_CADENA: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_NIVEL: Final = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_LO_QUE_NO_ANIDA: Final = bytes(octeto for octeto in range(256) if octeto not in _NIVEL)


class JsonIlegible(ValueError):
    """Los octetos no son JSON. El mensaje es una frase con el lugar del error, nunca con un valor."""


class NumeroJson(str):
    """Literal de un número tal como llegó: `NumeroJson("1.50")`.

    Es un texto para que nada se redondee; es otra clase para que el número `150` y el texto `"150"`
    no se confundan.
    """

    __slots__ = ()


def leer_json(octetos: bytes) -> object:
    """Devuelve `dict`, `list`, `str`, `NumeroJson`, `bool` o `None`.

    Un escape con un sustituto suelto es JSON válido: llega como tal en el texto.

    Raises:
        JsonIlegible: los octetos no son UTF-8 o no son JSON, o anidan demasiado.
    """
    if octetos.startswith(b"\xef\xbb\xbf"):
        raise JsonIlegible("El cuerpo empieza con una marca BOM: el JSON va en UTF-8 sin ella.")
    try:
        texto = octetos.decode("utf-8")
    except UnicodeDecodeError as error:
        raise JsonIlegible(f"El cuerpo no es UTF-8: octeto no válido en la posición {error.start}.") from None
    _comprobar_profundidad(octetos)
    try:
        valor: object = _LECTOR.decode(texto)
    except json.JSONDecodeError as error:
        if not texto.strip(" \t\n\r"):
            raise JsonIlegible("El cuerpo está vacío.") from None
        raise JsonIlegible(
            f"El cuerpo no es JSON: error en la línea {error.lineno}, columna {error.colno}."
        ) from None
    return valor


def leer_lo_legible(octetos: bytes) -> object:
    """Devuelve lo que se entienda de unos octetos que `leer_json` no admite; nada, si no se entiende ninguno.

    Lo que no es un número (`NaN`) es `None`, y una clave repetida no está: no se sabe cuál vale.
    """
    try:
        _comprobar_profundidad(octetos)
        valor: object = _LECTOR_DE_LO_LEGIBLE.decode(octetos.decode("utf-8", "replace"))
    except (JsonIlegible, json.JSONDecodeError):
        return None
    return valor


def escribir_json(valor: object) -> str:
    """Devuelve el JSON de algo leído con `leer_json`, compacto y con cada número como llegó.

    Un sustituto suelto sale como tal: quien lo guarde dirá qué hace con él.
    """
    match valor:
        case dict():
            pares = [f"{escribir_json(clave)}:{escribir_json(suyo)}" for clave, suyo in valor.items()]
            return f"{{{','.join(pares)}}}"
        case list():
            # Una lista puede ser de miles de números, y así no cuesta una llamada cada uno.
            return f"[{','.join([v if type(v) is NumeroJson else escribir_json(v) for v in valor])}]"
        case NumeroJson():
            return str(valor)
        case _:
            return _ESCRITOR.encode(valor)


def octetos_de_json(valor: object) -> int:
    """Los octetos de algo leído con `leer_json`, compacto y con dos más por cada número."""
    # `escribir_json`, que no los pone entre comillas, tarda segundos con cinco mebibytes de partes mínimas.
    texto = json.dumps(valor, ensure_ascii=False, separators=(",", ":"))
    return len(texto.encode("utf-8", "surrogatepass"))


def _comprobar_profundidad(octetos: bytes) -> None:
    # Contar todas las aperturas cuesta muy poco y acota la profundidad: casi nunca hace falta recorrerlas.
    if octetos.count(b"[") + octetos.count(b"{") <= PROFUNDIDAD_MAXIMA:
        return
    signos = _CADENA.sub(b"", octetos).translate(None, _LO_QUE_NO_ANIDA)
    if max(accumulate(map(_NIVEL.__getitem__, signos)), default=0) > PROFUNDIDAD_MAXIMA:
        raise JsonIlegible(f"El cuerpo anida objetos o listas a más de {PROFUNDIDAD_MAXIMA} niveles.")


def _objeto_sin_claves_repetidas(pares: list[tuple[str, object]]) -> dict[str, object]:
    objeto = dict(pares)
    if len(objeto) != len(pares):
        vistas: set[str] = set()
        for clave, _ in pares:
            if clave in vistas:
                raise JsonIlegible(
                    f"El cuerpo repite la clave «{_legible(clave)}» dentro de un mismo objeto."
                )
            vistas.add(clave)
    return objeto


def _objeto_con_las_claves_unicas(pares: list[tuple[str, object]]) -> dict[str, object]:
    veces = Counter(clave for clave, _ in pares)
    return {clave: valor for clave, valor in pares if veces[clave] == 1}


def _legible(clave: str) -> str:
    """La clave en condiciones de ir en una frase: corta, y sin lo que no se ve ni cabe en UTF-8."""
    return "".join(c if c.isprintable() else "\ufffd" for c in clave[:LETRAS_DE_UNA_CLAVE])


def _constante_prohibida(_nombre: str) -> NoReturn:
    raise JsonIlegible("El cuerpo contiene NaN o Infinity, que no son JSON.")


# `json.dumps` haría uno por cada valor, y un evento puede llevar miles.
_ESCRITOR: Final = json.JSONEncoder(ensure_ascii=False)

_LECTOR: Final = json.JSONDecoder(
    parse_float=NumeroJson,
    parse_int=NumeroJson,
    parse_constant=_constante_prohibida,
    object_pairs_hook=_objeto_sin_claves_repetidas,
)
_LECTOR_DE_LO_LEGIBLE: Final = json.JSONDecoder(
    parse_float=NumeroJson,
    parse_int=NumeroJson,
    parse_constant=lambda _nombre: None,
    object_pairs_hook=_objeto_con_las_claves_unicas,
)
