"""El publicador y el despachador: conexión, confirmaciones y límites, sin broker."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from structlog.testing import capture_logs

from alpespartners.modulos.tracking.aplicacion.mensajes import Sobre
from alpespartners.modulos.tracking.aplicacion.puertos import AlmacenamientoLleno, BrokerNoDisponible
from alpespartners.modulos.tracking.aplicacion.topicos import COMANDO_REGISTRAR_IMPRESION
from alpespartners.modulos.tracking.infraestructura.despachadores import DespachadorPulsar
from alpespartners.modulos.tracking.infraestructura.pulsar.publicador import (
    Publicador,
    RitmoDelPublicador,
)
from alpespartners.seedwork.pausas import Pausas
from tests.apoyo.espera import hasta_en_el_bucle
from tests.apoyo.eventos import IMPRESION
from tests.apoyo.metricas import metricas_de_publicacion
from tests.apoyo.pulsar_falso import ClienteFalso, ProductorFalso

TOPICO = COMANDO_REGISTRAR_IMPRESION
CLIC = replace(IMPRESION, id="clic")
SOBRE = Sobre(TOPICO, None, {}, b"")
RITMO = RitmoDelPublicador(pausas=Pausas(minima=0.01), cada_mirada=0.01, desconexion_tolerada=0.1)


@asynccontextmanager
async def despachando(
    cliente: ClienteFalso, limite: float, **ajustes: Any
) -> AsyncGenerator[DespachadorPulsar]:
    despachador = DespachadorPulsar(limite, metricas_de_publicacion(), **{"ritmo": RITMO, **ajustes})
    await despachador.abrir(cliente)
    yield despachador
    await despachador.cerrar()


@pytest.fixture
async def cliente() -> ClienteFalso:
    return ClienteFalso()


@pytest.fixture
async def despachador(cliente: ClienteFalso) -> AsyncGenerator[DespachadorPulsar]:
    async with despachando(cliente, limite=0.3) as despachador:
        yield despachador


async def conectado(despachador: DespachadorPulsar, cliente: ClienteFalso) -> ProductorFalso:
    await hasta_en_el_bucle(lambda: despachador.disponible)
    return cliente.productores[TOPICO]


async def consultado(productor: ProductorFalso, veces: int) -> None:
    """Espera a que se haya mirado tantas veces más si tiene conexión."""
    desde = productor.consultas
    await hasta_en_el_bucle(lambda: productor.consultas >= desde + veces)


def enviar(despachador: DespachadorPulsar, cuantos: int) -> list["asyncio.Task[None]"]:
    """Envíos a la vez, cada uno en su tarea."""
    return [
        asyncio.create_task(
            despachador.publicar(replace(IMPRESION, id=f"imp-{numero}"), comando_id="c", traza=None)
        )
        for numero in range(cuantos)
    ]


def quedan(envios: list["asyncio.Task[None]"]) -> int:
    return sum(not envio.done() for envio in envios)


async def responder_hasta(productor: ProductorFalso, envios: list["asyncio.Task[None]"]) -> None:
    """Confirma lo que llega hasta que acaban todos."""

    def acabaron() -> bool:
        productor.responder(confirmado=True)
        return not quedan(envios)

    await hasta_en_el_bucle(acabaron)
    await asyncio.gather(*envios)


@pytest.mark.parametrize(("tras", "solos"), [(0.0, 2), (60.0, 0)])
async def test_lo_que_va_solo_no_espera_a_reunirse_y_lo_que_sigue_de_cerca_a_otro_si(
    cliente: ClienteFalso, tras: float, solos: int
) -> None:
    async with despachando(cliente, limite=5.0, ritmo=replace(RITMO, solo_tras=tras)) as despachador:
        productor = await conectado(despachador, cliente)

        async def enviar_uno() -> None:
            envio = asyncio.create_task(despachador.publicar(IMPRESION, comando_id="c-1", traza=None))
            await hasta_en_el_bucle(lambda: bool(productor.enviados))
            productor.responder(confirmado=True)
            await envio

        await enviar_uno()
        # Del primero no se sabe a cuál seguía.
        productor.solos = 0
        await enviar_uno()
        await enviar_uno()
        assert productor.solos == solos


async def test_antes_del_primer_envio_existe_quien_lo_recibira(
    despachador: DespachadorPulsar, cliente: ClienteFalso
) -> None:
    await conectado(despachador, cliente)
    del_topico = [pedido for pedido in cliente.pedidos if TOPICO in pedido]
    assert del_topico == [
        f"asegurar {TOPICO} tracking",
        f"asegurar {TOPICO}-tracking-DLQ cartas",
        f"productor {TOPICO}",
    ]


async def test_publicar_no_vuelve_hasta_la_confirmacion(
    despachador: DespachadorPulsar, cliente: ClienteFalso
) -> None:
    productor = await conectado(despachador, cliente)
    publicacion = asyncio.create_task(despachador.publicar(IMPRESION, comando_id="c-1", traza=None))
    await hasta_en_el_bucle(lambda: productor.enviados)
    assert not publicacion.done()
    productor.responder(confirmado=True)
    await publicacion


async def test_lo_que_el_broker_rechaza_es_un_broker_no_disponible(
    despachador: DespachadorPulsar, cliente: ClienteFalso
) -> None:
    productor = await conectado(despachador, cliente)
    publicacion = asyncio.create_task(despachador.publicar(IMPRESION, comando_id="c-1", traza=None))
    await hasta_en_el_bucle(lambda: productor.enviados)
    productor.responder(confirmado=False)
    with pytest.raises(BrokerNoDisponible):
        await publicacion


async def test_sin_confirmacion_a_tiempo_es_un_broker_no_disponible_y_una_tardia_no_molesta(
    despachador: DespachadorPulsar, cliente: ClienteFalso
) -> None:
    productor = await conectado(despachador, cliente)
    with pytest.raises(BrokerNoDisponible):
        await despachador.publicar(IMPRESION, comando_id="c-1", traza=None)
    productor.responder(confirmado=True)
    publicacion = asyncio.create_task(despachador.publicar(IMPRESION, comando_id="c-2", traza=None))
    await hasta_en_el_bucle(lambda: productor.enviados)
    productor.responder(confirmado=True)
    await publicacion


async def test_nunca_hay_en_curso_mas_de_los_permitidos_ni_tras_agotarse_el_limite(
    cliente: ClienteFalso,
) -> None:
    async with despachando(cliente, limite=0.3, maximo_en_curso=3) as despachador:
        productor = await conectado(despachador, cliente)
        comandos = [replace(IMPRESION, id=f"imp-{numero}") for numero in range(6)]
        for _ in range(2):
            resultados = await asyncio.gather(
                *(despachador.publicar(comando, comando_id="c", traza=None) for comando in comandos),
                return_exceptions=True,
            )
            assert all(isinstance(resultado, BrokerNoDisponible) for resultado in resultados)
            assert len(productor.enviados) == 3
        productor.responder(confirmado=True)
        publicacion = asyncio.create_task(despachador.publicar(IMPRESION, comando_id="c", traza=None))
        await hasta_en_el_bucle(lambda: productor.enviados)
        productor.responder(confirmado=True)
        await publicacion


async def test_un_clic_se_publica_aunque_los_envios_no_quepan(cliente: ClienteFalso) -> None:
    async with despachando(cliente, limite=30.0, maximo_en_curso=3) as despachador:
        productor = await conectado(despachador, cliente)
        envios = enviar(despachador, 6)
        await hasta_en_el_bucle(lambda: len(productor.enviados) == 3)
        sabido: list[bool] = []
        despachador.publicar_enseguida(CLIC, sabido.append, comando_id="clic", traza=None)
        assert [sobre.clave for sobre, _ in productor.enviados][3:] == ["clic"]
        await responder_hasta(productor, envios)
        assert sabido == [True]


async def test_mientras_un_clic_espera_los_envios_pasan_de_pocos_en_pocos_y_pasan_todos(
    cliente: ClienteFalso,
) -> None:
    async with despachando(cliente, limite=30.0, junto_a_clics=3, reservados=1) as despachador:
        productor = await conectado(despachador, cliente)
        sabido: list[bool] = []
        despachador.publicar_enseguida(CLIC, sabido.append, comando_id="clic", traza=None)
        (clic,) = productor.enviados
        productor.enviados = []
        envios = enviar(despachador, 9)

        def van_de_dos_en_dos(faltan: int) -> bool:
            assert len(productor.enviados) <= 2
            return quedan(envios) == faltan and len(productor.enviados) == 2

        for faltan in (9, 7, 5, 3):
            await hasta_en_el_bucle(partial(van_de_dos_en_dos, faltan))
            productor.responder(confirmado=True)
        await hasta_en_el_bucle(lambda: quedan(envios) == 1)
        productor.enviados.append(clic)
        await responder_hasta(productor, envios)
        assert sabido == [True]
        # Sin clics caben otra vez todos.
        envios = enviar(despachador, 9)
        await hasta_en_el_bucle(lambda: len(productor.enviados) == 9)
        await responder_hasta(productor, envios)


async def test_un_lote_no_va_mas_despacio_por_un_clic_y_lo_que_llega_solo_si(cliente: ClienteFalso) -> None:
    async with despachando(cliente, limite=30.0, junto_a_clics=2, reservados=1) as despachador:
        productor = await conectado(despachador, cliente)
        sabido: list[bool] = []
        despachador.publicar_enseguida(CLIC, sabido.append, comando_id="clic", traza=None)
        solos = [
            asyncio.create_task(despachador.publicar_varios([(IMPRESION, "c")], traza=None)) for _ in range(4)
        ]
        await hasta_en_el_bucle(lambda: len(productor.enviados) == 2)
        lote = asyncio.create_task(despachador.publicar_varios([(IMPRESION, "c")] * 9, traza=None))
        await hasta_en_el_bucle(lambda: len(productor.enviados) == 11)
        productor.responder(confirmado=True)
        assert await lote == [None] * 9
        await hasta_en_el_bucle(lambda: len(productor.enviados) == 3)
        productor.responder(confirmado=True)
        assert await asyncio.gather(*solos) == [[None]] * 4
        assert sabido == [True]


async def test_de_un_clic_sin_confirmacion_se_dice_que_no_una_vez_y_deja_su_sitio_cuando_se_sabe(
    cliente: ClienteFalso,
) -> None:
    async with despachando(cliente, limite=0.5, maximo_en_curso=1) as despachador:
        productor = await conectado(despachador, cliente)
        sabido: list[bool] = []
        despachador.publicar_enseguida(CLIC, sabido.append, comando_id="clic", traza=None)
        await hasta_en_el_bucle(lambda: sabido == [False])
        assert not despachador.disponible
        # El cliente aún lo tiene: otro más no cabe, y se sabe sin esperar.
        despachador.publicar_enseguida(CLIC, sabido.append, comando_id="otro", traza=None)
        assert sabido == [False, False]
        productor.responder(confirmado=True)
        await asyncio.sleep(0)
        assert sabido == [False, False]
        despachador.publicar_enseguida(CLIC, sabido.append, comando_id="otro", traza=None)
        productor.responder(confirmado=True)
        await hasta_en_el_bucle(lambda: sabido == [False, False, True])


async def test_de_un_clic_que_el_broker_rechaza_o_sin_conexion_se_dice_que_no(
    cliente: ClienteFalso,
) -> None:
    sabido: list[bool] = []
    async with despachando(cliente, limite=30.0) as despachador:
        despachador.publicar_enseguida(CLIC, sabido.append, comando_id="clic", traza=None)
        assert sabido == [False]
        productor = await conectado(despachador, cliente)
        despachador.publicar_enseguida(CLIC, sabido.append, comando_id="clic", traza=None)
        productor.responder(confirmado=False)
        await hasta_en_el_bucle(lambda: sabido == [False, False])
        assert not despachador.disponible
    despachador.publicar_enseguida(CLIC, sabido.append, comando_id="clic", traza=None)
    assert sabido == [False, False, False]


async def test_un_envio_abandonado_mientras_espera_turno_no_ocupa_sitio(cliente: ClienteFalso) -> None:
    async with despachando(cliente, limite=30.0, maximo_en_curso=1) as despachador:
        productor = await conectado(despachador, cliente)
        envios = enviar(despachador, 3)
        await hasta_en_el_bucle(lambda: len(productor.enviados) == 1)
        envios[1].cancel()
        await responder_hasta(productor, [envios[0], envios[2]])
        assert envios[1].cancelled()


async def test_si_el_broker_no_esta_insiste_hasta_conectarse(cliente: ClienteFalso) -> None:
    cliente.fallos = 4
    async with despachando(cliente, limite=0.01) as despachador:
        assert not despachador.disponible
        with pytest.raises(BrokerNoDisponible):
            await despachador.publicar(IMPRESION, comando_id="c-1", traza=None)
        await conectado(despachador, cliente)
        assert not cliente.fallos


async def test_un_fallo_inesperado_al_conectarse_no_deja_el_topico_sin_productor_para_siempre(
    cliente: ClienteFalso, monkeypatch: pytest.MonkeyPatch
) -> None:
    crear = cliente.productor
    imprevistos = [RuntimeError("can't start new thread")] * 3

    def sin_hilos(topico: str, **ajustes: Any) -> Any:
        if imprevistos:
            raise imprevistos.pop()
        return crear(topico, **ajustes)

    monkeypatch.setattr(cliente, "productor", sin_hilos)
    async with despachando(cliente, limite=0.01) as despachador:
        await conectado(despachador, cliente)


async def test_un_broker_conectado_que_no_confirma_no_esta_disponible_hasta_que_confirme(
    despachador: DespachadorPulsar, cliente: ClienteFalso
) -> None:
    productor = await conectado(despachador, cliente)
    with pytest.raises(BrokerNoDisponible):
        await despachador.publicar(IMPRESION, comando_id="c-1", traza=None)
    assert not despachador.disponible
    otra = asyncio.create_task(despachador.publicar(IMPRESION, comando_id="c-2", traza=None))
    await hasta_en_el_bucle(lambda: len(productor.enviados) == 2)
    productor.responder(confirmado=True)
    await otra
    assert despachador.disponible


async def test_que_un_broker_conectado_no_confirmara_se_olvida(cliente: ClienteFalso) -> None:
    async with despachando(cliente, limite=0.1, memoria_del_silencio=0.0) as despachador:
        await conectado(despachador, cliente)
        with pytest.raises(BrokerNoDisponible):
            await despachador.publicar(IMPRESION, comando_id="c-1", traza=None)
        await hasta_en_el_bucle(lambda: despachador.disponible)


async def test_un_productor_que_no_recupera_la_conexion_se_cambia_por_otro(
    despachador: DespachadorPulsar, cliente: ClienteFalso
) -> None:
    perdido = await conectado(despachador, cliente)
    perdido.esta_conectado = False
    assert not despachador.disponible
    await hasta_en_el_bucle(lambda: cliente.productores[TOPICO] is not perdido and despachador.disponible)
    assert perdido.cerrado


async def test_una_desconexion_breve_conserva_el_productor(
    despachador: DespachadorPulsar, cliente: ClienteFalso
) -> None:
    productor = await conectado(despachador, cliente)
    productor.esta_conectado = False
    await consultado(productor, 2)
    productor.esta_conectado = True
    await consultado(productor, 20)
    assert cliente.productores[TOPICO] is productor


async def test_al_cerrar_espera_las_confirmaciones_pendientes(cliente: ClienteFalso) -> None:
    despachador = DespachadorPulsar(limite=5.0, metricas=metricas_de_publicacion(), ritmo=RITMO)
    await despachador.abrir(cliente)
    productor = await conectado(despachador, cliente)
    publicacion = asyncio.create_task(despachador.publicar(IMPRESION, comando_id="c-1", traza=None))
    await hasta_en_el_bucle(lambda: productor.enviados)
    cierre = asyncio.create_task(despachador.cerrar())
    await hasta_en_el_bucle(lambda: not despachador.disponible)
    assert not productor.cerrado
    productor.responder(confirmado=True)
    await publicacion
    await cierre
    assert productor.cerrado


async def test_al_cerrar_lo_que_no_se_confirma_no_se_espera_para_siempre(cliente: ClienteFalso) -> None:
    publica = Publicador(
        lambda topico: cliente.productor(topico, por_clave=False, limite=1, maximo_en_curso=1),
        cliente.hay_sitio,
    )
    await publica.esperar(TOPICO)
    respuestas: list[bool] = []
    publica.enviar(SOBRE, respuestas.append)
    await publica.cerrar(0.05)
    assert respuestas == [False]


async def test_al_cerrar_con_todo_respondido_no_echa_nada_en_falta(cliente: ClienteFalso) -> None:
    publica = Publicador(
        lambda topico: cliente.productor(topico, por_clave=False, limite=1, maximo_en_curso=1),
        cliente.hay_sitio,
        RitmoDelPublicador(espera_de_avisos=0.01),
    )
    await publica.esperar(TOPICO)
    respuestas: list[bool] = []
    publica.enviar(SOBRE, respuestas.append)
    cliente.productores[TOPICO].responder(confirmado=True)
    await hasta_en_el_bucle(lambda: respuestas)
    with capture_logs() as dicho:
        await publica.cerrar(60.0)
    assert dicho == []


class _ProductorQueRespondeTarde(ProductorFalso):
    """Cierra sin esperar a lo que falta, y la respuesta llega después."""

    def vaciar(self) -> None:
        pass

    def cerrar(self) -> None:
        self.cerrado = True


async def test_al_cerrar_espera_tambien_la_respuesta_que_llega_ya_cerrado_el_productor() -> None:
    productor = _ProductorQueRespondeTarde()
    publica = Publicador(lambda _topico: productor, lambda: True, RitmoDelPublicador(espera_de_avisos=60.0))
    await publica.esperar(TOPICO)
    respuestas: list[bool] = []
    publica.enviar(SOBRE, respuestas.append)
    cierre = asyncio.create_task(publica.cerrar(60.0))
    await hasta_en_el_bucle(lambda: productor.cerrado)
    await asyncio.wait((cierre,), timeout=0.05)
    assert not cierre.done()
    productor.responder(confirmado=True)
    await cierre
    assert respuestas == [True]


async def test_una_rafaga_de_confirmaciones_despierta_al_bucle_una_sola_vez(
    cliente: ClienteFalso, monkeypatch: pytest.MonkeyPatch
) -> None:
    publica = Publicador(
        lambda topico: cliente.productor(topico, por_clave=False, limite=1, maximo_en_curso=1),
        cliente.hay_sitio,
    )
    await publica.esperar(TOPICO)
    bucle = asyncio.get_running_loop()
    despertares: list[Any] = []
    despertar = bucle.call_soon_threadsafe

    def contar(aviso: Any, *argumentos: Any) -> Any:
        despertares.append(aviso)
        return despertar(aviso, *argumentos)

    respuestas: list[bool] = []
    for _ in range(200):
        publica.enviar(SOBRE, respuestas.append)
    with monkeypatch.context() as contando:
        contando.setattr(bucle, "call_soon_threadsafe", contar)
        cliente.productores[TOPICO].responder(confirmado=True)
    await hasta_en_el_bucle(lambda: len(respuestas) == 200)
    assert len(despertares) == 1
    await publica.cerrar(1.0)


async def test_sin_sitio_no_se_acepta_nada_y_cuando_lo_hay_se_acepta_otra_vez() -> None:
    sitio: list[bool] = []
    cliente = ClienteFalso(confirma_solo=True, hay_sitio=lambda: bool(sitio))
    async with despachando(cliente, limite=0.3) as despachador:
        assert not despachador.disponible
        with pytest.raises(AlmacenamientoLleno):
            await despachador.publicar(IMPRESION, comando_id="c-1", traza=None)
        sitio.append(True)
        await conectado(despachador, cliente)
        await despachador.publicar(IMPRESION, comando_id="c-1", traza=None)
