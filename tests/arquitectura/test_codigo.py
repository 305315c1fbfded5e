"""Reglas del código que ni import-linter ni ruff saben decir: se leen del árbol sintáctico."""

import ast
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator

from tests.apoyo.repositorio import PAQUETE, RAIZ, modulos

_DOMINIOS = sorted(PAQUETE.glob("modulos/*/dominio"))
_CREAN_CONEXIONES = {
    "AsyncClient",
    "Client",
    "Session",
    "async_sessionmaker",
    "connect",
    "create_async_engine",
    "create_engine",
    "sessionmaker",
}
_PENDIENTE = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def _importados(arbol: ast.Module) -> Iterator[str]:
    for nodo in ast.walk(arbol):
        if isinstance(nodo, ast.Import):
            yield from (alias.name for alias in nodo.names)
        elif isinstance(nodo, ast.ImportFrom):
            yield "." * nodo.level + (nodo.module or "")


def test_el_dominio_solo_importa_la_biblioteca_estandar_y_el_dominio() -> None:
    ajenos = [
        f"{ruta}: {nombre}"
        for dominio in _DOMINIOS
        for ruta, arbol in modulos(dominio)
        for nombre in _importados(arbol)
        if nombre.partition(".")[0] not in sys.stdlib_module_names
        and not f"{nombre}.".startswith(f"alpespartners.modulos.{dominio.parent.name}.dominio.")
    ]
    assert ajenos == []


def test_la_historia_del_esquema_no_importa_codigo_que_cambia() -> None:
    # import-linter no ve las revisiones: sus nombres no son los de un módulo.
    carpeta = PAQUETE / "migraciones"
    importados = [(ruta, nombre) for ruta, arbol in modulos(carpeta) for nombre in _importados(arbol)] + [
        ("script.py.mako", linea) for linea in (carpeta / "script.py.mako").read_text("utf-8").splitlines()
    ]
    assert any("/versions/0001" in ruta for ruta, _ in importados)
    vivos = [
        f"{ruta}: {nombre}"
        for ruta, nombre in importados
        if "alpespartners" in nombre and "alpespartners.migraciones" not in nombre
    ]
    assert vivos == []


def test_quien_usa_sqlite_no_importa_lo_de_postgresql() -> None:
    guion = "import sys, alpespartners.composicion; sys.exit('asyncpg' in sys.modules)"
    subprocess.run([sys.executable, "-c", guion], check=True)


def test_el_dominio_no_conoce_los_numeros_de_coma_flotante() -> None:
    flotantes = [
        f"{ruta}:{nodo.lineno}"
        for dominio in _DOMINIOS
        for ruta, arbol in modulos(dominio)
        for nodo in ast.walk(arbol)
        if (isinstance(nodo, ast.Constant) and isinstance(nodo.value, float))
        or (isinstance(nodo, ast.Name) and nodo.id == "float")
    ]
    assert flotantes == []


def test_el_dominio_no_lee_el_reloj() -> None:
    lecturas = [
        f"{ruta}:{nodo.lineno}"
        for dominio in _DOMINIOS
        for ruta, arbol in modulos(dominio)
        for nodo in ast.walk(arbol)
        if isinstance(nodo, ast.Attribute) and nodo.attr in {"now", "today", "utcnow", "time_ns"}
    ]
    assert lecturas == []


def test_ningun_modulo_abre_una_conexion_al_importarse() -> None:
    abiertas = [
        f"{ruta}:{llamada.lineno}"
        for ruta, arbol in modulos(PAQUETE)
        for sentencia in arbol.body
        if not isinstance(sentencia, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        for llamada in ast.walk(sentencia)
        if isinstance(llamada, ast.Call) and _nombre(llamada.func) in _CREAN_CONEXIONES
    ]
    assert abiertas == []


def _nombre(funcion: ast.expr) -> str:
    return ast.unparse(funcion).rpartition(".")[2]


def test_solo_config_lee_el_ambiente_y_los_demas_a_lo_sumo_lo_pasan_entero() -> None:
    lecturas = [
        f"{ruta}:{linea}"
        for ruta, arbol in modulos(PAQUETE)
        if ruta != "src/alpespartners/config.py"
        for linea in _lecturas_del_ambiente(arbol)
    ]
    assert lecturas == []


def _lecturas_del_ambiente(arbol: ast.Module) -> Iterator[int]:
    heredados = set()
    for nodo in ast.walk(arbol):
        if isinstance(nodo, ast.Dict):  # {**os.environ, …}
            heredados |= {
                id(valor) for clave, valor in zip(nodo.keys, nodo.values, strict=True) if clave is None
            }
        elif isinstance(nodo, ast.keyword):
            heredados |= {id(nodo.value)} if nodo.arg == "env" else set()
        elif isinstance(nodo, ast.Subscript) and isinstance(nodo.ctx, ast.Store):  # os.environ[…] = …
            heredados.add(id(nodo.value))
    for nodo in ast.walk(arbol):
        if isinstance(nodo, ast.Attribute) and nodo.attr in {"environ", "environb", "getenv"}:
            if id(nodo) not in heredados:
                yield nodo.lineno
        elif isinstance(nodo, ast.ImportFrom) and nodo.module == "os":
            yield from (
                nodo.lineno for alias in nodo.names if alias.name in {"environ", "environb", "getenv"}
            )


def test_no_queda_nada_pendiente_escrito_en_el_codigo() -> None:
    pendientes = []
    for carpeta in ("bin", "src", "tests"):
        for ruta in (RAIZ / carpeta).rglob("*.py"):
            with tokenize.open(ruta) as archivo:
                pendientes += [
                    f"{ruta.relative_to(RAIZ)}:{ficha.start[0]}"
                    for ficha in tokenize.generate_tokens(archivo.readline)
                    if (ficha.type == tokenize.COMMENT and _PENDIENTE.search(ficha.string))
                    or (ficha.type == tokenize.NAME and ficha.string == "NotImplementedError")
                ]
    assert pendientes == []


def test_la_orden_que_se_aconseja_se_escribe_en_un_solo_lugar() -> None:
    a_mano = re.compile(r"\balpespartners [a-z]")
    dichas = [
        f"{ruta}: {dicho}"
        for ruta, arbol in modulos(PAQUETE)
        # Lo que se mide, que no es un consejo.
        if "/medicion/" not in ruta
        for dicho in _dichos(arbol)
        if a_mano.search(dicho)
    ]
    en_paginas = [
        f"{archivo.name}: {linea}"
        for patron in ("plantillas/*.html", "idiomas/en/*.json")
        for archivo in sorted((PAQUETE / "panel").glob(patron))
        for linea in archivo.read_text("utf-8").splitlines()
        if a_mano.search(linea)
    ]
    assert dichas + en_paginas == []


def _dichos(arbol: ast.Module) -> Iterator[str]:
    """Los textos que no documentan el código."""
    documentacion = {
        id(nodo.body[0].value)
        for nodo in ast.walk(arbol)
        if isinstance(nodo, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and nodo.body
        and isinstance(nodo.body[0], ast.Expr)
    }
    for nodo in ast.walk(arbol):
        if isinstance(nodo, ast.Constant) and isinstance(nodo.value, str) and id(nodo) not in documentacion:
            yield nodo.value
