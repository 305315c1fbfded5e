"""Lo que sale de aquí: sin rastro de la máquina, con lo ajeno intacto y la rueda completa."""

import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from tests.apoyo.repositorio import PAQUETE, RAIZ, archivos

# Partidos a propósito: escritos enteros, esta prueba se encontraría a sí misma.
_REGISTROS = (
    "py" + "pi.org",
    "python" + "hosted.org",
    "npm" + "js.org",
    "npm" + "js.com",
    "repo1." + "maven",
)
_CARPETAS_DE_MAQUINA = re.compile(
    rb"(?<![\w.~$}/-])/(?:" + rb"|".join([b"ro" + b"ot", b"wo" + b"rk", b"ho" + b"me"]) + rb")/"
)


def test_ningun_archivo_nombra_un_registro_de_paquetes() -> None:
    nombrados = [
        f"{ruta.relative_to(RAIZ)}: {registro}"
        for ruta in archivos()
        for registro in _REGISTROS
        if registro.encode() in ruta.read_bytes()
    ]
    assert nombrados == []


def test_ningun_archivo_nombra_una_carpeta_de_la_maquina_donde_se_escribio() -> None:
    nombradas = [
        str(ruta.relative_to(RAIZ)) for ruta in archivos() if _CARPETAS_DE_MAQUINA.search(ruta.read_bytes())
    ]
    assert nombradas == []


AJENOS = sorted(procedencia.parent for procedencia in PAQUETE.rglob("procedencia.json"))


@pytest.mark.parametrize("carpeta", AJENOS, ids=lambda carpeta: carpeta.name)
def test_lo_ajeno_es_lo_publicado_byte_a_byte_y_trae_su_licencia(carpeta: Path) -> None:
    procedencia = json.loads((carpeta / "procedencia.json").read_text(encoding="utf-8"))
    presentes = {
        ruta.name: hashlib.sha256(ruta.read_bytes()).hexdigest()
        for ruta in carpeta.iterdir()
        if ruta.name != "procedencia.json"
    }
    assert presentes == procedencia["sha256"]
    assert any(nombre.startswith("LICENSE") for nombre in presentes)


def test_lo_ajeno_son_las_paginas_de_la_documentacion_y_las_del_panel() -> None:
    assert [carpeta.name for carpeta in AJENOS] == ["swagger-ui", "htmx", "pico", "uplot"]


@pytest.fixture(scope="module")
def rueda(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """La carpeta donde quedaría instalada."""
    carpeta = tmp_path_factory.mktemp("rueda")
    (construida,) = WheelBuilder(str(RAIZ)).build(directory=str(carpeta), versions=["standard"])
    with zipfile.ZipFile(construida) as archivo:
        archivo.extractall(carpeta / "instalada")
    return carpeta / "instalada"


def test_la_rueda_lleva_cada_archivo_del_paquete_y_la_licencia(rueda: Path) -> None:
    nombres = {str(ruta.relative_to(rueda)) for ruta in rueda.rglob("*")}
    del_paquete = {str(ruta.relative_to(RAIZ / "src")) for ruta in archivos() if ruta.is_relative_to(PAQUETE)}
    assert del_paquete - nombres == set()
    assert any(nombre.endswith(".dist-info/licenses/LICENSE") for nombre in nombres)


def test_la_rueda_no_lleva_mas_que_el_paquete(rueda: Path) -> None:
    assert {ruta.name for ruta in rueda.iterdir() if ruta.suffix != ".dist-info"} == {"alpespartners"}


def test_lo_instalado_mide_sin_el_repositorio(rueda: Path, tmp_path: Path) -> None:
    medicion = [
        f"alpespartners.medicion.{ruta.stem}" for ruta in (rueda / "alpespartners/medicion").glob("*.py")
    ]
    importar = f"import sys, {', '.join(medicion)}; sys.stdout.write(alpespartners.__file__)"
    importar += "; assert 'rendimiento' not in sys.modules"
    medir = "from alpespartners.cli import principal; principal(['medir', '--help'])"
    for orden, dicho in {importar: str(rueda), medir: "Mide el servicio en esta máquina"}.items():
        resultado = subprocess.run(
            [sys.executable, "-P", "-c", orden],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(rueda)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert resultado.returncode == 0, resultado.stderr
        assert dicho in resultado.stdout


def test_la_licencia_es_apache_2_entera() -> None:
    texto = (RAIZ / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in texto
    assert "END OF TERMS AND CONDITIONS" in texto
