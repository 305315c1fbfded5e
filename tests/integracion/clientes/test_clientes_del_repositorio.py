"""Lo que `clientes/` promete de sí: tipos al día, pequeño, de la versión del producto y con su ejemplo."""

import ast
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tokenize
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path

import pytest

import alpespartners
import alpespartners_cliente
from clientes.generar_tipos import PYTHON, TYPESCRIPT, en_python, en_typescript
from tests.apoyo.api_falsa import api_falsa
from tests.apoyo.memoria import descripcion
from tests.apoyo.repositorio import RAIZ

_PYTHON = RAIZ / "clientes" / "python"
_JAVASCRIPT = RAIZ / "clientes" / "js"
_LINEAS = 300
_COLAS = {"cola.py", "memoria.js", "archivo.js"}
"""Las colas: son de quitar y poner en JavaScript, y en los dos van en su módulo."""
_REMEDIO = "con la API en marcha: python clientes/generar_tipos.py http://localhost:8000/openapi.json"
con_node = pytest.mark.skipif(shutil.which("node") is None, reason="falta Node.js (paquete nodejs)")
_USO = """
from alpespartners_cliente import Cliente
from alpespartners_cliente.tipos import NuevaConversion

def usar(cliente: Cliente) -> str | None:
    venta: NuevaConversion = {"campaña_id": "c", "tipo_conversion": "VENTA", "valor": "1", "moneda": "EUR"}
    veredicto = cliente.conversion(venta).veredicto.result()
    return veredicto["id"] if veredicto["estado"] == "ACEPTADA" else veredicto["errores"][0]["mensaje"]
"""
_MALOS = {
    'cliente.impresion({"campania_id": "c"})': "campania_id",
    'cliente.conversion({"campaña_id": "c", "tipo_conversion": "VENTA", "valor": 1.5})': "float",
    'cliente.conversion({"campaña_id": "c", "tipo_conversion": "VENTA", "moneda": "XYZ"})': "XYZ",
}


def test_los_tipos_son_los_de_la_descripcion_openapi() -> None:
    documento = descripcion()
    assert PYTHON.read_text(encoding="utf-8") == en_python(documento), _REMEDIO
    assert TYPESCRIPT.read_text(encoding="utf-8") == en_typescript(documento), _REMEDIO


def test_las_versiones_son_la_del_producto() -> None:
    paquete = json.loads((_JAVASCRIPT / "package.json").read_text(encoding="utf-8"))
    assert alpespartners_cliente.__version__ == paquete["version"] == alpespartners.__version__


def test_cada_uno_lleva_su_licencia_y_ninguna_dependencia() -> None:
    licencia = (RAIZ / "LICENSE").read_bytes()
    assert [(carpeta / "LICENSE").read_bytes() for carpeta in (_PYTHON, _JAVASCRIPT)] == [licencia] * 2
    assert "dependencies" not in (_PYTHON / "pyproject.toml").read_text(encoding="utf-8")
    assert "ependencies" not in (_JAVASCRIPT / "package.json").read_text(encoding="utf-8")


def _lineas_de_python(codigo: str) -> int:
    """Las de código: sin blancos, comentarios ni docstrings."""
    explicadas = {
        linea
        for nodo in ast.walk(ast.parse(codigo))
        if isinstance(nodo, ast.Expr) and isinstance(nodo.value, ast.Constant)
        for linea in range(nodo.lineno, (nodo.end_lineno or nodo.lineno) + 1)
    }
    mudas = {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
    escritas = {
        linea
        for trozo in tokenize.generate_tokens(io.StringIO(codigo).readline)
        if trozo.type not in mudas
        for linea in range(trozo.start[0], trozo.end[0] + 1)
    }
    return len(escritas - explicadas)


def _lineas_de_javascript(codigo: str) -> int:
    return sum(not re.match(r"\s*(?:$|//|/?\*)", linea) for linea in codigo.splitlines())


@pytest.mark.parametrize(
    ("modulos", "lineas"),
    [
        ((_PYTHON / "alpespartners_cliente").glob("*.py"), _lineas_de_python),
        (_JAVASCRIPT.glob("*.js"), _lineas_de_javascript),
    ],
    ids=["python", "js"],
)
def test_cada_cliente_sin_su_cola_se_lee_de_una_sentada(
    modulos: Iterable[Path], lineas: Callable[[str], int]
) -> None:
    contadas = {
        ruta.name: lineas(ruta.read_text(encoding="utf-8"))
        for ruta in modulos
        if ruta != PYTHON and ruta.name not in _COLAS
    }
    assert sum(contadas.values()) <= _LINEAS, contadas


def test_lo_que_no_se_cuenta_son_las_colas_que_hay() -> None:
    rutas = [*(_PYTHON / "alpespartners_cliente").glob("*.py"), *_JAVASCRIPT.glob("*.js")]
    assert {ruta.name for ruta in rutas} >= _COLAS


def _mypy(carpeta: Path, codigo: str) -> str:
    (carpeta / "uso.py").write_text(codigo, encoding="utf-8")
    hecho = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir=cache", "uso.py"],
        cwd=carpeta,
        env=os.environ | {"MYPYPATH": str(_PYTHON)},
        capture_output=True,
        text=True,
        check=False,
    )
    return hecho.stdout


def test_mypy_estricto_admite_el_buen_uso_y_niega_cada_campo_malo(tmp_path: Path) -> None:
    codigo = _USO + "".join(
        f"\ndef malo_{n}(cliente: Cliente) -> None:\n    {malo}\n" for n, malo in enumerate(_MALOS)
    )
    errores = [linea for linea in _mypy(tmp_path, codigo).splitlines() if ": error:" in linea]
    lineas = codigo.splitlines()
    for malo, nombrado in _MALOS.items():
        suyos = [error for error in errores if error.startswith(f"uso.py:{lineas.index('    ' + malo) + 1}:")]
        assert any(nombrado in error for error in suyos), (malo, errores)
        errores = [error for error in errores if error not in suyos]
    assert errores == []


def _ejemplo(leeme: Path, lenguaje: str) -> str:
    (codigo,) = re.findall(
        rf"^```{lenguaje}\n(.*?)^```", leeme.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    return str(codigo)


@pytest.mark.parametrize("lenguaje", ["python", pytest.param("js", marks=con_node)])
def test_el_ejemplo_del_leeme_hace_lo_que_dice(tmp_path: Path, lenguaje: str) -> None:
    codigo = _ejemplo(RAIZ / "clientes" / lenguaje / "README.md", lenguaje)
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "alpespartners-cliente").symlink_to(_JAVASCRIPT)
    archivo = tmp_path / ("programa.py" if lenguaje == "python" else "programa.mjs")
    with api_falsa() as api:
        archivo.write_text(codigo.replace("http://localhost:8000", api.direccion), encoding="utf-8")
        hecho = subprocess.run(
            [sys.executable if lenguaje == "python" else "node", archivo.name],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(_PYTHON)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert (hecho.stdout, hecho.stderr) == ("tienda-1001 ACEPTADA\n", "")
    recibidos = {evento["clase"]: evento for lote in api.lotes for evento in lote}
    assert recibidos["impresion"]["tipo_evento"] == "CLIC"
    assert Decimal(str(recibidos["conversion"]["valor"])) == Decimal("19.9")


@con_node
def test_las_pruebas_de_javascript_pasan() -> None:
    orden = ["node", "--test", "--test-reporter=tap", str(_JAVASCRIPT / "pruebas" / "cliente.test.js")]
    hecho = subprocess.run(orden, capture_output=True, text=True, check=False)
    assert hecho.returncode == 0, hecho.stdout
    assert int(re.findall(r"^# pass (\d+)$", hecho.stdout, re.MULTILINE)[0]) > 0
