"""Lo que cumple toda vista, sin navegador: que ninguna falta en la tabla, sus títulos, el idioma."""

import re
from html import unescape
from pathlib import Path

import httpx2
import pytest

from alpespartners.panel.idiomas import Frases, Idioma, traducciones
from alpespartners.panel.paginas import entorno
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria, cliente_de
from tests.apoyo.repositorio import PAQUETE
from tests.apoyo.vistas_del_panel import (
    NO_SON_PAGINAS,
    TODAS,
    VISTAS,
    peticiones,
    plantillas_que_se_leen,
)

PLANTILLAS = sorted((PAQUETE / "panel" / "plantillas").rglob("*.html"))
LO_QUE_EJECUTA_O_VISTE = [
    r"<script(?![^>]*\bsrc=)",
    r"<style\b",
    r"\bstyle=",
    r"\son\w+=",
    r"\bhx-on\b",
    r"\bhx-vals=.js:",
    r"javascript:",
    r"\|\s*safe\b",
    r"\bautoescape\b",
]


async def vistas(idioma: str) -> dict[str, httpx2.Response]:
    """Cada una, en ese idioma, con los datos variados."""
    async with cliente_de(api_en_memoria(PuertosEnMemoria())) as cliente:
        for ruta, cuerpo in peticiones():
            await cliente.post(ruta, json=cuerpo)
        return {
            vista.direccion: await cliente.get(vista.direccion, headers={"Accept-Language": idioma})
            for vista in TODAS
        }


def test_ninguna_vista_falta_en_las_pruebas_que_valen_para_todas() -> None:
    assert plantillas_que_se_leen() == VISTAS.keys() | NO_SON_PAGINAS


def test_toda_vista_se_prueba_con_algo_que_mostrar() -> None:
    assert [plantilla for plantilla, suyas in VISTAS.items() if not any(una.muestra for una in suyas)] == []


@pytest.mark.parametrize("idioma", Idioma)
async def test_toda_vista_responde_en_el_idioma_pedido_y_con_todas_sus_precauciones(idioma: Idioma) -> None:
    respuestas = await vistas(idioma)
    for vista in TODAS:
        respuesta = respuestas[vista.direccion]
        assert respuesta.status_code == vista.estado, vista.direccion
        assert respuesta.headers["content-type"] == "text/html; charset=utf-8"
        assert respuesta.headers["cache-control"] == "no-store"
        assert respuesta.headers["x-content-type-options"] == "nosniff"
        assert "Accept-Language" in respuesta.headers["vary"]
        assert "unsafe" not in respuesta.headers["content-security-policy"]
        assert f'<html lang="{idioma}">' in respuesta.text
        for texto in vista.muestra:
            assert texto in unescape(respuesta.text), vista.direccion
            assert re.search(r"[<>]", texto) is None or texto not in respuesta.text, vista.direccion


@pytest.mark.parametrize("idioma", Idioma)
async def test_el_titulo_de_cada_plantilla_es_suyo(idioma: Idioma) -> None:
    respuestas = await vistas(idioma)
    de_quien: dict[str, set[str]] = {}
    for plantilla, suyas in VISTAS.items():
        for vista in suyas:
            hallado = re.search("<title>(.*?)</title>", respuestas[vista.direccion].text, re.DOTALL)
            assert hallado is not None
            titulo = unescape(hallado[1])
            assert re.fullmatch(r"\S.* — Alpes Partners · Tracking", titulo), titulo
            if vista.estado == httpx2.codes.OK:
                de_quien.setdefault(titulo, set()).add(plantilla)
    assert {titulo: quienes for titulo, quienes in de_quien.items() if len(quienes) > 1} == {}


async def test_ninguna_vista_pide_en_ingles_una_frase_que_no_esta(monkeypatch: pytest.MonkeyPatch) -> None:
    faltan: set[str] = set()
    dichas = traducciones(Idioma.INGLES)

    def anotar(_self: Frases, message: str) -> str:
        if message not in dichas:
            faltan.add(message)
        return str(dichas.get(message, message))

    monkeypatch.setattr(Frases, "gettext", anotar)
    await vistas("en")
    assert faltan == set()


@pytest.mark.parametrize("archivo", PLANTILLAS, ids=lambda ruta: ruta.name)
def test_ninguna_plantilla_lleva_guiones_ni_estilos_dentro_ni_deja_de_escapar(archivo: Path) -> None:
    texto = archivo.read_text(encoding="utf-8")
    assert [patron for patron in LO_QUE_EJECUTA_O_VISTE if re.search(patron, texto)] == []


MUESTRARIO = """
{%- from "componentes.html" import barra, cifra, codigo, paginacion -%}
{{ cifra(texto, texto, texto) }}
{{ barra(0.25) }}{{ codigo(texto, texto) }}{{ paginacion(texto, texto) }}{{ paginacion(none, none) }}
"""


@pytest.mark.parametrize("idioma", Idioma)
def test_los_componentes_escapan_lo_que_reciben(idioma: Idioma) -> None:
    hostil = "\"><script>alert(1)</script>'"
    escrito = entorno(idioma).from_string(MUESTRARIO).render(texto=hostil)
    assert "<script" not in escrito
    assert escrito.count("<nav") == 1
