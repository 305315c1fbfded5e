"""La difusión en vivo: un lector para todos, orden, huecos que se dicen, y volver por donde se iba."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta

import pytest

from alpespartners.modulos.tracking.aplicacion.en_vivo.anillo import Anillo
from alpespartners.modulos.tracking.aplicacion.en_vivo.difusion import (
    EnVivo,
    Espectador,
    NoCabenMas,
    Ritmo,
)
from alpespartners.modulos.tracking.aplicacion.en_vivo.posiciones import PRINCIPIO, Posiciones, marca_de
from alpespartners.modulos.tracking.aplicacion.en_vivo.publicado import Publicado
from alpespartners.modulos.tracking.aplicacion.en_vivo.sucesos import (
    Conexion,
    Hueco,
    Latido,
    Novedad,
    Suceso,
)
from alpespartners.modulos.tracking.aplicacion.puertos import BrokerNoDisponible
from alpespartners.modulos.tracking.dominio.entidades import Impresion
from tests.apoyo.espera import hasta_en_el_bucle
from tests.apoyo.eventos import AHORA, CONVERSION, IMPRESION, conversion, impresion
from tests.apoyo.topicos_en_vivo import Reloj, TopicosEnMemoria

CAMPAÑA = "cmp-456"


class Quien:
    """Alguien que mira y recuerda lo que se le contó."""

    def __init__(self, espectador: Espectador) -> None:
        self.espectador = espectador
        self._tandas = espectador.tandas()
        self._por_contar: list[Suceso] = []
        self.ultimo_id: str | None = None
        self.se_fue = False

    async def siguiente(self) -> Suceso | None:
        """Lo siguiente que se le cuenta; `None` si ya no se le contará nada."""
        while not self._por_contar:
            try:
                self._por_contar = await anext(self._tandas)
            except StopAsyncIteration:
                return None
        suceso = self._por_contar.pop(0)
        if not isinstance(suceso, Conexion) and suceso.marca is not None:
            self.ultimo_id = suceso.marca.texto
        return suceso

    async def tanda(self) -> list[Suceso]:
        """Lo siguiente que se le cuenta de una vez."""
        return await anext(self._tandas)

    async def eventos(self, cuantos: int) -> list[str]:
        """Los `id` de los siguientes eventos, sin contar latidos; cualquier otra cosa es un fallo."""
        ids: list[str] = []
        while len(ids) < cuantos:
            suceso = await self.siguiente()
            assert isinstance(suceso, Novedad | Latido), suceso
            if isinstance(suceso, Novedad):
                assert suceso.guardado.publicado.evento is not None
                ids.append(suceso.guardado.publicado.evento.id)
        return ids

    async def irse(self) -> None:
        if not self.se_fue:
            self.se_fue = True
            await self._tandas.aclose()
            self.espectador.salir()


class Sala:
    """Un proceso: sus tópicos, su reloj y los que miran en él."""

    def __init__(self, topicos: TopicosEnMemoria, ritmo: Ritmo) -> None:
        self.topicos = topicos
        self.reloj = Reloj()
        self.en_vivo = EnVivo(topicos, self.reloj, ritmo)
        self.presentes: list[Quien] = []

    def entrar(self, ultimo_id: str | None = None, campaña_id: str = CAMPAÑA) -> Quien:
        self.presentes.append(Quien(self.en_vivo.entrar(campaña_id, ultimo_id)))
        return self.presentes[-1]

    async def situado(self, ultimo_id: str | None = None, campaña_id: str = CAMPAÑA) -> Quien:
        """Alguien que ya sabe por dónde empieza."""
        quien = self.entrar(ultimo_id, campaña_id)
        assert isinstance(await quien.siguiente(), Latido)
        return quien


@pytest.fixture
async def salas() -> AsyncGenerator["Salas"]:
    async with AsyncExitStack() as pila:
        yield Salas(pila)


class Salas:
    """Hace procesos sobre los tópicos que se le den, y los termina al acabar la prueba."""

    def __init__(self, pila: AsyncExitStack) -> None:
        self._pila = pila

    async def __call__(self, topicos: TopicosEnMemoria | None = None, ritmo: Ritmo | None = None) -> Sala:
        sala = Sala(topicos or TopicosEnMemoria(), ritmo or Ritmo())
        await self._pila.enter_async_context(sala.en_vivo.abierto())
        self._pila.push_async_callback(self._vaciar, sala)
        return sala

    async def _vaciar(self, sala: Sala) -> None:
        for quien in sala.presentes:
            await quien.irse()


def impresiones(*numeros: int, campaña_id: str = CAMPAÑA) -> list[Impresion]:
    return [impresion(replace(IMPRESION, id=f"imp-{n}", campaña_id=campaña_id)) for n in numeros]


def ids(*numeros: int) -> list[str]:
    return [f"imp-{n}" for n in numeros]


async def test_lo_que_se_publica_se_cuenta_en_su_orden_y_solo_a_quien_mira_su_campaña(salas: Salas) -> None:
    sala = await salas()
    uno, otro = await sala.situado(), await sala.situado(campaña_id="otra")
    sala.topicos.publicar(*impresiones(1, 2), conversion(CONVERSION))
    sala.topicos.publicar(*impresiones(3), *impresiones(4, campaña_id="otra"))
    assert await uno.eventos(4) == ["imp-1", "imp-2", "conv-123", "imp-3"]
    assert await otro.eventos(1) == ids(4)


async def test_un_lector_vale_para_todos_y_se_cierra_un_rato_despues_de_irse_el_ultimo(salas: Salas) -> None:
    sala = await salas(ritmo=Ritmo(gracia=0.01))
    assert sala.topicos.abiertos == 0
    quienes = [await sala.situado() for _ in range(3)]
    assert (sala.topicos.lectores, sala.topicos.abiertos, sala.en_vivo.cuantos) == (1, 1, 3)
    for quien in quienes:
        await quien.irse()
    assert sala.en_vivo.cuantos == 0
    await hasta_en_el_bucle(lambda: sala.topicos.lectores == 0)


async def test_quien_vuelve_antes_de_que_se_cierre_encuentra_lo_que_se_publico_mientras(salas: Salas) -> None:
    sala = await salas()
    quien = await sala.situado()
    await quien.irse()
    sala.topicos.publicar(*impresiones(1, 2))
    vuelto = await sala.situado(quien.ultimo_id)
    assert await vuelto.eventos(2) == ids(1, 2)
    assert (sala.topicos.abiertos, sala.topicos.repasos) == (1, 0)


async def test_quien_entra_mientras_se_cierra_el_lector_espera_a_otro(salas: Salas) -> None:
    sala = await salas(ritmo=Ritmo(gracia=0.0))
    quien = await sala.situado()
    sala.topicos.puede_cerrar.clear()
    await quien.irse()
    await hasta_en_el_bucle(lambda: not sala.en_vivo.situado)
    entrado = sala.entrar()
    sala.topicos.puede_cerrar.set()
    assert isinstance(await entrado.siguiente(), Latido)
    sala.topicos.publicar(*impresiones(1))
    assert await entrado.eventos(1) == ids(1)
    assert sala.topicos.abiertos == 2


async def test_volver_por_cualquier_evento_no_pierde_ni_repite_ninguno(salas: Salas) -> None:
    sala = await salas()
    quien = await sala.situado()
    sala.topicos.publicar(*impresiones(1), conversion(CONVERSION), *impresiones(2, 3))
    todos = ["imp-1", "conv-123", "imp-2", "imp-3"]
    for cuantos in range(len(todos) + 1):
        desde = await sala.situado(quien.ultimo_id)
        faltan = todos[cuantos:]
        assert await desde.eventos(len(faltan)) == faltan
        if faltan:
            assert await quien.eventos(1) == faltan[:1]
    assert sala.topicos.repasos == 0


async def test_volver_a_otro_proceso_lee_de_los_topicos_lo_que_falta_una_vez_para_todos(salas: Salas) -> None:
    una = await salas()
    quien = await una.situado()
    una.topicos.publicar(*impresiones(1))
    assert await quien.eventos(1) == ids(1)
    una.topicos.publicar(*impresiones(2), conversion(CONVERSION), *impresiones(3, campaña_id="otra"))
    otra = await salas(TopicosEnMemoria(una.topicos.guardados))
    primero = await otra.situado(quien.ultimo_id)
    otra.topicos.publicar(*impresiones(4))
    assert await primero.eventos(3) == ["imp-2", "conv-123", "imp-4"]
    segundo = await otra.situado(quien.ultimo_id)
    assert await segundo.eventos(3) == ["imp-2", "conv-123", "imp-4"]
    ajeno = await otra.situado(quien.ultimo_id, campaña_id="otra")
    assert await ajeno.eventos(1) == ids(3)
    assert otra.topicos.repasos == 1


async def test_quien_vuelve_de_un_proceso_que_leyo_mas_no_ve_otra_vez_lo_que_aqui_llega_tarde(
    salas: Salas,
) -> None:
    una = await salas()
    lento = TopicosEnMemoria(una.topicos.guardados)
    otra = await salas(lento)
    await otra.situado()
    quien = await una.situado()
    una.topicos.publicar(*impresiones(1, 2))
    assert await quien.eventos(2) == ids(1, 2)
    vuelto = await otra.situado(quien.ultimo_id)
    assert lento.receptor is not None
    lento.receptor.recibir(list(lento.guardados["impresion"]))
    lento.publicar(*impresiones(3))
    assert await vuelto.eventos(1) == ids(3)


async def test_un_evento_publicado_otra_vez_se_cuenta_una(salas: Salas) -> None:
    sala = await salas()
    quien = await sala.situado()
    sala.topicos.publicar(*impresiones(1, 1))
    sala.topicos.publicar(*impresiones(1, 2))
    assert await quien.eventos(2) == ids(1, 2)


async def test_al_que_lee_despacio_se_le_dice_cuantos_no_vera_y_sigue_con_los_que_quedan(
    salas: Salas,
) -> None:
    sala = await salas(ritmo=Ritmo(eventos=5, tanda=2))
    lento, rapido = await sala.situado(), await sala.situado()
    for numero in range(1, 13):
        sala.topicos.publicar(*impresiones(numero))
        assert await rapido.eventos(1) == ids(numero)
    hueco = await lento.siguiente()
    assert isinstance(hueco, Hueco)
    assert (hueco.saltados, hueco.desde, hueco.hasta) == (7, AHORA, AHORA)
    assert await lento.eventos(5) == ids(8, 9, 10, 11, 12)
    assert sala.en_vivo.saltados == 7


async def test_de_una_vez_se_cuenta_poco_aunque_los_eventos_sean_grandes(salas: Salas) -> None:
    sala = await salas(ritmo=Ritmo(octetos_de_una_tanda=1_000))
    espectador = (await sala.situado()).espectador
    sala.topicos.publicar(*impresiones(1, 2, 3))
    tandas = espectador.tandas()
    assert [len(await anext(tandas)) for _ in range(2)] == [2, 1]


async def test_el_anillo_no_crece_aunque_nadie_lea(salas: Salas) -> None:
    sala = await salas(ritmo=Ritmo(eventos=5))
    await sala.situado()
    for numero in range(100):
        sala.topicos.publicar(*impresiones(numero, campaña_id=f"cmp-{numero}"))
    tiras = [sala.en_vivo.anillo.tira(f"cmp-{numero}") for numero in range(100)]
    assert sum(tira.siguiente - tira.primero for tira in tiras) == 5


async def test_quien_vuelve_tras_mas_de_lo_que_cabe_recibe_un_hueco_con_sus_instantes(salas: Salas) -> None:
    sala = await salas(ritmo=Ritmo(eventos=3))
    quien = await sala.situado()
    sala.topicos.publicar(*impresiones(1, 2, 3, 4))
    sala.reloj.hora += timedelta(minutes=5)
    vuelto = sala.entrar(quien.ultimo_id)
    hueco = await vuelto.siguiente()
    assert isinstance(hueco, Hueco)
    assert (hueco.saltados, hueco.desde, hueco.hasta) == (None, AHORA, AHORA + timedelta(minutes=5))
    sala.topicos.publicar(*impresiones(5))
    assert await vuelto.eventos(1) == ids(5)


async def test_un_id_ajeno_caducado_o_ilegible_es_un_hueco(salas: Salas) -> None:
    sala = await salas()
    quien = await sala.situado()
    ajena = await salas(TopicosEnMemoria(epoca="otra"))
    de_otra_epoca = await ajena.situado()
    sala.reloj.hora += timedelta(hours=1, microseconds=1)
    for ultimo_id in (quien.ultimo_id, de_otra_epoca.ultimo_id, "nada", "WzFd", "W10", "é" * 9000):
        assert isinstance(await sala.entrar(ultimo_id).siguiente(), Hueco)


@pytest.mark.parametrize(
    "lugar",
    [(0, 0, 2**31), (-1, 5, 0), (0, -1, -1), (-1, -1, 5), (2**63, 0, 0), (0, 2**63, 0), (0, 0, -2)],
)
async def test_un_id_con_un_lugar_que_ningun_broker_da_no_llega_a_ninguno(
    salas: Salas, lugar: tuple[int, int, int]
) -> None:
    sala = await salas()
    sala.topicos.publicar(*impresiones(1))
    falso = sala.en_vivo.marca({"impresion": lugar}, AHORA).texto
    assert isinstance(await sala.entrar(falso).siguiente(), Hueco)
    assert sala.topicos.repasos == 0


async def test_un_id_no_lleva_los_canales_que_no_hay(salas: Salas) -> None:
    sala = await salas()
    quien = await sala.situado()
    con_otro = sala.en_vivo.marca(dict(sala.en_vivo.anillo.ultimas) | {"otro": (1, 1, 1)}, AHORA).texto
    vuelto = await sala.situado(con_otro)
    assert vuelto.ultimo_id == quien.ultimo_id != con_otro


async def test_no_se_lee_de_los_topicos_mas_de_lo_que_cabe_en_el_anillo(salas: Salas) -> None:
    una = await salas()
    quien = await una.situado()
    una.topicos.publicar(*impresiones(1, 2, 3))
    otra = await salas(TopicosEnMemoria(una.topicos.guardados))
    otra.en_vivo.anillo = Anillo(maximo_octetos=1_499)
    assert isinstance(await otra.entrar(quien.ultimo_id).siguiente(), Hueco)
    assert otra.topicos.repasado is None


async def test_un_id_de_despues_de_todo_lo_que_guarda_el_broker_es_un_hueco(salas: Salas) -> None:
    antes = await salas()
    quien = await antes.situado()
    antes.topicos.publicar(*impresiones(1))
    await quien.eventos(1)
    vacio = await salas()
    assert isinstance(await vacio.entrar(quien.ultimo_id).siguiente(), Hueco)


@pytest.mark.parametrize("falla", [BrokerNoDisponible(), None])
async def test_si_lo_que_falta_no_se_puede_leer_es_un_hueco(salas: Salas, falla: Exception | None) -> None:
    una = await salas()
    quien = await una.situado()
    una.topicos.publicar(*impresiones(1, 2, 3))
    otra = await salas(TopicosEnMemoria(una.topicos.guardados), Ritmo(eventos=3))
    otra.topicos.falla = falla
    if falla is None:
        # Lo que llega mientras se lee hace olvidar lo que seguía.
        await otra.situado()
        otra.topicos.al_repasar = lambda: otra.topicos.publicar(*impresiones(4, 5, 6, 7))
    assert isinstance(await otra.entrar(quien.ultimo_id).siguiente(), Hueco)


async def test_uno_que_se_atasca_al_volver_no_hace_esperar_a_los_demas(salas: Salas) -> None:
    una = await salas()
    atascado = await una.situado()
    una.topicos.publicar(*impresiones(1))
    otro = await una.situado()
    una.topicos.publicar(*impresiones(2))
    sin_faltarle_nada = await una.situado()
    sala = await salas(TopicosEnMemoria(una.topicos.guardados))
    await sala.situado()
    de_verdad, se_atasco, sigue = sala.topicos.repasar, asyncio.Event(), asyncio.Event()
    marca_del_atascado = marca_de(atascado.ultimo_id or "")
    assert marca_del_atascado is not None
    suyas = marca_del_atascado.posiciones

    async def repasar(
        desde: Posiciones, hasta: Posiciones, maximo: int, maximo_octetos: int
    ) -> list[Publicado] | None:
        if desde == suyas:
            se_atasco.set()
            await sigue.wait()
        return await de_verdad(desde, hasta, maximo, maximo_octetos)

    sala.topicos.repasar = repasar  # type: ignore[method-assign]
    vuelve = asyncio.create_task(sala.entrar(atascado.ultimo_id).siguiente())
    await se_atasco.wait()
    assert isinstance(await sala.entrar(sin_faltarle_nada.ultimo_id).siguiente(), Latido)
    assert isinstance(await sala.entrar(otro.ultimo_id).siguiente(), Latido)
    # Cuando sigue, parte de lo que le faltaba lo ha puesto ya el otro.
    sigue.set()
    assert isinstance(await vuelve, Latido)


async def test_si_lo_que_seguia_se_olvida_mientras_no_se_encuentra_nada_es_un_hueco(salas: Salas) -> None:
    una = await salas()
    quien = await una.situado()
    una.topicos.publicar(*impresiones(1))
    otra = await salas(TopicosEnMemoria(una.topicos.guardados), Ritmo(eventos=3))
    await otra.situado()

    async def nada(*_: object) -> list[Publicado]:
        otra.topicos.publicar(*impresiones(2, 3, 4, 5))
        return []

    otra.topicos.repasar = nada  # type: ignore[assignment, method-assign]
    assert isinstance(await otra.entrar(quien.ultimo_id).siguiente(), Hueco)


async def test_lo_que_escribio_una_version_posterior_es_un_hueco_de_uno(salas: Salas) -> None:
    sala = await salas()
    quien = await sala.situado()
    sala.topicos.publicar(*impresiones(1), de_otra_version=CAMPAÑA)
    hueco = await quien.siguiente()
    assert isinstance(hueco, Hueco)
    assert hueco.saltados == 1
    sala.topicos.publicar(*impresiones(2))
    assert await quien.eventos(1) == ids(2)


async def test_callado_late_y_el_latido_lleva_el_id_al_dia(salas: Salas) -> None:
    sala = await salas(ritmo=Ritmo(latido=0.001))
    quien = await sala.situado()
    sala.topicos.publicar(*impresiones(1, campaña_id="otra"))
    sala.reloj.hora += timedelta(minutes=1)
    latido = await quien.siguiente()
    while isinstance(latido, Latido) and latido.marca is not None and latido.marca.dada_en == AHORA:
        latido = await quien.siguiente()
    assert isinstance(latido, Latido)
    assert latido.marca is not None
    assert latido.marca.posiciones["impresion"] == (1, 0, -1)


async def test_antes_de_saber_por_donde_se_lee_tambien_late(salas: Salas) -> None:
    topicos = TopicosEnMemoria()
    topicos.puede_situar.clear()
    sala = await salas(topicos, Ritmo(latido=0.001))
    quien = sala.entrar()
    assert await quien.siguiente() == Latido(None)
    topicos.puede_situar.set()
    suceso = await quien.siguiente()
    while suceso == Latido(None):
        suceso = await quien.siguiente()
    assert isinstance(suceso, Latido)


async def test_que_falte_el_broker_y_que_vuelva_se_cuenta_a_todos_una_vez(salas: Salas) -> None:
    sala = await salas()
    quienes = [await sala.situado(), await sala.situado(campaña_id="otra")]
    for con_broker in (False, True):
        for _ in range(2):
            sala.en_vivo.conectado(con_broker=con_broker)
        assert [await quien.siguiente() for quien in quienes] == [Conexion(con_broker)] * 2
    sala.topicos.publicar(*impresiones(1))
    assert await quienes[0].eventos(1) == ids(1)


async def test_hay_un_maximo_de_espectadores_y_el_que_se_va_deja_su_sitio(salas: Salas) -> None:
    sala = await salas(ritmo=Ritmo(espectadores=2))
    quien, _ = await sala.situado(), await sala.situado()
    with pytest.raises(NoCabenMas):
        sala.entrar()
    await quien.irse()
    await sala.situado()
    with pytest.raises(NoCabenMas):
        sala.entrar()


async def test_al_terminar_todos_acaban_tambien_quien_aun_se_situaba_y_nadie_mas_entra(salas: Salas) -> None:
    una = await salas()
    antes = await una.situado()
    una.topicos.publicar(*impresiones(1))
    sala = await salas(TopicosEnMemoria(una.topicos.guardados), Ritmo(para_repasar=3_600))
    quieto = await sala.situado()
    atascado = asyncio.Event()

    async def sin_respuesta(*_: object) -> None:
        atascado.set()
        await asyncio.Event().wait()

    sala.topicos.repasar = sin_respuesta  # type: ignore[assignment, method-assign]
    situandose = asyncio.create_task(sala.entrar(antes.ultimo_id).siguiente())
    esperando = asyncio.create_task(quieto.siguiente())
    await atascado.wait()
    sala.en_vivo.despedir()
    assert await esperando is None
    assert isinstance(await situandose, Hueco)
    with pytest.raises(NoCabenMas):
        sala.entrar()


async def test_si_el_lector_falla_cuando_nadie_mira_el_siguiente_no_se_cierra(salas: Salas) -> None:
    sala = await salas(ritmo=Ritmo(gracia=0.05))
    await (await sala.situado()).irse()
    assert sala.topicos.roto is not None
    sala.topicos.roto.set_exception(RuntimeError("un defecto"))
    await hasta_en_el_bucle(lambda: sala.topicos.lectores == 0)
    quien = await sala.situado()
    pasada_la_gracia = asyncio.Event()
    asyncio.get_running_loop().call_later(sala.en_vivo.ritmo.gracia, pasada_la_gracia.set)
    await pasada_la_gracia.wait()
    sala.topicos.publicar(*impresiones(1))
    assert await quien.eventos(1) == ids(1)


async def test_si_el_lector_falla_quien_miraba_acaba_y_al_volver_sigue_por_donde_iba(salas: Salas) -> None:
    sala = await salas()
    quien = await sala.situado()
    sala.topicos.publicar(*impresiones(1))
    assert await quien.eventos(1) == ids(1)
    assert sala.topicos.roto is not None
    sala.topicos.roto.set_exception(RuntimeError("un defecto"))
    assert await quien.siguiente() is None
    await quien.irse()
    sala.topicos.publicar(*impresiones(2))
    vuelto = await sala.situado(quien.ultimo_id)
    assert await vuelto.eventos(1) == ids(2)
    assert sala.topicos.abiertos == 2


async def test_los_que_van_a_la_par_comparten_la_marca_y_quien_va_por_otro_sitio_tiene_la_suya(
    salas: Salas,
) -> None:
    sala = await salas()
    uno, otro = await sala.situado(), await sala.situado()
    sala.topicos.publicar(*impresiones(1), conversion(CONVERSION))
    contados = [[await quien.siguiente() for _ in range(2)] for quien in (uno, otro)]
    marcas = [[suceso.marca for suceso in suyos if isinstance(suceso, Novedad)] for suyos in contados]
    assert all(suya is ajena for suya, ajena in zip(*marcas, strict=True))
    assert marcas[0][0].posiciones != marcas[0][1].posiciones
    # Quien vuelve sin haber visto la impresión y sí la conversión no lleva la marca de quien vio las dos.
    por_otro_sitio = dict(marcas[0][1].posiciones) | {"impresion": PRINCIPIO}
    rezagado = sala.entrar(sala.en_vivo.marca(por_otro_sitio, AHORA).texto)
    suceso = await rezagado.siguiente()
    assert isinstance(suceso, Latido)
    assert isinstance(suceso := await rezagado.siguiente(), Novedad)
    assert suceso.marca.posiciones == marcas[0][1].posiciones
    assert suceso.marca is not marcas[0][0]


async def test_lo_que_llega_seguido_se_cuenta_junto_a_quien_va_al_dia(salas: Salas) -> None:
    sala = await salas()
    quien = await sala.situado()
    sala.topicos.publicar(*impresiones(1))
    assert await quien.eventos(1) == ids(1)
    junto = asyncio.create_task(quien.tanda())
    for numero in (2, 3, 4):
        await asyncio.sleep(0)
        sala.topicos.publicar(*impresiones(numero))
    assert len(await junto) == 3
