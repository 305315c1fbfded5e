"""Los idiomas del panel: a quién se le habla en cuál, y que a ninguna frase le falta el suyo."""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import jinja2.nodes
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2.ext import extract_from_ast
from starlette.requests import Request

from alpespartners.panel.idiomas import GALLETA_DE_IDIOMA, Idioma, Traduccion, idioma_de, preferido
from alpespartners.panel.paginas import entorno
from tests.apoyo.repositorio import PAQUETE, modulos

ESPAÑOL, INGLES = Idioma
PANEL = PAQUETE / "panel"
ARCHIVOS = sorted((PANEL / "idiomas" / "en").glob("*.json"))
ENTORNO = entorno(ESPAÑOL)
PLANTILLAS = sorted(ENTORNO.list_templates())

Frase = str | tuple[str, str]
"""Una frase o, si cuenta cosas, la del singular y la del plural."""


def arbol_de(plantilla: str) -> jinja2.nodes.Template:
    return ENTORNO.parse((PANEL / "plantillas" / plantilla).read_text(encoding="utf-8"))


def de_una_plantilla(plantilla: str) -> Iterator[Frase]:
    for _, _, mensaje in extract_from_ast(arbol_de(plantilla)):
        match mensaje:
            case str(una):
                yield una
            case (str(singular), str(plural), *_):
                yield singular, plural


def de_un_modulo(arbol: ast.Module) -> Iterator[Frase]:
    for nodo in ast.walk(arbol):
        match nodo:
            case ast.Call(
                func=ast.Name(id="_") | ast.Attribute(attr="gettext"), args=[ast.Constant(value=str(una)), *_]
            ):
                yield una
            case ast.Call(
                func=ast.Attribute(attr="ngettext"),
                args=[ast.Constant(value=str(singular)), ast.Constant(value=str(plural)), *_],
            ):
                yield singular, plural


def que_se_dicen() -> set[Frase]:
    """Las de las plantillas y las del código del panel que se piden por su texto."""
    en_plantillas = {frase for plantilla in PLANTILLAS for frase in de_una_plantilla(plantilla)}
    return en_plantillas | {frase for _, arbol in modulos(PANEL) for frase in de_un_modulo(arbol)}


def escritas() -> set[str]:
    """Todo texto del programa y de las plantillas: lo que se traduce puede venir de una tabla."""
    del_programa = {
        nodo.value
        for _, arbol in modulos(PAQUETE)
        for nodo in ast.walk(arbol)
        if isinstance(nodo, ast.Constant) and isinstance(nodo.value, str)
    }
    de_las_plantillas = {
        nodo.value
        for plantilla in PLANTILLAS
        for nodo in arbol_de(plantilla).find_all(jinja2.nodes.Const)
        if isinstance(nodo.value, str)
    }
    return del_programa | de_las_plantillas | {clave_de(frase) for frase in que_se_dicen()}


def clave_de(frase: Frase) -> str:
    return frase if isinstance(frase, str) else frase[0]


def leidas(archivo: Path) -> Mapping[str, Traduccion]:
    pares: list[tuple[str, Traduccion]] = json.loads(
        archivo.read_text(encoding="utf-8"), object_pairs_hook=list
    )
    assert len(pares) == len(dict(pares)), f"{archivo.name} dice dos veces la misma frase"
    return dict(pares)


EN_INGLES = {archivo.name: leidas(archivo) for archivo in ARCHIVOS}
INGLESAS = {frase: dicha for suyas in EN_INGLES.values() for frase, dicha in suyas.items()}


def huecos(texto: str) -> set[str]:
    return set(re.findall(r"%\((\w+)\)|\{(\w*)\}", texto))


def test_toda_frase_tiene_su_traduccion() -> None:
    dichas = que_se_dicen()
    assert len(dichas) > 10
    assert sorted(clave_de(frase) for frase in dichas if clave_de(frase) not in INGLESAS) == []


def test_ninguna_traduccion_sobra() -> None:
    assert sorted(INGLESAS.keys() - escritas()) == []


def test_dos_archivos_no_traducen_la_misma_frase_de_dos_maneras() -> None:
    distintas = [
        (archivo, frase)
        for archivo, suyas in EN_INGLES.items()
        for frase, dicha in suyas.items()
        if INGLESAS[frase] != dicha
    ]
    assert distintas == []


def test_lo_que_cuenta_cosas_tiene_singular_y_plural_y_lo_demas_no() -> None:
    for frase in que_se_dicen():
        traducida = INGLESAS[clave_de(frase)]
        assert isinstance(traducida, list) is isinstance(frase, tuple), frase
        assert isinstance(traducida, str) or len(traducida) == 2, frase


def test_cada_traduccion_deja_los_mismos_huecos_que_su_frase() -> None:
    plurales = {clave_de(frase): frase[1] for frase in que_se_dicen() if isinstance(frase, tuple)}
    for frase, traducida in INGLESAS.items():
        plural = plurales.get(frase, frase)
        *en_singular, ultima = [traducida] if isinstance(traducida, str) else traducida
        assert huecos(ultima) == huecos(plural), frase
        assert all(huecos(una) <= huecos(frase) | huecos(plural) for una in en_singular), frase


def pedida(**cabeceras: str) -> Request:
    return Request(
        {
            "type": "http",
            "headers": [
                (nombre.replace("_", "-").encode(), valor.encode("latin-1"))
                for nombre, valor in cabeceras.items()
            ],
        }
    )


@pytest.mark.parametrize(
    ("cabecera", "idioma"),
    [
        ("", ESPAÑOL),
        ("en", INGLES),
        ("EN-gb", INGLES),
        ("es-CO,en;q=0.8", ESPAÑOL),
        ("en;q=0.8, es-CO", ESPAÑOL),
        ("es;q=0.8,en-US", INGLES),
        ("en,es", INGLES),
        ("es,en", ESPAÑOL),
        ("fr, de;q=0.5", ESPAÑOL),
        ("fr, en;q=0.1", INGLES),
        ("*", ESPAÑOL),
        ("fr, *;q=0.5", ESPAÑOL),
        ("es;q=0, *", INGLES),
        ("es;q=0.5, *", INGLES),
        ("en;q=0", ESPAÑOL),
        ("es;q=0,en;q=0", ESPAÑOL),
        ("en;q=1.1", ESPAÑOL),
        ("en;q=-1", ESPAÑOL),
        ("en;q=nan", ESPAÑOL),
        ("en;q=\N{ARABIC-INDIC DIGIT ZERO}", ESPAÑOL),
        ("en ; Q=0.001", INGLES),
        ("en-US;q=0.2, en-GB;q=0.9, es;q=0.5", INGLES),
        ("english", ESPAÑOL),
        (";q=1,en", INGLES),
    ],
)
def test_se_habla_en_lo_que_mas_quiere_quien_mira(cabecera: str, idioma: Idioma) -> None:
    assert preferido(cabecera) == idioma


@given(st.text())
def test_ninguna_cabecera_impide_hablar(cabecera: str) -> None:
    assert preferido(cabecera) in Idioma


@given(st.text(st.sampled_from("en-s*;q=01.9, \t"), max_size=60))
def test_lo_que_no_se_entiende_no_quita_lo_que_si(basura: str) -> None:
    assert preferido(f"en, {basura.replace('s', '')}") == INGLES


pesos = st.integers(0, 1000).map(lambda milesimas: milesimas / 1000)


@given(pesos, pesos, pesos)
def test_manda_el_peso_y_entre_iguales_el_orden(de_español: float, de_ingles: float, de_otro: float) -> None:
    cabecera = f"fr;q={de_otro}, en-US;q={de_ingles}, es-419;q={de_español}"
    assert preferido(cabecera) == (INGLES if de_ingles >= de_español and de_ingles > 0 else ESPAÑOL)


@pytest.mark.parametrize(
    ("elegido", "idioma"), [("es", ESPAÑOL), ("en", INGLES), ("fr", INGLES), ("", INGLES), ("<b>", INGLES)]
)
def test_lo_que_eligio_vale_mas_que_lo_que_dice_su_navegador(elegido: str, idioma: Idioma) -> None:
    galleta = f"{GALLETA_DE_IDIOMA}={elegido}"
    assert idioma_de(pedida(accept_language="en", cookie=galleta)) == idioma
    assert idioma_de(pedida(cookie=f"{GALLETA_DE_IDIOMA}=en")) == INGLES


@pytest.mark.parametrize("destino", ["Registrada", "Duplicada", "Rechazada", "Ignorada", "Ilegible"])
def test_un_destino_se_llama_en_ingles_igual_en_todas_las_paginas(destino: str) -> None:
    assert INGLESAS[destino] == INGLESAS[f"{destino}s"]
