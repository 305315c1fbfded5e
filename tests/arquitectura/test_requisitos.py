"""Los requisitos bloqueados: única fuente de versiones, al día con `pyproject.toml` y con sus hashes."""

import re
import tomllib
from dataclasses import dataclass
from itertools import pairwise

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.apoyo.repositorio import RAIZ

_REMEDIO = "ejecute requisitos/actualizar.sh"


@dataclass(frozen=True)
class _Bloqueado:
    version: str
    hashes: int


def _bloqueados(grupo: str) -> dict[str, _Bloqueado]:
    texto = (RAIZ / "requisitos" / f"{grupo}.txt").read_text(encoding="utf-8")
    cortes = [
        *(encontrado.start() for encontrado in re.finditer(r"^[\w.-]+==", texto, re.MULTILINE)),
        len(texto),
    ]
    bloques = [texto[desde:hasta] for desde, hasta in pairwise(cortes)]
    return {
        canonicalize_name(nombre): _Bloqueado(version, bloque.count("--hash=sha256:"))
        for bloque in bloques
        for nombre, version in [re.split(r"==|[ ;\\]", bloque, maxsplit=2)[:2]]
    }


def _declarados(grupo: str) -> list[Requirement]:
    proyecto = tomllib.loads((RAIZ / "pyproject.toml").read_text(encoding="utf-8"))
    lineas: list[str] = list(proyecto["project"]["dependencies"])
    if grupo != "servicio":
        lineas += proyecto["project"]["optional-dependencies"]["parquet"]
    if grupo == "pruebas":
        lineas += proyecto["dependency-groups"]["pruebas"]
    return [Requirement(linea) for linea in lineas]


@pytest.mark.parametrize("grupo", ["servicio", "parquet", "pruebas"])
def test_lo_que_pide_pyproject_esta_bloqueado_en_una_version_que_lo_cumple(grupo: str) -> None:
    bloqueados = _bloqueados(grupo)
    for pedido in _declarados(grupo):
        bloqueado = bloqueados.get(canonicalize_name(pedido.name))
        assert bloqueado is not None, f"{pedido.name} no está en requisitos/{grupo}.txt: {_REMEDIO}"
        assert pedido.specifier.contains(bloqueado.version), (
            f"{pedido} no admite {bloqueado.version}: {_REMEDIO}"
        )


@pytest.mark.parametrize("grupo", ["servicio", "parquet", "pruebas"])
def test_lo_que_se_pide_en_el_bloqueo_lo_sigue_pidiendo_pyproject(grupo: str) -> None:
    texto = (RAIZ / "requisitos" / f"{grupo}.txt").read_text(encoding="utf-8")
    directos = {
        canonicalize_name(re.split("==", bloque, maxsplit=1)[0])
        for bloque in re.split(r"\n(?=[\w.-]+==)", texto)
        if re.search(r"alpespartners \(pyproject\.toml", bloque)
    }
    assert directos == {canonicalize_name(pedido.name) for pedido in _declarados(grupo)}, _REMEDIO


@pytest.mark.parametrize("grupo", ["servicio", "parquet", "pruebas", "rivales"])
def test_todo_requisito_bloqueado_lleva_hash(grupo: str) -> None:
    bloqueados = _bloqueados(grupo)
    assert bloqueados
    assert [nombre for nombre, bloqueado in bloqueados.items() if bloqueado.hashes == 0] == []


@pytest.mark.parametrize(("menor", "mayor"), [("servicio", "parquet"), ("parquet", "pruebas")])
def test_cada_bloqueo_lleva_entero_el_anterior_con_las_mismas_versiones(menor: str, mayor: str) -> None:
    de_menos, de_mas = _bloqueados(menor), _bloqueados(mayor)
    assert {nombre: de_mas.get(nombre) for nombre in de_menos} == de_menos, _REMEDIO


def test_el_servicio_no_lleva_fastapi_ni_pydantic_settings() -> None:
    assert _bloqueados("servicio").keys() & {"fastapi", "pydantic-settings"} == set()
