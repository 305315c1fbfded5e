"""Los defectos de otras implementaciones de este mismo sistema que se ven leyendo el código.

Los que solo se ven ejecutándolo tienen su prueba donde se ejecutan: la identidad y el dinero en
`unidad/test_recorrido.py`; un mal mensaje y la confirmación en `unidad/infraestructura/test_consumidores.py`;
el commit y la publicación en `integracion/pulsar/test_flujo.py`; las conexiones en
`e2e/test_contrato_completo.py`; los campos Avro opcionales en `esquemas/test_v1.py`.
"""

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Float, Numeric

from alpespartners.modulos.tracking.infraestructura.libro.tablas import METADATOS
from tests.apoyo.repositorio import PAQUETE, modulos

MEDICION = dict(modulos(PAQUETE / "medicion"))
PRODUCTO = {ruta: arbol for ruta, arbol in modulos(PAQUETE) if ruta not in MEDICION}
MODULOS = PRODUCTO | MEDICION

EN_LAS_PLANTILLAS = Counter(
    atributo
    for plantilla in (PAQUETE / "panel" / "plantillas").glob("*.html")
    for atributo in re.findall(r"\.(\w+)", plantilla.read_text(encoding="utf-8"))
)
"""Los atributos que nombra alguna página del panel."""

CAMBIA_CADA_VEZ = {
    *("now", "utcnow", "today", "time", "time_ns", "monotonic"),
    *("uuid1", "uuid4", "uuid7", "urandom", "random", "randbytes", "token_hex", "token_bytes"),
}
BLOQUEA = {
    *("execute", "scalar", "commit", "rollback", "begin"),
    *("acknowledge", "subscribe", "create_producer", "create_reader", "flush"),
    *("open", "read_bytes", "read_text", "write_bytes", "write_text", "fsync"),
}
CLASES = {n.name for arbol in MODULOS.values() for n in ast.walk(arbol) if isinstance(n, ast.ClassDef)}
BASES_SIN_DUEÑO = {"ABC", "Exception", "Generic", "Protocol", "SystemExit", "ValueError"}
# Lo que llama alguien que no es nuestro código: pip, uvicorn, Alembic y multiprocessing.
PUERTAS = {
    "src/alpespartners/main.py": {"app"},
    "src/alpespartners/cli/__init__.py": {"principal"},
    "src/alpespartners/migraciones/versions": {
        *("revision", "down_revision", "branch_labels", "depends_on", "upgrade", "downgrade"),
    },
    "src/alpespartners/migraciones/env.py": set(),
    "src/alpespartners/modulos/tracking/infraestructura/__main__.py": set(),
    # No los da nadie: se leen de las filas que los guardaron.
    "src/alpespartners/modulos/tracking/aplicacion/codigos.py": {
        *("DEMASIADAS_PROPIEDADES", "TIMESTAMP_DEMASIADO_ANTIGUO", "TIMESTAMP_EN_EL_FUTURO"),
    },
}


def _llamadas(nodos: Iterator[ast.AST]) -> Iterator[tuple[str, int]]:
    """Las llamadas que se hacen ahí mismo: ni las que se esperan con `await` ni las de funciones internas."""
    pendientes = list(nodos)
    while pendientes:
        nodo = pendientes.pop()
        if isinstance(nodo, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(nodo, ast.Await):
            pendientes.extend(ast.iter_child_nodes(nodo.value))
            continue
        if isinstance(nodo, ast.Call):
            yield ast.unparse(nodo.func).rpartition(".")[2], nodo.lineno
        pendientes.extend(ast.iter_child_nodes(nodo))


def _al_importar(arbol: ast.Module) -> Iterator[ast.AST]:
    """Lo que se evalúa una sola vez: el cuerpo del módulo y de las clases, y los valores por omisión."""
    yield from arbol.body
    for nodo in ast.walk(arbol):
        if isinstance(nodo, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from nodo.args.defaults
            yield from (valor for valor in nodo.args.kw_defaults if valor is not None)


def test_ninguna_hora_ni_identidad_se_queda_fijada_al_importar() -> None:
    fijadas = {
        f"{ruta}:{linea}"
        for ruta, arbol in MODULOS.items()
        for nombre, linea in _llamadas(_al_importar(arbol))
        if nombre in CAMBIA_CADA_VEZ
    }
    assert fijadas == set()


def test_el_cliente_del_broker_se_crea_en_un_solo_sitio_y_lo_pide_solo_la_composicion() -> None:
    creados = Counter(
        (ast.unparse(nodo.func), ruta.removeprefix("src/alpespartners/"))
        for ruta, arbol in PRODUCTO.items()
        for nodo in ast.walk(arbol)
        if isinstance(nodo, ast.Call) and ast.unparse(nodo.func) in {"pulsar.Client", "ClientePulsar"}
    )
    donde = {nombre: {ruta for otro, ruta in creados if otro == nombre} for nombre, _ in creados}
    assert donde == {
        "pulsar.Client": {"modulos/tracking/infraestructura/pulsar/cliente.py"},
        "ClientePulsar": {"composicion/adaptadores.py"},
    }


def test_ninguna_corrutina_espera_bloqueando_el_bucle() -> None:
    bloqueos = {
        f"{ruta}:{linea} {nombre}"
        for ruta, arbol in MODULOS.items()
        for corrutina in ast.walk(arbol)
        if isinstance(corrutina, ast.AsyncFunctionDef)
        for nombre, linea in _llamadas(iter(corrutina.body))
        if nombre in BLOQUEA
    }
    assert bloqueos == set()


def test_ni_los_esquemas_ni_las_tablas_conocen_la_coma_flotante() -> None:
    carpeta = PAQUETE / "modulos" / "tracking" / "infraestructura" / "schema" / "v1"
    esquemas = {ruta.name: json.loads(ruta.read_text(encoding="utf-8")) for ruta in carpeta.glob("*.avsc")}
    assert esquemas != {}
    assert {
        nombre for nombre, esquema in esquemas.items() if {"float", "double"} & set(_tipos(esquema))
    } == set()
    columnas = [columna for tabla in METADATOS.sorted_tables for columna in tabla.columns]
    assert [str(columna) for columna in columnas if isinstance(columna.type, Float | Numeric)] == []


def _tipos(esquema: object) -> Iterator[str]:
    if isinstance(esquema, str):
        yield esquema
    elif isinstance(esquema, list):
        for parte in esquema:
            yield from _tipos(parte)
    elif isinstance(esquema, dict):
        for clave in ("type", "items", "values", "fields"):
            yield from _tipos(esquema.get(clave))


def _definidos(arbol: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    """Los nombres de un módulo, y los métodos y campos de sus clases.

    A los de una clase que amplía otra ajena los llama la biblioteca que la define.
    """
    for nodo in arbol.body:
        yield from _nombres_de(nodo)
        if (
            isinstance(nodo, ast.ClassDef)
            and {_base(base) for base in nodo.bases} <= BASES_SIN_DUEÑO | CLASES
        ):
            for miembro in nodo.body:
                yield from _nombres_de(miembro)


def _base(base: ast.expr) -> str:
    return ast.unparse(base.value if isinstance(base, ast.Subscript) else base)


def _nombres_de(nodo: ast.stmt) -> Iterator[tuple[str, ast.stmt]]:
    if isinstance(nodo, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield nodo.name, nodo
    elif isinstance(nodo, ast.Assign | ast.AnnAssign):
        destinos = nodo.targets if isinstance(nodo, ast.Assign) else [nodo.target]
        yield from ((destino.id, nodo) for destino in destinos if isinstance(destino, ast.Name))


def _usos(arbol: ast.AST) -> Iterator[str]:
    for nodo in ast.walk(arbol):
        match nodo:
            case ast.Name(id=nombre, ctx=ast.Load()) | ast.Attribute(attr=nombre):
                yield nombre
            case ast.alias(name=nombre):
                yield nombre.rpartition(".")[2]
            case ast.keyword(arg=str(nombre)):
                yield nombre
            case ast.Constant(value=str(nombre)) if nombre.isidentifier():
                yield nombre


@pytest.mark.parametrize(("definen", "usan"), [(PRODUCTO, PRODUCTO), (MEDICION, MODULOS)], ids=["", "medir"])
def test_no_hay_nada_definido_que_el_producto_no_use(
    definen: dict[str, ast.Module], usan: dict[str, ast.Module]
) -> None:
    usos = Counter(uso for arbol in usan.values() for uso in _usos(arbol)) + EN_LAS_PLANTILLAS
    sin_uso = [
        f"{ruta}: {nombre}"
        for ruta, arbol in definen.items()
        for nombre, nodo in _definidos(arbol)
        if not (nombre.startswith("__") and nombre.endswith("__"))
        and nombre not in next((p for puerta, p in PUERTAS.items() if ruta.startswith(puerta)), set())
        and not getattr(nodo, "decorator_list", [])
        and usos[nombre] == Counter(_usos(nodo))[nombre]
    ]
    assert sin_uso == []


def test_todo_modulo_lo_importa_alguien() -> None:
    importados = {
        nombre for arbol in MODULOS.values() for nodo in ast.walk(arbol) for nombre in _importados(nodo)
    }
    huerfanos = [
        ruta
        for ruta in MODULOS
        if not ruta.endswith("__init__.py")
        and not any(ruta.startswith(puerta) for puerta in PUERTAS)
        and _modulo(ruta) not in importados
    ]
    assert huerfanos == []


def _importados(nodo: ast.AST) -> Iterator[str]:
    if isinstance(nodo, ast.Import):
        yield from (alias.name for alias in nodo.names)
    elif isinstance(nodo, ast.ImportFrom) and nodo.module is not None:
        yield nodo.module
        yield from (f"{nodo.module}.{alias.name}" for alias in nodo.names)
    elif isinstance(nodo, ast.Constant) and isinstance(nodo.value, str):
        yield nodo.value  # `python -m` de un módulo nuestro


def _modulo(ruta: str) -> str:
    return ".".join(Path(ruta).relative_to("src").with_suffix("").parts)


def test_ningun_archivo_es_la_version_de_otro() -> None:
    versiones = [
        ruta
        for ruta in MODULOS
        if re.search(r"_(final|fixed|fix|old|new|bak|backup|copy|copia|viejo|nuevo|v?\d+)\.py$", ruta)
    ]
    assert versiones == []
