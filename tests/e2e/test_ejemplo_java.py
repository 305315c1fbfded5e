"""Los ejemplos de ejemplos/java contra los consumidores de verdad, en Apache Pulsar y el broker embebido."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from alpespartners.modulos.tracking.aplicacion.mensajes import Sobre
from alpespartners.modulos.tracking.aplicacion.topicos import (
    COMANDO_REGISTRAR_CONVERSION,
    EVENTO_IMPRESION_REGISTRADA,
)
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import ClientePulsar
from alpespartners.seedwork.procesos.cerrojos import Cerrojo
from tests.apoyo.espera import hasta
from tests.apoyo.lector import puerto_del_broker
from tests.apoyo.pulsar_apache import ServidorApache, mensajes_de_apache
from tests.apoyo.repositorio import RAIZ
from tests.apoyo.servicio import Instalacion, instalacion

_EJEMPLOS = RAIZ / "ejemplos" / "java"
_LIMITE = 100.0

pytestmark = [pytest.mark.servidores, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def maven() -> list[str]:
    """La orden con que se ejecutan, ya compilados; sin red si Maven ya tiene lo que piden."""
    if shutil.which("mvn") is None or shutil.which("javac") is None:
        pytest.skip("falta Maven o el compilador de Java")
    orden = ["mvn", "-q", "-B"]
    # Otro proceso de pruebas puede estar compilando lo mismo.
    cerrojo = Cerrojo(_EJEMPLOS / "pom.xml")
    hasta(cerrojo.tomar, 200, 0.2)
    try:
        if compilar([*orden, "-o"]).returncode == 0:
            return [*orden, "-o"]
        hecha = compilar(orden)
        assert hecha.returncode == 0, hecha.stdout
        return orden
    finally:
        cerrojo.cerrar()


def compilar(orden: list[str]) -> "subprocess.CompletedProcess[str]":
    """Compila, y con `exec:help` trae además lo que hará falta para ejecutar."""
    return subprocess.run(
        [*orden, "compile", "exec:help"], cwd=_EJEMPLOS, check=False, capture_output=True, text=True
    )


@pytest.fixture
def servicio(tmp_path: Path, pulsar_apache: ServidorApache) -> Iterator[Instalacion]:
    ajustes = {
        "ALPES_PULSAR_URL": pulsar_apache.url,
        "ALPES_PULSAR_ESPACIO": pulsar_apache.espacio_nuevo(),
    }
    with instalacion(tmp_path, **ajustes) as nueva:
        nueva.iniciar()
        nueva.esperar_consumidores()
        yield nueva


@contextmanager
def ejemplo(
    maven: list[str], servicio: Instalacion, clase: str, *argumentos: str, **ajustes: str
) -> Iterator[Path]:
    """Ejecuta una de las clases como dice su LEEME, y da el archivo donde queda lo que escribe."""
    salida = servicio.salidas / f"{clase}.txt"
    orden = [*maven, "exec:java", f"-Dexec.mainClass=com.alpespartners.ejemplos.{clase}"]
    with salida.open("wb") as destino:
        proceso = subprocess.Popen(
            [*orden, f"-Dexec.args={' '.join(argumentos)}"],
            cwd=_EJEMPLOS,
            env=os.environ | servicio.ajustes | ajustes,
            stdin=subprocess.DEVNULL,
            stdout=destino,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield salida
    finally:
        if proceso.poll() is None:
            os.killpg(proceso.pid, signal.SIGKILL)
        proceso.wait()


def lineas(salida: Path) -> list[str]:
    """Los eventos que escribió quien lee; Maven antepone al primero lo que apaga los colores."""
    return re.findall(r"com\.alpespartners\.tracking\.v1\.Evento.*", salida.read_text(encoding="utf-8"))


def test_una_conversion_publicada_desde_java_se_registra_con_su_importe_exacto_y_java_lee_los_eventos(
    maven: list[str], servicio: Instalacion, pulsar_apache: ServidorApache
) -> None:
    registrar(servicio, "imp-1")

    with ejemplo(maven, servicio, "LeerEventos") as leido:
        with ejemplo(
            maven, servicio, "PublicarConversion", "venta-java", "99999999999999.9900", "COP"
        ) as dicho:
            ruta = "/tracking/conversiones/venta-java"
            hasta(lambda: servicio.http.get(ruta).status_code == 200, _LIMITE)
            hasta(lambda: "publicado en" in dicho.read_text(encoding="utf-8"), _LIMITE)
        hasta(lambda: len(lineas(leido)) == 2, _LIMITE)

    assert '"valor":99999999999999.99,"moneda":"COP"' in servicio.http.get(ruta).text
    impresion, conversion = sorted(lineas(leido), key=lambda linea: "Conversion" in linea)
    assert "v1.EventoImpresionRegistrada " in impresion
    assert " id=imp-1 " in impresion
    assert " campana_id=cmp-ñ " in impresion
    assert "v1.EventoConversionRegistrada " in conversion
    assert " id=venta-java " in conversion
    assert " valor=99999999999999.9900 moneda=COP " in conversion

    # Es el mismo esquema, no una versión más.
    topico = f"{servicio.ajustes['ALPES_PULSAR_ESPACIO']}/{COMANDO_REGISTRAR_CONVERSION}"
    versiones = pulsar_apache.administrar("GET", f"schemas/{topico}/schemas")["getSchemaResponses"]
    assert len(versiones) == 1


def test_java_escribe_una_sola_vez_un_evento_que_llega_repetido(
    maven: list[str], servicio: Instalacion, pulsar_apache: ServidorApache
) -> None:
    espacio = servicio.ajustes["ALPES_PULSAR_ESPACIO"]
    registrar(servicio, "imp-1")
    (evento,) = hasta(lambda: mensajes_de_apache(pulsar_apache.url, espacio, EVENTO_IMPRESION_REGISTRADA))
    repetido = Sobre(EVENTO_IMPRESION_REGISTRADA, "cmp-ñ", evento.properties(), evento.data())
    cliente = ClientePulsar(pulsar_apache.url, espacio=espacio, embebido=False)
    productor = cliente.productor(repetido.topico, por_clave=True, limite=30, maximo_en_curso=1)
    confirmados: list[bool] = []
    productor.enviar(repetido, confirmados.append)
    productor.vaciar()
    cliente.cerrar()
    assert confirmados == [True]
    registrar(servicio, "imp-2")

    with ejemplo(maven, servicio, "LeerEventos") as leido:
        # El segundo va detrás del repetido, en el mismo tópico y con un solo lector.
        hasta(lambda: any(" id=imp-2 " in linea for linea in lineas(leido)), _LIMITE)
    assert len(lineas(leido)) == 2


def test_java_publica_y_lee_tambien_en_el_broker_embebido(maven: list[str], tmp_path: Path) -> None:
    with instalacion(tmp_path) as servicio:
        servicio.iniciar()
        servicio.esperar_consumidores()
        registrar(servicio, "imp-1")
        url = f"pulsar://127.0.0.1:{puerto_del_broker(servicio.datos)}"
        publicar = ("PublicarConversion", "venta-java", "150000.00", "COP")
        with ejemplo(maven, servicio, "LeerEventos", ALPES_PULSAR_URL=url) as leido:
            with ejemplo(maven, servicio, *publicar, ALPES_PULSAR_URL=url) as dicho:
                hasta(lambda: "publicado en" in dicho.read_text(encoding="utf-8"), _LIMITE)
            hasta(lambda: len(lineas(leido)) == 2, _LIMITE)
    assert {"id=imp-1", "id=venta-java", "valor=150000.0000"} <= set(" ".join(lineas(leido)).split())


def registrar(servicio: Instalacion, id_evento: str) -> None:
    """Envía una impresión y vuelve cuando está registrada."""
    respuesta = servicio.http.post("/tracking/impresiones", json={"id": id_evento, "campaña_id": "cmp-ñ"})
    assert respuesta.status_code == 202
    hasta(lambda: servicio.http.get(f"/tracking/impresiones/{id_evento}").status_code == 200, _LIMITE)
