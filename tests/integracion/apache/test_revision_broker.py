"""La retención y las suscripciones de un Apache Pulsar de verdad, revisadas por su administración."""

from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from alpespartners.modulos.tracking.aplicacion.clases import CLASES
from alpespartners.modulos.tracking.aplicacion.puertos import EstadoDelBroker
from alpespartners.modulos.tracking.infraestructura.despachadores import DespachadorPulsar
from alpespartners.modulos.tracking.infraestructura.pulsar import revision as modulo_de_la_revision
from alpespartners.modulos.tracking.infraestructura.pulsar.revision import (
    DESCONOCIDO,
    Revision,
    RevisorDelBroker,
)
from tests.apoyo.espera import hasta
from tests.apoyo.eventos import CONVERSION, IMPRESION
from tests.apoyo.metricas import metricas_de_publicacion
from tests.apoyo.pulsar_apache import ApacheDePrueba, ServidorApache, servidor_apache
from tests.apoyo.servicio import instalacion

BIEN = EstadoDelBroker(retencion="suficiente", suscripciones="presentes")


def revisor(servidor: ServidorApache, apache: ApacheDePrueba) -> RevisorDelBroker:
    return RevisorDelBroker(servidor.admin, espacio=apache.espacio, token=None, ca=None)


async def publicar(apache: ApacheDePrueba) -> None:
    cliente = apache.cliente()
    despachador = DespachadorPulsar(30, metricas_de_publicacion())
    await despachador.abrir(cliente)
    for comando in (IMPRESION, CONVERSION):
        await despachador.publicar(comando, comando_id="c-1", traza=None)
    await despachador.cerrar()
    cliente.cerrar()


async def test_faltan_las_suscripciones_hasta_que_alguien_arranca(
    pulsar_apache: ServidorApache, apache: ApacheDePrueba
) -> None:
    antes = await revisor(pulsar_apache, apache).revision()
    assert antes.estado == replace(BIEN, suscripciones="faltan")
    assert any("comando-registrar-impresion le falta la suscripción tracking" in f for f in antes.faltas)
    await publicar(apache)
    en_espera = {clase.topico: 1 for clase in CLASES}
    assert await revisor(pulsar_apache, apache).revision() == Revision(replace(BIEN, en_espera=en_espera))


@pytest.mark.parametrize(
    ("minutos", "megas", "basta"),
    [(-1, -1, True), (7 * 24 * 60, -1, True), (7 * 24 * 60 - 1, -1, False), (-1, 100, False), (0, 0, False)],
)
async def test_menos_de_siete_dias_o_un_maximo_de_tamaño_es_insuficiente(
    pulsar_apache: ServidorApache, apache: ApacheDePrueba, minutos: int, megas: int, *, basta: bool
) -> None:
    regla = {"retentionTimeInMinutes": minutos, "retentionSizeInMB": megas}
    pulsar_apache.administrar("POST", f"namespaces/{apache.espacio}/retention", regla)
    await publicar(apache)
    revision = await revisor(pulsar_apache, apache).revision()
    assert revision.estado.retencion == ("suficiente" if basta else "insuficiente")
    frases = [f for f in revision.faltas if "retención" in f]
    assert len(frases) == (0 if basta else 4)
    assert all(f"set-retention {apache.espacio} --time 7d --size -1" in frase for frase in frases)


async def test_sin_topicos_ni_regla_propia_rige_la_retencion_del_broker(
    pulsar_apache: ServidorApache,
) -> None:
    async def retencion(servidor: ServidorApache, espacio: str) -> str:
        recien = RevisorDelBroker(servidor.admin, espacio=espacio, token=None, ca=None)
        return (await recien.revision()).estado.retencion

    pulsar_apache.administrar("PUT", "namespaces/public/sin-regla", {})
    assert await retencion(pulsar_apache, "public/sin-regla") == "insuficiente"
    with servidor_apache(defaultRetentionTimeInMinutes="-1", defaultRetentionSizeInMB="-1") as servidor:
        assert await retencion(servidor, "public/default") == "suficiente"


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "pulsar"])
async def test_una_administracion_que_no_responde_o_no_es_pulsar_es_desconocida(
    pulsar_apache: ServidorApache, apache: ApacheDePrueba, url: str
) -> None:
    # El puerto de los clientes acepta la conexión y no habla HTTP.
    direccion = url if url != "pulsar" else pulsar_apache.url.replace("pulsar://", "http://")
    preguntado = RevisorDelBroker(direccion, espacio=apache.espacio, token=None, ca=None)
    assert await preguntado.revision() is DESCONOCIDO


async def test_la_respuesta_se_recuerda_y_lo_que_falta_se_dice_una_vez(
    pulsar_apache: ServidorApache, apache: ApacheDePrueba, monkeypatch: pytest.MonkeyPatch
) -> None:
    del pulsar_apache
    # El de otra prueba del mismo proceso puede haber quedado con su configuración.
    monkeypatch.setattr(modulo_de_la_revision, "_registro", structlog.get_logger())
    sin_respuesta = RevisorDelBroker("http://127.0.0.1:1", espacio=apache.espacio, token=None, ca=None)
    with structlog.testing.capture_logs() as dicho:
        await sin_respuesta.avisar(lambda: True)
    assert await sin_respuesta.revision() is await sin_respuesta.revision()
    assert [linea["event"] for linea in dicho if linea["log_level"] == "warning"] == [
        "no se pudo preguntar a la administración de Pulsar; revise ALPES_PULSAR_ADMIN"
    ]


def test_el_servicio_lo_dice_en_su_salud_y_en_su_registro_sin_dejar_de_aceptar(
    pulsar_apache: ServidorApache, apache: ApacheDePrueba, tmp_path: Path
) -> None:
    regla = {"retentionTimeInMinutes": 60, "retentionSizeInMB": -1}
    pulsar_apache.administrar("POST", f"namespaces/{apache.espacio}/retention", regla)
    ajustes = {
        "ALPES_PULSAR_URL": pulsar_apache.url,
        "ALPES_PULSAR_ESPACIO": apache.espacio,
        "ALPES_PULSAR_ADMIN": pulsar_apache.admin,
    }
    with instalacion(tmp_path, **ajustes) as servicio:
        procesos = [servicio.api(), servicio.consumidores()]
        servicio.esperar_consumidores()
        cuerpo = servicio.http.get("/salud/lista").json()
        assert (cuerpo["estado"], cuerpo["retencion"]) == ("lista", "insuficiente")
        hasta(lambda: all("set-retention" in servicio.salida(proceso) for proceso in procesos))
        respuesta = servicio.http.post("/tracking/impresiones", json={"campaña_id": "c"})
        assert respuesta.status_code == 202
