"""Lo que se cuenta sale por `/metricas` como si lo hubiera contado la biblioteca."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from alpespartners.seedwork.observacion.contadores import Contador, Histograma

TRAMOS = (0.001, 0.5, 1, 2.5)
VALORES = (0.0, 0.001, 0.0011, 0.5, 0.7, 2.5, 2.6, 1000.0)


def _lineas(registro: CollectorRegistry) -> set[str]:
    """Las muestras, sin la hora en que nació cada serie, que solo da la biblioteca."""
    return {linea for linea in generate_latest(registro).decode().splitlines() if "_created" not in linea}


def test_un_contador_dice_lo_mismo_que_el_de_la_biblioteca() -> None:
    nuestro, suyo = CollectorRegistry(), CollectorRegistry()
    contador = Contador("cosas", "Las que hubo.", ["topico", "estado"], nuestro)
    otro = Counter("cosas", "Las que hubo.", ["topico", "estado"], registry=suyo)
    for estado, cuantas in (("A", 3), ("B", 1)):
        contador.cuentas["t", estado] += cuantas
        otro.labels("t", estado).inc(cuantas)
    assert _lineas(nuestro) == _lineas(suyo)


def test_un_histograma_reparte_como_el_de_la_biblioteca() -> None:
    nuestro, suyo = CollectorRegistry(), CollectorRegistry()
    histograma = Histograma("segundos", "Lo que tardó.", ["topico"], TRAMOS, nuestro)
    otro = Histogram("segundos", "Lo que tardó.", ["topico"], buckets=TRAMOS, registry=suyo)
    for valor in VALORES:
        histograma.de("t").observar(valor)
        otro.labels("t").observe(valor)
    assert _lineas(nuestro) == _lineas(suyo)
