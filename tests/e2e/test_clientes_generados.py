"""Los clientes que se generan de nuestra descripción OpenAPI, en Python y en TypeScript: registran y listan.

Lo que los genera se instala, con sus versiones bloqueadas, en `.venv/clientes`; otra vez, si cambian.
"""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.apoyo.instalados import ejecutar, paquetes_de_npm, paquetes_de_python
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria
from tests.apoyo.repositorio import RAIZ
from tests.apoyo.servidor import servidor

pytestmark = [pytest.mark.servidores, pytest.mark.timeout(300)]

_APOYO = RAIZ / "tests" / "apoyo" / "clientes"

PROGRAMA = """
import json
import sys
from datetime import date

from cliente import Client
from cliente.api.conversiones import listar_conversiones_de_campana, obtener_conversion, registrar_conversion
from cliente.api.impresiones import listar_impresiones_de_campana, registrar_impresion
from cliente.api.informes import informe_de_campana, informe_de_influencer, listar_campanas
from cliente.models import (
    Aceptado,
    Conversion,
    DatosInvalidos,
    Informe,
    InformeInfluencer,
    NuevaConversion,
    NuevaConversionTipoConversion,
    NuevaImpresion,
    PaginaCampanas,
    PaginaConversion,
    PaginaImpresion,
)

cliente = Client(base_url=sys.argv[1], raise_on_unexpected_status=True, httpx_args={"trust_env": False})
venta = NuevaConversion.from_dict(
    {
        "id": "venta-py",
        "campaña_id": "cmp-ñ",
        "tipo_conversion": "VENTA",
        "valor": "150000.50",
        "moneda": "COP",
        "propiedades": {"canal": "historias"},
    }
)
aceptada = registrar_conversion.sync(client=cliente, body=venta)
assert isinstance(aceptada, Aceptado), aceptada
leida = obtener_conversion.sync("venta-py", client=cliente)
assert isinstance(leida, Conversion), leida
lista = listar_conversiones_de_campana.sync("cmp-ñ", client=cliente, limite=10)
assert isinstance(lista, PaginaConversion), lista
sin_importe = NuevaConversion(campaña_id="c", tipo_conversion=NuevaConversionTipoConversion.VENTA)
negada = registrar_conversion.sync(client=cliente, body=sin_importe)
assert isinstance(negada, DatosInvalidos), negada
registrar_impresion.sync(client=cliente, body=NuevaImpresion(campaña_id="cmp-ñ", id="imp-py"))
impresiones = listar_impresiones_de_campana.sync("cmp-ñ", client=cliente)
assert isinstance(impresiones, PaginaImpresion), impresiones
informe = informe_de_campana.sync("cmp-ñ", client=cliente, por="tipo", desde=date(2024, 1, 15))
assert isinstance(informe, Informe), informe
campanas = listar_campanas.sync(client=cliente, prefijo="cmp-")
assert isinstance(campanas, PaginaCampanas), campanas
de_nadie = informe_de_influencer.sync("nadie", client=cliente)
assert isinstance(de_nadie, InformeInfluencer), de_nadie
print(
    json.dumps(
        {
            "estado": aceptada.estado,
            "moneda": leida.moneda,
            "ids": [conversion.id for conversion in lista.elementos],
            "impresiones": [impresion.id for impresion in impresiones.elementos],
            "siguiente": lista.siguiente,
            "negada": negada.type_,
            "informe": [fila.tipo for fila in informe.filas] + [informe.total.valor["COP"]],
            "campanas": [(una.campaña_id, una.valor["COP"]) for una in campanas.elementos],
            "de_nadie": de_nadie.total.clics,
        }
    )
)
"""


@pytest.fixture
def direccion() -> Iterator[str]:
    with servidor(api_en_memoria(PuertosEnMemoria())) as puerto:
        yield f"http://127.0.0.1:{puerto}"


@pytest.fixture
def descripcion(direccion: str, tmp_path: Path) -> Path:
    """El archivo con la descripción tal como la sirve la API."""
    archivo = tmp_path / "openapi.json"
    archivo.write_bytes(httpx2.get(f"{direccion}/openapi.json", trust_env=False).content)
    return archivo


def test_un_cliente_de_python_registra_y_lista(direccion: str, descripcion: Path, tmp_path: Path) -> None:
    binarios = paquetes_de_python(RAIZ / "requisitos" / "clientes.txt", "python")
    generado = ejecutar(
        [
            *(binarios / "openapi-python-client", "generate", "--meta", "none"),
            *("--path", descripcion, "--output-path", tmp_path / "cliente"),
        ],
        tmp_path,
        PATH=f"{binarios}{os.pathsep}{os.environ['PATH']}",
    )
    # Las listas, el informe y en vivo están dos veces, y solo los de la dirección con ñ se quedan fuera.
    # De los lotes, uno de sus dos formatos.
    avisos = [linea for linea in generado.splitlines() if linea.startswith("WARNING")]
    de_lotes = [aviso for aviso in avisos if "/tracking/lotes" in aviso]
    assert ["will not be generated" in aviso for aviso in de_lotes] == [False]
    assert len(avisos) == 5
    assert all("/tracking/campañas/{campaña_id}/" in aviso for aviso in avisos if aviso not in de_lotes)

    dicho = json.loads(ejecutar([binarios / "python", "-c", PROGRAMA, direccion], tmp_path, PYTHONPATH="."))
    assert dicho == {
        "estado": "ACEPTADA",
        "moneda": "COP",
        "ids": ["venta-py"],
        "impresiones": ["imp-py"],
        "siguiente": None,
        "negada": "urn:alpespartners:error:datos_invalidos",
        "informe": ["IMPRESION", "VENTA", "150000.50"],
        "campanas": [["cmp-ñ", "150000.50"]],
        "de_nadie": 0,
    }


def _typescript(tmp_path: Path) -> Path:
    """Las herramientas de TypeScript, a las que también llega lo que haya en esa carpeta."""
    modulos = tmp_path / "node_modules"
    modulos.mkdir()
    for modulo in paquetes_de_npm(_APOYO, "typescript").iterdir():
        (modulos / modulo.name).symlink_to(modulo)
    return modulos / ".bin"


@pytest.mark.skipif(shutil.which("npm") is None, reason="faltan Node.js y npm (paquetes nodejs y npm)")
def test_un_cliente_de_typescript_compila_registra_y_lista(
    direccion: str, descripcion: Path, tmp_path: Path
) -> None:
    herramientas = _typescript(tmp_path)
    for archivo in ("package.json", "programa.ts", "tsconfig.json"):
        shutil.copy(_APOYO / archivo, tmp_path)
    ejecutar([herramientas / "openapi-typescript", descripcion, "-o", "esquema.d.ts"], tmp_path)
    ejecutar([herramientas / "tsc"], tmp_path)

    dicho = json.loads(ejecutar(["node", "programa.js", direccion], tmp_path))
    assert dicho == {
        "estado": "ACEPTADA",
        "moneda": "COP",
        "ids": ["venta-ts"],
        "siguiente": None,
        "negada": "urn:alpespartners:error:datos_invalidos",
    }


@pytest.mark.skipif(shutil.which("npm") is None, reason="faltan Node.js y npm (paquetes nodejs y npm)")
def test_nuestro_cliente_de_javascript_se_usa_con_tipos_estrictos(tmp_path: Path) -> None:
    herramientas = _typescript(tmp_path)
    (tmp_path / "node_modules" / "alpespartners-cliente").symlink_to(RAIZ / "clientes" / "js")
    shutil.copy(_APOYO / "package.json", tmp_path)
    shutil.copy(_APOYO / "uso_del_cliente.ts", tmp_path)
    ajustes = json.loads((_APOYO / "tsconfig.json").read_text(encoding="utf-8"))
    ajustes["files"] = ["uso_del_cliente.ts"]
    ajustes["compilerOptions"] |= {"noEmit": True, "exactOptionalPropertyTypes": True}
    (tmp_path / "tsconfig.json").write_text(json.dumps(ajustes), encoding="utf-8")
    ejecutar([herramientas / "tsc"], tmp_path)
