"""`/panel/sistema`: qué se dice de cómo está el servicio, y que las cifras son las del balance."""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import httpx2
import pytest

from alpespartners.modulos.tracking.aplicacion.clases import CLASES
from alpespartners.modulos.tracking.aplicacion.mensajes import EnviosPendientes
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible, EstadoDelBroker
from alpespartners.panel import estado_del_sistema
from alpespartners.panel.barra import partes
from alpespartners.panel.lectura_compartida import LecturaCompartida
from tests.apoyo.eventos import IMPRESION
from tests.apoyo.memoria import AHORA, PuertosEnMemoria, api_en_memoria, cliente_de

SIN_SEÑAL = (
    "No hay señal de que se haya perdido nada: todo lo que el broker guarda tiene destino o lo espera en él."
)
CUANTO_ESPERA = "Cuánto espera no se sabe: esta página no lo cuenta."
LO_QUE_NO_SE_VE = "Si otra mano borra o cambia los archivos del broker, desde aquí no se ve."
NO_SE_SABE = "Si se ha perdido algo no se puede saber ahora."
SUFICIENTE = EstadoDelBroker(retencion="suficiente", suscripciones="presentes")
DESCONOCIDO = EstadoDelBroker(retencion="desconocida", suscripciones="desconocidas")


@pytest.fixture
def puertos() -> PuertosEnMemoria:
    return PuertosEnMemoria()


@pytest.fixture
async def cliente(puertos: PuertosEnMemoria) -> AsyncGenerator[httpx2.AsyncClient]:
    async with cliente_de(api_en_memoria(puertos)) as abierto:
        yield abierto


async def vista(cliente: httpx2.AsyncClient, **cabeceras: str) -> str:
    """El texto que se lee, sin marcas y con los espacios de la frase."""
    respuesta = await cliente.get("/panel/sistema", headers=cabeceras)
    assert respuesta.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", respuesta.text))


async def tabla(cliente: httpx2.AsyncClient) -> dict[str, list[str]]:
    """Lo que dice cada fila de la tabla, por su nombre."""
    pagina = (await cliente.get("/panel/sistema")).text
    filas = re.findall(r"<tr.*?>(.*?)</tr>", pagina, re.DOTALL)
    dichas: dict[str, list[str]] = {}
    for fila in filas:
        nombre, *cifras = (
            re.sub(r"<[^>]*>|· |ver la lista", "", celda).strip()
            for celda in re.findall(r"<t[hd].*?>(.*?)</t[hd]>", fila, re.DOTALL)
        )
        dichas[nombre] = cifras
    return dichas


async def test_las_cifras_son_las_del_balance(cliente: httpx2.AsyncClient) -> None:
    evento = {"id": "uno", "campaña_id": "cmp-1"}
    for cambio in ({}, {}, {"campaña_id": "otra"}, {"id": "dos"}):
        await cliente.post("/tracking/impresiones", json=evento | cambio)
    await cliente.post("/tracking/conversiones", json=evento | {"tipo_conversion": "REGISTRO"})
    dicho = await tabla(cliente)
    balance = (await cliente.get("/tracking/balance")).json()
    impresiones, conversiones = balance["comandos"]
    assert impresiones["total"] == 4
    assert impresiones["rechazadas"] == {"conflicto_de_id": 1}
    for nombre, campo in (
        ("Registradas", "registradas"),
        ("Duplicadas", "duplicadas"),
        ("Ilegibles", "ilegibles"),
        ("Procesadas", "total"),
    ):
        assert dicho[nombre] == [str(impresiones[campo]), str(conversiones[campo])]
    assert dicho["Rechazadas"] == dicho["conflicto_de_id"] == ["1", "0"]
    assert dicho["Ignoradas"] == ["0", "0"]


async def test_cada_motivo_lleva_a_lo_que_se_rechazo_por_el(cliente: httpx2.AsyncClient) -> None:
    evento = {"id": "uno", "campaña_id": "cmp-1"}
    await cliente.post("/tracking/impresiones", json=evento)
    await cliente.post("/tracking/impresiones", json=evento | {"campaña_id": "otra"})
    pagina = (await cliente.get("/panel/sistema")).text
    assert 'href="/panel/rechazos?motivo=conflicto_de_id"' in pagina


async def test_lo_que_no_es_una_fila_lleva_a_su_lista(cliente: httpx2.AsyncClient) -> None:
    pagina = (await cliente.get("/panel/sistema")).text
    listas = re.findall(r'href="(/panel/rechazos\?estado=(\w+))"', pagina)
    assert [estado for _, estado in listas] == ["DUPLICADA", "RECHAZADA", "IGNORADA", "ILEGIBLE"]
    for direccion, _ in listas:
        assert (await cliente.get(direccion)).status_code == 200


async def test_de_lo_que_no_se_puede_contar_se_dice_que_no_se_sabe(cliente: httpx2.AsyncClient) -> None:
    assert (await tabla(cliente))["Esperan en el broker"] == ["no se sabe cuántas"]
    assert "alpespartners conciliar" in await vista(cliente)


async def test_si_todo_responde_funciona_y_de_lo_perdido_se_dice_lo_que_se_sabe_y_lo_que_no(
    cliente: httpx2.AsyncClient,
) -> None:
    dicho = await vista(cliente)
    assert "Funciona Recibe eventos, los registra y se pueden consultar." in dicho
    assert f"{SIN_SEÑAL} {CUANTO_ESPERA} {LO_QUE_NO_SE_VE}" in dicho
    assert "Nada se ha perdido" not in dicho


async def test_sin_broker_no_funciona_y_no_se_promete_nada(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    puertos.disponible = False
    dicho = await vista(cliente)
    assert "No funciona No puede recibir eventos" in dicho
    assert NO_SE_SABE in dicho
    assert SIN_SEÑAL not in dicho


async def test_sin_base_de_datos_funciona_a_medias_y_no_hay_cifras(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    puertos.hay_base_de_datos = False
    dicho = await vista(cliente)
    assert "Funciona a medias" in dicho
    assert NO_SE_SABE in dicho
    assert SIN_SEÑAL not in dicho
    assert await tabla(cliente) == {}
    assert "Consumidores en marcha no se sabe" in dicho
    assert "Eventos por publicar no se sabe" in dicho


async def test_a_una_base_de_datos_muda_no_se_la_espera(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def callar(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("alpespartners.api.operacion.salud.LIMITE_DE_UNA_SONDA", 0.01)
    monkeypatch.setattr(estado_del_sistema, "LIMITE_DE_UNA_SONDA", 0.01)
    monkeypatch.setattr(puertos, "leer", callar)
    monkeypatch.setattr(puertos, "consumidores", callar)
    assert "Funciona a medias" in await vista(cliente)


async def test_sin_consumidores_recibe_pero_no_registra_y_no_hay_señal_de_perdida(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    puertos.cuantos_consumidores = 0
    dicho = await vista(cliente)
    assert "Recibe, pero no registra" in dicho
    assert "alpespartners consumidores" in dicho
    assert SIN_SEÑAL in dicho


async def test_si_no_se_sabe_quien_consume_no_se_dice_que_se_registra(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    puertos.se_sabe_quien_consume = False
    dicho = await vista(cliente)
    assert "Funciona Recibe eventos y se pueden consultar." in dicho
    assert "Consumidores en marcha no se sabe" in dicho


async def test_si_lo_aceptado_sigue_sin_registrarse_lo_dice_y_desde_cuando_aunque_haya_quien_consuma(
    puertos: PuertosEnMemoria,
) -> None:
    """Y deja de decirlo en cuanto se registra; sin envíos no hay nada que decir, por mucho que pase."""
    ahora = AHORA
    evento = {"campaña_id": "cmp-1"}
    async with cliente_de(api_en_memoria(puertos, reloj=lambda: ahora)) as cliente:
        await cliente.post("/tracking/impresiones", json=evento)
        ahora += timedelta(hours=1)
        assert "Funciona Recibe eventos, los registra" in await vista(cliente)
        puertos.detenidos = True
        await cliente.post("/tracking/impresiones", json=evento)
    # De una hora de antes no se sabe nada de lo que aún no lleva nada esperando.
    async with cliente_de(api_en_memoria(puertos, reloj=lambda: ahora)) as cliente:
        assert "Funciona Recibe eventos, los registra" in await vista(cliente)
    ahora += timedelta(minutes=2)
    async with cliente_de(api_en_memoria(puertos, reloj=lambda: ahora)) as cliente:
        dicho = await vista(cliente)
        assert "Recibe, pero no registra" in dicho
        assert "lo que se aceptó hace 2 min sigue sin registrarse" in dicho
        assert "Lo último que se registró se recibió hace 1 h" in dicho
    puertos.consumir()
    async with cliente_de(api_en_memoria(puertos, reloj=lambda: ahora)) as cliente:
        assert "Funciona Recibe eventos, los registra" in await vista(cliente)


@pytest.mark.parametrize(
    ("espera", "juicio"),
    [(timedelta(minutes=2), "Funciona"), (timedelta(minutes=3), "Registra, pero no publica")],
)
async def test_lo_que_tarda_en_publicarse_se_tolera_dos_minutos(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, espera: timedelta, juicio: str
) -> None:
    puertos.registrado.balance.bandeja = EnviosPendientes(cuantos=1_234, desde=AHORA - espera)
    dicho = await vista(cliente)
    assert f"{juicio} " in dicho
    assert "Eventos por publicar 1 234 el más antiguo" in dicho
    assert f"el más antiguo, desde hace {espera.seconds // 60} min" in dicho


@pytest.mark.parametrize(
    ("estado", "frase"),
    [
        (SUFICIENTE, SIN_SEÑAL),
        (replace(SUFICIENTE, retencion="insuficiente"), "Puede perderse lo que nadie ha leído todavía"),
        (replace(SUFICIENTE, suscripciones="faltan"), "Puede perderse lo que nadie ha leído todavía"),
        (DESCONOCIDO, "su administración no responde"),
        (None, "Con ALPES_PULSAR_ADMIN se sabría."),
    ],
)
async def test_con_apache_pulsar_nada_se_promete_si_no_guarda_lo_que_debe(
    puertos: PuertosEnMemoria, estado: EstadoDelBroker | None, frase: str
) -> None:
    class Puesto:
        async def estado(self) -> EstadoDelBroker:
            return estado or DESCONOCIDO

    puertos.instalacion = replace(
        puertos.instalacion, broker_embebido=False, broker_revisado=estado is not None
    )
    api = api_en_memoria(puertos, administracion=Puesto() if estado else None)
    async with cliente_de(api) as cliente:
        dicho = await vista(cliente)
    assert frase in dicho
    assert (SIN_SEÑAL in dicho) == (estado == SUFICIENTE)


async def test_lo_que_espera_en_pulsar_se_dice_mas_o_menos_por_clase_y_si_no_se_sabe_tambien(
    puertos: PuertosEnMemoria,
) -> None:
    impresion, conversion = (clase.topico for clase in CLASES)

    class Puesto:
        en_espera: Mapping[str, int] | None = {conversion: 0, impresion: 12_345}

        async def estado(self) -> EstadoDelBroker:
            return replace(SUFICIENTE, en_espera=self.en_espera)

    puesto = Puesto()
    async with cliente_de(api_en_memoria(puertos, administracion=puesto)) as cliente:
        assert (await tabla(cliente))["Esperan en el broker"] == ["cerca de 12\u202f345", "cerca de 0"]
        assert CUANTO_ESPERA not in await vista(cliente)
    puesto.en_espera = None
    async with cliente_de(api_en_memoria(puertos, administracion=puesto)) as cliente:
        assert (await tabla(cliente))["Esperan en el broker"] == ["no se sabe cuántas"]


async def test_del_disco_se_dice_lo_que_queda_o_donde_esta(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    assert "12,3 GB libres de 50 GB; con menos de 134,2 MB el broker deja de aceptar" in await vista(cliente)
    for cambio, frase in (
        ({"disco": lambda: None}, "Disco de los datos no se sabe"),
        ({"broker_embebido": False, "base_embebida": False}, "Disco de los datos en otra parte"),
    ):
        puertos.instalacion = replace(puertos.instalacion, **cambio)
        async with cliente_de(api_en_memoria(puertos)) as otro:
            assert frase in await vista(otro)


async def test_se_dice_cuantos_procesos_atienden_el_puerto(puertos: PuertosEnMemoria) -> None:
    puertos.instalacion = replace(puertos.instalacion, procesos=4)
    async with cliente_de(api_en_memoria(puertos)) as cliente:
        assert "Procesos de la API 4" in await vista(cliente)


async def test_muchas_pestañas_comparten_una_lectura(
    puertos: PuertosEnMemoria, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alpespartners.panel.vistas.sistema._VALE_DURANTE", 3600.0)
    async with cliente_de(api_en_memoria(puertos)) as cliente:
        await asyncio.gather(*(vista(cliente) for _ in range(50)))
    # La de la salud y la del balance.
    assert puertos.consultas == 2


async def test_lo_que_htmx_pone_en_la_pagina_es_solo_el_estado(cliente: httpx2.AsyncClient) -> None:
    respuesta = await cliente.get("/panel/sistema", headers={"HX-Request": "true"})
    assert respuesta.text.lstrip().startswith('<section class="juicio bien"')
    assert "Qué es cada cuenta" not in respuesta.text


async def test_un_parametro_es_una_falta_que_lo_nombra(cliente: httpx2.AsyncClient) -> None:
    respuesta = await cliente.get("/panel/sistema?desde=ayer")
    assert respuesta.status_code == 422
    assert "<code>desde</code>" in respuesta.text


async def test_en_ingles_no_queda_nada_en_español(cliente: httpx2.AsyncClient) -> None:
    dicho = await vista(cliente, **{"Accept-Language": "en"})
    assert "There is no sign that anything has been lost: everything the broker keeps has an outcome" in dicho
    assert not re.search(r"\b(el|los|las|broker deja|hace)\b", dicho)


async def test_lo_leido_se_comparte_mientras_vale_y_un_fallo_no_se_recuerda() -> None:
    leidas = 0

    async def leer() -> int:
        nonlocal leidas
        leidas += 1
        if leidas == 1:
            raise BaseDatosNoDisponible
        return leidas

    def compartida(vale_durante: float) -> Callable[[], Awaitable[int]]:
        return LecturaCompartida(leer, vale_durante)

    larga = compartida(3600)
    with pytest.raises(BaseDatosNoDisponible):
        await larga()
    assert await asyncio.gather(*(larga() for _ in range(3))) == [2, 2, 2]
    sin_memoria = compartida(0)
    assert [await sin_memoria(), await sin_memoria()] == [3, 4]


def test_lo_que_no_es_cero_se_ve_y_la_barra_se_llena() -> None:
    puestas = partes({"registradas": 1_000_000, "duplicadas": 0, "ilegibles": 1})
    assert [parte.nombre for parte in puestas] == ["registradas", "ilegibles"]
    assert puestas[-1].ancho >= 10
    assert puestas[-1].desde + puestas[-1].ancho == pytest.approx(1000, abs=0.2)
    assert partes({"registradas": 0}) == []


async def test_dice_cuantos_clics_esperan_al_broker(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    await puertos.clics.guardar(IMPRESION, comando_id="c-1", traza=None)
    dicho = await vista(cliente)
    assert "Clics en espera 1 " in dicho
    assert "perdidos:" not in dicho


async def test_si_se_perdieron_clics_no_dice_que_no_se_ha_perdido_nada(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    puertos.clics.perdidos = 3
    dicho = await vista(cliente)
    assert "Se han perdido clics: 3. Ni el broker ni el disco los pudieron guardar." in dicho
    assert SIN_SEÑAL not in dicho
