"""Cerrar el cliente de Pulsar mientras se conecta: a un broker que calla, y a uno que ya respondió.

En un proceso aparte: lo que se comprueba es también cómo termina.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.apoyo.broker import broker_de_prueba

SEGUNDOS = 60

A_UN_BROKER_QUE_CALLA = """
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import ClientePulsar, FalloDelBroker

enchufe = socket.create_server(("127.0.0.1", 0))
cliente = ClientePulsar(f"pulsar://127.0.0.1:{enchufe.getsockname()[1]}", embebido=False)
conectar = {
    "productor": lambda: cliente.productor(
        "comando-registrar-impresion", por_clave=False, limite=1, maximo_en_curso=1
    ),
    "suscripcion": lambda: cliente.suscribir("comando-registrar-impresion"),
}[sys.argv[1]]
if sys.argv[2] == "muda":
    cliente._interno = SimpleNamespace(
        close_async=lambda avisar: avisar(None),
        create_producer_async=cliente._interno.create_producer_async,
        subscribe_async=cliente._interno.subscribe_async,
    )
with ThreadPoolExecutor(1) as hilos:
    conexion = hilos.submit(conectar)
    callado, _ = enchufe.accept()
    callado.recv(1)
    cliente.cerrar()
    assert isinstance(conexion.exception(30), FalloDelBroker), conexion
    assert isinstance(hilos.submit(conectar).exception(30), FalloDelBroker)
"""


A_UN_BROKER_QUE_YA_RESPONDIO = """
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import ClientePulsar

# Desde aquí, este hilo solo suelta el intérprete cuando quiere.
sys.setswitchinterval(1_000)
with ThreadPoolExecutor(1) as hilos:
    while True:
        cliente = ClientePulsar(sys.argv[1], embebido=True)
        conexion = hilos.submit(cliente.suscribir, "comando-registrar-impresion")
        while not cliente._conectando and not conexion.done():
            time.sleep(0)
        # Lo retiene mientras el broker responde: el hilo de la biblioteca se queda esperándolo para decirlo.
        hasta = time.monotonic() + 0.5
        while time.monotonic() < hasta:
            pass
        if not conexion.done():
            break
        # En una máquina cargada pudo conectarse antes de que este hilo lo retuviera: se intenta otra vez.
        cliente.cerrar()
    inicio = time.monotonic()
    cliente.cerrar()
    assert time.monotonic() - inicio < 8
"""


def ejecutar(programa: str, *argumentos: str) -> None:
    proceso = subprocess.run(
        [sys.executable, "-c", programa, *argumentos],
        check=False,
        capture_output=True,
        text=True,
        timeout=SEGUNDOS,
    )
    assert proceso.returncode == 0, proceso.stderr


@pytest.mark.parametrize("biblioteca", ["avisa", "muda"])
@pytest.mark.parametrize("que", ["productor", "suscripcion"])
def test_quien_se_conectaba_recibe_un_fallo_y_el_proceso_termina_bien_avise_o_no_la_biblioteca(
    que: str, biblioteca: str
) -> None:
    ejecutar(A_UN_BROKER_QUE_CALLA, que, biblioteca)


def test_cerrar_no_espera_al_hilo_que_lo_espera_a_el_para_decir_que_ya_esta_conectado(tmp_path: Path) -> None:
    with broker_de_prueba(tmp_path / "broker") as broker:
        broker.arrancar()
        ejecutar(A_UN_BROKER_QUE_YA_RESPONDIO, broker.url)
