"""La cuenta común de varios procesos, aquí en uno solo que ocupa un puesto tras otro."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, values

from alpespartners.seedwork.observacion.cuenta_comun import Puesto, cuenta_comun
from alpespartners.seedwork.observacion.registro_comun import RegistroComun


@pytest.fixture
def carpeta(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """La de una cuenta; al acabar, las métricas vuelven a ser de cada registro."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    monkeypatch.setattr(values, "ValueClass", values.ValueClass)
    with cuenta_comun() as nueva:
        yield nueva


class Proceso:
    """Lo que cuenta el de un puesto."""

    def __init__(self, carpeta: Path, numero: int) -> None:
        self.registro = RegistroComun(Puesto(carpeta, numero))
        self.ventas = Counter("ventas", "Ventas.", ["moneda"], registry=self.registro)
        self.segundos = Histogram("segundos", "Demora.", buckets=(1, 2), registry=self.registro)
        self.disponible = Gauge("disponible", "Si puede.", registry=self.registro, multiprocess_mode="min")
        self.esperas = Gauge("esperas", "Esperas.", registry=self.registro, multiprocess_mode="sum")


def _muestras(registro: CollectorRegistry) -> dict[tuple[str, *tuple[str, ...]], float]:
    return {
        (muestra.name, *muestra.labels.values()): muestra.value
        for familia in registro.collect()
        for muestra in familia.samples
    }


def test_cualquiera_da_la_suma_de_lo_que_cuentan_todos(carpeta: Path) -> None:
    uno, dos = Proceso(carpeta, 1), Proceso(carpeta, 2)
    uno.ventas.labels("COP").inc(3)
    dos.ventas.labels("COP").inc(4)
    dos.ventas.labels("USD").inc()
    uno.segundos.observe(0.5)
    dos.segundos.observe(1.5)
    muestras = _muestras(uno.registro)
    assert muestras == _muestras(dos.registro)
    assert (muestras["ventas_total", "COP"], muestras["ventas_total", "USD"]) == (7, 1)
    assert [muestras["segundos_bucket", hasta] for hasta in ("1.0", "2.0", "+Inf")] == [1, 2, 2]
    assert (muestras["segundos_count",], muestras["segundos_sum",]) == (2, 2)


def test_lo_de_ahora_se_junta_como_dice_cada_medidor(carpeta: Path) -> None:
    uno, dos = Proceso(carpeta, 1), Proceso(carpeta, 2)
    uno.disponible.set(1)
    dos.disponible.set(0)
    uno.esperas.set(2)
    dos.esperas.set(3)
    muestras = _muestras(uno.registro)
    assert (muestras["disponible",], muestras["esperas",]) == (0, 5)


def test_quien_repone_a_un_muerto_sigue_su_cuenta(carpeta: Path) -> None:
    uno, muerto = Proceso(carpeta, 1), Proceso(carpeta, 2)
    uno.ventas.labels("COP").inc()
    muerto.ventas.labels("COP").inc(5)
    assert _muestras(uno.registro)["ventas_total", "COP"] == 6
    repuesto = Proceso(carpeta, 2)
    assert _muestras(uno.registro)["ventas_total", "COP"] == 6
    repuesto.ventas.labels("COP").inc()
    assert _muestras(uno.registro)["ventas_total", "COP"] == 7


def test_una_serie_sin_etiquetas_nace_a_cero(carpeta: Path) -> None:
    registro = RegistroComun(Puesto(carpeta, 1))
    Counter("fallos", "Fallos.", registry=registro)
    assert _muestras(registro) == {("fallos_total",): 0}


def test_cada_cuenta_empieza_en_cero_y_no_queda_nada_de_ella(carpeta: Path) -> None:
    Proceso(carpeta, 1).ventas.labels("COP").inc()
    with cuenta_comun() as otra:
        assert _muestras(RegistroComun(Puesto(otra, 1))) == {}
    assert not otra.exists()
