"""El documento de la semilla, al pie de la letra: sus órdenes, ejemplos, tópicos, direcciones y archivos."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from alpespartners.api.tracking import ejemplos
from alpespartners.modulos.tracking.aplicacion import topicos
from tests.apoyo.espera import hasta
from tests.apoyo.lector import eventos_publicados
from tests.apoyo.repositorio import PAQUETE
from tests.apoyo.servicio import CONSUMIDORES, UVICORN, Instalacion, instalacion

DOCUMENTO = (Path(__file__).parent / "modulo-tracking.md").read_text(encoding="utf-8")
BLOQUES = re.findall(r"^```bash\n(.*?)^```", DOCUMENTO, re.DOTALL | re.MULTILINE)
EJEMPLOS = [bloque for bloque in BLOQUES if bloque.startswith("curl")]


@pytest.fixture(scope="module")
def servicio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instalacion]:
    with instalacion(tmp_path_factory.mktemp("semilla")) as nueva:
        nueva.api("--reload")
        nueva.consumidores()
        nueva.esperar_consumidores()
        yield nueva


def ejecutar(ejemplo: str, servicio: Instalacion) -> dict[str, str]:
    orden = shlex.split(ejemplo.replace("\\\n", " ").replace(":8000", f":{servicio.puerto}"))
    respuesta = subprocess.run(
        [*orden, "--silent", "--show-error", "--fail-with-body"], capture_output=True, text=True, check=True
    )
    cuerpo: dict[str, str] = json.loads(respuesta.stdout)
    return cuerpo


def test_el_documento_trae_los_dos_ejemplos() -> None:
    assert [re.findall(r"/tracking/\w+", ejemplo)[0] for ejemplo in EJEMPLOS] == [
        "/tracking/impresiones",
        "/tracking/conversiones",
    ]


def test_los_ejemplos_del_producto_son_los_del_documento() -> None:
    for ejemplo, cuerpo in zip(EJEMPLOS, ejemplos.EJEMPLOS.values(), strict=True):
        assert f"-d '{cuerpo}'" in ejemplo


@pytest.mark.parametrize(
    ("ejemplo", "recurso", "topico"),
    [
        (EJEMPLOS[0], "impresiones", topicos.EVENTO_IMPRESION_REGISTRADA),
        (EJEMPLOS[1], "conversiones", topicos.EVENTO_CONVERSION_REGISTRADA),
    ],
)
def test_cada_ejemplo_se_acepta_se_registra_se_lista_y_se_publica(
    servicio: Instalacion, ejemplo: str, recurso: str, topico: str
) -> None:
    enviado = json.loads(ejemplo[ejemplo.index("-d '") + 4 : ejemplo.rindex("'")])

    aceptado = ejecutar(ejemplo, servicio)
    assert (aceptado["id"], aceptado["estado"]) == (enviado["id"], "ACEPTADA")

    ruta = f"/tracking/{recurso}/{enviado['id']}"
    hasta(lambda: servicio.http.get(ruta).status_code == 200)
    registrado = servicio.http.get(ruta).json()
    assert {campo: registrado[campo] for campo in enviado} == enviado
    assert registrado["comando_id"] == aceptado["comando_id"]

    listado = servicio.http.get(f"/tracking/campañas/{enviado['campaña_id']}/{recurso}").json()
    assert listado == {"elementos": [registrado], "siguiente": None}

    evento = hasta(lambda: eventos_publicados(servicio.datos, topico).get(enviado["id"]))
    assert (evento["campana_id"], evento["comando_id"]) == (enviado["campaña_id"], aceptado["comando_id"])


def test_el_valor_de_la_venta_sale_con_sus_digitos_exactos(servicio: Instalacion) -> None:
    ejecutar(EJEMPLOS[1], servicio)
    ruta = "/tracking/conversiones/conv-123"
    hasta(lambda: servicio.http.get(ruta).status_code == 200)
    texto = servicio.http.get(ruta).text
    assert '"valor":150000.00,' in texto


def test_las_ordenes_de_arranque_son_las_del_documento() -> None:
    (local,) = [bloque for bloque in BLOQUES if "uvicorn" in bloque]
    ordenes = [linea for linea in local.splitlines() if linea and not linea.startswith("#")]
    assert ordenes == [
        shlex.join([Path(UVICORN[0]).name, *UVICORN[1:], "--reload"]),
        shlex.join(CONSUMIDORES).replace(shlex.quote(sys.executable), "python"),
    ]


def test_los_topicos_son_los_del_documento() -> None:
    (seccion,) = re.findall(r"### Tópicos de Pulsar\n(.*?)\n\n", DOCUMENTO, re.DOTALL)
    propios = {valor for nombre, valor in vars(topicos).items() if nombre.isupper()}
    assert set(re.findall(r"`([\w-]+)`", seccion)) == propios


def test_cada_direccion_del_documento_esta_en_el_openapi(servicio: Instalacion) -> None:
    descritas = {
        f"{metodo.upper()} {ruta}"
        for ruta, operaciones in servicio.http.get("/openapi.json").json()["paths"].items()
        for metodo in operaciones
    }
    del_documento = re.findall(r"^- `((?:GET|POST) /\S+)`", DOCUMENTO, re.MULTILINE)
    assert len(del_documento) == 6
    assert set(del_documento) <= descritas


def test_cada_archivo_del_arbol_del_documento_existe() -> None:
    (arbol,) = re.findall(r"```\ntracking/\n(.*?)```", DOCUMENTO, re.DOTALL)
    carpeta = PAQUETE / "modulos" / "tracking"
    vistos = 0
    padre = carpeta
    for linea in arbol.splitlines():
        sangria, nombre = re.fullmatch(r"([│├└─\s]*)(\S+).*", linea).groups()  # type: ignore[union-attr]
        if len(sangria) <= len("├── "):
            padre = carpeta / nombre
            assert padre.is_dir(), nombre
        else:
            assert (padre / nombre).exists(), nombre
        vistos += 1
    assert vistos == 15


@pytest.mark.parametrize(
    ("modulo", "nombres"),
    [
        ("dominio.entidades", ["Impresion", "Conversion"]),
        ("dominio.objetos_valor", ["Metadatos", "ValorConversion"]),
        ("dominio.eventos", ["ImpresionRegistrada", "ConversionRegistrada"]),
        ("aplicacion.comandos", ["RegistrarImpresion", "RegistrarConversion"]),
    ],
)
def test_cada_nombre_del_documento_esta_donde_dice(modulo: str, nombres: list[str]) -> None:
    cargado = import_module(f"alpespartners.modulos.tracking.{modulo}")
    assert all(nombre in DOCUMENTO and hasattr(cargado, nombre) for nombre in nombres)
