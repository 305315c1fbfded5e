"""Lo que el panel carga: cuánto pesa, cuánto dura y qué no hace."""

import gzip
import re
from pathlib import Path

import pytest

from alpespartners.panel.recursos_del_panel import RECURSOS, direccion_de
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria, cliente_de
from tests.apoyo.repositorio import PAQUETE
from tests.apoyo.vistas_del_panel import TODAS

CARPETA = PAQUETE / "panel" / "recursos"
PROPIOS = sorted(CARPETA.glob("*.js"))
PESO_MAXIMO = 60_000
"""Octetos de JavaScript en gzip, entre todo lo que carga una vista."""
PESO_MAXIMO_PROPIO = 20_000
"""Octetos de JavaScript propio, sin comprimir: lo que una persona lee de una sentada."""
LO_QUE_EJECUTA_TEXTO = [
    r"\beval\b",
    r"\bnew Function\b",
    r"\bdocument\.write\b",
    r"\b(?:inner|outer)HTML\b",
    r"\binsertAdjacentHTML\b",
    r"""setAttribute\(["'](?:on|style)""",
    r"\.cssText\b",
    r"""set(?:Timeout|Interval)\(\s*["'`]""",
    r"https?://",
]


async def test_todo_el_javascript_de_una_vista_pesa_poco() -> None:
    async with cliente_de(api_en_memoria(PuertosEnMemoria())) as cliente:
        for vista in TODAS:
            texto = (await cliente.get(vista.direccion)).text
            pesos = []
            for direccion in re.findall(r'<script[^>]*\bsrc="([^"]+)"', texto):
                respuesta = await cliente.get(direccion, headers={"Accept-Encoding": "gzip"})
                pesos.append(int(respuesta.headers["content-length"]))
            assert pesos
            assert sum(pesos) <= PESO_MAXIMO, vista.direccion


def test_lo_propio_se_lee_de_una_sentada() -> None:
    assert PROPIOS
    assert sum(ruta.stat().st_size for ruta in PROPIOS) <= PESO_MAXIMO_PROPIO


@pytest.mark.parametrize("ruta", PROPIOS, ids=lambda ruta: ruta.name)
def test_lo_propio_no_convierte_en_programa_ni_en_pagina_ningun_texto(ruta: Path) -> None:
    texto = ruta.read_text(encoding="utf-8")
    assert [patron for patron in LO_QUE_EJECUTA_TEXTO if re.search(patron, texto)] == []


@pytest.mark.parametrize("nombre", RECURSOS)
async def test_un_recurso_se_guarda_para_siempre_y_llega_comprimido(nombre: str) -> None:
    contenido = CARPETA.joinpath(*nombre.split("/")).read_bytes()
    async with cliente_de(api_en_memoria(PuertosEnMemoria())) as cliente:
        sin_comprimir = await cliente.get(direccion_de(nombre), headers={"Accept-Encoding": "identity"})
        comprimido = await cliente.get(direccion_de(nombre), headers={"Accept-Encoding": "gzip"})
    for respuesta in (sin_comprimir, comprimido):
        assert respuesta.content == contenido
        assert "immutable" in respuesta.headers["cache-control"]
        assert respuesta.headers["vary"] == "Accept-Encoding"
        assert respuesta.headers["x-content-type-options"] == "nosniff"
    assert "content-encoding" not in sin_comprimir.headers
    assert comprimido.headers["content-encoding"] == "gzip"
    assert int(comprimido.headers["content-length"]) == len(gzip.compress(contenido, mtime=0))


async def test_con_la_direccion_de_otra_version_no_hay_nada_que_guardar() -> None:
    async with cliente_de(api_en_memoria(PuertosEnMemoria())) as cliente:
        respuesta = await cliente.get("/panel/recursos/000000000000/panel.css")
    assert respuesta.status_code == 404
    assert "immutable" not in respuesta.headers["cache-control"]


def test_todo_archivo_de_estilos_o_de_guiones_se_sirve() -> None:
    hallados = {
        ruta.relative_to(CARPETA).as_posix() for ruta in CARPETA.rglob("*") if ruta.suffix in {".css", ".js"}
    }
    assert hallados == set(RECURSOS)


HOJA = re.sub(
    r"/\*.*?\*/|\{[^{}]*\}", " ", (CARPETA / "panel.css").read_text(encoding="utf-8"), flags=re.DOTALL
)
"""Los selectores de la hoja propia, sin comentarios ni lo que dicen."""
PLANTILLAS = [ruta.read_text(encoding="utf-8") for ruta in (PAQUETE / "panel").glob("plantillas/*.html")]
CLASES_SIN_ESTILO = {"con-guiones", "sin-guiones", "identidad", "detalle"}
"""Las que solo buscan panel.js o las pruebas."""


def clases_escritas() -> set[str]:
    """Las que las plantillas dan a algo, sin lo que pone Jinja2 en su lugar."""
    atributos = re.findall(r'\bclass="((?:[^"{]|\{\{.*?\}\}|\{%.*?%\})*)"', "".join(PLANTILLAS))
    return {clase for uno in atributos for clase in re.sub(r"\{[{%].*?[%}]\}", " ", uno).split()}


def test_ningun_estilo_propio_sobra() -> None:
    del_programa = [
        ruta.read_text(encoding="utf-8") for ruta in [*PROPIOS, *(PAQUETE / "panel").glob("*.py")]
    ]
    palabras = set(re.findall(r"[\w-]+", "".join([*PLANTILLAS, *del_programa])))
    # Lo demás lo escribe uPlot.
    con_estilo = {clase for clase in re.findall(r"\.([a-z][\w-]*)", HOJA) if not clase.startswith("u-")}
    assert con_estilo
    assert sorted(con_estilo - palabras) == []
    assert sorted(set(re.findall(r"#([a-z][\w-]*)", HOJA)) - palabras) == []


def test_ninguna_clase_se_queda_sin_estilo() -> None:
    ajenos = "".join(ruta.read_text(encoding="utf-8") for ruta in CARPETA.glob("*/*.css"))
    con_estilo = set(re.findall(r"\.([a-z][\w-]*)", HOJA + ajenos))
    assert sorted(clases_escritas() - con_estilo - CLASES_SIN_ESTILO) == []


def test_un_color_se_dice_una_vez_arriba() -> None:
    hoja = (CARPETA / "panel.css").read_text(encoding="utf-8")
    assert re.findall(r"^ +(?!--)[\w-]+:[^;]*#[0-9a-f]{3,8}\b", hoja, flags=re.MULTILINE) == []
