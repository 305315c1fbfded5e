"""Los tipos de los dos clientes, a partir de la descripción OpenAPI que sirve la API en `/openapi.json`.

    python clientes/generar_tipos.py http://localhost:8000/openapi.json

Qué es: lo que se envía y lo que se responde en un lote, como `TypedDict` y como interfaces de TypeScript.
Qué no es: un generador de OpenAPI; solo entiende lo que esas formas usan, y lo que no entiende lo dice.
Por qué existe: son cinco formas; los generadores de verdad traen el cliente entero y sus dependencias.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

_CARPETA: Final = Path(__file__).parent
PYTHON: Final = _CARPETA / "python" / "alpespartners_cliente" / "tipos.py"
TYPESCRIPT: Final = _CARPETA / "js" / "tipos.d.ts"
_FORMAS: Final = ("NuevaImpresion", "NuevaConversion", "Falta", "ElementoAceptado", "ElementoRechazado")
_DE_QUIEN: Final = "Lo escribe clientes/generar_tipos.py a partir de la descripción OpenAPI de la API."
_EN_PYTHON: Final = {
    "string": "str",
    "integer": "int",
    "null": "None",
    "number": "Decimal | int",
    "object": "Mapping[str, Any]",
}
_EN_TYPESCRIPT: Final = {"integer": "number", "object": "Readonly<Record<string, unknown>>"}


def en_python(documento: Mapping[str, Any]) -> str:
    """El módulo de los `TypedDict`."""
    cabecera = [
        f'"""Las formas de lo que se envía y se responde. {_DE_QUIEN}"""',
        "",
        "from collections.abc import Mapping",
        "from decimal import Decimal",
        "from typing import Any, Literal, NotRequired, TypedDict",
    ]
    lineas = []
    for nombre, forma in _formas(documento):
        lineas += ["", "", f"class {nombre}(TypedDict):", f'    """{_frase(forma)}"""', ""]
        for campo, esquema in forma["properties"].items():
            tipo = " | ".join(_tipos_de_python(esquema))
            obligatorio = campo in forma["required"]
            lineas.append(f"    {campo}: {tipo if obligatorio else f'NotRequired[{tipo}]'}")
    return "\n".join([*cabecera, *lineas, ""])


def en_typescript(documento: Mapping[str, Any]) -> str:
    """Las interfaces, con la explicación de cada campo."""
    lineas = [f"// {_DE_QUIEN}"]
    for nombre, forma in _formas(documento):
        lineas += ["", f"/** {_frase(forma)} */", f"export interface {nombre} {{"]
        for campo, esquema in forma["properties"].items():
            if "description" in esquema:
                lineas.append(f"  /** {esquema['description']} */")
            opcional = "" if campo in forma["required"] else "?"
            lineas.append(f"  {campo}{opcional}: {' | '.join(_tipos_de_typescript(esquema))};")
        lineas.append("}")
    return "\n".join([*lineas, ""])


def _formas(documento: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for nombre in _FORMAS:
        yield nombre, documento["components"]["schemas"][nombre]


def _frase(forma: Mapping[str, Any]) -> str:
    frase: str = forma.get("description", "Lo que se envía de un evento.")
    return frase


def _tipos_de_python(esquema: Mapping[str, Any]) -> list[str]:
    tipos = []
    for tipo in _variantes(esquema):
        if isinstance(tipo, list):
            tipos.append(f"Literal[{', '.join(map(_entre_comillas, tipo))}]")
        elif tipo == "[]":
            tipos.append(f"list[{_tipos_de_python(esquema['items'])[0]}]")
        else:
            tipos.append(tipo[1:] if tipo.startswith("#") else _EN_PYTHON[tipo])
    return tipos


def _tipos_de_typescript(esquema: Mapping[str, Any]) -> list[str]:
    tipos: list[str] = []
    for tipo in _variantes(esquema):
        if isinstance(tipo, list):
            tipos += map(_entre_comillas, tipo)
        elif tipo == "[]":
            tipos.append(f"{_tipos_de_typescript(esquema['items'])[0]}[]")
        else:
            tipos.append(tipo[1:] if tipo.startswith("#") else _EN_TYPESCRIPT.get(tipo, tipo))
    return tipos


def _variantes(esquema: Mapping[str, Any]) -> Iterator[list[str] | str]:
    """Cada tipo que admite: los valores de un enumerado, `[]`, `#Forma` o el nombre de JSON.

    Raises:
        ValueError: el esquema usa algo que aquí no se entiende.
    """
    if "anyOf" in esquema:
        for variante in esquema["anyOf"]:
            yield from _variantes(variante)
    elif "$ref" in esquema:
        yield "#" + esquema["$ref"].rpartition("/")[2]
    elif "enum" in esquema:
        # El texto vacío vale ausencia: quien escribe un programa no envía el campo.
        if con_contenido := [valor for valor in esquema["enum"] if valor]:
            yield con_contenido
    elif "type" in esquema:
        tipos = esquema["type"] if isinstance(esquema["type"], list) else [esquema["type"]]
        yield from ("[]" if tipo == "array" else tipo for tipo in tipos)
    else:
        raise ValueError(f"No se sabe escribir el tipo de {esquema}.")


def _entre_comillas(texto: str) -> str:
    return json.dumps(texto, ensure_ascii=False)


def principal() -> None:
    """Escribe los dos archivos a partir de la dirección que se le da."""
    with urlopen(sys.argv[1]) as respuesta:  # noqa: S310 - quien lo ejecuta dice de dónde
        documento = json.load(respuesta)
    PYTHON.write_text(en_python(documento), encoding="utf-8")
    TYPESCRIPT.write_text(en_typescript(documento), encoding="utf-8")


if __name__ == "__main__":
    principal()
