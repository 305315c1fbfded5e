"""Cada motivo tiene su enmienda, cada advertencia su frase, y todas se dicen en los dos idiomas."""

import ast
from pathlib import Path

import pytest

from alpespartners.modulos.tracking.aplicacion.codigos import CODIGOS, MOTIVOS_DE_IGNORAR
from alpespartners.panel.avisos import AVISOS
from alpespartners.panel.idiomas import Idioma, traducciones
from alpespartners.panel.paginas import entorno
from alpespartners.panel.remedios import REMEDIOS
from tests.apoyo.repositorio import PAQUETE, modulos

INGLES = traducciones(Idioma.INGLES)


@pytest.mark.parametrize("codigo", [*CODIGOS.values(), *MOTIVOS_DE_IGNORAR.values()])
def test_cada_motivo_con_que_algo_no_se_registra_tiene_su_enmienda_en_los_dos_idiomas(codigo: str) -> None:
    remedio = REMEDIOS[codigo]  # type: ignore[index]
    for frase in (remedio.nombre, remedio.enmienda):
        # Va por `gettext`, que toma un % por un hueco y no escapa lo suyo.
        assert not set("%<>&").intersection(frase + str(INGLES[frase]))


def _avisados() -> set[str]:
    """Los códigos de las advertencias que el código pone, sin el campo que nombran."""
    codigos: set[str] = set()
    for _, arbol in modulos(PAQUETE / "modulos" / "tracking"):
        for nodo in ast.walk(arbol):
            if isinstance(nodo, ast.Call) and ast.unparse(nodo.func).endswith("recolector.avisar"):
                codigos |= {
                    texto.value.partition(":")[0]
                    for argumento in nodo.args
                    for texto in ast.walk(argumento)
                    if isinstance(texto, ast.Constant) and isinstance(texto.value, str)
                }
    return {codigo for codigo in codigos if codigo.isidentifier()}


def test_cada_advertencia_que_se_pone_tiene_su_frase_en_los_dos_idiomas() -> None:
    avisados = _avisados()
    assert "referrer_reparado" in avisados
    assert avisados - AVISOS.keys() == set()
    assert set(AVISOS.values()) - INGLES.keys() == set()


@pytest.mark.parametrize("plantilla", ["evento.html", "rechazos.html", "relatos.html"])
def test_cada_frase_de_estas_plantillas_se_dice_tambien_en_ingles(plantilla: str) -> None:
    plantillas = entorno(Idioma.ESPAÑOL)
    texto = (Path(PAQUETE) / "panel" / "plantillas" / plantilla).read_text(encoding="utf-8")
    extraidas = plantillas.extract_translations(texto)  # type: ignore[attr-defined]
    frases = {frase if isinstance(frase, str) else frase[0] for _, _, frase in extraidas if frase}
    assert frases != set()
    assert frases - INGLES.keys() == set()
