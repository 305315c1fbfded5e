"""Lo que sale de aquí: sin rastro de la máquina, con lo ajeno intacto y la rueda completa."""

import hashlib
import json
import re
import zipfile
from pathlib import Path

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


def test_swagger_ui_es_el_publicado_byte_a_byte_y_trae_su_licencia() -> None:
    carpeta = PAQUETE / "api" / "operacion" / "recursos" / "swagger-ui"
    procedencia = json.loads((carpeta / "procedencia.json").read_text(encoding="utf-8"))
    presentes = {
        ruta.name: hashlib.sha256(ruta.read_bytes()).hexdigest()
        for ruta in carpeta.iterdir()
        if ruta.name != "procedencia.json"
    }
    assert presentes == procedencia["sha256"]
    assert {"LICENSE", "NOTICE", "swagger-ui-bundle.js.LICENSE.txt"} <= presentes.keys()


def test_la_rueda_lleva_cada_archivo_del_paquete_y_la_licencia(tmp_path: Path) -> None:
    (rueda,) = WheelBuilder(str(RAIZ)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(rueda) as archivo:
        nombres = set(archivo.namelist())
    del_paquete = {str(ruta.relative_to(RAIZ / "src")) for ruta in archivos() if ruta.is_relative_to(PAQUETE)}
    assert del_paquete - nombres == set()
    assert any(nombre.endswith(".dist-info/licenses/LICENSE") for nombre in nombres)


def test_la_licencia_es_apache_2_entera() -> None:
    texto = (RAIZ / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in texto
    assert "END OF TERMS AND CONDITIONS" in texto
