"""`GET /tracking/campañas/{campaña_id}/en-vivo`, sin red: lo que se envía, y cuándo se niega o se acaba."""

import json
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

import pytest
from starlette.types import ASGIApp

from alpespartners.modulos.tracking.aplicacion.en_vivo.difusion import Ritmo
from tests.apoyo.claves import ClavesEnMemoria, llavero_con
from tests.apoyo.conexion_asgi import ConexionASGI
from tests.apoyo.espera import hasta_en_el_bucle
from tests.apoyo.eventos import CONVERSION, IMPRESION, conversion, impresion
from tests.apoyo.flujo import Recibido
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria, cliente_de
from tests.apoyo.topicos_en_vivo import TopicosEnMemoria

RUTA = "/tracking/campa%C3%B1as/cmp-456/en-vivo"
EN_ASCII = "/tracking/campanas/cmp-456/en-vivo"


class Mesa:
    """Una API, sus tópicos y las conexiones abiertas."""

    def __init__(self, ritmo: Ritmo) -> None:
        self.topicos = TopicosEnMemoria()
        self.api: ASGIApp = api_en_memoria(PuertosEnMemoria(), topicos=self.topicos, ritmo_en_vivo=ritmo)
        self._abiertas: list[ConexionASGI] = []

    def abrir(self, ruta: str = RUTA, **mas: Any) -> ConexionASGI:
        self._abiertas.append(ConexionASGI(self.api, ruta, **mas))
        return self._abiertas[-1]

    async def mirar(self, ruta: str = RUTA, **mas: Any) -> ConexionASGI:
        return await self.abrir(ruta, **mas).situada()

    async def metrica(self, nombre: str) -> float:
        async with cliente_de(self.api) as cliente:
            texto = (await cliente.get("/metricas")).text
        (valor,) = (linea.rsplit(" ", 1)[1] for linea in texto.splitlines() if linea.startswith(nombre))
        return float(valor)

    async def vaciar(self) -> None:
        for conexion in self._abiertas:
            await conexion.irse()


@pytest.fixture
def ritmo() -> Ritmo:
    return Ritmo(espectadores=2, eventos=3, latido=0.001)


@pytest.fixture
async def mesa(ritmo: Ritmo) -> AsyncGenerator[Mesa]:
    mesa = Mesa(ritmo)
    yield mesa
    await mesa.vaciar()


@pytest.mark.parametrize("ruta", [RUTA, EN_ASCII])
async def test_cada_evento_se_envia_con_su_nombre_y_lo_que_da_la_lista(mesa: Mesa, ruta: str) -> None:
    viva = await mesa.mirar(ruta)
    assert viva.estado == 200
    assert (
        viva.cabeceras.items()
        >= {
            "content-type": "text/event-stream; charset=utf-8",
            "cache-control": "no-store",
            "x-accel-buffering": "no",
        }.items()
    )
    assert viva.reintentar == 2000
    venta = conversion(CONVERSION)
    mesa.topicos.publicar(impresion(IMPRESION), venta, impresion(replace(IMPRESION, campaña_id="otra")))
    await hasta_en_el_bucle(lambda: len(viva.eventos) == 2)
    assert [recibido.nombre for recibido in viva.eventos] == ["impresion", "conversion"]
    assert viva.eventos[1].datos["valor"] == 150000
    assert '"valor":150000.00,' in viva.cuerpo.decode()
    assert set(viva.eventos[1].datos) == set(venta.campos())


async def test_vuelve_por_la_cabecera_o_por_el_parametro_y_manda_la_cabecera(mesa: Mesa) -> None:
    viva = await mesa.mirar()
    antes = viva.ultimo_id
    mesa.topicos.publicar(impresion(IMPRESION))
    await hasta_en_el_bucle(lambda: viva.ids == ["imp-123"])
    despues = viva.ultimo_id
    await viva.irse()
    assert antes is not None
    assert despues is not None
    por_cabecera = mesa.abrir(last_event_id=antes)
    await hasta_en_el_bucle(lambda: por_cabecera.ids == ["imp-123"])
    por_parametro = mesa.abrir(consulta=f"ultimo_id={antes}")
    await hasta_en_el_bucle(lambda: por_parametro.ids == ["imp-123"])
    await por_cabecera.irse()
    las_dos = mesa.abrir(consulta=f"ultimo_id={antes}", last_event_id=despues)
    mesa.topicos.publicar(impresion(replace(IMPRESION, id="imp-2")))
    await hasta_en_el_bucle(lambda: las_dos.ids == ["imp-2"])


async def test_un_hueco_y_un_aviso_se_dicen_con_su_nombre(mesa: Mesa) -> None:
    viva = mesa.abrir(consulta="ultimo_id=nada")
    await hasta_en_el_bucle(lambda: viva.eventos)
    assert viva.eventos == [
        Recibido("hueco", {"saltados": None, "desde": None, "hasta": "2024-01-15T10:36:00.120000Z"})
    ]
    assert mesa.topicos.receptor is not None
    mesa.topicos.receptor.conectado(con_broker=False)
    await hasta_en_el_bucle(lambda: len(viva.eventos) == 2)
    assert viva.eventos[1] == Recibido("aviso", {"con_broker": False})


async def test_callado_se_envia_un_comentario_que_no_es_un_evento(mesa: Mesa) -> None:
    viva = await mesa.mirar()
    callados = viva.callados
    await hasta_en_el_bucle(lambda: viva.callados > callados + 3)
    assert viva.eventos == []


async def test_el_que_no_cabe_recibe_un_503_y_el_que_se_va_deja_su_sitio(mesa: Mesa) -> None:
    una, _ = await mesa.mirar(), await mesa.mirar()
    assert await mesa.metrica("alpes_espectadores ") == 2
    negada = mesa.abrir()
    await negada.tarea
    assert (negada.estado, negada.cabeceras["retry-after"]) == (503, "5")
    assert json.loads(negada.cuerpo)["type"] == "urn:alpespartners:error:demasiados_espectadores"
    await una.irse()
    assert await mesa.metrica("alpes_espectadores ") == 1
    await mesa.mirar()


@pytest.mark.parametrize(("consulta", "estado"), [("otro=1", 422), ("ultimo_id=", 422)])
async def test_un_parametro_que_no_es_se_niega_antes_de_empezar(
    mesa: Mesa, consulta: str, estado: int
) -> None:
    negada = mesa.abrir(consulta=consulta)
    await negada.tarea
    assert negada.estado == estado
    assert mesa.topicos.abiertos == 0


async def test_quien_miraba_sin_clave_deja_de_mirar_cuando_se_piden(ritmo: Ritmo) -> None:
    claves = ClavesEnMemoria()
    guardadas = await llavero_con(claves)
    topicos = TopicosEnMemoria()
    api = api_en_memoria(PuertosEnMemoria(), topicos=topicos, ritmo_en_vivo=ritmo, guardadas=guardadas)
    viva = await ConexionASGI(api, RUTA).situada()
    claves.crear("captura")
    await guardadas.ponerse_al_dia()
    topicos.publicar(impresion(IMPRESION))
    await viva.tarea
    assert viva.eventos == []


async def test_head_da_las_cabeceras_y_no_mira(mesa: Mesa) -> None:
    preguntada = mesa.abrir(metodo="HEAD")
    await preguntada.tarea
    assert (preguntada.estado, preguntada.cuerpo) == (200, b"")
    assert preguntada.cabeceras["content-type"].startswith("text/event-stream")
    assert mesa.topicos.abiertos == 0


async def test_lo_que_dura_no_se_cuenta_como_demora_y_lo_saltado_se_cuenta(mesa: Mesa) -> None:
    viva = await mesa.mirar()
    # Ya está contada, y sigue abierta.
    cuenta = 'alpes_respuesta_segundos_count{metodo="GET",ruta="/tracking/campañas/{campaña_id}/en-vivo"}'
    assert await mesa.metrica(cuenta) == 1
    mesa.topicos.publicar(*(impresion(replace(IMPRESION, id=f"imp-{n}")) for n in range(10)))
    await hasta_en_el_bucle(lambda: len(viva.ids) == 3)
    assert viva.eventos[0].datos["saltados"] == 7
    assert await mesa.metrica("alpes_en_vivo_saltados_total") == 7
