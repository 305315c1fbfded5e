"""La página de operación, las alarmas y el tablero nombran métricas que existen."""

import re

from prometheus_client import CollectorRegistry

from alpespartners.api.operacion.metricas import Peticiones, estado_de_la_api
from alpespartners.api.operacion.pulso import Pulso
from alpespartners.modulos.tracking.aplicacion.en_vivo.difusion import EnVivo
from alpespartners.modulos.tracking.aplicacion.esperas import Esperas
from alpespartners.modulos.tracking.infraestructura.metricas import MetricasDeConsumo, MetricasDePublicacion
from tests.apoyo.memoria import AHORA, PuertosEnMemoria
from tests.apoyo.repositorio import RAIZ
from tests.apoyo.topicos_en_vivo import TopicosQueNoHay

# La sonda la da el consumidor en marcha: tests/e2e/test_metricas.py.
DE_LA_SONDA = {"alpes_comandos_en_espera", "alpes_suscripcion_conectada"}


async def test_toda_metrica_de_la_pagina_existe_y_toda_la_que_existe_esta_en_la_pagina() -> None:
    registro = CollectorRegistry()
    Peticiones(registro)
    MetricasDePublicacion(registro)
    MetricasDeConsumo(registro)
    puertos = PuertosEnMemoria()
    pulso = Pulso(
        registro, puertos, Esperas(puertos), EnVivo(TopicosQueNoHay(), lambda: AHORA), lambda: AHORA
    )
    familias = [*await estado_de_la_api(pulso, puertos, puertos, puertos.clics)(), *registro.collect()]
    existentes = {familia.name for familia in familias} | DE_LA_SONDA
    assert _nombradas("operacion.md") - {"alpes_bandeja_salida"} == existentes
    assert _nombradas("alarmas.yml") <= existentes
    assert _nombradas("grafana.json") - {"alpes_info"} == existentes


def _nombradas(archivo: str) -> set[str]:
    texto = (RAIZ / "docs" / archivo).read_text(encoding="utf-8")
    return {
        re.sub(r"_(total|bucket|sum|count)$", "", nombre)
        for nombre in re.findall(r"\balpes_[a-z_]*[a-z]", texto)
    }
