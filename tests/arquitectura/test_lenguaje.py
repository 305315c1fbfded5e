"""El glosario (`docs/lenguaje.md`) dice la verdad: cada nombre existe donde dice, y no falta ninguno."""

import ast
import json
import re
from collections.abc import Iterator

import pytest

from alpespartners.api.http.respuestas import en_json
from alpespartners.api.tracking.conversiones import CONVERSIONES
from alpespartners.api.tracking.impresiones import IMPRESIONES
from alpespartners.modulos.tracking.infraestructura.libro.tablas import conversiones, impresiones
from tests.apoyo.eventos import conversion, impresion
from tests.apoyo.repositorio import PAQUETE, RAIZ, modulos

TRACKING = PAQUETE / "modulos" / "tracking"
GLOSARIO = (RAIZ / "docs" / "lenguaje.md").read_text(encoding="utf-8")


def columna(nombre: str) -> list[str]:
    """Los nombres entre comillas de código de esa columna, en la única tabla del glosario que la tiene."""
    for tabla in re.findall(r"(?:^\|.*\n)+", GLOSARIO, re.MULTILINE):
        cabecera, _, *filas = [
            [celda.strip() for celda in f.strip("|").split("|")] for f in tabla.splitlines()
        ]
        if nombre in cabecera:
            indice = cabecera.index(nombre)
            return [codigo for fila in filas for codigo in re.findall(r"`([^`]+)`", fila[indice])]
    pytest.fail(f"El glosario no tiene una columna «{nombre}».")


def clases_de_los_modulos() -> Iterator[str]:
    for capa in (*PAQUETE.glob("modulos/*/dominio"), *PAQUETE.glob("modulos/*/aplicacion")):
        for _, arbol in modulos(capa):
            yield from (nodo.name for nodo in arbol.body if isinstance(nodo, ast.ClassDef))


def campos_avro() -> set[str]:
    return {
        campo["name"]
        for ruta in (TRACKING / "infraestructura" / "schema" / "v1").glob("*.avsc")
        for campo in json.loads(ruta.read_text(encoding="utf-8"))["fields"]
    } - {"tipo_mensaje"}  # no es un dato: dice de qué registro son los octetos


def test_cada_clase_del_glosario_existe_en_el_dominio_o_en_la_aplicacion() -> None:
    assert columna("Clase") != []
    assert set(columna("Clase")) - set(clases_de_los_modulos()) == set()


@pytest.mark.parametrize(
    "de_donde",
    ["entidades", "eventos", "contenido", "destinos", "objetos_valor"],
)
def test_cada_clase_del_dominio_esta_en_el_glosario(de_donde: str) -> None:
    arbol = ast.parse((TRACKING / "dominio" / f"{de_donde}.py").read_text(encoding="utf-8"))
    publicas = {n.name for n in arbol.body if isinstance(n, ast.ClassDef) and not n.name.startswith("_")}
    assert publicas - set(columna("Clase")) == set()


def test_los_campos_json_del_glosario_son_los_que_la_api_entrega() -> None:
    entregados = (IMPRESIONES.recurso(impresion()), CONVERSIONES.recurso(conversion()))
    assert set(columna("JSON")) == {campo for uno in entregados for campo in json.loads(en_json(uno))}


def test_los_campos_avro_del_glosario_son_los_de_los_esquemas() -> None:
    assert set(columna("Avro")) == campos_avro()


def test_las_columnas_del_glosario_son_las_de_las_tablas() -> None:
    assert set(columna("Columna")) == {c.name for tabla in (impresiones, conversiones) for c in tabla.columns}


@pytest.mark.parametrize("titulo", ["Clase", "JSON", "Avro", "Columna"])
def test_ningun_nombre_aparece_dos_veces(titulo: str) -> None:
    assert sorted(set(columna(titulo))) == sorted(columna(titulo))
