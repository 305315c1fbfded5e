"""El contrato de los carriles: lo escrito se publica y, si su autor muere, lo publica otro sin saltarse nada.

Dos libros son dos procesos. En SQLite el segundo solo puede abrirse cuando el primero terminó.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from alpespartners.composicion.adaptadores import CUENTAS
from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.aplicacion.mensajes import Envio
from alpespartners.modulos.tracking.aplicacion.puertos import FilaIlegible
from alpespartners.modulos.tracking.infraestructura.libro.carriles import Avance, CarrilTomado
from alpespartners.modulos.tracking.infraestructura.motores.base_datos import Libro
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.libro import LibroPostgreSQL
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.libro import LibroSQLite
from alpespartners.modulos.tracking.infraestructura.repositorios import TransaccionSQL
from tests.apoyo.base_datos import sql as sql_de_sqlite
from tests.apoyo.eventos import AHORA, IMPRESION, recibido
from tests.apoyo.por_publicar import por_publicar, trozo_de
from tests.apoyo.postgresql import ServidorDePrueba
from tests.apoyo.postgresql import sql as sql_de_postgresql

NADA = timedelta(0)
LARGO = timedelta(minutes=5)


class Lugar(ABC):
    """Dónde está la base de datos."""

    @abstractmethod
    def nuevo(self, arriendo: timedelta) -> Libro:
        """Otro proceso, sin abrir."""

    @abstractmethod
    def sql(self, sentencia: str) -> Any:
        """Una persona con una terminal."""

    @asynccontextmanager
    async def proceso(self, arriendo: timedelta = LARGO) -> AsyncGenerator[Libro]:
        """Un proceso, que al terminar deja sus carriles como estén."""
        libro = self.nuevo(arriendo)
        await asyncio.to_thread(libro.abrir)
        try:
            yield libro
        finally:
            await asyncio.to_thread(libro.cerrar)


def registrando(*ids: str) -> Callable[[TransaccionSQL], list[Envio]]:
    lote = [recibido(replace(IMPRESION, id=i), f"c-{i}") for i in ids]
    return lambda t: list(ManejadorDeRegistro(clases.IMPRESIONES).manejar(lote, t, AHORA).envios)


def nombres(envios: list[Envio]) -> list[str]:
    return [envio.sobre.propiedades["ce_subject"] for envio in envios]


class ContratoCarriles:
    async def test_los_envios_de_un_lote_van_por_orden_de_llegada_en_un_solo_carril(
        self, lugar: Lugar
    ) -> None:
        async with lugar.proceso() as libro:
            uno = await libro.ejecutar(registrando("b", "a", "c"))
            otro = await libro.ejecutar(registrando("a", "d"))
        assert sorted(nombres(uno)) == ["a", "b", "c"]
        assert nombres(otro) == ["d"]
        numeros = [envio.numero for envio in (*uno, *otro)]
        assert numeros == sorted(set(numeros))
        assert len({envio.carril for envio in (*uno, *otro)}) == 1
        assert [envio.anterior for envio in (*uno, *otro)] == [0, *numeros[:-1]]

    async def test_el_evento_que_se_lee_de_su_fila_es_el_que_se_publico_salvo_la_traza(
        self, lugar: Lugar
    ) -> None:
        async with lugar.proceso(NADA) as libro:
            envios = await libro.ejecutar(registrando("a", "b"))
            assert [envio[:3] for envio in await por_publicar(libro)] == [envio[:3] for envio in envios]

    async def test_lo_que_tiene_quien_vive_no_lo_toma_otro(self, lugar: Lugar) -> None:
        async with lugar.proceso() as libro:
            await libro.ejecutar(registrando("a"))
            assert await libro.tomar_carriles() == []

    async def test_otro_sigue_desde_lo_ultimo_que_anoto_quien_murio(self, lugar: Lugar) -> None:
        async with lugar.proceso(NADA) as libro:
            envios = await libro.ejecutar(registrando("a", "b", "c"))
            carril = envios[0].carril or 0
            assert await libro.retirar([], [Avance(carril, envios[0].numero, 1, 1)]) == set()
        async with lugar.proceso() as otro:
            (tomado,) = await otro.tomar_carriles()
            topico, numeros = envios[0].sobre.topico, [envio.numero for envio in envios]
            assert tomado == CarrilTomado(carril, topico, numeros[0], numeros[2], 1)
            leidas = await otro.leer_carril(trozo_de(tomado))
            assert [numero for numero, _ in leidas] == [envio.numero for envio in envios[1:]]
            assert await otro.tomar_carriles() == []
            await otro.retirar([], [Avance(carril, tomado.ultimo, 3, 3)])
            await otro.soltar_carriles([carril])
        assert [list(fila) for fila in lugar.sql("SELECT numero FROM carriles")] == []

    async def test_un_carril_se_lee_a_trozos(self, lugar: Lugar) -> None:
        async with lugar.proceso(NADA) as libro:
            envios = await libro.ejecutar(registrando("a", "b", "c"))
            (tomado,) = await libro.tomar_carriles()
            primero = await libro.leer_carril(trozo_de(tomado, limite=2))
            resto = trozo_de(tomado)._replace(despues_de=primero[-1][0])
            assert [*primero, *await libro.leer_carril(resto)] == [(e.numero, e.sobre) for e in envios]

    async def test_anotar_dos_veces_lo_mismo_no_cambia_nada_y_lo_anotado_no_retrocede(
        self, lugar: Lugar
    ) -> None:
        async with lugar.proceso(NADA) as libro:
            envios = await libro.ejecutar(registrando("a", "b"))
            carril = envios[0].carril or 0
            for avance in (Avance(carril, envios[1].numero, 2, 2),) * 2 + (
                Avance(carril, envios[0].numero, 1, 1),
            ):
                await libro.retirar([], [avance])
            assert await por_publicar(libro) == []

    async def test_con_todo_publicado_lo_nuevo_no_obliga_a_recorrer_lo_anterior(self, lugar: Lugar) -> None:
        async with lugar.proceso(NADA) as libro:
            (primero,) = await libro.ejecutar(registrando("a"))
            await libro.retirar([], [Avance(primero.carril or 0, primero.numero, 1, 1)])
            # Lo que escriben los demás entre medias.
            lugar.sql("UPDATE impresiones SET secuencia = secuencia + 1000")
            (segundo,) = await libro.ejecutar(registrando("b"))
            (tomado,) = await libro.tomar_carriles()
        assert (tomado.publicado_hasta, tomado.ultimo) == (segundo.numero - 1, segundo.numero)

    async def test_quien_no_supo_en_que_acabo_su_transaccion_sigue_en_otro_carril(self, lugar: Lugar) -> None:
        async with lugar.proceso(NADA) as libro:
            (primero,) = await libro.ejecutar(registrando("a"))
            # Llegó a su commit, y nadie se lo dijo: como si se cortara la conexión en ese instante.
            sabidos = dict(libro._carriles)  # noqa: SLF001
            await libro.ejecutar(registrando("b"))
            libro._carriles = sabidos  # noqa: SLF001
            (tercero,) = await libro.ejecutar(registrando("c"))
            assert tercero.carril != primero.carril
            assert nombres(await por_publicar(libro)) == ["a", "b", "c"]

    async def test_en_un_carril_que_se_solto_ya_no_escribe_nadie_ni_quien_lo_tenia(
        self, lugar: Lugar
    ) -> None:
        async with lugar.proceso() as libro:
            (primero,) = await libro.ejecutar(registrando("a"))
            await libro.soltar_carriles([primero.carril or 0])
            (segundo,) = await libro.ejecutar(registrando("b"))
            assert (segundo.carril != primero.carril, segundo.anterior) == (True, 0)
            assert [tomado.numero for tomado in await libro.tomar_carriles()] == [primero.carril]

    async def test_quien_toma_un_carril_cuenta_lo_que_le_falta_por_publicar(self, lugar: Lugar) -> None:
        async def faltan() -> int:
            return (await libro.ejecutar(lambda t: t.balance.envios_pendientes())).cuantos

        async with lugar.proceso(NADA) as libro:
            envios = await libro.ejecutar(registrando("a", "b", "c", "d"))
            carril = envios[0].carril or 0
            # La tercera se confirmó antes que la segunda: eso lo sabe quien las publica, y nadie más.
            await libro.retirar([], [Avance(carril, envios[0].numero, 1, 2)])
            assert await faltan() == 2
            (tomado,) = await libro.tomar_carriles()
            assert (tomado.seguidas, await faltan()) == (1, 3)
            await libro.retirar([], [Avance(carril, envios[1].numero, 2, 3)])
            assert await faltan() == 1
            await libro.retirar([], [Avance(carril, tomado.ultimo, 4, 4)])
            (ultimo,) = await libro.ejecutar(registrando("e"))
            assert (ultimo.carril, await faltan()) == (carril, 1)
            (tomado,) = await libro.tomar_carriles()
            assert (tomado.seguidas, await faltan()) == (4, 1)

    async def test_una_fila_que_no_se_puede_leer_no_impide_leer_las_demas(self, lugar: Lugar) -> None:
        async with lugar.proceso(NADA) as libro:
            envios = await libro.ejecutar(registrando("a", "b", "c"))
            mala = next(envio for envio in envios if nombres([envio]) == ["b"])
            lugar.sql("UPDATE impresiones SET propiedades = '{' WHERE id = 'b'")
            (tomado,) = await libro.tomar_carriles()
            leidas = dict(await libro.leer_carril(trozo_de(tomado)))
            assert isinstance(leidas.pop(mala.numero), FilaIlegible)
            assert leidas == {envio.numero: envio.sobre for envio in envios if envio is not mala}

    async def test_de_una_transaccion_que_falla_no_queda_carril(self, lugar: Lugar) -> None:
        def fallar(transaccion: TransaccionSQL) -> None:
            registrando("a")(transaccion)
            raise ZeroDivisionError

        async with lugar.proceso(NADA) as libro:
            with pytest.raises(ZeroDivisionError):
                await libro.ejecutar(fallar)
            assert nombres(await libro.ejecutar(registrando("b"))) == ["b"]
            assert nombres(await por_publicar(libro)) == ["b"]

    async def test_cada_clase_tiene_su_carril(self, lugar: Lugar) -> None:
        async with lugar.proceso(NADA) as libro:
            await libro.ejecutar(registrando("a"))
            (tomado,) = await libro.tomar_carriles()
        assert tomado.topico == clases.IMPRESIONES.topico_de_eventos


class LugarSQLite(Lugar):
    def __init__(self, datos: Path) -> None:
        self._datos = datos

    def nuevo(self, arriendo: timedelta) -> Libro:
        return LibroSQLite(self._datos, arriendo, CUENTAS)

    def sql(self, sentencia: str) -> Any:
        return sql_de_sqlite(self._datos, sentencia)


class TestCarrilesSQLite(ContratoCarriles):
    @pytest.fixture
    def lugar(self, tmp_path: Path) -> Lugar:
        return LugarSQLite(tmp_path)


class LugarPostgreSQL(Lugar):
    def __init__(self, url: str) -> None:
        self._url = url

    def nuevo(self, arriendo: timedelta) -> Libro:
        return LibroPostgreSQL(self._url, arriendo, proyectar=CUENTAS, limite=60.0)

    def sql(self, sentencia: str) -> Any:
        return sql_de_postgresql(self._url, sentencia)


class TestCarrilesPostgreSQL(ContratoCarriles):
    @pytest.fixture
    def lugar(self, servidor_postgresql: ServidorDePrueba) -> Lugar:
        return LugarPostgreSQL(servidor_postgresql.base_nueva())

    async def test_quien_estuvo_detenido_mas_que_su_arriendo_escribe_en_otro_carril(
        self, lugar: Lugar
    ) -> None:
        async with lugar.proceso(NADA) as detenido, lugar.proceso() as otro:
            (primero,) = await detenido.ejecutar(registrando("a"))
            (tomado,) = await otro.tomar_carriles()
            assert tomado.numero == primero.carril
            (segundo,) = await detenido.ejecutar(registrando("b"))
            assert segundo.carril != primero.carril
            assert await detenido.retirar([], [Avance(tomado.numero, primero.numero, 1, 1)]) == {
                tomado.numero
            }
            assert [numero for numero, _ in await otro.leer_carril(trozo_de(tomado))] == [primero.numero]

    async def test_quien_toma_un_carril_no_espera_al_que_lo_esta_usando_ni_le_quita_lo_que_escribe(
        self, lugar: Lugar
    ) -> None:
        async with lugar.proceso(NADA) as dueño, lugar.proceso() as otro:
            await dueño.ejecutar(registrando("a"))

            def con_otro_en_medio(transaccion: TransaccionSQL) -> list[CarrilTomado]:
                registrando("b")(transaccion)
                # Sin haber llegado a su commit.
                return asyncio.run_coroutine_threadsafe(otro.tomar_carriles(), bucle).result(60)

            bucle = asyncio.get_running_loop()
            assert await dueño.ejecutar(con_otro_en_medio) == []
            assert nombres(await por_publicar(otro)) == ["a", "b"]
