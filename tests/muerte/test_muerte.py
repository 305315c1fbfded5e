"""La prueba de muerte, con las rondas que caben en cada entrega."""

from pathlib import Path

import pytest

from tests.apoyo.base_datos import sql
from tests.apoyo.cuentas import TABLAS
from tests.apoyo.espera import hasta
from tests.apoyo.servicio import instalacion
from tests.muerte.__main__ import resumen
from tests.muerte.arbol import PAPELES, embebido
from tests.muerte.auditoria import auditar, embebida, esperar_calma
from tests.muerte.carga import Carga
from tests.muerte.rondas import ejecutar
from tests.muerte.servidores import servidores


@pytest.mark.timeout(400)
def test_veinte_muertes_bajo_carga_no_pierden_ni_repiten_nada(tmp_path: Path) -> None:
    dicho: list[str] = []
    with embebido(tmp_path, 1) as montaje:
        informe = ejecutar(montaje, rondas=20, semilla=20, decir=dicho.append)
    assert informe.auditoria.discrepancias == [], resumen(informe, PAPELES)
    assert all(informe.ocupadas[papel] >= 3 for papel in PAPELES), resumen(informe, PAPELES)
    assert informe.por_lotes > 100
    assert len(dicho) == 20


@pytest.mark.servidores
@pytest.mark.timeout(600)
def test_veinte_muertes_con_apache_pulsar_postgresql_y_cuatro_consumidores_tampoco(tmp_path: Path) -> None:
    with servidores(tmp_path) as montaje:
        informe = ejecutar(montaje, rondas=20, semilla=20, decir=list[str]().append)
    assert informe.auditoria.discrepancias == [], resumen(informe, montaje.papeles)
    assert all(informe.ocupadas[papel] >= 3 for papel in montaje.papeles), resumen(informe, montaje.papeles)


def test_la_auditoria_nombra_lo_que_falta_lo_que_sobra_y_lo_que_cambio(tmp_path: Path) -> None:
    with instalacion(tmp_path) as servicio:
        servicio.iniciar()
        servicio.esperar_consumidores()
        carga = Carga([servicio.puerto], semilla=1)
        carga.empezar()
        hasta(lambda: len(carga.aceptados) >= 150, 60)
        carga.terminar()
        esperar_calma(embebida(servicio), carga)
        assert auditar(embebida(servicio), carga).discrepancias == []

        datos = servicio.datos
        ((perdida,), (cambiada,)) = sql(datos, "SELECT id FROM impresiones ORDER BY id LIMIT 2")
        ((cara,),) = sql(datos, "SELECT id FROM conversiones WHERE valor > 0 ORDER BY id LIMIT 1")
        ((olvidado,),) = sql(datos, "SELECT comando_id FROM destinos WHERE estado = 'DUPLICADA' LIMIT 1")
        sql(datos, f"DELETE FROM impresiones WHERE id = '{perdida}'")  # noqa: S608 (es suyo)
        sql(datos, f"UPDATE impresiones SET usuario_id = 'otro' WHERE id = '{cambiada}'")  # noqa: S608
        sql(datos, f"UPDATE conversiones SET valor = valor + 10000 WHERE id = '{cara}'")  # noqa: S608
        sql(datos, f"DELETE FROM destinos WHERE comando_id = '{olvidado}'")  # noqa: S608
        discrepancias = auditar(embebida(servicio), carga).discrepancias
        assert f"impresiones: evento sin fila: {perdida}" in discrepancias
        assert any(f"aceptado sin destino: {olvidado}" in falta for falta in discrepancias)
        assert sum("balance" in falta for falta in discrepancias) >= 1
        for cuentas in (*TABLAS, "usuarios_por_dia"):
            assert any(f"no son las filas: ('{cuentas}'" in falta for falta in discrepancias)
        for id_evento in (cambiada, cara):
            assert any("otro contenido" in falta and f"'{id_evento}'" in falta for falta in discrepancias)
