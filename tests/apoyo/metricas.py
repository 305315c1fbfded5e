"""Contadores de usar y tirar, para las pruebas a las que no les importan."""

from prometheus_client import CollectorRegistry

from alpespartners.modulos.tracking.infraestructura.metricas import MetricasDeConsumo, MetricasDePublicacion


def metricas_de_publicacion() -> MetricasDePublicacion:
    """Los de quien publica comandos."""
    return MetricasDePublicacion(CollectorRegistry())


def metricas_de_consumo() -> MetricasDeConsumo:
    """Los de quien los consume."""
    return MetricasDeConsumo(CollectorRegistry())
