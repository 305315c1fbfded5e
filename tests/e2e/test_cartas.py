"""`alpespartners cartas`: lo que no se pudo descifrar se encuentra, se repara y se registra una sola vez."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from alpespartners.modulos.tracking.aplicacion.topicos import (
    COMANDO_REGISTRAR_CONVERSION,
    COMANDO_REGISTRAR_IMPRESION,
    EVENTO_IMPRESION_REGISTRADA,
)
from tests.apoyo.base_datos import sql
from tests.apoyo.espera import hasta
from tests.apoyo.eventos import CONVERSION, IMPRESION
from tests.apoyo.lector import mensajes_del_topico, mensajes_publicados, publicar
from tests.apoyo.primer_esquema import carga_del_primero
from tests.apoyo.puertos import puerto_libre
from tests.apoyo.servicio import BINARIOS, Instalacion, instalacion


@pytest.fixture(scope="module")
def servicio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instalacion]:
    with instalacion(tmp_path_factory.mktemp("cartas")) as nueva:
        nueva.iniciar()
        nueva.esperar_consumidores()
        yield nueva


def cartas(servicio: Instalacion, *argumentos: str, **ajustes: str) -> tuple[int, str]:
    """Da la orden y devuelve con qué código acabó y qué dijo."""
    proceso = servicio.lanzar([str(BINARIOS / "alpespartners"), "cartas", *argumentos], **ajustes)
    codigo = proceso.wait(60)
    return codigo, servicio.salida(proceso)


def carga_de(comando: Comando) -> bytes:
    return carga_del_primero(comando)


def queda_ilegible(
    servicio: Instalacion, topico: str, carga: bytes, ce_id: str, clave: str, **propiedades: str
) -> None:
    """Publica un mensaje que no se puede descifrar y espera a que esté entre las cartas."""
    publicar(servicio.datos, topico, carga, {"ce_id": ce_id, **propiedades}, clave)
    hasta(
        lambda: any(
            carta.properties().get("alpes_comando_id") == ce_id
            for carta in mensajes_del_topico(servicio.datos, f"{topico}-tracking-DLQ")
        ),
        30,
        0.2,
    )


def renglon_de(servicio: Instalacion, comando_id: str) -> str:
    """Qué fue de la carta de ese comando, según `cartas listar`."""

    def leer() -> str | None:
        codigo, salida = cartas(servicio, "listar")
        assert codigo == 0
        renglones = [linea.split("\t") for linea in salida.splitlines()]
        return next((partes[-1] for partes in renglones if partes[0] == comando_id), None)

    return hasta(leer)


def reinyectado(servicio: Instalacion, topico: str, anterior: str) -> set[str]:
    """Los `comando_id` con que volvió al tópico el comando anterior."""
    mensajes = [mensaje.properties() for mensaje in mensajes_del_topico(servicio.datos, topico)]
    return {m["ce_id"] for m in mensajes if m.get("alpes_reinyecta") == anterior}


def registrada(servicio: Instalacion, direccion: str) -> dict[str, Any]:
    def leer() -> dict[str, Any] | None:
        respuesta = servicio.http.get(direccion)
        leida: dict[str, Any] = respuesta.json()
        return leida if respuesta.status_code == 200 else None

    return hasta(leer)


def test_una_impresion_que_fue_al_topico_de_conversiones_se_reinyecta_y_se_registra_una_sola_vez(
    servicio: Instalacion,
) -> None:
    carga = carga_de(replace(IMPRESION, id="perdida"))
    queda_ilegible(servicio, COMANDO_REGISTRAR_CONVERSION, carga, "ajena-1", "perdida")

    codigo, salida = cartas(servicio, "listar", "conversion")
    (renglon,) = [linea for linea in salida.splitlines() if linea.startswith("ajena-1\t")]
    assert codigo == 0
    assert COMANDO_REGISTRAR_CONVERSION in renglon
    assert f"{len(carga)} octetos" in renglon
    assert renglon.endswith("\tpendiente")

    orden = ("reinyectar", "conversion", "ajena-1", "--a", "impresion")
    for _ in range(2):
        codigo, salida = cartas(servicio, *orden)
        assert codigo == 0
        assert "1 reinyectada." in salida
    (comando_id,) = reinyectado(servicio, COMANDO_REGISTRAR_IMPRESION, "ajena-1")
    assert UUID(comando_id).version == 5
    assert registrada(servicio, "/tracking/impresiones/perdida")["comando_id"] == comando_id

    # Un comando que va detrás ya tiene destino: la segunda reinyección también se consumió.
    publicar(servicio.datos, COMANDO_REGISTRAR_IMPRESION, carga_de(replace(IMPRESION, id="detrás")), {}, None)
    registrada(servicio, "/tracking/impresiones/detr%C3%A1s")
    (historia,) = servicio.http.get("/tracking/impresiones/perdida/destino").json()["destinos"]
    assert historia["estado"] == "REGISTRADA"
    assert historia["comando_id"] == comando_id
    eventos = [c for _, c in mensajes_publicados(servicio.datos, EVENTO_IMPRESION_REGISTRADA)]
    assert [campos["comando_id"] for campos in eventos if campos["id"] == "perdida"] == [comando_id]
    assert (
        renglon_de(servicio, "ajena-1")
        == f"reinyectada en {COMANDO_REGISTRAR_IMPRESION}: REGISTRADA, id perdida"
    )
    assert "ajena-1\t" not in cartas(servicio, "listar", "conversion", "--pendientes")[1]


def test_una_propiedad_falsa_se_quita_y_el_comando_se_registra(servicio: Instalacion) -> None:
    carga = carga_de(replace(CONVERSION, id="falsa"))
    queda_ilegible(
        servicio, COMANDO_REGISTRAR_CONVERSION, carga, "falsa-1", "falsa", ce_type="otra.Cosa", suya="sí"
    )
    codigo, _ = cartas(servicio, "reinyectar", "conversion", "falsa-1", "--quitar", "ce_type")
    assert codigo == 0
    registrada(servicio, "/tracking/conversiones/falsa")
    (propiedades,) = [
        mensaje.properties()
        for mensaje in mensajes_del_topico(servicio.datos, COMANDO_REGISTRAR_CONVERSION)
        if mensaje.properties().get("alpes_reinyecta") == "falsa-1"
    ]
    assert propiedades["suya"] == "sí"
    assert propiedades.keys() == {"ce_id", "alpes_reinyecta", "suya"}


def test_reinyectar_sin_reparar_nada_es_otro_comando_ilegible_con_su_propio_destino(
    servicio: Instalacion,
) -> None:
    queda_ilegible(servicio, COMANDO_REGISTRAR_IMPRESION, b"\x00basura", "basura-1", "basura")
    assert cartas(servicio, "reinyectar", "impresion", "basura-1")[0] == 0
    (comando_id,) = reinyectado(servicio, COMANDO_REGISTRAR_IMPRESION, "basura-1")
    consulta = f"SELECT estado, evento_id FROM destinos WHERE comando_id = '{comando_id}'"  # noqa: S608
    assert hasta(lambda: sql(servicio.datos, consulta), 30) == [("ILEGIBLE", "basura")]
    assert (
        renglon_de(servicio, "basura-1")
        == f"reinyectada en {COMANDO_REGISTRAR_IMPRESION}: ILEGIBLE, id basura"
    )
    assert renglon_de(servicio, comando_id) == "pendiente"


def test_una_carta_recortada_no_se_reinyecta_y_se_dice_por_que(servicio: Instalacion) -> None:
    queda_ilegible(servicio, COMANDO_REGISTRAR_IMPRESION, b"x" * 5_200_000, "enorme-1", "enorme")
    codigo, salida = cartas(servicio, "reinyectar", "impresion", "enorme-1")
    assert codigo == 1
    assert "No se reinyectó ninguna: la carta está recortada." in salida
    assert "Traceback" not in salida
    assert '"level": "error"' not in salida
    assert reinyectado(servicio, COMANDO_REGISTRAR_IMPRESION, "enorme-1") == set()
    assert renglon_de(servicio, "enorme-1") == "pendiente; recortada, pídala a quien la envió"


@pytest.mark.parametrize(
    ("argumentos", "frase"),
    [
        (["reinyectar", "impresion", "no-existe"], "no hay carta en ese tópico"),
        (["reinyectar", "impresion"], "Diga qué cartas"),
        (["reinyectar", "impresion", "a", "--todas"], "Diga qué cartas"),
    ],
)
def test_una_orden_que_no_se_puede_cumplir_se_dice_en_una_frase(
    servicio: Instalacion, argumentos: list[str], frase: str
) -> None:
    codigo, salida = cartas(servicio, *argumentos)
    assert codigo == 1
    assert frase in salida
    assert "Traceback" not in salida


def test_si_el_broker_no_esta_se_dice_en_una_frase(servicio: Instalacion) -> None:
    lejos = f"pulsar://127.0.0.1:{puerto_libre()}"
    codigo, salida = cartas(servicio, "listar", ALPES_PULSAR_URL=lejos)
    assert codigo == 1
    assert "El broker no responde" in salida
    assert "Traceback" not in salida


def test_si_la_base_de_datos_no_se_puede_leer_se_dice_en_una_frase(servicio: Instalacion) -> None:
    queda_ilegible(servicio, COMANDO_REGISTRAR_IMPRESION, b"\x00otra", "basura-2", "basura")
    lejos = f"postgresql://nadie@127.0.0.1:{puerto_libre()}/alpes"
    codigo, salida = cartas(servicio, "listar", ALPES_BASE_DATOS=lejos)
    assert codigo == 1
    assert "No se puede leer la base de datos: " in salida
    assert "Traceback" not in salida


def test_diez_veces_la_orden_acaba_bien_las_diez(servicio: Instalacion) -> None:
    orden = [str(BINARIOS / "alpespartners"), "cartas", "listar", "impresion"]
    procesos = [servicio.lanzar(orden) for _ in range(10)]
    assert [proceso.wait(60) for proceso in procesos] == [0] * 10


def test_con_los_consumidores_parados_lo_reinyectado_espera_a_que_vuelvan(tmp_path: Path) -> None:
    with instalacion(tmp_path) as servicio:
        servicio.api()
        consumidores = servicio.consumidores()
        servicio.esperar_consumidores()
        carga = carga_de(replace(IMPRESION, id="perdida"))
        queda_ilegible(servicio, COMANDO_REGISTRAR_CONVERSION, carga, "ajena-1", "perdida")
        consumidores.terminate()
        consumidores.wait(60)
        codigo, salida = cartas(servicio, "reinyectar", "conversion", "--todas", "--a", "impresion")
        assert codigo == 0
        assert "1 reinyectada." in salida
        assert servicio.http.get("/tracking/impresiones/perdida").status_code == 404
        servicio.consumidores()
        registrada(servicio, "/tracking/impresiones/perdida")
