"""El recorrido común: lo inesperado, el registro de accesos y el ciclo de vida."""

import math
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TypeVar

import pytest
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp, Message
from structlog.testing import capture_logs

from alpespartners.api.aplicacion import crear_api
from alpespartners.api.http import registro_de_accesos
from alpespartners.api.http.acceso import ReglasDeAcceso
from alpespartners.api.http.api import CicloDeVida
from alpespartners.api.http.llavero import LlaveroDelServicio
from alpespartners.composicion.mensajes import TIPOS_DE_COMANDO
from alpespartners.modulos.enlaces.aplicacion.libreta import Libreta
from alpespartners.modulos.tracking.aplicacion.puertos import Consulta
from alpespartners.seedwork.arranque import ErrorDeArranque
from alpespartners.seedwork.observacion.registro import Tanda
from tests.apoyo.espera import hasta_en_el_bucle
from tests.apoyo.memoria import (
    AHORA,
    SECRETOS,
    SIN_LIMITE,
    VENTANA,
    VISITANTES,
    PuertosEnMemoria,
    api_en_memoria,
    cliente_de,
    ids_consecutivos,
)
from tests.apoyo.topicos_en_vivo import TopicosQueNoHay

T = TypeVar("T")


class _PuertosConUnDefecto(PuertosEnMemoria):
    async def leer(self, consulta: Callable[[Consulta], T]) -> T:  # noqa: ARG002 - falla antes de usarla
        raise ZeroDivisionError("contraseña interna")


async def test_lo_inesperado_es_500_sin_nombres_internos_y_queda_anotado_con_su_traza() -> None:
    with capture_logs() as anotado:
        async with cliente_de(api_en_memoria(_PuertosConUnDefecto())) as cliente:
            respuesta = await cliente.get("/tracking/impresiones/secreto")
    assert respuesta.status_code == 500
    assert respuesta.headers["Content-Type"] == "application/problem+json"
    assert respuesta.json() == {
        "type": "urn:alpespartners:error:error_interno",
        "title": "Error interno",
        "status": 500,
        "detail": "Algo falló en el servicio; ya quedó anotado en su registro.",
    }
    errores = [linea for linea in anotado if linea["log_level"] == "error"]
    assert [(e["event"], e["ruta"], e["exc_info"]) for e in errores] == [
        ("petición fallida", "/tracking/impresiones/{id}", True)
    ]


async def test_con_debug_cada_acceso_se_anota_con_su_plantilla_y_nada_que_identifique(
    puertos: PuertosEnMemoria, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "acceso")
    async with cliente_de(api_en_memoria(puertos)) as cliente:
        await cliente.get("/tracking/campañas/secreta/impresiones?influencer_id=secreto")
        await cliente.request("SECRETO", "/secreto")
        for de_sonda in ("/salud/viva", "/salud/lista", "/metricas"):
            await cliente.get(de_sonda)
    lineas = await hasta_en_el_bucle(lambda: _lineas(caplog, 2))
    for linea in lineas:
        assert isinstance(linea.pop("milisegundos"), float)
        assert len(str(linea.pop("traza"))) == len("0af7651916cd43dd8448eb211c80319c")
        assert datetime.fromisoformat(str(linea.pop("timestamp"))).tzinfo is UTC
    assert lineas == [
        {
            "event": "petición",
            "logger": "acceso",
            "level": "debug",
            "metodo": "GET",
            "ruta": "/tracking/campañas/{campaña_id}/impresiones",
            "estado": 200,
        },
        {
            "event": "petición",
            "logger": "acceso",
            "level": "debug",
            "metodo": None,
            "ruta": None,
            "estado": 404,
        },
    ]


async def test_sin_debug_solo_se_anota_lo_que_falla_o_tarda_sin_que_se_pidiera(
    puertos: PuertosEnMemoria, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("INFO", "acceso")
    envio = {"id": "a", "campaña_id": "c"}
    monkeypatch.setattr(registro_de_accesos, "SEGUNDOS_DE_UNA_LENTA", math.inf)
    async with cliente_de(api_en_memoria(puertos)) as cliente:
        await cliente.post("/tracking/impresiones", json=envio)
        await cliente.get("/nada")
        puertos.disponible = False
        await cliente.get("/salud/lista")
        await cliente.post("/tracking/impresiones", json=envio)
        puertos.disponible = True
        monkeypatch.setattr(registro_de_accesos, "SEGUNDOS_DE_UNA_LENTA", 0.0)
        await cliente.post("/tracking/conversiones", json=envio)
        await cliente.post("/tracking/impresiones", json=envio, headers={"Prefer": "wait=5"})
        await cliente.get("/metricas")
    lineas = await hasta_en_el_bucle(lambda: _lineas(caplog, 2))
    assert {registro.levelname for registro in caplog.records if registro.name == "acceso"} == {"WARNING"}
    assert [(linea["ruta"], linea["estado"], linea["level"]) for linea in lineas] == [
        ("/tracking/impresiones", 503, "warning"),
        ("/tracking/conversiones", 422, "warning"),
    ]


def _lineas(caplog: pytest.LogCaptureFixture, cuantas: int) -> list[dict[str, object]]:
    """Las de todas las tandas, si ya son tantas; ninguna mientras falten."""
    lineas: list[dict[str, object]] = []
    for registro in caplog.records:
        # Las demás bibliotecas también anotan, si otra prueba les abrió el registro.
        if registro.name == "acceso":
            assert isinstance(registro.msg, Tanda)
            lineas += registro.msg
    return lineas if len(lineas) >= cuantas else []


async def _vida(ciclo_de_vida: CicloDeVida) -> list[Message]:
    puertos = PuertosEnMemoria()
    api: ASGIApp = crear_api(
        registro=CollectorRegistry(),
        tipos_de_comando=TIPOS_DE_COMANDO,
        asyncapi=b"{}",
        paginas=lambda *_: (),
        despachador=puertos,
        cola_de_clics=puertos.clics,
        espera_de_clic=1.0,
        libreta=Libreta(puertos.leer_enlace),
        secretos=SECRETOS,
        topicos=TopicosQueNoHay(),
        lecturas=puertos,
        cuentas=puertos,
        cuentas_de_influencers=puertos,
        resumenes=puertos,
        presencia=puertos,
        enlaces=puertos.enlaces,
        ventana_de_clic=VENTANA,
        reloj=lambda: AHORA,
        nuevo_id=ids_consecutivos(),
        acceso=ReglasDeAcceso(llavero=LlaveroDelServicio(), sin_clave=False, nombres=()),
        visitantes=VISITANTES,
        limite_por_direccion=SIN_LIMITE,
        ciclo_de_vida=ciclo_de_vida,
    )
    pendientes: list[Message] = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    enviados: list[Message] = []

    async def receive() -> Message:
        return pendientes.pop(0)

    async def send(mensaje: Message) -> None:
        enviados.append(mensaje)

    await api({"type": "lifespan"}, receive, send)
    return enviados


async def test_el_ciclo_de_vida_abre_antes_y_cierra_despues() -> None:
    pasos: list[str] = []

    @asynccontextmanager
    async def ciclo() -> AsyncGenerator[None]:
        pasos.append("abrir")
        yield
        pasos.append("cerrar")

    assert await _vida(ciclo) == [
        {"type": "lifespan.startup.complete"},
        {"type": "lifespan.shutdown.complete"},
    ]
    assert pasos == ["abrir", "cerrar"]


async def test_lo_que_impide_arrancar_se_dice_con_su_frase_y_sin_traza() -> None:
    @asynccontextmanager
    async def ciclo() -> AsyncGenerator[None]:
        raise ErrorDeArranque("La carpeta no se puede escribir.")
        yield

    assert await _vida(ciclo) == [
        {"type": "lifespan.startup.failed", "message": "La carpeta no se puede escribir."}
    ]


async def test_un_defecto_al_arrancar_o_al_cerrar_se_cuenta_entero() -> None:
    @asynccontextmanager
    async def al_abrir() -> AsyncGenerator[None]:
        raise ZeroDivisionError
        yield

    @asynccontextmanager
    async def al_cerrar() -> AsyncGenerator[None]:
        yield
        raise ZeroDivisionError

    (abrir,) = await _vida(al_abrir)
    assert abrir["type"] == "lifespan.startup.failed"
    assert "ZeroDivisionError" in abrir["message"]
    assert (await _vida(al_cerrar))[1]["type"] == "lifespan.shutdown.failed"


async def test_un_websocket_se_cierra(puertos: PuertosEnMemoria) -> None:
    enviados: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(mensaje: Message) -> None:
        enviados.append(mensaje)

    await api_en_memoria(puertos)({"type": "websocket"}, receive, send)
    assert [mensaje["type"] for mensaje in enviados] == ["websocket.close"]
