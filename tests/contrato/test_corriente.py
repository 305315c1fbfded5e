"""El contrato de la corriente: todo lo registrado, por orden de llegada y una vez, en todo adaptador."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.consultas.leer_corriente import (
    PaginaCorriente,
    leer_corriente,
    peticion_de_corriente,
    tope_de_la_corriente,
)
from alpespartners.modulos.tracking.aplicacion.puertos import Lecturas, UnidadTrabajo
from alpespartners.modulos.tracking.dominio.entidades import Conversion, Impresion
from alpespartners.modulos.tracking.dominio.excepciones import DatosInvalidos
from alpespartners.modulos.tracking.dominio.repositorios import FiltroCorriente, TramoContado
from alpespartners.modulos.tracking.infraestructura.libro import corriente
from tests.apoyo.base_datos import libro_sqlite
from tests.apoyo.eventos import AHORA, conversion, impresion
from tests.apoyo.libro_en_memoria import LibroEnMemoria
from tests.apoyo.postgresql import ServidorDePrueba, libro_postgresql, sql

MINUTO = timedelta(minutes=1)


@dataclass
class Libro:
    """Un adaptador bajo prueba, con verbos cortos."""

    unidad: UnidadTrabajo
    lecturas: Lecturas

    async def agregar(self, *impresiones: Impresion) -> None:
        await self.unidad.ejecutar(lambda t: t.eventos(clases.IMPRESIONES).agregar(impresiones))

    async def agregar_conversiones(self, *conversiones: Conversion) -> None:
        await self.unidad.ejecutar(lambda t: t.eventos(clases.CONVERSIONES).agregar(conversiones))

    async def pagina(self, cursor: str | None = None, **parametros: str) -> PaginaCorriente[Impresion]:
        con_cursor = parametros if cursor is None else {**parametros, "cursor": cursor}
        peticion = peticion_de_corriente(clases.IMPRESIONES, con_cursor)
        return await leer_corriente(self.lecturas, clases.IMPRESIONES, peticion)

    async def todas(self, **parametros: str) -> list[str]:
        return (await self.hasta_el_final(None, **parametros))[0]

    async def hasta_el_final(self, cursor: str | None, **parametros: str) -> tuple[list[str], str]:
        vistas: list[str] = []
        while True:
            pagina = await self.pagina(cursor, **parametros)
            vistas += [evento.id for evento in pagina.elementos]
            cursor = pagina.siguiente
            if pagina.al_dia:
                return vistas, cursor

    async def contar(self, filtro: FiltroCorriente, despues_de: int, frontera: int) -> TramoContado:
        return await self.lecturas.leer(
            lambda consulta: consulta.corriente(clases.IMPRESIONES).contar(filtro, despues_de, frontera)
        )

    async def conversiones(self, **parametros: str) -> list[str]:
        peticion = peticion_de_corriente(clases.CONVERSIONES, parametros)
        pagina = await leer_corriente(self.lecturas, clases.CONVERSIONES, peticion)
        assert pagina.al_dia
        return [evento.id for evento in pagina.elementos]


class ContratoCorriente:
    """Cada adaptador hereda estas pruebas y aporta la fixture `libro`, recién creado y vacío."""

    async def test_sin_eventos_hay_cursor_y_por_el_se_sigue(self, libro: Libro) -> None:
        vacia = await libro.pagina()
        assert (vacia.elementos, vacia.al_dia) == ([], True)
        await libro.agregar(impresion(id="a"))
        assert (await libro.hasta_el_final(vacia.siguiente))[0] == ["a"]

    async def test_hasta_un_tope_va_lo_que_habia_y_por_su_cursor_lo_que_llego_despues(
        self, libro: Libro
    ) -> None:
        await libro.agregar(*(impresion(id=letra) for letra in "abc"))
        for parametros in ({}, {"campaña_id": "cmp-456"}, {"tipo_evento": "CLIC"}):
            peticion = peticion_de_corriente(clases.IMPRESIONES, {"limite": "2", **parametros})
            tope = await tope_de_la_corriente(libro.lecturas, clases.IMPRESIONES, peticion)
            despues = f"tras-{len(parametros)}-{'-'.join(parametros)}"
            antes = await libro.todas(**parametros)
            await libro.agregar(impresion(id=despues), impresion(id=f"{despues}-clic", tipo_evento="CLIC"))
            vistas: list[str] = []
            while True:
                pagina = await leer_corriente(libro.lecturas, clases.IMPRESIONES, peticion, tope)
                vistas += [evento.id for evento in pagina.elementos]
                if pagina.al_dia:
                    break
                siguiente = {"limite": "2", "cursor": pagina.siguiente, **parametros}
                peticion = peticion_de_corriente(clases.IMPRESIONES, siguiente)
            assert vistas == antes
            assert pagina.siguiente == tope.siguiente
            nuevas, _ = await libro.hasta_el_final(tope.siguiente, **parametros)
            assert [*antes, *nuevas] == await libro.todas(**parametros)
            assert nuevas

    async def test_va_por_orden_de_llegada_y_no_por_cuando_ocurrio_ni_por_campaña(self, libro: Libro) -> None:
        await libro.agregar(impresion(id="b", timestamp=AHORA - MINUTO))
        await libro.agregar(impresion(id="c", timestamp=AHORA - 9 * MINUTO, campaña_id="otra"))
        await libro.agregar(impresion(id="a", timestamp=AHORA - 5 * MINUTO))
        assert await libro.todas() == ["b", "c", "a"]
        assert await libro.todas(limite="1") == ["b", "c", "a"]

    async def test_lo_que_llega_tarde_aparece_detras_del_cursor_de_un_extracto_anterior(
        self, libro: Libro
    ) -> None:
        # El extracto de un mes, y después una venta de ese mes.
        mes = {"desde": "2026-01-01T00:00:00Z", "hasta": "2026-02-01T00:00:00Z"}
        await libro.agregar(impresion(id="a", timestamp=AHORA - MINUTO))
        extracto, cursor = await libro.hasta_el_final(None, **mes)
        assert extracto == ["a"]
        await libro.agregar(impresion(id="tarde", timestamp=AHORA - 24 * 60 * MINUTO))
        assert (await libro.hasta_el_final(cursor, **mes))[0] == ["tarde"]

    async def test_quien_vuelve_sin_nada_nuevo_sigue_en_el_mismo_sitio(self, libro: Libro) -> None:
        await libro.agregar(impresion(id="a"))
        _, cursor = await libro.hasta_el_final(None)
        for _ in range(2):
            pagina = await libro.pagina(cursor)
            assert (pagina.elementos, pagina.siguiente, pagina.al_dia) == ([], cursor, True)

    async def test_recorrerla_mientras_llegan_eventos_los_da_todos_una_vez(self, libro: Libro) -> None:
        esperadas = [f"{tanda}-{n}" for tanda in range(6) for n in range(5)]
        vistas: list[str] = []
        cursor: str | None = None
        for tanda in range(6):
            await libro.agregar(*(impresion(id=f"{tanda}-{n}") for n in range(5)))
            pagina = await libro.pagina(cursor, limite="3")
            vistas += [evento.id for evento in pagina.elementos]
            cursor = pagina.siguiente
        vistas += (await libro.hasta_el_final(cursor, limite="3"))[0]
        assert sorted(vistas) == esperadas
        assert [id_evento[0] for id_evento in vistas] == [id_evento[0] for id_evento in esperadas]

    async def test_lo_repetido_no_vuelve_a_llegar(self, libro: Libro) -> None:
        await libro.agregar(impresion(id="a"))
        _, cursor = await libro.hasta_el_final(None)
        await libro.agregar(impresion(id="a", usuario_id="otro"), impresion(id="b"))
        assert (await libro.hasta_el_final(cursor))[0] == ["b"]

    async def test_lo_que_una_transaccion_fallida_escribio_no_llega(self, libro: Libro) -> None:
        with pytest.raises(ZeroDivisionError):
            await libro.unidad.ejecutar(
                lambda t: (t.eventos(clases.IMPRESIONES).agregar([impresion(id="a")]), 1 // 0)
            )
        await libro.agregar(impresion(id="b"))
        assert await libro.todas() == ["b"]

    async def test_los_filtros_son_los_de_las_listas_y_la_campaña(self, libro: Libro) -> None:
        await libro.agregar_conversiones(
            conversion(id="1"),
            conversion(id="2", campaña_id="otra"),
            conversion(id="3", influencer_id="otro"),
            conversion(id="4", tipo_conversion="REGISTRO"),
            conversion(id="5", timestamp=AHORA - 60 * MINUTO),
        )
        assert await libro.conversiones() == ["1", "2", "3", "4", "5"]
        assert await libro.conversiones(campaña_id="otra") == ["2"]
        assert await libro.conversiones(influencer_id="otro") == ["3"]
        assert await libro.conversiones(tipo_conversion="registro") == ["4"]
        assert await libro.conversiones(hasta="2026-01-15T10:00:00Z") == ["5"]
        assert await libro.conversiones(desde="2026-01-15T10:00:00Z", campaña_id="cmp-456") == ["1", "3", "4"]
        assert await libro.conversiones(limite="5", influencer_id="nadie") == []

    async def test_contar_da_los_que_da_leer(self, libro: Libro) -> None:
        await libro.agregar(*(impresion(id=str(n), influencer_id=f"inf-{n % 3}") for n in range(10)))
        for filtro in (FiltroCorriente(), FiltroCorriente(influencer_id="inf-0", campaña_id="cmp-456")):
            cuantos, numero = 0, 0
            while numero < 10:
                contado = await libro.contar(filtro, numero, 10)
                cuantos, numero = cuantos + contado.cuantos, contado.hasta
            assert cuantos == (10 if filtro.influencer_id is None else 4)
        assert (await libro.contar(FiltroCorriente(), 3, 7)).cuantos == 4

    async def test_un_filtro_que_nada_cumple_avanza_igual(self, libro: Libro) -> None:
        await libro.agregar(*(impresion(id=f"a{n}") for n in range(10)))
        _, cursor = await libro.hasta_el_final(None, influencer_id="raro")
        await libro.agregar(impresion(id="suya", influencer_id="raro"), impresion(id="ajena"))
        assert (await libro.hasta_el_final(cursor, influencer_id="raro"))[0] == ["suya"]

    async def test_se_puede_empezar_por_lo_registrado_desde_un_instante(self, libro: Libro) -> None:
        # Los relojes de dos consumidores no van a la par: lo registrado antes puede llegar después.
        for minuto in (0, 2, 1, 3, 5, 4):
            registrado_en = AHORA + minuto * MINUTO
            await libro.agregar(replace(impresion(id=str(minuto)), registrado_en=registrado_en))
        desde = {"registrado_desde": (AHORA + 2 * MINUTO).isoformat()}
        vistas, cursor = await libro.hasta_el_final(None, **desde)
        assert vistas == ["2", "3", "5", "4"]
        await libro.agregar(
            replace(impresion(id="antes"), registrado_en=AHORA),
            replace(impresion(id="despues"), registrado_en=AHORA + 9 * MINUTO),
        )
        assert (await libro.hasta_el_final(cursor, **desde))[0] == ["despues"]
        futuro = {"registrado_desde": (AHORA + 60 * MINUTO).isoformat()}
        vacia, cursor = await libro.hasta_el_final(None, **futuro)
        await libro.agregar(replace(impresion(id="futuro"), registrado_en=AHORA + 61 * MINUTO))
        assert (vacia, (await libro.hasta_el_final(cursor, **futuro))[0]) == ([], ["futuro"])


class ContratoDelDisco:
    """Lo que cumple además todo adaptador que guarda: cuánto mira de una vez, y de qué libro es un cursor."""

    @pytest.mark.parametrize(
        "parametros", [{"influencer_id": "raro"}, {"registrado_desde": "2020-01-01T00:00:00Z"}]
    )
    async def test_una_pagina_no_mira_mas_filas_de_la_cuenta_y_lo_dice(
        self, libro: Libro, monkeypatch: pytest.MonkeyPatch, parametros: dict[str, str]
    ) -> None:
        monkeypatch.setattr(corriente, "FILAS_MIRADAS", 4)
        monkeypatch.setattr(corriente, "FILAS_CONTADAS", 4)
        for n in range(10):
            await libro.agregar(impresion(id=str(n), influencer_id="raro" if n in (0, 9) else "otro"))
        primera = await libro.pagina(**parametros)
        assert not primera.al_dia
        segunda = await libro.pagina(primera.siguiente, **parametros)
        assert not segunda.al_dia
        todas = await libro.todas(**parametros)
        assert todas == (["0", "9"] if "influencer_id" in parametros else [str(n) for n in range(10)])

    async def test_un_cursor_de_otro_libro_se_rechaza_y_el_de_quien_nada_leyo_vale(
        self, libro: Libro, otro: Libro
    ) -> None:
        # Los mismos eventos en el mismo orden: solo los distingue ser otro libro.
        sin_leer = (await libro.pagina()).siguiente
        for cual in (libro, otro):
            await cual.agregar(impresion(id="a"))
        _, cursor = await libro.hasta_el_final(None)
        with pytest.raises(DatosInvalidos, match="se reconstruyó o se restauró"):
            await otro.pagina(cursor)
        assert (await otro.hasta_el_final(sin_leer))[0] == ["a"]


class TestCorrienteEnMemoria(ContratoCorriente):
    @pytest.fixture
    def libro(self) -> Libro:
        memoria = LibroEnMemoria()
        return Libro(memoria, memoria)


class TestCorrienteSQLite(ContratoCorriente, ContratoDelDisco):
    @pytest.fixture
    def libro(self, tmp_path: Path) -> Generator[Libro]:
        with libro_sqlite(tmp_path / "uno") as abierto:
            yield Libro(*abierto)

    @pytest.fixture
    def otro(self, tmp_path: Path) -> Generator[Libro]:
        with libro_sqlite(tmp_path / "otro") as abierto:
            yield Libro(*abierto)


class TestCorrientePostgreSQL(ContratoCorriente, ContratoDelDisco):
    @pytest.fixture
    def libro(self, servidor_postgresql: ServidorDePrueba) -> Generator[Libro]:
        with libro_postgresql(servidor_postgresql.base_nueva()) as abierto:
            yield Libro(*abierto)

    @pytest.fixture
    def otro(self, servidor_postgresql: ServidorDePrueba) -> Generator[Libro]:
        # Las pruebas copian las bases de datos de una; la identidad es lo que tendría una recién migrada.
        url = servidor_postgresql.base_nueva()
        sql(url, "UPDATE libro SET identidad = 'otra'")
        with libro_postgresql(url) as abierto:
            yield Libro(*abierto)
