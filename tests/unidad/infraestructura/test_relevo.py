"""El relevo: anota solo lo confirmado, y lo demás sigue pendiente, sea una carta o la fila de un evento."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial

import pytest
from prometheus_client import CollectorRegistry

from alpespartners.modulos.tracking.aplicacion.mensajes import Envio, Sobre
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible, FilaIlegible
from alpespartners.modulos.tracking.aplicacion.topicos import EVENTO_IMPRESION_REGISTRADA
from alpespartners.modulos.tracking.infraestructura.consumo.relevo import Relevo
from alpespartners.modulos.tracking.infraestructura.consumo.ritmo import RitmoDelRelevo
from alpespartners.modulos.tracking.infraestructura.libro.carriles import Avance, CarrilTomado, Trozo
from alpespartners.modulos.tracking.infraestructura.metricas import MetricasDeConsumo
from alpespartners.modulos.tracking.infraestructura.pulsar.publicador import RitmoDelPublicador
from alpespartners.seedwork.pausas import Pausas
from tests.apoyo.espera import hasta_en_el_bucle
from tests.apoyo.metricas import metricas_de_consumo
from tests.apoyo.pulsar_falso import ClienteFalso, ProductorFalso

TOPICO = EVENTO_IMPRESION_REGISTRADA
RITMO = RitmoDelRelevo(
    cada_retirada=0.0,
    pausas=Pausas(minima=0.01),
    publicador=RitmoDelPublicador(pausas=Pausas(minima=0.01)),
)
BARRE_A_MENUDO = replace(RITMO, cada_barrido=0.02)


@dataclass
class CarrilesFalsos:
    """Las filas de unos carriles, y hasta dónde se anotó lo publicado de cada uno."""

    filas: dict[int, dict[int, Sobre | FilaIlegible]] = field(default_factory=dict)
    vencidos: list[CarrilTomado] = field(default_factory=list)
    anotado: dict[int, int] = field(default_factory=dict)
    publicadas: dict[int, int] = field(default_factory=dict)
    de_otro: set[int] = field(default_factory=set)
    sueltos: set[int] = field(default_factory=set)
    leidos: list[Trozo] = field(default_factory=list)

    def escribir(self, carril: int, *numeros: int) -> list[Envio]:
        """Lo que deja una transacción: las filas, y sus envíos."""
        suyas = self.filas.setdefault(carril, {})
        envios = []
        for n in numeros:
            sobre = Sobre(TOPICO, "cmp-456", {"ce_id": str(n)}, b"x")
            envios.append(Envio(n, sobre, carril, max(suyas, default=0)))
            suyas[n] = sobre
        return envios

    def tomar(self) -> list[CarrilTomado]:
        tomados, self.vencidos = self.vencidos, []
        return tomados

    def avanzar(self, avances: Sequence[Avance]) -> set[int]:
        for numero, hasta, _, publicadas in avances:
            if numero not in self.de_otro:
                self.anotado[numero] = max(hasta, self.anotado.get(numero, 0))
                self.publicadas[numero] = publicadas
        return self.de_otro & {avance.numero for avance in avances}

    def leer(self, trozo: Trozo) -> list[tuple[int, Sobre | FilaIlegible]]:
        self.leidos.append(trozo)
        suyas = sorted(self.filas[trozo.numero].items())
        return [fila for fila in suyas if trozo.despues_de < fila[0] <= trozo.hasta][: trozo.limite]


@dataclass
class BandejaFalsa:
    """Una bandeja de salida cuyos arriendos vencen cuando la prueba lo dice."""

    vencidos: list[Envio] = field(default_factory=list)
    barridos: int = 0
    retirados: list[int] = field(default_factory=list)
    renovados: list[int] = field(default_factory=list)
    fallos: int = 0
    muda: bool = False
    al_retirar: Callable[[], Awaitable[object]] = field(default=partial(asyncio.sleep, 0))
    carriles: CarrilesFalsos = field(default_factory=CarrilesFalsos)

    async def retirar(self, numeros: Sequence[int], avances: Sequence[Avance] = ()) -> set[int]:
        if self.fallos:
            self.fallos -= 1
            raise BaseDatosNoDisponible
        await self.al_retirar()
        self.retirados += numeros
        return self.carriles.avanzar(avances)

    async def renovar(self, numeros: Sequence[int]) -> None:
        self.renovados += numeros

    async def reservar_vencidos(self, limite: int) -> list[Envio]:
        if self.muda:
            raise BaseDatosNoDisponible
        self.barridos += 1
        tomados, self.vencidos = self.vencidos[:limite], self.vencidos[limite:]
        return tomados

    async def tomar_carriles(self) -> list[CarrilTomado]:
        return self.carriles.tomar()

    async def soltar_carriles(self, numeros: Collection[int]) -> None:
        self.carriles.sueltos |= set(numeros)

    async def leer_carril(self, trozo: Trozo) -> list[tuple[int, Sobre | FilaIlegible]]:
        leidas = self.carriles.leer(trozo)
        # Como una base de datos: mientras responde, llega lo que el broker diga de lo anterior.
        await asyncio.sleep(0.001)
        return leidas


def envio(numero: int, topico: str = TOPICO, carga: bytes = b"x") -> Envio:
    return Envio(numero, Sobre(topico, "cmp-456", {}, carga))


@asynccontextmanager
async def relevando(
    cliente: ClienteFalso, bandeja: BandejaFalsa, ritmo: RitmoDelRelevo
) -> AsyncGenerator[Relevo]:
    relevador = Relevo(cliente, bandeja, metricas=metricas_de_consumo(), ritmo=ritmo)
    await relevador.abrir()
    yield relevador
    await relevador.cerrar(0.1)


@pytest.fixture
async def cliente() -> ClienteFalso:
    return ClienteFalso()


@pytest.fixture
async def bandeja() -> BandejaFalsa:
    return BandejaFalsa()


@pytest.fixture
async def relevador(cliente: ClienteFalso, bandeja: BandejaFalsa) -> AsyncGenerator[Relevo]:
    async with relevando(cliente, bandeja, BARRE_A_MENUDO) as relevador:
        yield relevador


async def enviados(cliente: ClienteFalso, cuantos: int, topico: str = TOPICO) -> ProductorFalso:
    await hasta_en_el_bucle(
        lambda: topico in cliente.productores and len(cliente.productores[topico].enviados) == cuantos
    )
    return cliente.productores[topico]


async def test_retira_solo_lo_que_el_broker_confirmo(
    relevador: Relevo, cliente: ClienteFalso, bandeja: BandejaFalsa
) -> None:
    relevador.entregar([envio(1), envio(2), envio(3)])
    productor = await enviados(cliente, 3)
    assert bandeja.retirados == []
    productor.responder(confirmado=True, cuantos=2)
    productor.responder(confirmado=False)
    await hasta_en_el_bucle(lambda: sorted(bandeja.retirados) == [1, 2])

    bandeja.vencidos = [envio(3)]
    productor = await enviados(cliente, 1)
    productor.responder(confirmado=True)
    await hasta_en_el_bucle(lambda: sorted(bandeja.retirados) == [1, 2, 3])


async def test_recoge_lo_que_otro_no_llego_a_publicar(cliente: ClienteFalso, bandeja: BandejaFalsa) -> None:
    bandeja.vencidos = [envio(7)]
    relevador = Relevo(cliente, bandeja, metricas=metricas_de_consumo(), ritmo=RITMO)
    await relevador.abrir()
    (await enviados(cliente, 1)).responder(confirmado=True)
    await hasta_en_el_bucle(lambda: bandeja.retirados == [7])
    await relevador.cerrar(0.1)


async def test_lo_que_ya_tiene_en_mano_no_lo_publica_otra_vez(
    relevador: Relevo, cliente: ClienteFalso, bandeja: BandejaFalsa
) -> None:
    relevador.entregar([envio(1)])
    await enviados(cliente, 1)
    bandeja.vencidos = [envio(1), envio(2)]
    await hasta_en_el_bucle(lambda: not bandeja.vencidos)
    productor = await enviados(cliente, 2)
    productor.responder(confirmado=True)
    await hasta_en_el_bucle(lambda: sorted(bandeja.retirados) == [1, 2])


async def test_lo_confirmado_y_aun_no_retirado_ni_ocupa_sitio_ni_se_publica_otra_vez(
    cliente: ClienteFalso, bandeja: BandejaFalsa
) -> None:
    ritmo = replace(BARRE_A_MENUDO, maximo_en_mano=1, renovar_tras=0.0)
    async with relevando(cliente, bandeja, ritmo) as relevador:
        bandeja.fallos = siempre = 1_000_000
        relevador.entregar([envio(1)])
        (await enviados(cliente, 1)).responder(confirmado=True)
        await hasta_en_el_bucle(lambda: bandeja.fallos < siempre)

        relevador.entregar([envio(1), envio(2)])
        productor = await enviados(cliente, 1)
        bandeja.renovados.clear()
        await hasta_en_el_bucle(lambda: {1, 2} <= set(bandeja.renovados))
        productor.responder(confirmado=True)


async def test_un_atraso_se_publica_sin_esperar_al_barrido_siguiente_mientras_el_broker_confirme(
    cliente: ClienteFalso, bandeja: BandejaFalsa
) -> None:
    ritmo = replace(RITMO, en_mano_sin_esperar=2, cada_barrido=3600)
    relevador = Relevo(cliente, bandeja, metricas=metricas_de_consumo(), ritmo=ritmo)
    bandeja.vencidos = [envio(numero) for numero in range(7)]
    await relevador.abrir()
    productor = await enviados(cliente, 2)
    productor.responder(confirmado=False)
    await hasta_en_el_bucle(lambda: not productor.enviados)
    assert len(bandeja.vencidos) == 5
    await relevador.cerrar(0.1)

    relevador = Relevo(cliente, bandeja, metricas=metricas_de_consumo(), ritmo=ritmo)
    await relevador.abrir()
    for cuantos in (2, 2, 1):
        (await enviados(cliente, cuantos)).responder(confirmado=True)
    await hasta_en_el_bucle(lambda: sorted(bandeja.retirados) == [2, 3, 4, 5, 6])
    await relevador.cerrar(0.1)


async def test_un_barrido_no_arrienda_mas_de_lo_que_cabe(
    cliente: ClienteFalso, bandeja: BandejaFalsa
) -> None:
    ritmo = replace(BARRE_A_MENUDO, en_mano_sin_esperar=2)
    async with relevando(cliente, bandeja, ritmo) as relevador:
        relevador.entregar([envio(1)])
        await enviados(cliente, 1)
        bandeja.vencidos = [envio(2), envio(3)]
        await enviados(cliente, 2)
        assert bandeja.vencidos == [envio(3)]


@pytest.mark.parametrize(
    "ritmo",
    [replace(BARRE_A_MENUDO, en_mano_sin_esperar=1), replace(BARRE_A_MENUDO, octetos_sin_esperar=1)],
    ids=["envíos", "octetos"],
)
async def test_un_barrido_no_arrienda_nada_mientras_no_quepa(
    cliente: ClienteFalso,
    bandeja: BandejaFalsa,
    ritmo: RitmoDelRelevo,
) -> None:
    async with relevando(cliente, bandeja, replace(ritmo, renovar_tras=0.0)) as relevador:
        relevador.entregar([envio(1), envio(2)])
        productor = await enviados(cliente, 2)
        bandeja.vencidos = [envio(3), envio(4)]
        barridos = bandeja.renovados.count(1)
        await hasta_en_el_bucle(lambda: bandeja.renovados.count(1) > barridos + 1)
        assert bandeja.vencidos == [envio(3), envio(4)]
        productor.responder(confirmado=True)
        await hasta_en_el_bucle(lambda: envio(3) not in bandeja.vencidos)


async def test_lo_que_se_confirma_mientras_se_retira_otro_tambien_se_retira_y_se_cuenta(
    cliente: ClienteFalso, bandeja: BandejaFalsa
) -> None:
    contadas = CollectorRegistry()

    def cuantos(cuenta: str) -> float | None:
        return contadas.get_sample_value(f"alpes_envios_{cuenta}_total", {"topico": TOPICO})

    async def llega_otra_confirmacion() -> None:
        if not bandeja.retirados:
            productor.responder(confirmado=True)
            await hasta_en_el_bucle(lambda: cuantos("publicados") == 2)

    bandeja.al_retirar = llega_otra_confirmacion
    relevador = Relevo(cliente, bandeja, metricas=MetricasDeConsumo(contadas), ritmo=RITMO)
    await relevador.abrir()
    relevador.entregar([envio(1), envio(2), envio(3)])
    productor = await enviados(cliente, 3)
    productor.responder(confirmado=False, cuantos=1)
    productor.responder(confirmado=True, cuantos=1)
    await hasta_en_el_bucle(lambda: bandeja.retirados == [2, 3])
    assert cuantos("sin_confirmar") == 1
    await relevador.cerrar(0.1)


async def test_lo_que_no_cabe_se_queda_en_la_bandeja(cliente: ClienteFalso, bandeja: BandejaFalsa) -> None:
    ritmo = replace(BARRE_A_MENUDO, maximo_en_mano=2)
    async with relevando(cliente, bandeja, ritmo) as relevador:
        relevador.entregar([envio(1), envio(2), envio(3)])
        productor = await enviados(cliente, 2)
        relevador.entregar([envio(4)])
        productor.responder(confirmado=True)
        await hasta_en_el_bucle(lambda: not productor.enviados)


@pytest.mark.parametrize(
    "ritmo",
    [replace(BARRE_A_MENUDO, en_mano_sin_esperar=2), replace(BARRE_A_MENUDO, octetos_sin_esperar=2)],
    ids=["envíos", "octetos"],
)
async def test_quien_deposita_mas_de_prisa_de_lo_que_se_publica_espera(
    cliente: ClienteFalso, bandeja: BandejaFalsa, ritmo: RitmoDelRelevo
) -> None:
    async with relevando(cliente, bandeja, replace(ritmo, espera_a_que_quepan=30.0)) as relevador:
        relevador.entregar([envio(1), envio(2)])
        productor = await enviados(cliente, 2)
        espera = asyncio.create_task(relevador.esperar_a_que_quepan())
        await asyncio.wait((espera,), timeout=0.01)
        assert not espera.done()
        productor.responder(confirmado=True, cuantos=1)
        await espera


async def test_si_el_broker_no_quiere_nada_quien_deposita_no_espera_siempre(
    cliente: ClienteFalso, bandeja: BandejaFalsa
) -> None:
    ritmo = replace(BARRE_A_MENUDO, en_mano_sin_esperar=1, espera_a_que_quepan=0.01)
    async with relevando(cliente, bandeja, ritmo) as relevador:
        relevador.entregar([envio(1)])
        await enviados(cliente, 1)
        await relevador.esperar_a_que_quepan()


async def test_las_cargas_enormes_se_toman_de_pocas_en_pocas(
    cliente: ClienteFalso, bandeja: BandejaFalsa
) -> None:
    ritmo = replace(BARRE_A_MENUDO, maximo_octetos=100)
    async with relevando(cliente, bandeja, ritmo) as relevador:
        relevador.entregar([envio(numero, carga=b"x" * 60) for numero in range(5)])
        await enviados(cliente, 2)


async def test_renueva_el_arriendo_de_lo_que_lleva_rato_en_mano(
    cliente: ClienteFalso, bandeja: BandejaFalsa
) -> None:
    async with relevando(cliente, bandeja, replace(BARRE_A_MENUDO, renovar_tras=0.0)) as relevador:
        relevador.entregar([envio(1)])
        await hasta_en_el_bucle(lambda: 1 in bandeja.renovados)


async def test_no_renueva_el_arriendo_de_lo_que_acaba_de_tomar(
    relevador: Relevo, cliente: ClienteFalso, bandeja: BandejaFalsa
) -> None:
    relevador.entregar([envio(1)])
    await enviados(cliente, 1)
    barridos = bandeja.barridos
    await hasta_en_el_bucle(lambda: bandeja.barridos > barridos + 2)
    assert bandeja.renovados == []


async def test_si_no_puede_retirar_lo_intenta_otra_vez(
    relevador: Relevo, cliente: ClienteFalso, bandeja: BandejaFalsa
) -> None:
    bandeja.fallos = 3
    relevador.entregar([envio(1)])
    (await enviados(cliente, 1)).responder(confirmado=True)
    await hasta_en_el_bucle(lambda: bandeja.retirados == [1])


async def test_una_carta_muerta_espera_a_tener_quien_la_guarde(
    relevador: Relevo, cliente: ClienteFalso
) -> None:
    cartas = "comando-registrar-impresion-tracking-DLQ"
    relevador.entregar([envio(1, cartas)])
    await enviados(cliente, 1, cartas)
    assert cliente.pedidos == [f"asegurar {cartas} cartas", f"productor {cartas}"]


async def test_si_el_broker_no_acepta_al_productor_los_envios_se_sueltan_y_vuelven_al_vencer(
    cliente: ClienteFalso, bandeja: BandejaFalsa
) -> None:
    ritmo = replace(
        BARRE_A_MENUDO,
        espera_al_productor=0.01,
        publicador=RitmoDelPublicador(pausas=Pausas(minima=0.01, maxima=0.05)),
    )
    async with relevando(cliente, bandeja, ritmo) as relevador:
        cliente.fallos = 3
        relevador.entregar([envio(1)])
        await hasta_en_el_bucle(lambda: TOPICO in cliente.productores)
        assert not cliente.productores[TOPICO].enviados
        bandeja.vencidos = [envio(1)]
        (await enviados(cliente, 1)).responder(confirmado=True)
        await hasta_en_el_bucle(lambda: bandeja.retirados == [1])


async def test_al_cerrar_espera_las_confirmaciones_y_las_retira(
    cliente: ClienteFalso, bandeja: BandejaFalsa
) -> None:
    ritmo = replace(RITMO, cada_retirada=60.0)
    relevador = Relevo(cliente, bandeja, metricas=metricas_de_consumo(), ritmo=ritmo)
    await relevador.abrir()
    relevador.entregar([envio(1), envio(2)])
    productor = await enviados(cliente, 2)
    cierre = asyncio.create_task(relevador.cerrar(2.0))
    productor.responder(confirmado=True, cuantos=1)
    productor.responder(confirmado=False)
    await cierre
    assert bandeja.retirados == [1]
    assert productor.cerrado


async def test_al_cerrar_publica_y_retira_lo_que_aun_espera_a_conectarse(bandeja: BandejaFalsa) -> None:
    cliente = ClienteFalso(confirma_solo=True)
    relevador = Relevo(cliente, bandeja, metricas=metricas_de_consumo(), ritmo=RITMO)
    await relevador.abrir()
    relevador.entregar([envio(1)])
    await relevador.cerrar(60.0)
    assert bandeja.retirados == [1]


async def test_no_dice_que_falta_la_base_de_datos_que_ya_retiro_aunque_nada_mas_quepa(
    cliente: ClienteFalso, bandeja: BandejaFalsa
) -> None:
    ritmo = replace(BARRE_A_MENUDO, en_mano_sin_esperar=1)
    async with relevando(cliente, bandeja, ritmo) as relevador:
        relevador.entregar([envio(1), envio(2)])
        await enviados(cliente, 2)
        bandeja.fallos = 1_000_000
        cliente.productores[TOPICO].responder(confirmado=True, cuantos=1)
        await hasta_en_el_bucle(lambda: not relevador.hay_base_datos)
        bandeja.fallos = 0
        await hasta_en_el_bucle(lambda: relevador.hay_base_datos)
        assert bandeja.retirados == [1]


async def test_dice_que_falta_la_base_de_datos_hasta_que_responde(
    cliente: ClienteFalso, bandeja: BandejaFalsa
) -> None:
    contadas = CollectorRegistry()
    relevador = Relevo(cliente, bandeja, metricas=MetricasDeConsumo(contadas), ritmo=BARRE_A_MENUDO)
    assert relevador.hay_base_datos
    bandeja.muda = True
    await relevador.abrir()
    await hasta_en_el_bucle(lambda: not relevador.hay_base_datos)
    assert contadas.get_sample_value("alpes_base_datos_fallos_total")
    bandeja.muda = False
    await hasta_en_el_bucle(lambda: relevador.hay_base_datos)
    await relevador.cerrar(0.1)


# Los eventos, que son filas de un carril


def ids(productor: ProductorFalso) -> list[str]:
    return [sobre.propiedades["ce_id"] for sobre, _ in productor.enviados]


async def test_de_un_carril_anota_hasta_donde_no_falta_ninguna(
    relevador: Relevo, cliente: ClienteFalso, bandeja: BandejaFalsa
) -> None:
    relevador.entregar(bandeja.carriles.escribir(4, 11, 12, 15))
    productor = await enviados(cliente, 3)
    productor.responder(confirmado=True, cuantos=1)
    await hasta_en_el_bucle(lambda: bandeja.carriles.anotado == {4: 11})
    # La primera que falta retiene a las de detrás, aunque se confirmen antes.
    productor.enviados.reverse()
    productor.responder(confirmado=True, cuantos=1)
    await hasta_en_el_bucle(lambda: bandeja.carriles.publicadas == {4: 2})
    assert bandeja.carriles.anotado == {4: 11}
    productor.responder(confirmado=True)
    await hasta_en_el_bucle(lambda: bandeja.carriles.anotado == {4: 15})


async def test_lo_que_no_se_confirma_se_lee_otra_vez_del_libro_y_lo_demas_no_se_repite(
    relevador: Relevo, cliente: ClienteFalso, bandeja: BandejaFalsa
) -> None:
    relevador.entregar(bandeja.carriles.escribir(4, 1, 2, 3))
    productor = await enviados(cliente, 3)
    productor.responder(confirmado=True, cuantos=1)
    productor.responder(confirmado=False, cuantos=1)
    productor.responder(confirmado=True)
    productor = await enviados(cliente, 1)
    assert ids(productor) == ["2"]
    assert bandeja.carriles.anotado.get(4, 0) <= 1
    productor.responder(confirmado=True)
    await hasta_en_el_bucle(lambda: bandeja.carriles.anotado == {4: 3})
    assert bandeja.carriles.publicadas == {4: 3}


async def test_lo_que_no_cabe_al_escribirse_se_publica_del_libro_cuando_cabe(
    cliente: ClienteFalso, bandeja: BandejaFalsa
) -> None:
    ritmo = replace(RITMO, maximo_en_mano=2, en_mano_sin_esperar=2, filas_por_lectura=2, cada_barrido=3600)
    async with relevando(cliente, bandeja, ritmo) as relevador:
        relevador.entregar(bandeja.carriles.escribir(4, 1, 2, 3))
        relevador.entregar(bandeja.carriles.escribir(4, 4, 5))
        vistos = []
        for cuantos in (2, 2, 1):
            productor = await enviados(cliente, cuantos)
            vistos += ids(productor)
            productor.responder(confirmado=True)
        await hasta_en_el_bucle(lambda: bandeja.carriles.anotado == {4: 5})
        assert vistos == ["1", "2", "3", "4", "5"]
        # Otra vez al día: lo nuevo no pasa por el libro.
        lecturas = len(bandeja.carriles.leidos)
        relevador.entregar(bandeja.carriles.escribir(4, 6))
        (await enviados(cliente, 1)).responder(confirmado=True)
        await hasta_en_el_bucle(lambda: bandeja.carriles.anotado == {4: 6})
        assert len(bandeja.carriles.leidos) == lecturas


@pytest.mark.usefixtures("relevador")
async def test_toma_el_carril_de_quien_murio_publica_lo_suyo_y_lo_suelta(
    cliente: ClienteFalso, bandeja: BandejaFalsa
) -> None:
    bandeja.carriles.escribir(9, 1, 2, 5)
    bandeja.carriles.vencidos = [CarrilTomado(9, TOPICO, 1, 5, 1)]
    productor = await enviados(cliente, 2)
    assert ids(productor) == ["2", "5"]
    productor.responder(confirmado=True)
    await hasta_en_el_bucle(lambda: bandeja.carriles.sueltos == {9})
    assert bandeja.carriles.anotado == {9: 5}


@pytest.mark.usefixtures("relevador")
async def test_una_fila_que_otra_mano_dejo_ilegible_sigue_pendiente_y_no_estorba_a_las_demas(
    cliente: ClienteFalso, bandeja: BandejaFalsa
) -> None:
    bandeja.carriles.escribir(9, 1, 2, 3)
    bandeja.carriles.filas[9][2] = FilaIlegible("la cambió otra mano")
    bandeja.carriles.vencidos = [CarrilTomado(9, TOPICO, 0, 3, 0)]
    productor = await enviados(cliente, 2)
    assert ids(productor) == ["1", "3"]
    productor.responder(confirmado=True)
    await hasta_en_el_bucle(lambda: bandeja.carriles.publicadas == {9: 2})
    assert bandeja.carriles.anotado == {9: 1}
    assert not bandeja.carriles.sueltos


async def test_no_sigue_en_un_carril_suyo_donde_una_fila_quedo_ilegible(
    relevador: Relevo, cliente: ClienteFalso, bandeja: BandejaFalsa
) -> None:
    relevador.entregar(bandeja.carriles.escribir(4, 1, 2, 3))
    productor = await enviados(cliente, 3)
    bandeja.carriles.filas[4][2] = FilaIlegible("la cambió otra mano")
    productor.responder(confirmado=False)
    # Lo tomará él mismo, u otro: detrás de ella no crecerá más.
    await hasta_en_el_bucle(lambda: bandeja.carriles.sueltos == {4})
    assert sorted(ids(await enviados(cliente, 2))) == ["1", "3"]


async def test_de_un_carril_que_ya_es_de_otro_se_olvida(
    relevador: Relevo, cliente: ClienteFalso, bandeja: BandejaFalsa
) -> None:
    bandeja.carriles.de_otro = {4}
    relevador.entregar(bandeja.carriles.escribir(4, 1, 2))
    productor = await enviados(cliente, 2)
    productor.responder(confirmado=True, cuantos=1)
    barridos = bandeja.barridos
    await hasta_en_el_bucle(lambda: bandeja.barridos > barridos + 2)
    # Lo que estaba en curso se confirma cuando ya no es suyo.
    productor.responder(confirmado=True)
    relevador.entregar(bandeja.carriles.escribir(5, 3))
    (await enviados(cliente, 1)).responder(confirmado=True)
    await hasta_en_el_bucle(lambda: bandeja.carriles.anotado == {5: 3})


async def test_lo_que_espera_en_un_carril_renueva_su_arriendo_en_cada_barrido(
    relevador: Relevo, cliente: ClienteFalso, bandeja: BandejaFalsa
) -> None:
    relevador.entregar(bandeja.carriles.escribir(4, 7))
    await enviados(cliente, 1)
    await hasta_en_el_bucle(lambda: bandeja.carriles.anotado == {4: 6})
    bandeja.carriles.anotado.clear()
    await hasta_en_el_bucle(lambda: bandeja.carriles.anotado == {4: 6})


async def test_al_cerrar_suelta_sus_carriles_con_lo_publicado_anotado(
    cliente: ClienteFalso, bandeja: BandejaFalsa
) -> None:
    ritmo = replace(RITMO, cada_retirada=60.0)
    relevador = Relevo(cliente, bandeja, metricas=metricas_de_consumo(), ritmo=ritmo)
    await relevador.abrir()
    relevador.entregar(bandeja.carriles.escribir(4, 1, 2))
    productor = await enviados(cliente, 2)
    cierre = asyncio.create_task(relevador.cerrar(2.0))
    productor.responder(confirmado=True, cuantos=1)
    productor.responder(confirmado=False)
    await cierre
    assert (bandeja.carriles.anotado, bandeja.carriles.sueltos) == ({4: 1}, {4})


async def test_si_el_broker_rechaza_al_instante_cada_barrido_lo_intenta_una_sola_vez(
    bandeja: BandejaFalsa,
) -> None:
    # Como sin sitio en su disco: guarda lo que se le envía, y lo que confirma no vale.
    hay_sitio = asyncio.Event()
    cliente = ClienteFalso(confirma_solo=True, hay_sitio=hay_sitio.is_set)
    async with relevando(cliente, bandeja, replace(BARRE_A_MENUDO, filas_por_lectura=2)) as relevador:
        relevador.entregar(bandeja.carriles.escribir(4, 1, 2, 3))
        barridos = bandeja.barridos
        await hasta_en_el_bucle(lambda: bandeja.barridos > barridos + 3)
        desde_la_primera = [trozo for trozo in bandeja.carriles.leidos if trozo.despues_de == 0]
        assert 1 < len(desde_la_primera) <= bandeja.barridos
        hay_sitio.set()
        await hasta_en_el_bucle(lambda: bandeja.carriles.anotado == {4: 3})


async def test_de_un_carril_que_no_conoce_y_ya_tenia_filas_no_anota_nada(
    relevador: Relevo, cliente: ClienteFalso, bandeja: BandejaFalsa
) -> None:
    # Lo perdió mientras se escribía en él: de las de antes no sabe si se publicaron.
    relevador.entregar(bandeja.carriles.escribir(4, 1, 2)[1:])
    relevador.entregar(bandeja.carriles.escribir(5, 3))
    (await enviados(cliente, 1)).responder(confirmado=True)
    await hasta_en_el_bucle(lambda: bandeja.carriles.anotado == {5: 3})


async def test_si_toma_un_carril_mientras_se_le_dice_que_lo_perdio_lo_conserva(
    relevador: Relevo, cliente: ClienteFalso, bandeja: BandejaFalsa
) -> None:
    async def lo_toma_otra_vez() -> None:
        carriles.de_otro.clear()
        # La otra tarea, que es la que toma, no se espera a sí misma.
        if asyncio.current_task() is relevador._retirada and not carriles.leidos:  # noqa: SLF001
            carriles.vencidos = [CarrilTomado(4, TOPICO, 0, 2, 0)]
            await hasta_en_el_bucle(lambda: carriles.leidos)
            carriles.de_otro.add(4)
            ya_es_de_otro.set()

    ya_es_de_otro = asyncio.Event()
    carriles = bandeja.carriles
    bandeja.al_retirar = lo_toma_otra_vez
    relevador.entregar(carriles.escribir(4, 1, 2))
    productor = await enviados(cliente, 2)
    productor.responder(confirmado=True, cuantos=1)
    productor = await enviados(cliente, 2)
    assert ids(productor) == ["2", "1"]
    await ya_es_de_otro.wait()
    productor.responder(confirmado=True)
    await hasta_en_el_bucle(lambda: carriles.anotado == {4: 2})
