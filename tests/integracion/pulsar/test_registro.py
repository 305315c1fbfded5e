"""Lo que dice el cliente de Pulsar de verdad sale por nuestro registro."""

import threading
from contextlib import suppress

import pytest
from structlog.testing import CapturingLogger

from alpespartners.modulos.tracking.aplicacion.topicos import COMANDO_REGISTRAR_IMPRESION
from alpespartners.modulos.tracking.infraestructura import registro_pulsar
from alpespartners.modulos.tracking.infraestructura.cliente_pulsar import ClientePulsar, FalloDelBroker
from tests.apoyo.espera import hasta


def test_un_broker_que_no_esta_se_cuenta_con_el_lugar_de_donde_viene_el_aviso(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registro = CapturingLogger()
    monkeypatch.setattr(registro_pulsar, "_registro", registro)
    cliente = ClientePulsar("pulsar://127.0.0.1:1", embebido=True)

    def conectar() -> None:
        with suppress(FalloDelBroker):
            cliente.suscribir(COMANDO_REGISTRAR_IMPRESION)

    hilo = threading.Thread(target=conectar)
    hilo.start()
    try:
        llamada = hasta(lambda: registro.calls[0] if registro.calls else None)
    finally:
        cliente.cerrar()
        hilo.join()
    assert llamada.method_name in {"warning", "error"}
    assert llamada.kwargs.keys() == {"donde"}
