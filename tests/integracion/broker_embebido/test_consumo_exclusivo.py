"""El broker embebido admite un consumidor, y el que muere de golpe no se lleva mensajes consigo."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pulsar
import pytest

from alpespartners.broker_embebido import BrokerEmbebido
from alpespartners.seedwork.arranque import ErrorDeArranque

_CONSUMIDOR = Path(__file__).parents[2] / "apoyo" / "consumidor_brusco.py"
_TOPICO = "persistent://public/default/t"


def _cliente(broker: BrokerEmbebido) -> pulsar.Client:
    return pulsar.Client(broker.url, logger=pulsar.FileLogger(pulsar.LoggerLevel.Error, "/dev/null"))


@contextmanager
def _consumidor(datos: Path) -> Iterator["subprocess.Popen[str]"]:
    orden = [sys.executable, str(_CONSUMIDOR), str(datos), _TOPICO]
    with subprocess.Popen(orden, stdout=subprocess.PIPE, text=True) as proceso:
        assert proceso.stdout is not None
        assert proceso.stdout.readline() == "suscrito\n"
        try:
            yield proceso
        finally:
            proceso.kill()


def test_un_segundo_consumidor_recibe_una_frase(datos: Path) -> None:
    with BrokerEmbebido(datos, gracia=0.2) as primero, BrokerEmbebido(datos, gracia=0.2) as segundo:
        primero.reservar_consumo()
        with pytest.raises(ErrorDeArranque, match="Ya hay un proceso de consumidores"):
            segundo.reservar_consumo()


def test_el_consumo_se_puede_reservar_otra_vez_cuando_el_primero_cierra(datos: Path) -> None:
    with BrokerEmbebido(datos, gracia=0.2) as primero:
        primero.reservar_consumo()
    with BrokerEmbebido(datos, gracia=0.2) as segundo:
        segundo.reservar_consumo()


def test_lo_entregado_a_un_consumidor_que_muere_de_golpe_lo_recibe_el_siguiente(datos: Path) -> None:
    with BrokerEmbebido(datos, gracia=0.2) as broker:
        cliente = _cliente(broker)
        productor = cliente.create_producer(_TOPICO)
        for vuelta in range(3):
            with _consumidor(datos) as condenado:
                # Detenido no lee: al matarlo, el sistema corta la conexión en vez de cerrarla, y es entonces
                # cuando pulsar-lite no se entera de que murió.
                condenado.send_signal(signal.SIGSTOP)
                for numero in range(200):
                    productor.send(f"{vuelta}-{numero}".encode())
        cliente.close()
        with BrokerEmbebido(datos, gracia=0.2) as otro:
            otro.reservar_consumo()
            cliente = _cliente(otro)
            consumidor = cliente.subscribe(_TOPICO, "s", consumer_type=pulsar.ConsumerType.Shared)
            recibidos = {consumidor.receive(10_000).data().decode() for _ in range(600)}
            assert recibidos == {f"{vuelta}-{numero}" for vuelta in range(3) for numero in range(200)}
            cliente.close()
