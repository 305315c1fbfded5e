"""Lo que dice el cliente de Pulsar de verdad sale por nuestro registro."""

import json
import subprocess
import sys

# En un proceso aparte: la biblioteca registra donde dijo su primer cliente, y aquí otra prueba pudo crearlo.
PROGRAMA = """
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import ClientePulsar
from alpespartners.seedwork.observacion.registro import configurar_registro
from threading import Thread
import sys

configurar_registro("INFO")
cliente = ClientePulsar("pulsar://127.0.0.1:1", embebido=True)
Thread(target=cliente.suscribir, args=("comando-registrar-impresion",), daemon=True).start()
sys.stdin.read()
cliente.cerrar()
"""


def test_un_broker_que_no_esta_se_cuenta_con_el_lugar_de_donde_viene_el_aviso() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAMA], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as proceso:
        assert proceso.stderr is not None
        linea = json.loads(proceso.stderr.readline())
        proceso.communicate()
    assert linea["logger"] == "pulsar"
    assert linea["level"] in {"warning", "error"}
    assert linea["event"].endswith("del cliente de Pulsar") or linea["event"].endswith(
        "en el cliente de Pulsar"
    )
    assert linea["dice"]
    assert linea["donde"]
