"""El contrato de los repositorios y de las lecturas: lo cumple todo adaptador, en memoria o en SQL."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.consultas.listar_eventos import (
    DE_INFLUENCER,
    Pagina,
    listar_eventos,
    peticion_de_lista,
)
from alpespartners.modulos.tracking.aplicacion.puertos import ClicLeido, Lecturas, UnidadTrabajo
from alpespartners.modulos.tracking.dominio.entidades import Conversion, Impresion
from alpespartners.modulos.tracking.dominio.lectura import Lectura
from alpespartners.modulos.tracking.dominio.repositorios import FiltroEventos, Posicion
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.lecturas import LecturasSQLite
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.libro import LibroSQLite
from tests.apoyo.eventos import AHORA, conversion, impresion
from tests.apoyo.libro_en_memoria import LibroEnMemoria
from tests.apoyo.postgresql import ServidorDePrueba, libro_postgresql
from tests.apoyo.procedencias import LECTURA

CAMPAÑA = FiltroEventos(campaña_id="cmp-456")
MINUTO = timedelta(minutes=1)


@dataclass
class Libro:
    """Un adaptador bajo prueba, con verbos cortos."""

    unidad: UnidadTrabajo
    lecturas: Lecturas

    async def agregar(self, *impresiones: Impresion) -> set[str]:
        return await self.unidad.ejecutar(lambda t: set(t.eventos(clases.IMPRESIONES).agregar(impresiones)))

    async def agregar_conversiones(self, *conversiones: Conversion) -> set[str]:
        return await self.unidad.ejecutar(lambda t: set(t.eventos(clases.CONVERSIONES).agregar(conversiones)))

    async def obtener(self, *ids: str) -> dict[str, Impresion]:
        return await self.lecturas.leer(lambda c: c.eventos(clases.IMPRESIONES).obtener(ids))

    async def listar(
        self, filtro: FiltroEventos = CAMPAÑA, despues_de: Posicion | None = None, limite: int = 100
    ) -> list[str]:
        eventos = await self.lecturas.leer(
            lambda c: c.eventos(clases.IMPRESIONES).listar(filtro, despues_de, limite)
        )
        return [evento.id for evento in eventos]

    async def pagina(self, parametros: Mapping[str, str]) -> Pagina[Impresion]:
        peticion = peticion_de_lista(clases.IMPRESIONES, "cmp-456", parametros)
        return await self.lecturas.leer(lambda c: listar_eventos(c.eventos(clases.IMPRESIONES), peticion))

    async def pagina_de_influencer(self, parametros: Mapping[str, str]) -> Pagina[Conversion]:
        peticion = peticion_de_lista(clases.CONVERSIONES, "inf-789", parametros, DE_INFLUENCER)
        return await self.lecturas.leer(lambda c: listar_eventos(c.eventos(clases.CONVERSIONES), peticion))

    async def listar_conversiones(self, filtro: FiltroEventos) -> list[str]:
        eventos = await self.lecturas.leer(lambda c: c.eventos(clases.CONVERSIONES).listar(filtro, None, 100))
        return [evento.id for evento in eventos]


class ContratoRepositorios:
    """Cada adaptador hereda estas pruebas y aporta la fixture `libro`, recién creado y vacío."""

    async def test_un_evento_guardado_vuelve_igual(self, libro: Libro) -> None:
        original = impresion(propiedades={"clave": "«ñ» \"'🛒", "vacía": ""}, user_agent="a\x00b\n🛒")
        await libro.agregar(original)
        assert await libro.obtener(original.id) == {original.id: original}

    @pytest.mark.parametrize("lectura", [None, LECTURA, Lectura(reglas="1/ñ")])
    async def test_un_evento_vuelve_con_su_lectura(self, libro: Libro, lectura: Lectura | None) -> None:
        vista, venta = replace(impresion(), lectura=lectura), replace(conversion(), lectura=lectura)
        await libro.agregar(vista)
        await libro.agregar_conversiones(venta)
        assert await libro.obtener(vista.id) == {vista.id: vista}
        leidas = await libro.lecturas.leer(lambda c: c.eventos(clases.CONVERSIONES).obtener([venta.id]))
        assert leidas == {venta.id: venta}

    async def test_el_dinero_vuelve_cifra_por_cifra(self, libro: Libro) -> None:
        casos = {"COP": "99999999999999.99", "JPY": "500", "KWD": "1.234", "CLF": "0.0001", "EUR": "0"}
        for moneda, valor in casos.items():
            await libro.agregar_conversiones(conversion(id=moneda, valor=Decimal(valor), moneda=moneda))
        leidas = await libro.lecturas.leer(lambda c: c.eventos(clases.CONVERSIONES).obtener(casos))
        assert {
            moneda: str(leida.contenido.valor and leida.contenido.valor.valor)
            for moneda, leida in leidas.items()
        } == casos | {"EUR": "0.00"}

    async def test_una_conversion_sin_valor_vuelve_sin_valor(self, libro: Libro) -> None:
        sin_nada = conversion(id="a", tipo_conversion="REGISTRO", valor=None, moneda=None)
        solo_moneda = conversion(id="b", tipo_conversion="REGISTRO", valor=None, moneda="USD")
        await libro.agregar_conversiones(sin_nada, solo_moneda)
        leidas = await libro.lecturas.leer(lambda c: c.eventos(clases.CONVERSIONES).obtener(["a", "b"]))
        assert leidas == {"a": sin_nada, "b": solo_moneda}

    @pytest.mark.parametrize(
        "id_evento", ["FV/2024/001", "a/destino", "a b%c?d#e", "ñandú-1", "x" * 128, "'; --", '"\\', "🛒"]
    )
    async def test_un_id_puede_llevar_cualquier_caracter(self, libro: Libro, id_evento: str) -> None:
        assert await libro.agregar(impresion(id=id_evento)) == {id_evento}
        assert set(await libro.obtener(id_evento)) == {id_evento}

    async def test_ids_que_solo_difieren_en_mayusculas_o_tildes_son_distintos(self, libro: Libro) -> None:
        ids = {"a", "A", "á", "\uff41"}
        assert await libro.agregar(*(impresion(id=id_evento) for id_evento in ids)) == ids

    async def test_agregar_devuelve_solo_los_que_no_estaban_y_no_cambia_los_que_estaban(
        self, libro: Libro
    ) -> None:
        primera = impresion(id="a")
        await libro.agregar(primera)
        assert await libro.agregar(impresion(id="a", usuario_id="otro"), impresion(id="b")) == {"b"}
        assert (await libro.obtener("a"))["a"] == primera

    async def test_impresiones_y_conversiones_tienen_ids_independientes(self, libro: Libro) -> None:
        assert await libro.agregar(impresion(id="mismo")) == {"mismo"}
        assert await libro.agregar_conversiones(conversion(id="mismo")) == {"mismo"}

    async def test_un_lote_vacio_no_guarda_nada(self, libro: Libro) -> None:
        assert await libro.agregar() == set()
        assert await libro.obtener() == {}
        assert await libro.listar() == []

    async def test_se_puede_guardar_y_preguntar_por_miles_de_ids_a_la_vez(self, libro: Libro) -> None:
        eventos = [impresion(id=f"imp-{numero}") for numero in range(3_500)]
        ids = {evento.id for evento in eventos}
        assert await libro.agregar(*eventos) == ids
        assert set(await libro.obtener(*ids, "ausente")) == ids

    async def test_la_lista_va_de_lo_mas_reciente_a_lo_mas_antiguo(self, libro: Libro) -> None:
        await libro.agregar(
            impresion(id="b", timestamp=AHORA - 2 * MINUTO),
            impresion(id="c", timestamp=AHORA - 1 * MINUTO),
            impresion(id="a", timestamp=AHORA - 3 * MINUTO),
        )
        assert await libro.listar() == ["c", "b", "a"]

    async def test_a_igual_instante_manda_el_id_por_puntos_de_codigo(self, libro: Libro) -> None:
        ids = ["a", "B", "ñ", "z", "10", "9", "\uffef", "🛒"]
        await libro.agregar(*(impresion(id=id_evento) for id_evento in ids))
        assert await libro.listar() == sorted(ids, reverse=True)
        posicion = Posicion(impresion().ocurrido_en, "a")
        assert await libro.listar(despues_de=posicion) == ["B", "9", "10"]

    async def test_un_timestamp_adelantado_se_lista_por_cuando_se_recibio(self, libro: Libro) -> None:
        await libro.agregar(
            impresion(id="adelantado", timestamp=AHORA + MINUTO), impresion(id="z-en-punto", timestamp=AHORA)
        )
        assert await libro.listar() == ["z-en-punto", "adelantado"]

    async def test_desde_se_incluye_y_hasta_no(self, libro: Libro) -> None:
        await libro.agregar(*(impresion(id=str(n), timestamp=AHORA - n * MINUTO) for n in range(1, 5)))
        filtro = FiltroEventos(campaña_id="cmp-456", desde=AHORA - 3 * MINUTO, hasta=AHORA - MINUTO)
        assert await libro.listar(filtro) == ["2", "3"]

    async def test_la_lista_distingue_campaña_influencer_y_tipo(self, libro: Libro) -> None:
        await libro.agregar_conversiones(
            conversion(id="1"),
            conversion(id="2", campaña_id="otra"),
            conversion(id="3", influencer_id="otro"),
            conversion(id="4", influencer_id=None),
            conversion(id="5", tipo_conversion="REGISTRO"),
        )
        campaña, influencer = "cmp-456", "inf-789"
        assert await libro.listar_conversiones(CAMPAÑA) == ["5", "4", "3", "1"]
        filtro = FiltroEventos(campaña_id=campaña, influencer_id=influencer)
        assert await libro.listar_conversiones(filtro) == ["5", "1"]
        filtro = FiltroEventos(campaña_id=campaña, tipo="VENTA")
        assert await libro.listar_conversiones(filtro) == ["4", "3", "1"]
        filtro = FiltroEventos(campaña_id=campaña, influencer_id=influencer, tipo="VENTA")
        assert await libro.listar_conversiones(filtro) == ["1"]
        assert await libro.listar_conversiones(FiltroEventos(influencer_id=influencer)) == ["5", "2", "1"]
        filtro = FiltroEventos(influencer_id=influencer, tipo="VENTA")
        assert await libro.listar_conversiones(filtro) == ["2", "1"]
        await libro.agregar(impresion(id="clic", tipo_evento="CLIC"), impresion(id="vista"))
        assert await libro.listar(FiltroEventos(campaña_id=campaña, tipo="CLIC")) == ["clic"]

    async def test_las_de_un_influencer_se_recorren_por_todas_las_campañas_sin_repetir_ni_saltarse_ninguna(
        self, libro: Libro
    ) -> None:
        # Varias comparten instante y campaña, para que un corte de página caiga en medio de ellas.
        iniciales = {f"i{n:02}": AHORA - (n // 4) * MINUTO for n in range(20)}
        await libro.agregar_conversiones(
            *(
                conversion(id=id_, campaña_id=f"cmp-{id_[-1]}", timestamp=cuando)
                for id_, cuando in iniciales.items()
            ),
            conversion(id="ajena", influencer_id="otro"),
        )
        vistos: list[str] = []
        parametros = {"limite": "7"}
        while True:
            pagina = await libro.pagina_de_influencer(parametros)
            vistos += [evento.id for evento in pagina.elementos]
            if pagina.siguiente is None:
                break
            parametros["cursor"] = pagina.siguiente
            await libro.agregar_conversiones(
                *(conversion(id=f"n{len(vistos)}-{n}", timestamp=AHORA - n * MINUTO) for n in range(5))
            )
        assert len(vistos) == len(set(vistos))
        assert iniciales.keys() <= set(vistos)
        assert "ajena" not in vistos

    async def test_una_campaña_desconocida_es_una_lista_vacia(self, libro: Libro) -> None:
        await libro.agregar(impresion())
        assert await libro.listar(FiltroEventos(campaña_id="ninguna")) == []

    async def test_recorrer_las_paginas_mientras_llegan_eventos_no_repite_ni_se_salta_ninguno(
        self, libro: Libro
    ) -> None:
        # Varios comparten instante, para que un corte de página caiga en medio de ellos.
        iniciales = {f"i{n:02}": AHORA - (n // 4) * MINUTO for n in range(30)}
        await libro.agregar(*(impresion(id=id_, timestamp=cuando) for id_, cuando in iniciales.items()))
        vistos: list[str] = []
        parametros = {"limite": "7"}
        while True:
            pagina = await libro.pagina(parametros)
            vistos += [evento.id for evento in pagina.elementos]
            if pagina.siguiente is None:
                break
            parametros["cursor"] = pagina.siguiente
            # Llegan eventos por delante, por detrás y en los mismos instantes que los que se recorren.
            tanda = len(vistos)
            await libro.agregar(
                *(impresion(id=f"n{tanda}-{n}", timestamp=AHORA - n * MINUTO) for n in range(10))
            )
        assert len(vistos) == len(set(vistos))
        assert iniciales.keys() <= set(vistos)

    async def test_de_los_clics_leidos_se_sabe_su_campaña_y_su_lectura(self, libro: Libro) -> None:
        clic = replace(impresion(id="clic", tipo_evento="CLIC"), lectura=LECTURA)
        de_otra = replace(impresion(id="otro", tipo_evento="CLIC", campaña_id="ñ"), lectura=LECTURA)
        vista = replace(impresion(id="vista"), lectura=LECTURA)
        sin_leer = impresion(id="sin leer", tipo_evento="CLIC")
        await libro.agregar(clic, de_otra, vista, sin_leer)
        ids = ["clic", "otro", "vista", "sin leer", "ninguno"]
        assert await libro.unidad.ejecutar(lambda t: t.clics.leidos(ids)) == {
            "clic": ClicLeido("cmp-456", LECTURA),
            "otro": ClicLeido("ñ", LECTURA),
        }


class TestRepositoriosEnMemoria(ContratoRepositorios):
    @pytest.fixture
    def libro(self) -> Libro:
        memoria = LibroEnMemoria()
        return Libro(memoria, memoria)


class TestRepositoriosSQLite(ContratoRepositorios):
    @pytest.fixture
    def libro(self, tmp_path: Path) -> Generator[Libro]:
        unidad, lecturas = LibroSQLite(tmp_path), LecturasSQLite(tmp_path)
        unidad.abrir()
        yield Libro(unidad, lecturas)
        lecturas.cerrar()
        unidad.cerrar()


class TestRepositoriosPostgreSQL(ContratoRepositorios):
    @pytest.fixture
    def libro(self, servidor_postgresql: ServidorDePrueba) -> Generator[Libro]:
        with libro_postgresql(servidor_postgresql.base_nueva()) as (unidad, lecturas):
            yield Libro(unidad, lecturas)
