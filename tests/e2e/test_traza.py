"""Con el `traceparent` de su petición se encuentra todo lo que un envío dejó detrás."""

import json
from pathlib import Path

from alpespartners.modulos.tracking.aplicacion.topicos import (
    COMANDO_REGISTRAR_IMPRESION,
    EVENTO_IMPRESION_REGISTRADA,
)
from tests.apoyo.espera import hasta
from tests.apoyo.lector import mensajes_publicados
from tests.apoyo.servicio import instalacion

CUANTAS = 20


def test_la_traza_va_de_la_peticion_al_comando_al_evento_y_a_los_dos_registros(tmp_path: Path) -> None:
    trazas = {f"imp-{numero}": f"00-{numero + 1:032x}-00f067aa0ba902b7-01" for numero in range(CUANTAS)}
    with instalacion(tmp_path, ALPES_REGISTRO="DEBUG") as servicio:
        api = servicio.api()
        servicio.esperar_lista()
        for id_evento, traza in trazas.items():
            servicio.http.post(
                "/tracking/impresiones",
                json={"id": id_evento, "campaña_id": "c"},
                headers={"traceparent": traza},
            )
        # Ya están todas en el tópico: van en pocos lotes, cada una con la suya.
        consumidores = servicio.consumidores()
        hasta(lambda: len(mensajes_publicados(servicio.datos, EVENTO_IMPRESION_REGISTRADA)) == CUANTAS, 60)
        for topico in (COMANDO_REGISTRAR_IMPRESION, EVENTO_IMPRESION_REGISTRADA):
            publicadas = {
                campos["id"]: propiedades["traceparent"]
                for propiedades, campos in mensajes_publicados(servicio.datos, topico)
            }
            assert publicadas == trazas
        accesos = {
            linea["traza"]
            for linea in map(json.loads, servicio.salida(api).splitlines()[1:])
            if linea.get("ruta") == "/tracking/impresiones"
        }
        asentados = {
            linea["traza"]
            for linea in map(json.loads, servicio.salida(consumidores).splitlines())
            if linea["event"] == "comando asentado"
        }
    assert accesos == asentados == {traza.split("-")[1] for traza in trazas.values()}
