"""El hilo con que el cliente de Pulsar avisa de cada confirmación es, para Python, siempre el mismo."""

import threading
from pathlib import Path

from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import sobre_de_comando
from alpespartners.modulos.tracking.infraestructura.pulsar.hilo_ajeno import conservar_este_hilo
from tests.apoyo.broker import broker_de_prueba
from tests.apoyo.espera import hasta
from tests.apoyo.eventos import IMPRESION


def test_el_hilo_de_las_confirmaciones_recuerda_la_anterior(tmp_path: Path) -> None:
    memoria = threading.local()
    recordaba: list[bool] = []

    def al_saber(confirmado: bool) -> None:  # noqa: FBT001
        assert confirmado
        conservar_este_hilo()
        recordaba.append(hasattr(memoria, "algo"))
        memoria.algo = True

    sobre = sobre_de_comando(IMPRESION, "c-1", None)
    with broker_de_prueba(tmp_path) as broker:
        broker.arrancar()
        cliente = broker.cliente()
        productor = cliente.productor(sobre.topico, por_clave=False, limite=10, maximo_en_curso=10)
        for cuantas in (1, 2, 3):
            productor.enviar(sobre, al_saber)
            hasta(lambda: len(recordaba) == cuantas)  # noqa: B023 — se espera aquí mismo
        cliente.cerrar()
    assert recordaba == [False, True, True]
