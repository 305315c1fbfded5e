"""Cerrar el cliente de Pulsar mientras se conecta a un broker que acepta la conexión y después calla.

En un proceso aparte: lo que se comprueba es también cómo termina.
"""

import subprocess
import sys

import pytest

PROGRAMA = """
import socket
import sys
from concurrent.futures import ThreadPoolExecutor

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
    cliente._cliente.shutdown = lambda: None
with ThreadPoolExecutor(1) as hilos:
    conexion = hilos.submit(conectar)
    callado, _ = enchufe.accept()
    callado.recv(1)
    cliente.cerrar()
    assert isinstance(conexion.exception(10), FalloDelBroker), conexion
    assert isinstance(hilos.submit(conectar).exception(10), FalloDelBroker)
"""


@pytest.mark.parametrize("biblioteca", ["avisa", "muda"])
@pytest.mark.parametrize("que", ["productor", "suscripcion"])
def test_quien_se_conectaba_recibe_un_fallo_y_el_proceso_termina_bien_avise_o_no_la_biblioteca(
    que: str, biblioteca: str
) -> None:
    proceso = subprocess.run(
        [sys.executable, "-c", PROGRAMA, que, biblioteca], check=False, capture_output=True, text=True
    )
    assert proceso.returncode == 0, proceso.stderr
