"""Los programas de las metas a, b, c y d: cada uno carga el servicio de verdad y da sus filas."""

import pytest

from alpespartners.medicion import caudal, consumo, costo, latencia

pytestmark = pytest.mark.rendimiento


def test_mide_la_cpu_por_evento_entera_y_la_de_aceptarlo() -> None:
    medidas = costo.medir(breve=True)
    assert {medida.meta for medida in medidas} == {"a"}
    entera, admision, suelo, consumidores, broker, *con_postgresql = medidas
    assert [medida.objetivo for medida in medidas] == [7, 1.7, None, 3.5, None, None, 3.5, None]
    # Todas en respuestas vacías, menos la de aceptar, que va en suelos.
    assert entera.cifra == pytest.approx(admision.cifra * suelo.cifra + consumidores.cifra)
    assert admision.cifra > 1
    assert all(medida.cifra > 0 for medida in (suelo, consumidores, broker, *con_postgresql))


def test_mide_los_envios_por_segundo() -> None:
    fila, suelo = caudal.medir(breve=True)
    assert fila.como_minimo
    assert [fila.objetivo, suelo.objetivo] == [0.6, None]
    assert 0 < fila.cifra < 1
    assert suelo.cifra > 0


def test_mide_la_demora_del_202() -> None:
    mediana, cola = latencia.medir(breve=True)
    assert 0 < mediana.cifra <= cola.cifra


def test_mide_el_vaciado_de_un_topico() -> None:
    medidas = consumo.medir(breve=True)
    assert {medida.meta for medida in medidas} == {"d"}
    assert [medida.objetivo for medida in medidas] == [0.25, None, None] * 2
    assert all(medida.cifra > 0 for medida in medidas)
