"""El broker embebido que se calla lo que guarda: se nota, y otra suscripción lo trae."""

from pathlib import Path

import pulsar
import pytest

from alpespartners.modulos.tracking.aplicacion.topicos import COMANDO_REGISTRAR_IMPRESION
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import (
    ClientePulsar,
    FalloDelBroker,
    Suscripcion,
)
from tests.apoyo.broker import broker_de_prueba

ESPERA_MS = 200


def publicar(url: str, carga: bytes) -> None:
    cliente = pulsar.Client(url)
    cliente.create_producer(f"persistent://public/default/{COMANDO_REGISTRAR_IMPRESION}").send(carga)
    cliente.close()


def agotar(suscripcion: Suscripcion) -> int:
    """Recibe hasta el silencio, y dice cuántos llegaron."""
    llegados = 0
    while suscripcion.recibir(ESPERA_MS) is not None:
        llegados += 1
    return llegados


def test_un_mensaje_que_el_broker_guarda_y_no_entrega_se_echa_en_falta(tmp_path: Path) -> None:
    with broker_de_prueba(tmp_path / "broker") as broker:
        broker.arrancar()
        cliente = ClientePulsar(broker.url, embebido=True)
        try:
            suscripcion = cliente.suscribir(COMANDO_REGISTRAR_IMPRESION)
            suscripcion.comprobar_que_no_falta_nada()
            publicar(broker.url, b"uno")
            assert agotar(suscripcion) == 1
            for _ in range(3):
                suscripcion.comprobar_que_no_falta_nada()

            # Para quien no llega a recibirlo, es como si no se lo entregara.
            publicar(broker.url, b"dos")
            suscripcion.comprobar_que_no_falta_nada()
            with pytest.raises(FalloDelBroker, match="se calla"):
                suscripcion.comprobar_que_no_falta_nada()
            suscripcion.cerrar()

            otra = cliente.suscribir(COMANDO_REGISTRAR_IMPRESION)
            assert agotar(otra) == 2
            for _ in range(3):
                otra.comprobar_que_no_falta_nada()
        finally:
            cliente.cerrar()
