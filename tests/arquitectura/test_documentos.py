"""Lo que los documentos del repositorio prometen de sí mismos: los dos README y las decisiones."""

import re
from pathlib import Path

import pytest

from tests.apoyo.repositorio import RAIZ

_DECISIONES = sorted((RAIZ / "docs" / "decisiones").glob("[0-9]*.md"))
_SECCIONES = ["Contexto", "Decisión", "Consecuencias", "Alternativas", "Comprobación"]
_LINEAS_POR_DECISION = 45


def _ordenes(archivo: str) -> list[str]:
    texto = (RAIZ / archivo).read_text(encoding="utf-8")
    bloques = re.findall(r"^```bash\n(.*?)^```", texto, re.MULTILINE | re.DOTALL)
    return [re.sub(r"^#.*\n", "", bloque, flags=re.MULTILINE) for bloque in bloques]


def _ajustes(archivo: str) -> list[str]:
    texto = (RAIZ / archivo).read_text(encoding="utf-8")
    return re.findall(r"`(ALPES_\w+)`", "\n".join(re.findall(r"^\| `ALPES.*?\|", texto, re.MULTILINE)))


def test_los_dos_leeme_dan_las_mismas_ordenes_y_los_mismos_ajustes() -> None:
    assert _ordenes("README.md") != []
    assert _ordenes("README.md") == _ordenes("README.en.md")
    assert _ajustes("README.md") != []
    assert _ajustes("README.md") == _ajustes("README.en.md")


@pytest.mark.parametrize(
    "archivo",
    ["README.md", "README.en.md", "CHANGELOG.md", "SECURITY.md", "docs/operacion.md", "docs/arquitectura.md"],
)
def test_los_enlaces_del_repositorio_llevan_a_algo(archivo: str) -> None:
    enlaces = re.findall(r"\]\((?!https?:)([^)#]+)\)", (RAIZ / archivo).read_text(encoding="utf-8"))
    assert [enlace for enlace in enlaces if not (RAIZ / archivo).parent.joinpath(enlace).exists()] == []


def test_las_decisiones_se_numeran_sin_huecos() -> None:
    assert [int(ruta.name[:4]) for ruta in _DECISIONES] == list(range(1, len(_DECISIONES) + 1))


@pytest.mark.parametrize("decision", _DECISIONES, ids=lambda ruta: ruta.stem)
def test_una_decision_es_corta_tiene_sus_secciones_y_nombra_lo_que_la_vigila(decision: Path) -> None:
    texto = decision.read_text(encoding="utf-8")
    assert texto.count("\n") <= _LINEAS_POR_DECISION
    assert texto.startswith(f"# {decision.name[:4]}. ")
    assert re.findall(r"^## (.+)$", texto, re.MULTILINE) == _SECCIONES
    vigilantes = re.findall(
        r"`((?:tests|requisitos)/[\w/.-]+|pyproject\.toml)`", texto.partition("## Comprobación")[2]
    )
    assert vigilantes != []
    assert [vigilante for vigilante in vigilantes if not (RAIZ / vigilante).exists()] == []


_RUTA = re.compile(r"`([\w./-]+(?:/|\.(?:py|avsc|jsonl|md|toml)))`")
_RAICES = (RAIZ, RAIZ / "src/alpespartners", RAIZ / "src/alpespartners/modulos/tracking")


def test_cada_ruta_que_nombra_la_arquitectura_existe() -> None:
    rutas = _RUTA.findall((RAIZ / "docs/arquitectura.md").read_text(encoding="utf-8"))
    assert len(rutas) > len(_RAICES)
    assert [ruta for ruta in rutas if not any((raiz / ruta).exists() for raiz in _RAICES)] == []
